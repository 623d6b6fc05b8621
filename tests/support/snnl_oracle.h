/* snnl_oracle.h - the soft nearest neighbor loss and its gradient from their formulas, in double precision
 * with plain loops over all pairs; sets of points to try them on. */
#ifndef TEST_SNNL_ORACLE_H
#define TEST_SNNL_ORACLE_H

#include "tests/support/support.h"

typedef struct oracle_problem {
    int count, dims;
    double *x;
    float *x32; /* the same points: x holds floats */
    int32_t *labels;
    nn_distance distance;
} oracle_problem;

/* Normal points of `classes` classes with labels -9, -2, 5, ..., class means `apart` from one another. */
oracle_problem oracle_make(int count, int dims, int classes, double apart, double offset,
                           nn_distance distance);
void oracle_drop(oracle_problem *p);

/* All distances, [count][count]; freed with free(). */
double *oracle_distances(const oracle_problem *p);

/* The loss; with `weights` ([count][count]) also d loss / d d_ij = (q_ij - p_ij) / (T usable). */
double oracle_loss_of(const oracle_problem *p, const double *d, double temperature, int *usable,
                      double *weights);
double oracle_loss(const oracle_problem *p, double temperature);

/* d loss / d x, [count][dims]; freed with free(). */
double *oracle_gradient(const oracle_problem *p, double temperature);

/* The problem as the library takes it, in double (`wide`) or in single precision, and what nn_snnl_measure
 * makes of it; temperature 0 asks for the optimal one. */
nn_snnl_points oracle_points(const oracle_problem *p, bool wide);
nn_snnl_result oracle_measure(const oracle_problem *p, bool wide, double temperature, void *gradient);

/* Fails with `what` unless actual is expected to a relative tolerance, give or take 1e-12. */
void oracle_compare(const char *what, double actual, double expected, double tolerance);

#endif
