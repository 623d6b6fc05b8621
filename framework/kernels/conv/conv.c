/* conv.c - the convolution's passes over the batch: one group of images after the other, by the team.
 *
 * Every pass is a few correlations of the images with packed weights (correlation.h), computed by
 * Winograd's algorithm where it suits and directly elsewhere. How the work is cut depends on sizes only, and
 * every sum adds its terms in one order. The gradient of the weights is in weights.c. */
#include <omp.h>
#include <string.h>

#include "correlation.h"
#include "weights.h"

static const nn_correlation_method *method_of(const correlation *c) {
    return nn_correlation_winograd.suits(c) ? &nn_correlation_winograd : &nn_correlation_direct;
}

/* How one pass is cut, and what it keeps in scratch, in floats. */
typedef struct pass {
    int correlations, group;   /* group: images at a time */
    size_t slot, packed, bias; /* of one correlation's weights; of all; of the padded bias */
    size_t scratch;            /* of each thread */
    size_t total;
} pass;

static pass pass_of(const nn_conv_geometry *g, bool backward, int images) {
    pass p = {.correlations = nn_correlations(g, backward), .group = images};
    for (int i = 0; i < p.correlations; i++) {
        correlation c = nn_correlation(g, backward, i);
        const nn_correlation_method *method = method_of(&c);
        p.group = smaller(p.group, method->group(&c, images));
        size_t packed = method->packed(&c), scratch = method->scratch(&c, p.group);
        p.slot = p.slot > packed ? p.slot : round_up(packed, LINE);
        p.scratch = p.scratch > scratch ? p.scratch : round_up(scratch, LINE);
    }
    p.packed = (size_t)nn_correlation_slots(g, backward) * p.slot;
    p.bias = backward ? 0 : round_up((size_t)g->filters, 2 * NN_VECTOR_MAX);
    p.total = p.packed + p.bias + (size_t)nn_threads() * p.scratch;
    return p;
}

static void run_pass(const nn_conv_geometry *g, bool backward, int images, const float *x, const float *w,
                     const float *bias, bool accumulate, float *y, float *scratch) {
    pass p = pass_of(g, backward, images);
    float *packed = scratch, *padded_bias = scratch + p.packed;
    if (bias) {
        memcpy(padded_bias, bias, (size_t)g->filters * sizeof *bias);
        memset(padded_bias + g->filters, 0, (p.bias - (size_t)g->filters) * sizeof *bias);
    }
#pragma omp parallel num_threads(nn_threads())
    {
        for (int i = 0; i < p.correlations; i++) {
            correlation c = nn_correlation(g, backward, i);
            method_of(&c)->pack(&c, w, packed + (size_t)c.slot * p.slot);
        }
        float *own = padded_bias + p.bias + (size_t)omp_get_thread_num() * p.scratch;
#pragma omp barrier
#pragma omp for schedule(dynamic)
        for (int n = 0; n < images; n += p.group)
            for (int i = 0; i < p.correlations; i++) {
                correlation c = nn_correlation(g, backward, i);
                size_t x_image = (size_t)c.g.height * (size_t)c.g.width * (size_t)c.g.channels;
                method_of(&c)->correlate(&c, smaller(p.group, images - n), x + (size_t)n * x_image,
                                         packed + (size_t)c.slot * p.slot, bias ? padded_bias : NULL,
                                         accumulate, y + (size_t)n * c.y_image, own);
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
    size_t forward = pass_of(g, false, images).total, backward = pass_of(g, true, images).total;
    size_t weights = nn_conv_weights_scratch(g, images), most = forward > backward ? forward : backward;
    return (most > weights ? most : weights) * sizeof(float);
}
