/* weights.h - the ways to compute the convolution's weight gradient. */
#ifndef NN_WEIGHTS_H
#define NN_WEIGHTS_H

#include "frame.h"

/* Sizes are in floats, arrays start at cache lines. The sums of a slice of the batch are in a form of the
 * method's own. */
typedef struct nn_weights_method {
    bool (*suits)(const nn_conv_geometry *g);
    int chunk; /* filters to compute at a time, at least */
    size_t (*partial)(const nn_conv_geometry *g);
    size_t (*scratch)(const nn_conv_geometry *g, int images, int filters); /* of `sum`, for at most so many */
    /* partial = the sums of filters first .. first + count - 1 over the images of a slice. */
    void (*sum)(const nn_conv_geometry *g, int images, int first, int count, const float *x, const float *dy,
                float *partial, float *scratch);
    /* One filter's dw (+)= the total of the sums of all slices, which lie `stride` floats apart and are used up.
     */
    void (*finish)(const nn_conv_geometry *g, int filter, int slices, size_t stride, float *partial,
                   bool accumulate, float *dw);
} nn_weights_method;

extern const nn_weights_method nn_weights_direct, nn_weights_winograd;

/* Floats of scratch that nn_conv_backward_weights needs. */
size_t nn_conv_weights_scratch(const nn_conv_geometry *g, int images);

/* sum[i] += those of the other slices, in order. */
void nn_add_slices(int slices, size_t stride, size_t count, float *sum);

#endif
