/* correlation_direct.c - correlations by the formula: cutting the work into micro-kernel calls.
 *
 * Images have the channel fastest, so the inputs under one kernel row are `kernel_width * channels`
 * contiguous floats for every output pixel: no im2col matrix is made. The zeros that padding needs are made
 * by copying a few images at a time into a *frame* with wider rows; kernel rows outside the image are left
 * out of the sums. Where output rows are short, the pixels of one micro-kernel call are not neighbours but
 * the same pixel of several images, and kernel columns outside the image are left out as well. */
#include "correlation.h"

enum {
    GROUP_BYTES = 256 << 10, /* images of one group: they share the L2 cache with a block of weights */
    GROUP_IMAGES = 16,       /* at most, and an eighth of the batch, so that threads get even shares */
    SHORT_ROW = 6,           /* output rows shorter than this are computed across images */
};

static bool across_images(const correlation *c) {
    return c->g.out_width < SHORT_ROW;
}

static bool direct_suits(const correlation *c) {
    (void)c;
    return true;
}

static int direct_group(const correlation *c, int images) {
    size_t floats = (size_t)c->g.height * (size_t)c->g.width * (size_t)c->g.channels;
    size_t fit = GROUP_BYTES / sizeof(float) / floats;
    return larger(1, smaller(fit < GROUP_IMAGES ? (int)fit : GROUP_IMAGES, divide_up(images, 8)));
}

static frame correlation_frame(const correlation *c) {
    if (c->g.kernel_width == 0) /* reads nothing */
        return (frame){0};
    return nn_conv_frame(&c->g, across_images(c), across_images(c));
}

static size_t direct_packed(const correlation *c) {
    size_t filters = round_up((size_t)c->g.filters, 2 * NN_VECTOR_MAX);
    return (size_t)c->g.kernel_height * (size_t)c->g.kernel_width * (size_t)c->g.channels * filters;
}

/* Blocks of filters, and in each [row][column][channel][lane]. */
static void direct_pack(const correlation *c, const float *w, float *packed) {
    int block = nn_block_filters(c, 0), rows = c->g.kernel_height, columns = c->g.kernel_width;
    size_t row_taps = (size_t)columns * (size_t)c->g.channels;
#pragma omp for collapse(2) nowait
    for (int k = 0; k < c->g.filters; k += block)
        for (int r = 0; r < rows; r++) {
            int filters = nn_block_filters(c, k);
            size_t lanes = (size_t)nn_block_lanes(filters);
            float *row = packed + row_taps * ((size_t)k * (size_t)rows + (size_t)r * lanes);
            const float *from = w + (ptrdiff_t)(c->w_first + (size_t)k * c->w_filter) + r * c->w_row;
            for (int s = 0; s < columns; s++)
                nn_pack_tap(c, from + s * c->w_column, c->g.channels, filters,
                            row + (size_t)s * (size_t)c->g.channels * lanes);
        }
}

/* One block of filters of one group of images. x is the frame's, w the block's packed weights. */
static void correlate_block(const correlation *c, const frame *f, int images, const float *x, const float *w,
                            const float *bias, nn_conv_tile *tile, float *y) {
    const nn_conv_geometry *g = &c->g;
    const nn_conv_kernels *kernels = nn_kernels_active()->conv;
    bool across = across_images(c);
    size_t channels = (size_t)g->channels, lanes = (size_t)nn_block_lanes(tile->filters);
    tile->w_row = (size_t)g->kernel_width * channels * lanes;
    for (int n = 0; n < (across ? 1 : images); n++)
        for (int p = 0; p < g->out_height; p++) {
            int row = p * g->stride - g->top;
            range rows = nn_conv_inside(row, 1, g->kernel_height, g->height);
            for (int q = 0; q < (across ? g->out_width : 1); q++) {
                int column = q * g->stride - g->left + f->left;
                range columns = nn_conv_inside(column, 1, g->kernel_width, f->width);
                tile->rows = columns.count ? rows.count : 0;
                tile->run = columns.count * g->channels;
                const float *in = x, *weights = w;
                if (tile->rows) {
                    in += (size_t)n * f->image + (size_t)(row + rows.first) * f->row;
                    in += (size_t)(column + columns.first) * channels;
                    weights += (size_t)rows.first * tile->w_row + (size_t)columns.first * channels * lanes;
                }
                kernels->tile(tile, in, weights, bias,
                              y + (size_t)n * c->y_image + (size_t)p * c->y_row + (size_t)q * c->y_pixel);
            }
        }
}

/* All filters of one group of images. */
static void direct_correlate(const correlation *c, int images, const float *x, const float *packed,
                             const float *bias, bool accumulate, float *y, float *copy) {
    frame f = correlation_frame(c);
    x = nn_conv_frame_read(&f, &c->g, images, x, copy);
    size_t taps = (size_t)c->g.kernel_height * (size_t)c->g.kernel_width * (size_t)c->g.channels;
    bool across = across_images(c);
    nn_conv_tile tile = {
        .pixels = across ? images : c->g.out_width,
        .x_pixel = across ? f.image : (size_t)c->g.stride * (size_t)c->g.channels,
        .x_row = f.row,
        .y_pixel = across ? c->y_image : c->y_pixel,
        .accumulate = accumulate,
    };
    for (int k = 0; k < c->g.filters; k += tile.filters) {
        tile.filters = nn_block_filters(c, k);
        correlate_block(c, &f, images, x, packed + (size_t)k * taps, bias ? bias + k : NULL, &tile,
                        y + c->y_first + k);
    }
}

static size_t direct_scratch(const correlation *c, int group) {
    frame f = correlation_frame(c);
    return nn_conv_frame_floats(&f, group);
}

const nn_correlation_method nn_correlation_direct = {.suits = direct_suits,
                                                     .group = direct_group,
                                                     .packed = direct_packed,
                                                     .scratch = direct_scratch,
                                                     .pack = direct_pack,
                                                     .correlate = direct_correlate};
