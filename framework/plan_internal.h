/* plan_internal.h - inside of a plan: plan.c makes it, memory.c lays out its slab, execute.c runs it. */
#ifndef NN_PLAN_INTERNAL_H
#define NN_PLAN_INTERNAL_H

#include "op.h"
#include "plan.h"

/* A piece of the slab and the time it is in use. Time counts what a run does: inputs are filled at 0, then
 * come the forward steps, the seed of the loss's gradient, the backward steps in reverse, and the end
 * (functions below). */
typedef struct nn_buffer {
    size_t bytes;
    int birth, death; /* first and last time of use, both included */
    int shares;       /* index of the buffer whose memory it takes, or -1 */
    size_t offset;    /* into the slab */
} nn_buffer;

typedef struct nn_step {
    nn_node *node;
    bool metric;   /* only in runs that ask for metrics */
    bool backward; /* takes part in the backward pass */
    nn_call call;  /* pointers resolved; rows and step are set for each run */
    int output, gradient, saved, scratch, backward_scratch, report; /* buffers, or -1 */
} nn_step;

/* What planning knows of each node; freed when the plan is made. */
typedef struct nn_marks {
    bool *always;         /* needed in every run */
    bool *metric;         /* needed only for metrics */
    bool *differentiated; /* lies between the loss and a parameter (or a node whose gradient is wanted) */
    bool *kept;           /* values must last until the end of the run */
} nn_marks;

struct nn_plan {
    nn_graph *graph;
    nn_plan_options options; /* its arrays are copied and owned */
    nn_node **nodes; /* the graph's, but in the place of the last of several that are fused, one of: */
    nn_node *fused;
    int fused_count;
    nn_step *steps; /* in forward order; inputs included, parameters not */
    int step_count;
    int *step_of; /* [node] its step, or -1 */
    int *idle;    /* entries of the parameters that the loss does not depend on */
    int idle_count;
    nn_buffer *buffers;
    int buffer_count;
    char *slab;
    size_t slab_bytes;
};

static inline int nn_forward_time(int step) {
    return 1 + step;
}

static inline int nn_seed_time(const nn_plan *plan) {
    return plan->step_count + 1;
}

static inline int nn_backward_time(const nn_plan *plan, int step) {
    return 2 * plan->step_count + 1 - step;
}

static inline int nn_end_time(const nn_plan *plan) {
    return 2 * plan->step_count + 2;
}

/* Nodes of a plan are told apart by their index: a fused node has that of the one in whose place it is. */
static inline bool nn_listed(const nn_node *node, nn_node *const *list, int count) {
    for (int i = 0; i < count; i++)
        if (list[i]->index == node->index)
            return true;
    return false;
}

static inline bool nn_needed(const nn_marks *marks, int node) {
    return marks->always[node] || marks->metric[node];
}

/* fuse.c: puts fused nodes into plan->nodes, and unmarks those that no step computes any more. */
void nn_fuse(nn_plan *plan, nn_marks *marks);

/* buffers.c: the buffers of every step, how long they live and which share memory. */
void nn_plan_buffers(nn_plan *plan, const nn_marks *marks);

/* The buffer whose memory this one has in the end. */
int nn_buffer_root(const nn_plan *plan, int buffer);

/* Gives every buffer that does not share one an offset such that no two that live at the same time overlap,
 * and returns the slab's size: largest first, each into the lowest gap that holds it. */
nn_status nn_memory_layout(nn_buffer *buffers, int count, size_t *bytes, nn_error *error);

/* Zeroed memory for a slab, in large pages where the system has them; freed with free(). NULL without memory. */
void *nn_memory_new(size_t bytes);

#endif
