/* weights.h - the ways to compute the convolution's weight gradient. */
#ifndef NN_WEIGHTS_H
#define NN_WEIGHTS_H

#include "frame.h"

/* One way, by the whole team. Sizes are in floats, arrays start at cache lines. */
typedef struct nn_weights_method {
    bool (*suits)(const nn_conv_geometry *g, int images);
    size_t (*scratch)(const nn_conv_geometry *g, int images);
    void (*run)(const nn_conv_geometry *g, int images, const float *x, const float *dy, bool accumulate,
                float *dw, float *scratch);
} nn_weights_method;

extern const nn_weights_method nn_weights_direct; /* suits all */
extern const nn_weights_method nn_weights_winograd_slices, nn_weights_winograd_panels;

/* Floats of scratch that nn_conv_backward_weights needs for up to so many images. */
size_t nn_conv_weights_scratch(const nn_conv_geometry *g, int images);

/* A method in slices: the batch is cut into slices and the filters into chunks; every (slice, chunk) is one unit
 * of work, done by one thread, which adds to the slice's own sums. In the end the sums of all slices are added up
 * in order. How many there are depends on sizes only, so that the results are the same bits for every number of
 * threads. */
typedef struct nn_weights_unit {
    size_t (*partial)(const nn_conv_geometry *g); /* of a slice's sums, in a form of the method's own */
    size_t (*scratch)(const nn_conv_geometry *g, int images, int filters); /* of `add`, for at most so many */
    /* Sets the sums of filters first .. first + count - 1 to 0; */
    void (*clear)(const nn_conv_geometry *g, int first, int count, float *partial);
    /* adds to them those over some images. */
    void (*add)(const nn_conv_geometry *g, int images, int first, int count, const float *x, const float *dy,
                float *partial, float *scratch);
    /* One filter's dw (+)= the total of the sums of all slices, which lie `apart` floats from each other and are
     * used up. */
    void (*finish)(const nn_conv_geometry *g, int filter, int slices, size_t apart, float *partial,
                   bool accumulate, float *dw);
} nn_weights_unit;

extern const nn_weights_unit nn_weights_direct_unit, nn_weights_winograd_unit;

size_t nn_weights_slices_scratch(const nn_weights_unit *unit, const nn_conv_geometry *g, int images);
void nn_weights_slices_run(const nn_weights_unit *unit, const nn_conv_geometry *g, int images, const float *x,
                           const float *dy, bool accumulate, float *dw, float *scratch);

/* sum[i] += those of the other slices, in order. */
void nn_add_slices(int slices, size_t apart, size_t count, float *sum);

#endif
