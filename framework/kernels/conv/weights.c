/* weights.c - the convolution's weight and bias gradients. */
#include "weights.h"
#include "winograd.h"

enum { BIAS_SLICES = 16, BIAS_FILTERS = 64 }; /* of the pixels; at a time */

static const nn_weights_method *method_of(const nn_conv_geometry *g, int images) {
    if (nn_weights_winograd_slices.suits(g, images))
        return &nn_weights_winograd_slices;
    return nn_weights_winograd_panels.suits(g, images) ? &nn_weights_winograd_panels : &nn_weights_direct;
}

/* Floats of the bias's partial sums, which are in double precision. */
static size_t bias_floats(const nn_conv_geometry *g) {
    return round_up((size_t)g->filters * BIAS_SLICES * 2, LINE);
}

/* Fewer images can take more: another method may suit them. */
size_t nn_conv_weights_scratch(const nn_conv_geometry *g, int images) {
    size_t most = bias_floats(g);
    for (int some = 1; some <= images; some++) {
        size_t weights = method_of(g, some)->scratch(g, some);
        most = weights > most ? weights : most;
    }
    return most;
}

/* sum[k] = the sum over the pixels of dy[pixel][k], for `count` filters */
static void sum_pixels(const nn_conv_geometry *g, size_t pixels, int count, const float *dy, double *sum) {
    double total[BIAS_FILTERS] = {0};
    for (size_t p = 0; p < pixels; p++, dy += g->filters)
        for (int k = 0; k < count; k++)
            total[k] += dy[k];
    for (int k = 0; k < count; k++)
        sum[k] = total[k];
}

/* Fixed slices of the pixels, added up in order. */
static void backward_bias(const nn_conv_geometry *g, int images, const float *dy, bool accumulate,
                          float *dbias, double *partial) {
    size_t filters = (size_t)g->filters;
    size_t pixels = (size_t)images * (size_t)g->out_height * (size_t)g->out_width;
#pragma omp parallel for collapse(2) num_threads(nn_threads()) schedule(static)
    for (int slice = 0; slice < BIAS_SLICES; slice++)
        for (int k = 0; k < g->filters; k += BIAS_FILTERS) {
            size_t first = pixels * (size_t)slice / BIAS_SLICES,
                   end = pixels * ((size_t)slice + 1) / BIAS_SLICES;
            sum_pixels(g, end - first, smaller(BIAS_FILTERS, g->filters - k), dy + first * filters + k,
                       partial + (size_t)slice * filters + k);
        }
    for (size_t k = 0; k < filters; k++) {
        double total = 0;
        for (size_t slice = 0; slice < BIAS_SLICES; slice++)
            total += partial[slice * filters + k];
        dbias[k] = (float)total + (accumulate ? dbias[k] : 0);
    }
}

void nn_conv_backward_weights(const nn_conv_geometry *g, int images, const float *x, const float *dy,
                              bool accumulate, float *dw, float *dbias, void *scratch) {
    method_of(g, images)->run(g, images, x, dy, accumulate, dw, scratch);
    if (dbias)
        backward_bias(g, images, dy, accumulate, dbias, scratch);
}

/* --- in parts ------------------------------------------------------------------------------------------- */

enum { UNIT_BYTES = 256 << 10 }; /* of one unit's sums, at most */

static const nn_weights_unit *unit_of(const nn_conv_geometry *g) {
    return nn_winograd_suits(g) ? &nn_weights_winograd_unit : &nn_weights_direct_unit;
}

static size_t unit_floats(const nn_conv_geometry *g) {
    return round_up(unit_of(g)->partial(g), LINE);
}

bool nn_conv_weights_in_parts(const nn_conv_geometry *g) {
    return unit_floats(g) * sizeof(float) <= UNIT_BYTES;
}

nn_conv_memory nn_conv_weights_memory(const nn_conv_geometry *g, int units, int images) {
    return (nn_conv_memory){(size_t)units * unit_floats(g) * sizeof(float),
                            unit_of(g)->scratch(g, images, g->filters) * sizeof(float)};
}

void nn_conv_weights_slice(const nn_conv_geometry *g, int images, const float *x, const float *dy, int unit,
                           bool first, void *shared, void *own) {
    float *partial = (float *)shared + (size_t)unit * unit_floats(g);
    if (first)
        unit_of(g)->clear(g, 0, g->filters, partial);
    unit_of(g)->add(g, images, 0, g->filters, x, dy, partial, own);
}

void nn_conv_weights_end(const nn_conv_geometry *g, int units, bool accumulate, float *dw, void *shared) {
#pragma omp for nowait
    for (int k = 0; k < g->filters; k++)
        unit_of(g)->finish(g, k, units, unit_floats(g), shared, accumulate, dw);
}
