/* density.h - how densely reference points of each class lie around a query: the sums of the soft nearest neighbor loss,
 * of points that are not among each other's neighbours.
 *
 *   log S_c(q) = log sum over reference points j of class c of exp(-|q - x_j|^2 / T)        -inf without any
 *
 * The points come block by block and are not kept; neither is any matrix of all distances: beside the queries, which are
 * the caller's, the memory is O(queries * classes + dims). Distances are from products in single precision of points
 * centred together, those of near pairs measured directly in double precision; sums by log-sum-exp. The same bits for
 * every number of threads. */
#ifndef EXP_OUTLIERS_DENSITY_H
#define EXP_OUTLIERS_DENSITY_H

#include <stdint.h>

#include "framework/error.h"

typedef struct exp_density exp_density;

typedef struct exp_density_options {
    int queries, dims, classes; /* each 1 or more */
    const float *x;             /* [queries][dims]: stays as it is until the densities are freed */
    double temperature;         /* T > 0, in units of squared distance */
} exp_density_options;

/* NN_EARGUMENT for a temperature that is not a positive number, NN_ENUMERIC where a coordinate is NaN or infinite, as
 * below. */
nn_status exp_density_new(exp_density **density, const exp_density_options *options, nn_error *error);

/* Adds `count` reference points, [count][dims], of classes labels[count], each below the number of classes. */
nn_status exp_density_add(exp_density *density, int count, const float *points, const unsigned char *labels,
                          nn_error *error);

/* log S_c of all points added so far, to log_sums, [queries][classes]. */
void exp_density_take(const exp_density *density, double *log_sums);

void exp_density_free(exp_density *density); /* NULL is fine */

#endif
