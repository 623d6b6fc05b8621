/* winograd.c - tiles of images, and their inputs transformed. */
#include "winograd.h"

#include <string.h>

bool nn_winograd_suits(const nn_conv_geometry *g) {
    if (g->kernel_height != 3 * g->stride || g->kernel_width != 3 * g->stride ||
        g->channels % NN_VECTOR_MAX != 0 || g->filters % NN_VECTOR_MAX != 0)
        return false;
    double outputs = (double)g->out_height * g->out_width, tiles = nn_winograd_tiles(g);
    return tiles * WINOGRAD_POINTS * 1.5 < outputs * WINOGRAD_TAPS;
}

size_t nn_winograd_channels(const nn_conv_geometry *g) {
    return (size_t)g->stride * (size_t)g->stride * (size_t)g->channels;
}

int nn_winograd_tiles(const nn_conv_geometry *g) {
    return divide_up(g->out_height, WINOGRAD_TILE) * divide_up(g->out_width, WINOGRAD_TILE);
}

winograd_tile nn_winograd_tile(const nn_conv_geometry *g, int number) {
    int columns = divide_up(g->out_width, WINOGRAD_TILE), tiles = nn_winograd_tiles(g);
    winograd_tile t = {.image = number / tiles,
                       .row = number % tiles / columns * WINOGRAD_TILE,
                       .column = number % tiles % columns * WINOGRAD_TILE};
    t.rows = smaller(WINOGRAD_TILE, g->out_height - t.row);
    t.columns = smaller(WINOGRAD_TILE, g->out_width - t.column);
    return t;
}

/* The odd cache line keeps the 36 streams of a transform from competing for one place of the L1 cache. */
size_t nn_winograd_point(int tiles, size_t channels) {
    return (size_t)tiles * channels + LINE;
}

winograd_patch nn_winograd_read(int height, int width, size_t channels, const float *image, int top, int left,
                                int stride, int side, float *copy) {
    range rows = nn_conv_inside(top, stride, side, height),
          columns = nn_conv_inside(left, stride, side, width);
    size_t row = (size_t)width * channels, pixel = (size_t)stride * channels,
           copy_row = (size_t)side * channels;
    const float *first = image + (ptrdiff_t)(top + rows.first * stride) * (ptrdiff_t)row +
                         (ptrdiff_t)(left + columns.first * stride) * (ptrdiff_t)channels;
    if (rows.count == side && columns.count == side)
        return (winograd_patch){first, (size_t)stride * row, pixel};
    memset(copy, 0, (size_t)side * copy_row * sizeof *copy);
    size_t run = (stride == 1 ? (size_t)columns.count : 1) * channels; /* contiguous in both */
    for (int r = 0; r < rows.count; r++)
        for (size_t s = 0; s * run < (size_t)columns.count * channels; s++)
            memcpy(copy + (size_t)(rows.first + r) * copy_row + (size_t)columns.first * channels + s * run,
                   first + (size_t)(r * stride) * row + s * pixel, run * sizeof *copy);
    return (winograd_patch){copy, copy_row, channels};
}

void nn_winograd_inputs(const nn_conv_geometry *g, const float *x, int first, int count, float *values,
                        size_t point, float *copy) {
    size_t channels = (size_t)g->channels, image = (size_t)g->height * (size_t)g->width * channels;
    for (int i = 0; i < count; i++) {
        winograd_tile t = nn_winograd_tile(g, first + i);
        float *tile = values + (size_t)i * nn_winograd_channels(g);
        for (int a = 0; a < g->stride; a++)
            for (int b = 0; b < g->stride; b++, tile += channels) {
                winograd_patch patch =
                    nn_winograd_read(g->height, g->width, channels, x + (size_t)t.image * image,
                                     t.row * g->stride - g->top + a, t.column * g->stride - g->left + b,
                                     g->stride, WINOGRAD_REACH, copy);
                nn_kernels_active()->winograd->input(&(nn_winograd_grid){.channels = channels,
                                                                         .x = patch.x,
                                                                         .x_row = patch.row,
                                                                         .x_pixel = patch.pixel,
                                                                         .y = tile,
                                                                         .y_row = WINOGRAD_REACH * point,
                                                                         .y_pixel = point});
            }
    }
}
