/* snnl.h - the soft nearest neighbor loss on plain pointers, without a graph.
 *
 *   loss_i = log sum_{k != i} exp(-d_ik / T)  -  log sum_{j != i, y_j = y_i} exp(-d_ij / T)
 *   loss   = mean of loss_i over the usable points: those with another point of their class
 *
 * (Frosst, Papernot and Hinton, "Analyzing and Improving Representations with the Soft Nearest Neighbor
 * Loss", ICML 2019, equation 1, without an epsilon and with lone points skipped, not averaged in as a
 * constant.) d is the squared Euclidean distance, or 1 - cosine similarity. The optimal temperature is the
 * argmin of the loss. Every point counts in the denominators. No usable point: value 0, no gradient. */
#ifndef NN_SNNL_H
#define NN_SNNL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../error.h"

NN_API_BEGIN

typedef enum nn_distance { NN_EUCLIDEAN, NN_COSINE } nn_distance;

/* Points to measure. Exactly one of x32 and x64 is set: with x64 distances and gradients are computed in
 * double precision (for measuring), with x32 in single precision on centred data (for training). */
typedef struct nn_snnl_points {
    int count;             /* b */
    int dims;              /* d */
    const float *x32;      /* [b][d] */
    const double *x64;     /* [b][d] */
    const int32_t *labels; /* [b], any values */
    nn_distance distance;
} nn_snnl_points;

typedef struct nn_snnl_result {
    double value;
    double temperature;  /* the T of `value` */
    double slope;        /* d value / d log(1/T) */
    int usable, skipped; /* points with and without a partner */
} nn_snnl_result;

/* A pair matrix (of floats with x32, of doubles with x64) of more bytes is not kept but made again, tile by
 * tile, for every use: above 2,048 points in single, 1,448 in double precision. */
enum { NN_SNNL_STORED_BYTES = 16 << 20 };

/* Bytes of workspace that the calls below share for one set of at most `count` points: O(b^2 + d) while
 * pairs are kept, O(b + d) above, and some for each thread (see nn_threads_set). 0 when the sizes overflow.
 * Alignment 64. */
size_t nn_snnl_workspace(int count, int dims, bool double_precision);

/* 1. Centres the points (cosine: normalises them) and measures their distances into the workspace. */
void nn_snnl_begin(const nn_snnl_points *points, void *workspace);

/* 2. The loss at temperature T > 0. */
nn_snnl_result nn_snnl_at(const nn_snnl_points *points, void *workspace, double temperature);

/* 2. The loss at the temperature that minimises it: a scan over 56 octaves around the mean distance, then
 * Newton's method on log T within each bracket that holds a minimum. Never above any scanned value.
 * Scale-free: scaling Euclidean points by s gives the same value and T s^2. A loss that is the same at every
 * temperature (equal points, one class, no partners) is reported at T = 1. */
nn_snnl_result nn_snnl_optimal(const nn_snnl_points *points, void *workspace);

/* 3. dx (+)= scale * d value / d x at the result's temperature, held constant: for an optimal T that is the
 * whole gradient (envelope theorem). dx is [b][d], float with x32 and double with x64. The weights take the
 * distances' place in the workspace: its next use must be nn_snnl_begin. */
void nn_snnl_gradient(const nn_snnl_points *points, void *workspace, const nn_snnl_result *result,
                      double scale, bool accumulate, void *dx);

/* All in one, with memory of its own: temperature 0 asks for the optimal one; gradient ([b][d], same type as
 * x) may be NULL. Fails on count < 1, dims < 1, temperature < 0 or not finite, x not finite, or without
 * memory. */
nn_status nn_snnl_measure(const nn_snnl_points *points, double temperature, nn_snnl_result *result,
                          void *gradient, nn_error *error);

/* The same on plain arrays: x and gradient [count][dims], labels [count]; in single and in double precision. */
nn_status nn_snnl_measure_floats(const float *x, const int32_t *labels, int count, int dims,
                                 nn_distance distance, double temperature, nn_snnl_result *result,
                                 float *gradient, nn_error *error);
nn_status nn_snnl_measure_doubles(const double *x, const int32_t *labels, int count, int dims,
                                  nn_distance distance, double temperature, nn_snnl_result *result,
                                  double *gradient, nn_error *error);

NN_API_END

#endif
