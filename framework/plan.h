/* plan.h - a graph made ready to run: order, memory, and the runs themselves.
 *
 * Making a plan orders the nodes it needs (a tap's loss right after the tap), computes how long each
 * activation, gradient and scratch buffer lives, and lays all of them out in one slab: a run allocates
 * nothing, and the peak is known before it starts. Training and evaluation are two plans over one graph and
 * one store. */
#ifndef NN_PLAN_H
#define NN_PLAN_H

#include <stdint.h>

#include "graph.h"

NN_API_BEGIN

typedef struct nn_plan nn_plan;

typedef struct nn_plan_options {
    bool training;        /* batch statistics, dropout, learned temperatures move */
    nn_node *loss;        /* scalar to differentiate; NULL: forward only */
    nn_node *const *keep; /* computed in every run, readable after it */
    int keep_count;
    nn_node *const *metrics; /* scalars computed only in runs that ask for them, readable after those */
    int metrics_count;
    nn_node *const
        *gradients; /* nodes whose gradient is wanted too (an input image's), readable after backward */
    int gradients_count;
    bool
        fixed; /* parameters are constants: backward computes the gradients of `gradients` only, and leaves those of
                 * parameters in the store as they are */
    bool unfused;  /* tests: every node is computed on its own */
    bool separate; /* tests: every buffer has memory of its own, nothing works in place */
    bool poison;   /* tests: buffers are filled with NaN when their life begins */
} nn_plan_options;

/* Freezes the graph's store. */
nn_status nn_plan_new(nn_plan **plan, nn_graph *graph, nn_plan_options options, nn_error *error);
void nn_plan_free(nn_plan *plan); /* NULL is fine */

typedef struct nn_run {
    int rows;      /* examples in the batch, 1..the graph's batch; losses are means over these */
    bool metrics;  /* compute the metrics too */
    uint64_t step; /* selects dropout's masks */
} nn_run;

/* Computes the loss, the kept nodes and, if asked, the metrics, from the inputs' contents. NN_ENUMERIC when a
 * loss, a kept scalar or a metric is NaN or infinite: the message names the first layer that made it so. */
nn_status nn_plan_forward(nn_plan *plan, nn_run run, nn_error *error);

/* After forward with the same run: sets the gradients of all parameters, unless they are fixed, and of the nodes for
 * which they were wanted. NN_ENUMERIC as above, in a plan with fixed parameters of the latter. */
nn_status nn_plan_backward(nn_plan *plan, nn_run run, nn_error *error);

/* An input's memory, for the caller to fill ([batch, ...] floats; it keeps its contents between runs), or a kept node's
 * values. Scalars that a run computes are kept without being listed. NULL for a node that is neither. */
float *nn_plan_data(const nn_plan *plan, const nn_node *node);
int32_t *nn_plan_labels(const nn_plan *plan, const nn_node *node);
float nn_plan_scalar(const nn_plan *plan, const nn_node *node); /* NaN where nn_plan_data has nothing */
const float *nn_plan_gradient(const nn_plan *plan, const nn_node *node);

/* What an op has to say beside its value (nn_snnl_result for nn_snnl); NULL when the node was not planned. */
const void *nn_plan_report(const nn_plan *plan, const nn_node *node);

/* Bytes of the slab: the peak of everything that runs need beside the store. */
size_t nn_plan_bytes(const nn_plan *plan);

/* One line per step of the plan: node, buffer sizes, when each lives, where it lies. */
void nn_plan_print(const nn_plan *plan, FILE *file);

NN_API_END

#endif
