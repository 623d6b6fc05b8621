/* knn.h - exact nearest neighbours of many queries among points that come block by block.
 *
 * Of each query the `nearest` points of least squared Euclidean distance |q - x|^2, as double precision computes it
 * from the float32 coordinates, of equally distant ones those that came first. Neither the points nor any matrix of all
 * distances is held: a block may be released once it was added, and the memory beside the queries is O(queries *
 * (dims + nearest)). The same bits for every number of threads and however the points are cut into blocks. */
#ifndef EXP_KNN_H
#define EXP_KNN_H

#include <signal.h>
#include <stdint.h>

#include "framework/error.h"

typedef struct exp_knn exp_knn;

/* What is looked for. The queries' memory is the caller's, and must stay as it is until the search is freed. */
typedef struct exp_knn_options {
    int queries, dims, nearest; /* each 1 or more */
    const float *x;             /* [queries][dims], finite */
    /* The queries are points themselves, query i the point first + i, and no point is its own neighbour. */
    bool among;
    int first;
    const volatile sig_atomic_t *stop; /* once it is not 0 the calls end early, in order; may be NULL */
} exp_knn_options;

/* NN_ENUMERIC where a coordinate is NaN or infinite, as below. */
nn_status exp_knn_new(exp_knn **knn, const exp_knn_options *options, nn_error *error);

/* Looks at the next `count` points, [count][dims]: the first one of the first call is point 0. */
nn_status exp_knn_add(exp_knn *knn, int count, const float *points, nn_error *error);

/* The neighbours, nearest first: the numbers of the points to index and their squared distances to distance, both
 * [queries][nearest] and either NULL where it is not wanted. Where fewer points than that were added the rest is -1 and
 * infinite. To be called at the end: nothing can be added any more. What is found after an early end is undefined. */
void exp_knn_take(exp_knn *knn, int32_t *index, double *distance);

void exp_knn_free(exp_knn *knn); /* NULL is fine */

#endif
