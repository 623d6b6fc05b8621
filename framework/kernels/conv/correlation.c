/* correlation.c - the passes of the convolution as correlations, and how weights are packed. */
#include "correlation.h"

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
        c.slot = a * smaller(g->stride, g->kernel_width) + b;
    } else
        c.g.kernel_height = c.g.kernel_width = 0;
    return c;
}

int nn_correlations(const nn_conv_geometry *g, bool backward) {
    return backward ? g->stride * g->stride : 1;
}

correlation nn_correlation(const nn_conv_geometry *g, bool backward, int index) {
    return backward ? phase_correlation(g, index / g->stride, index % g->stride) : forward_correlation(g);
}

int nn_correlation_slots(const nn_conv_geometry *g, bool backward) {
    return backward ? smaller(g->stride, g->kernel_height) * smaller(g->stride, g->kernel_width) : 1;
}

int nn_block_filters(const correlation *c, int first) {
    return smaller(c->g.filters - first, 2 * nn_kernels_active()->conv->vector);
}

int nn_block_lanes(int filters) {
    int vector = nn_kernels_active()->conv->vector;
    return filters > vector ? 2 * vector : vector;
}

void nn_pack_tap(const correlation *c, const float *w, int count, int filters, float *packed) {
    enum { STEP = 16 }; /* channels at a time, so that reads and writes both use whole cache lines */
    int lanes = nn_block_lanes(filters);
    for (int first = 0; first < count; first += STEP, packed += STEP * lanes)
        for (int k = 0; k < lanes; k++)
            for (int i = 0; i < smaller(STEP, count - first); i++)
                packed[i * lanes + k] =
                    k < filters ? w[(size_t)k * c->w_filter + (size_t)(first + i) * c->w_channel] : 0;
}
