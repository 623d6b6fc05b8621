/* conv.c - convolution and its data gradient: cutting the work into micro-kernel calls.
 *
 * Images have the channel fastest, so the inputs under one kernel row are `kernel_width * channels`
 * contiguous floats for every output pixel: no im2col matrix is made. The zeros that padding needs are made
 * by copying a few images at a time into a *frame* with wider rows; kernel rows outside the image are left
 * out of the sums. Where output rows are short, the pixels of one micro-kernel call are not neighbours but
 * the same pixel of several images, and kernel columns outside the image are left out as well.
 *
 * The forward pass is one *correlation* of x with w. The gradient of the data is stride * stride of them:
 * pixel h of dx with (h + top) % stride = a gets its gradient through the kernel rows r = a, a + stride, ...
 * alone, from row (h + top - r) / stride of dy; so these pixels are a stride-1 correlation of dy with those
 * rows in reverse order.
 *
 * How the work is cut depends on sizes only, and every sum adds its terms in one order. */
#include <omp.h>
#include <string.h>

#include "conv_frame.h"

enum {
    GROUP_BYTES = 256 << 10, /* images of one group: they share the L2 cache with a block of weights */
    GROUP_IMAGES = 16,       /* at most, and an eighth of the batch, so that threads get even shares */
    SHORT_ROW = 6,           /* output rows shorter than this are computed across images */
};

/* --- correlations --------------------------------------------------------------------------------------- */

/* One correlation of x with some taps of w. g is as for a forward pass, except that top and left may be
 * negative: rows and columns that nothing reads. Output pixel (p, q) of image n is at y_first + n * y_image +
 * p * y_row + q * y_pixel; its weights are at w_first + r * w_row + s * w_column + channel * w_channel +
 * filter * w_filter. */
typedef struct correlation {
    nn_conv_geometry g;
    size_t y_first, y_image, y_row, y_pixel;
    size_t w_first, w_channel, w_filter;
    ptrdiff_t w_row, w_column;
    size_t packed; /* where its packed weights start */
} correlation;

/* One dimension of a phase of the data gradient. */
typedef struct phase {
    int first, count; /* of dx: pixels first, first + stride, ... */
    int taps;         /* kernel rows a, a + stride, ... */
    int before;       /* output 0 reads from row -before of dy */
} phase;

static phase phase_of(int a, int stride, int padding, int kernel, int size) {
    phase f = {.first = ((a - padding) % stride + stride) % stride};
    f.count = f.first < size ? divide_up(size - f.first, stride) : 0;
    f.taps = a < kernel ? divide_up(kernel - a, stride) : 0;
    f.before = f.taps - 1 - (f.first + padding - a) / stride;
    return f;
}

static correlation forward_correlation(const nn_conv_geometry *g) {
    size_t channels = (size_t)g->channels, filters = (size_t)g->filters,
           row = (size_t)g->kernel_width * channels;
    return (correlation){
        .g = *g,
        .y_image = (size_t)g->out_height * (size_t)g->out_width * filters,
        .y_row = (size_t)g->out_width * filters,
        .y_pixel = filters,
        .w_channel = 1,
        .w_filter = (size_t)g->kernel_height * row,
        .w_row = (ptrdiff_t)row,
        .w_column = (ptrdiff_t)channels,
    };
}

/* Floats of packed weights that one correlation needs at most. */
static size_t packed_floats(const nn_conv_geometry *g, bool backward) {
    size_t outputs = round_up((size_t)(backward ? g->channels : g->filters), 2 * NN_VECTOR_MAX);
    size_t inputs = (size_t)(backward ? g->filters : g->channels);
    int step = backward ? g->stride : 1;
    size_t taps = (size_t)divide_up(g->kernel_height, step) * (size_t)divide_up(g->kernel_width, step);
    return taps * inputs * outputs;
}

/* The gradient of dx's pixels with (h + top) % stride = a and (w + left) % stride = b. */
static correlation phase_correlation(const nn_conv_geometry *g, int a, int b) {
    phase rows = phase_of(a, g->stride, g->top, g->kernel_height, g->height);
    phase columns = phase_of(b, g->stride, g->left, g->kernel_width, g->width);
    size_t channels = (size_t)g->channels, stride = (size_t)g->stride, width = (size_t)g->width;
    size_t tap_row = (size_t)g->kernel_width * channels;
    correlation c = {
        .g = {.height = g->out_height,
              .width = g->out_width,
              .channels = g->filters,
              .filters = g->channels,
              .kernel_height = rows.taps,
              .kernel_width = columns.taps,
              .stride = 1,
              .top = rows.before,
              .left = columns.before,
              .out_height = rows.count,
              .out_width = columns.count},
        .y_first = ((size_t)rows.first * width + (size_t)columns.first) * channels,
        .y_image = (size_t)g->height * width * channels,
        .y_row = stride * width * channels,
        .y_pixel = stride * channels,
        .w_channel = (size_t)g->kernel_height * tap_row,
        .w_filter = 1,
        .w_row = -(ptrdiff_t)(stride * tap_row),
        .w_column = -(ptrdiff_t)(stride * channels),
    };
    if (rows.taps > 0 && columns.taps > 0) {
        c.w_first = ((size_t)a + stride * (size_t)(rows.taps - 1)) * tap_row +
                    ((size_t)b + stride * (size_t)(columns.taps - 1)) * channels;
        c.packed = (size_t)(a * smaller(g->stride, g->kernel_width) + b) * packed_floats(g, true);
    } else
        c.g.kernel_height = c.g.kernel_width = 0;
    return c;
}

/* A pass over the batch is `phases` correlations of the same x and w, with outputs apart. */
static int phases(const nn_conv_geometry *g, bool backward) {
    return backward ? g->stride * g->stride : 1;
}

static correlation correlation_of(const nn_conv_geometry *g, bool backward, int index) {
    return backward ? phase_correlation(g, index / g->stride, index % g->stride) : forward_correlation(g);
}

static bool across_images(const correlation *c) {
    return c->g.out_width < SHORT_ROW;
}

static frame correlation_frame(const correlation *c) {
    if (c->g.kernel_width == 0) /* reads nothing */
        return (frame){0};
    return nn_conv_frame(&c->g, across_images(c), across_images(c));
}

/* Filters that share a block of packed weights with the filter `first`, and the floats between their inputs.
 */
static int block_filters(const correlation *c, int first) {
    return smaller(c->g.filters - first, 2 * nn_kernels_active()->conv->vector);
}

static int block_lanes(int filters) {
    int vector = nn_kernels_active()->conv->vector;
    return filters > vector ? 2 * vector : vector;
}

/* One kernel row of one block: packed[column][channel][lane], zero in the lanes past the last filter. */
static void pack_row(const correlation *c, const float *w, int filters, float *packed) {
    enum { STEP = 16 }; /* channels at a time, so that reads and writes both use whole cache lines */
    int lanes = block_lanes(filters), channels = c->g.channels;
    for (int s = 0; s < c->g.kernel_width; s++, w += c->w_column)
        for (int first = 0; first < channels; first += STEP) {
            int count = smaller(STEP, channels - first);
            for (int k = 0; k < lanes; k++)
                for (int i = 0; i < count; i++)
                    packed[i * lanes + k] =
                        k < filters ? w[(size_t)k * c->w_filter + (size_t)(first + i) * c->w_channel] : 0;
            packed += count * lanes;
        }
}

/* Work of the whole team: packs all weights of the correlation. */
static void pack(const correlation *c, const float *w, float *packed) {
    int block = block_filters(c, 0), rows = c->g.kernel_height;
    size_t run = (size_t)c->g.kernel_width * (size_t)c->g.channels;
#pragma omp for collapse(2) nowait
    for (int k = 0; k < c->g.filters; k += block)
        for (int r = 0; r < rows; r++) {
            int filters = block_filters(c, k);
            pack_row(c, w + (ptrdiff_t)(c->w_first + (size_t)k * c->w_filter) + r * c->w_row, filters,
                     packed + c->packed +
                         run * ((size_t)k * (size_t)rows + (size_t)(r * block_lanes(filters))));
        }
}

/* One block of filters of one group of images. x is the frame's, w the block's packed weights. */
static void correlate_block(const correlation *c, const frame *f, int images, const float *x, const float *w,
                            const float *bias, nn_conv_tile *tile, float *y) {
    const nn_conv_geometry *g = &c->g;
    const nn_conv_kernels *kernels = nn_kernels_active()->conv;
    bool across = across_images(c);
    size_t channels = (size_t)g->channels, lanes = (size_t)block_lanes(tile->filters);
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
static void correlate(const correlation *c, int images, const float *x, const float *packed,
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
        tile.filters = block_filters(c, k);
        correlate_block(c, &f, images, x, packed + c->packed + (size_t)k * taps, bias ? bias + k : NULL,
                        &tile, y + c->y_first + k);
    }
}

/* --- passes over the batch ------------------------------------------------------------------------------ */

/* What one pass keeps in scratch, in floats. */
typedef struct pass_scratch {
    size_t packed, bias, copy; /* copy: of each thread */
    size_t total;
} pass_scratch;

static int group_images(const nn_conv_geometry *g, bool backward, int images) {
    size_t floats = backward ? (size_t)g->out_height * (size_t)g->out_width * (size_t)g->filters
                             : (size_t)g->height * (size_t)g->width * (size_t)g->channels;
    size_t fit = GROUP_BYTES / sizeof(float) / floats;
    return larger(1, smaller(fit < GROUP_IMAGES ? (int)fit : GROUP_IMAGES, divide_up(images, 8)));
}

static pass_scratch scratch_of_pass(const nn_conv_geometry *g, bool backward, int images) {
    int kept = backward ? smaller(g->stride, g->kernel_height) * smaller(g->stride, g->kernel_width) : 1;
    pass_scratch s = {.packed = round_up((size_t)kept * packed_floats(g, backward), LINE)};
    s.bias = backward ? 0 : round_up((size_t)g->filters, 2 * NN_VECTOR_MAX);
    for (int i = 0; i < phases(g, backward); i++) {
        correlation c = correlation_of(g, backward, i);
        frame f = correlation_frame(&c);
        size_t floats = nn_conv_frame_floats(&f, group_images(g, backward, images));
        s.copy = s.copy > floats ? s.copy : round_up(floats, LINE);
    }
    s.total = s.packed + s.bias + (size_t)nn_threads() * s.copy;
    return s;
}

/* Computes all phases of a pass, group by group of images. */
static void run_pass(const nn_conv_geometry *g, bool backward, int images, const float *x, const float *w,
                     const float *bias, bool accumulate, float *y, float *scratch) {
    pass_scratch s = scratch_of_pass(g, backward, images);
    int group = group_images(g, backward, images), count = phases(g, backward);
    float *packed = scratch, *padded_bias = scratch + s.packed;
    if (bias) {
        memcpy(padded_bias, bias, (size_t)g->filters * sizeof *bias);
        memset(padded_bias + g->filters, 0, (s.bias - (size_t)g->filters) * sizeof *bias);
    }
#pragma omp parallel num_threads(nn_threads())
    {
        for (int i = 0; i < count; i++) {
            correlation c = correlation_of(g, backward, i);
            pack(&c, w, packed);
        }
        float *copy = padded_bias + s.bias + (size_t)omp_get_thread_num() * s.copy;
#pragma omp barrier
#pragma omp for schedule(dynamic)
        for (int n = 0; n < images; n += group)
            for (int i = 0; i < count; i++) {
                correlation c = correlation_of(g, backward, i);
                size_t x_image = (size_t)c.g.height * (size_t)c.g.width * (size_t)c.g.channels;
                correlate(&c, smaller(group, images - n), x + (size_t)n * x_image, packed,
                          bias ? padded_bias : NULL, accumulate, y + (size_t)n * c.y_image, copy);
            }
    }
}

void nn_conv_forward(const nn_conv_geometry *g, int images, const float *x, const float *w, const float *bias,
                     float *y, void *scratch) {
    run_pass(g, false, images, x, w, bias, false, y, scratch);
}

void nn_conv_backward_data(const nn_conv_geometry *g, int images, const float *dy, const float *w,
                           bool accumulate, float *dx, void *scratch) {
    run_pass(g, true, images, dy, w, NULL, accumulate, dx, scratch);
}

size_t nn_conv_scratch(const nn_conv_geometry *g, int images) {
    size_t forward = scratch_of_pass(g, false, images).total,
           backward = scratch_of_pass(g, true, images).total;
    size_t weights = nn_conv_weights_scratch(g, images), most = forward > backward ? forward : backward;
    return (most > weights ? most : weights) * sizeof(float);
}
