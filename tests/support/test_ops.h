/* test_ops.h - ops that only tests have: losses whose gradients are known without calculation. */
#ifndef TEST_TEST_OPS_H
#define TEST_TEST_OPS_H

#include "framework/graph.h"

/* n fixed random weights; freed with free(). The first weights are the same for every n. */
float *test_weights(size_t n);

/* loss = sum of w_i x_i over the batch's rows, w from test_weights. An early op, as the losses on taps are.
 */
nn_node *test_weighted_sum(nn_node *x, const char *name);

/* loss = sum of x_i^2 / 2: an early op whose backward reads its input. */
nn_node *test_square_sum(nn_node *x, const char *name);

/* y = x, through which no gradient passes. */
nn_node *test_barrier(nn_node *x);

#endif
