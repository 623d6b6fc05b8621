/* tensor.h - shapes of dense, row-major float32 arrays.
 *
 * The first dimension of an activation is the batch; images are B,H,W,C (channels last), so that one
 * example's representation is contiguous in every layer. Convolution weights are K,R,S,C (filter, row,
 * column, channel), dense weights out,in. Rank 0 is a scalar. */
#ifndef NN_TENSOR_H
#define NN_TENSOR_H

#include <stdbool.h>
#include <stddef.h>

#include "api.h"

NN_API_BEGIN

enum { NN_MAX_RANK = 4, NN_SHAPE_TEXT = 64 };

typedef struct nn_shape {
    int rank;
    int dims[NN_MAX_RANK];
} nn_shape;

#ifdef __cplusplus
#define NN_SHAPE(rank, ...) (nn_shape{rank, {__VA_ARGS__}})
#else
#define NN_SHAPE(rank, ...) ((nn_shape){rank, {__VA_ARGS__}})
#endif
#define NN_SCALAR             NN_SHAPE(0, 0)
#define NN_SHAPE1(a)          NN_SHAPE(1, a)
#define NN_SHAPE2(a, b)       NN_SHAPE(2, a, b)
#define NN_SHAPE4(a, b, c, d) NN_SHAPE(4, a, b, c, d)

/* Number of elements; 0 when a dimension is not positive or the product is above 2^48, more than any
 * machine's memory: sums and multiples of element counts need no check of their own. */
size_t nn_shape_count(nn_shape shape);

/* Elements of one example: the product of all dimensions but the first. */
size_t nn_shape_row(nn_shape shape);

bool nn_shape_equal(nn_shape a, nn_shape b);

/* Writes "128 x 32 x 32 x 16" (or "scalar") to text and returns it. */
const char *nn_shape_text(nn_shape shape, char text[NN_SHAPE_TEXT]);

NN_API_END

#endif
