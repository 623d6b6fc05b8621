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

/* How one pass is cut, and the floats that it keeps. */
typedef struct pass {
    int correlations, group; /* group: images at a time */
    size_t slot, bias;       /* of one correlation's weights; where the padded bias is */
    size_t shared, own;
} pass;

/* A slice is computed at once, a whole batch group by group. */
static pass pass_of(const nn_conv_geometry *g, bool backward, int images, bool whole) {
    pass p = {.correlations = nn_correlations(g, backward), .group = images};
    for (int i = 0; i < p.correlations; i++) {
        correlation c = nn_correlation(g, backward, i);
        const nn_correlation_method *method = method_of(&c);
        if (whole)
            p.group = smaller(p.group, method->group(&c, images));
        size_t packed = method->packed(&c), own = method->scratch(&c, p.group);
        p.slot = p.slot > packed ? p.slot : round_up(packed, LINE);
        p.own = p.own > own ? p.own : round_up(own, LINE);
    }
    p.bias = (size_t)nn_correlation_slots(g, backward) * p.slot;
    p.shared = p.bias + (backward ? 0 : round_up((size_t)g->filters, 2 * NN_VECTOR_MAX));
    return p;
}

static void begin(const nn_conv_geometry *g, bool backward, const float *w, const float *bias,
                  float *shared) {
    pass p = pass_of(g, backward, 1, false);
    for (int i = 0; i < p.correlations; i++) {
        correlation c = nn_correlation(g, backward, i);
        method_of(&c)->pack(&c, w, shared + (size_t)c.slot * p.slot);
    }
    if (bias)
#pragma omp single nowait
    {
        memcpy(shared + p.bias, bias, (size_t)g->filters * sizeof *bias);
        memset(shared + p.bias + g->filters, 0, (p.shared - p.bias - (size_t)g->filters) * sizeof *bias);
    }
}

static void run_images(const nn_conv_geometry *g, bool backward, const pass *p, int images, const float *x,
                       bool bias, bool accumulate, float *y, const float *shared, float *own) {
    for (int i = 0; i < p->correlations; i++) {
        correlation c = nn_correlation(g, backward, i);
        method_of(&c)->correlate(&c, images, x, shared + (size_t)c.slot * p->slot,
                                 bias ? shared + p->bias : NULL, accumulate, y, own);
    }
}

static size_t image_floats(const nn_conv_geometry *g, bool output) {
    return output ? (size_t)g->out_height * (size_t)g->out_width * (size_t)g->filters
                  : (size_t)g->height * (size_t)g->width * (size_t)g->channels;
}

static void run_pass(const nn_conv_geometry *g, bool backward, int images, const float *x, const float *w,
                     const float *bias, bool accumulate, float *y, float *scratch) {
    pass p = pass_of(g, backward, images, true);
    size_t x_image = image_floats(g, backward), y_image = image_floats(g, !backward);
#pragma omp parallel num_threads(nn_threads())
    {
        float *own = scratch + p.shared + (size_t)omp_get_thread_num() * p.own;
        begin(g, backward, w, bias, scratch);
#pragma omp barrier
#pragma omp for schedule(dynamic)
        for (int n = 0; n < images; n += p.group)
            run_images(g, backward, &p, smaller(p.group, images - n), x + (size_t)n * x_image, bias != NULL,
                       accumulate, y + (size_t)n * y_image, scratch, own);
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

static size_t pass_scratch(const nn_conv_geometry *g, bool backward, int images) {
    pass p = pass_of(g, backward, images, true);
    return p.shared + (size_t)nn_threads() * p.own;
}

size_t nn_conv_scratch(const nn_conv_geometry *g, int images) {
    size_t forward = pass_scratch(g, false, images), backward = pass_scratch(g, true, images);
    size_t weights = nn_conv_weights_scratch(g, images), most = forward > backward ? forward : backward;
    return (most > weights ? most : weights) * sizeof(float);
}

/* --- in parts ------------------------------------------------------------------------------------------- */

static nn_conv_memory memory_of(const nn_conv_geometry *g, bool backward, int images) {
    pass p = pass_of(g, backward, images, false);
    return (nn_conv_memory){p.shared * sizeof(float), p.own * sizeof(float)};
}

nn_conv_memory nn_conv_forward_memory(const nn_conv_geometry *g, int images) {
    return memory_of(g, false, images);
}

void nn_conv_forward_begin(const nn_conv_geometry *g, const float *w, const float *bias, void *shared) {
    begin(g, false, w, bias, shared);
}

void nn_conv_forward_slice(const nn_conv_geometry *g, int images, const float *x, bool bias, float *y,
                           const void *shared, void *own) {
    pass p = pass_of(g, false, images, false);
    run_images(g, false, &p, images, x, bias, false, y, shared, own);
}

nn_conv_memory nn_conv_data_memory(const nn_conv_geometry *g, int images) {
    return memory_of(g, true, images);
}

void nn_conv_data_begin(const nn_conv_geometry *g, const float *w, void *shared) {
    begin(g, true, w, NULL, shared);
}

void nn_conv_data_slice(const nn_conv_geometry *g, int images, const float *dy, bool accumulate, float *dx,
                        const void *shared, void *own) {
    pass p = pass_of(g, true, images, false);
    run_images(g, true, &p, images, dy, false, accumulate, dx, shared, own);
}
