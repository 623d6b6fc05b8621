/* points.h - points in the plane that are moved by gradient descent on their soft nearest neighbor loss. */
#ifndef EXP_TOY_POINTS_H
#define EXP_TOY_POINTS_H

#include "framework/framework.h"

typedef struct exp_toy_points {
    int count, classes;
    double *x;        /* [count][2] */
    int32_t *labels;  /* [count], 0 to classes - 1 */
    double *gradient; /* [count][2] */
    void *workspace;
} exp_toy_points;

/* Draws labels uniformly, and points from a normal distribution of variance 1 around the mean of their class:
 * class k's is at the angle 2 pi k / classes, `apart` away from the origin. NN_EARGUMENT where no two points
 * share a class. To be freed, after a failure too. */
nn_status exp_toy_points_new(exp_toy_points *points, int count, int classes, double apart, uint64_t seed,
                             nn_error *error);
void exp_toy_points_free(exp_toy_points *points);

/* The loss of the points at `temperature`, or at the one that minimises it for 0, and its gradient, which
 * exp_toy_points_move then takes. */
nn_snnl_result exp_toy_points_measure(exp_toy_points *points, double temperature);

/* x += rate * T * usable * d loss / d x. The loss is a mean, so that the gradient of a point falls with their
 * number: times `usable` it is the gradient of the sum. It is a length over T: times T a step is a share of the
 * distances between points, whatever T and their scale. Negative rates descend. NN_ENUMERIC where a coordinate
 * is no longer finite. */
nn_status exp_toy_points_move(exp_toy_points *points, const nn_snnl_result *measured, double rate,
                              nn_error *error);

#endif
