/* correlation.h - what every pass of the convolution over images is made of, and the ways to compute it.
 *
 * The forward pass is one *correlation* of x with w. The gradient of the data is stride * stride of them:
 * pixel h of dx with (h + top) % stride = a gets its gradient through the kernel rows r = a, a + stride, ...
 * alone, from row (h + top - r) / stride of dy; so these pixels are a stride-1 correlation of dy with those
 * rows in reverse order. */
#ifndef NN_CORRELATION_H
#define NN_CORRELATION_H

#include "frame.h"

/* One correlation of x with some taps of w. g is as for a forward pass, except that top and left may be
 * negative: rows and columns that nothing reads. Output pixel (p, q) of image n is at y_first + n * y_image +
 * p * y_row + q * y_pixel; its weights are at w_first + r * w_row + s * w_column + channel * w_channel +
 * filter * w_filter. */
typedef struct correlation {
    nn_conv_geometry g;
    size_t y_first, y_image, y_row, y_pixel;
    size_t w_first, w_channel, w_filter;
    ptrdiff_t w_row, w_column;
    int slot; /* which of the pass's nn_correlation_slots packed weights are its own */
} correlation;

/* A pass over the batch is so many correlations of the same x and w, with outputs apart; */
int nn_correlations(const nn_conv_geometry *g, bool backward);
correlation nn_correlation(const nn_conv_geometry *g, bool backward, int index);

/* as many of them have taps at all. */
int nn_correlation_slots(const nn_conv_geometry *g, bool backward);

/* One way to compute a correlation. Sizes are in floats, arrays start at cache lines. */
typedef struct nn_correlation_method {
    bool (*suits)(const correlation *c);
    int (*group)(const correlation *c, int images); /* images to compute at a time, out of a batch */
    size_t (*packed)(const correlation *c);         /* of the packed weights */
    size_t (*scratch)(const correlation *c, int group);
    /* Packs all weights: work for the whole team, in a parallel region; no barrier at the end. */
    void (*pack)(const correlation *c, const float *w, float *packed);
    /* One group of images, on one thread. bias is NULL or padded with zeros to a multiple of 2 *
     * NN_VECTOR_MAX filters. */
    void (*correlate)(const correlation *c, int images, const float *x, const float *packed,
                      const float *bias, bool accumulate, float *y, float *scratch);
} nn_correlation_method;

extern const nn_correlation_method nn_correlation_direct, nn_correlation_winograd;

/* Filters that share a block of packed weights with the filter `first`, and the floats between their inputs.
 */
int nn_block_filters(const correlation *c, int first);
int nn_block_lanes(int filters);

/* Weights of one tap for `count` channels and a block of filters: packed[channel][lane], zero in the lanes past
 * the last filter. w is the tap's first channel's and first filter's. */
void nn_pack_tap(const correlation *c, const float *w, int count, int filters, float *packed);

#endif
