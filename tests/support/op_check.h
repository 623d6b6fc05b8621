/* op_check.h - checks one op from every side: against a naive oracle in double precision, by finite
 * differences of that oracle, and for everything that a plan may do with it (threads, memory shared or not,
 * gradients that add up, fewer rows than the batch has room for).
 *
 * The op stands in a small graph: loss = sum of w_i y_i with fixed random weights w, so that dy = w. */
#ifndef TEST_OP_CHECK_H
#define TEST_OP_CHECK_H

#include "support.h"

enum { OP_INPUTS = 2, OP_ARGUMENTS = 6 };

/* Arguments of an op, in this order: its inputs, its parameters, its statistics, in order of declaration.
 * y, dy and inputs have `rows` examples. */
typedef struct op_check {
    const char *name; /* said when something is wrong */
    nn_shape inputs[OP_INPUTS];
    int input_count;
    int rows;           /* 0: the whole batch */
    bool evaluation;    /* a plan that does not train */
    bool linear;        /* y is linear in the inputs, up to parameters named .bias */
    const void *detail; /* what build and the oracle need to know */
    double tolerance;   /* relative to the largest value, or 1; 0 is 1e-5 */
    nn_node *(*build)(const struct op_check *check, nn_node *const *inputs);
    void (*forward)(const struct op_check *check, double *const *arguments, double *y);
    /* gradients of the inputs and parameters, zeroed before */
    void (*backward)(const struct op_check *check, double *const *arguments, const double *dy,
                     double *const *gradients);
} op_check;

int op_rows(const op_check *check);

/* Every check that applies; fails the test with the name and what is wrong. */
void op_check_run(const op_check *check);

/* Fails unless the construction gives NULL and its message contains `part`. */
void op_refused(const op_check *check, nn_status status, const char *part);

/* What one run of the op gives. */
typedef struct op_result {
    int argument_count, gradient_count;
    size_t counts[OP_ARGUMENTS]; /* floats of each argument */
    float *arguments[OP_ARGUMENTS];
    float *gradients[OP_ARGUMENTS];
    size_t count; /* floats of the output */
    float *output;
    float *weights; /* the gradient with respect to the output */
    float *statistics;
    size_t statistic_count;
} op_result;

typedef struct op_mode {
    int threads; /* 0 is 2 */
    bool twice;  /* the loss has two copies of the op, over the same inputs and parameters */
    bool separate, poison;
    int steps; /* runs made, each with its number as nn_run.step; 0 is 1 */
    uint64_t first_step;
} op_mode;

op_result op_run(const op_check *check, op_mode mode);
void op_result_free(op_result *result);

#endif
