/* frame.c - images as the convolution's micro-kernels see them. */
#include "frame.h"

#include <string.h>

range nn_conv_inside(int origin, int step, int count, int size) {
    int first = origin < 0 ? divide_up(-origin, step) : 0;
    int end = origin < size ? smaller(count, divide_up(size - origin, step)) : 0;
    return first < end ? (range){first, end - first} : (range){0, 0};
}

frame nn_conv_frame(const nn_conv_geometry *g, bool plain, bool copied) {
    int width = plain ? g->width : (g->out_width - 1) * g->stride + g->kernel_width;
    int left = plain ? 0 : g->left;
    frame f = {.copied = copied || left > 0 || width - left > g->width, .width = width, .left = left};
    f.row = (size_t)(f.copied ? width : g->width) * (size_t)g->channels;
    f.image = (size_t)g->height * f.row;
    if (f.copied) /* an odd number of cache lines: images do not compete for the same places of the caches */
        f.image = (round_up(f.image, LINE) / LINE | 1) * LINE;
    return f;
}

/* Copies images into the frame, with zeros where it is wider than they are. */
static void frame_fill(const frame *f, const nn_conv_geometry *g, int images, const float *x, float *copy) {
    size_t channels = (size_t)g->channels;
    range columns = nn_conv_inside(-f->left, 1, f->width, g->width);
    size_t before = (size_t)columns.first * channels, count = (size_t)columns.count * channels;
    size_t after = (size_t)f->width * channels - before - count;
    for (int i = 0; i < images; i++, copy += f->image)
        for (int h = 0; h < g->height; h++, x += (size_t)g->width * channels) {
            float *row = copy + (size_t)h * f->row;
            memset(row, 0, before * sizeof *row);
            if (count)
                memcpy(row + before, x + (columns.first - f->left) * (ptrdiff_t)channels,
                       count * sizeof *row);
            memset(row + before + count, 0, after * sizeof *row);
        }
}

const float *nn_conv_frame_read(const frame *f, const nn_conv_geometry *g, int images, const float *x,
                                float *copy) {
    if (!f->copied)
        return x - f->left * (ptrdiff_t)g->channels;
    frame_fill(f, g, images, x, copy);
    return copy;
}

size_t nn_conv_frame_floats(const frame *f, int images) {
    return f->copied ? (size_t)images * f->image + NN_VECTOR_MAX : 0;
}
