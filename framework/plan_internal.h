/* plan_internal.h - inside of a plan: plan.c makes it, memory.c lays out its slab, execute.c runs it. */
#ifndef NN_PLAN_INTERNAL_H
#define NN_PLAN_INTERNAL_H

#include "op.h"
#include "plan.h"

/* A piece of the slab, or of a thread's own slab, and the time it is in use. Time counts what a run does: inputs
 * are filled at 0, then come the forward phases, the seed of the loss's gradient, the backward phases in reverse,
 * and the end (functions below). */
typedef struct nn_buffer {
    size_t bytes;
    size_t row;       /* bytes of one example; 0: not by example */
    int birth, death; /* first and last time of use, both included */
    int shares;       /* index of the buffer whose memory it takes, or -1 */
    bool local;       /* holds a slice, for one thread, within one stage */
    size_t offset;    /* into the slab */
} nn_buffer;

typedef struct nn_step {
    nn_node *node;
    bool metric;   /* only in runs that ask for metrics */
    bool backward; /* takes part in the backward pass */
    nn_call call;  /* pointers resolved, but those of local buffers; rows and step are set for each run */
    int output, gradient, saved, scratch, backward_scratch, report; /* buffers, or -1 */
    int repeated; /* buffer of an output that is computed again for backward, or -1 */
} nn_step;

/* One phase of one step, in a stage. */
typedef struct nn_turn {
    int step, time;
    bool backward;
    bool repeated; /* a forward phase, done again in backward */
    const nn_phase *phase;
    size_t own; /* offset of its memory in the thread's own slab */
} nn_turn;

/* Phases that a slice passes through one after the other; or one that computes the whole batch. */
typedef struct nn_stage {
    nn_turn *turns;
    int turn_count;
    bool whole, backward;
    int slice, unit;  /* examples of a slice, and of a unit: a multiple */
    size_t own_bytes; /* of each thread's slab */
} nn_stage;

/* What planning knows of each node; freed when the plan is made. */
typedef struct nn_marks {
    bool *always;         /* needed in every run */
    bool *metric;         /* needed only for metrics */
    bool *differentiated; /* lies between the loss and a parameter (or a node whose gradient is wanted) */
    bool *kept;           /* values must last until the end of the run */
} nn_marks;

/* Times of a plan's runs (profile.h). */
typedef struct nn_profile {
    double *seconds;  /* [thread][turn] */
    double *examples; /* [turn], in all runs */
    uint64_t *runs;   /* [turn] */
    double wall;      /* seconds of all stages */
} nn_profile;

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
    nn_turn *turns; /* all, in the order of a run */
    nn_stage *stages;
    int turn_count, stage_count;
    nn_buffer *buffers;
    int buffer_count;
    char *slab, *own; /* own: that of each thread */
    size_t slab_bytes, own_bytes;
    nn_profile *profile; /* NULL: runs are not timed */
};

static inline int nn_forward_time(int step, int phase) {
    return 1 + NN_MAX_PHASES * step + phase;
}

static inline int nn_seed_time(const nn_plan *plan) {
    return 1 + NN_MAX_PHASES * plan->step_count;
}

static inline int nn_backward_time(const nn_plan *plan, int step, int phase) {
    return 2 + NN_MAX_PHASES * (2 * plan->step_count - 1 - step) + phase;
}

static inline int nn_end_time(const nn_plan *plan) {
    return 2 + 2 * NN_MAX_PHASES * plan->step_count;
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

/* stages.c: which phases are computed together; tables of turns and stages are allocated. */
void nn_plan_stages(nn_plan *plan);

/* Finds the buffers that live within a stage and lays them out in the threads' slabs; the others' times become
 * those of their stages. */
nn_status nn_plan_own_memory(nn_plan *plan, nn_error *error);

/* The buffer whose memory this one has in the end. */
int nn_buffer_root(const nn_plan *plan, int buffer);

/* Gives every buffer that is neither local nor shares one an offset such that no two that live at the same time overlap,
 * and returns the slab's size: largest first, each into the lowest gap that holds it. */
nn_status nn_memory_layout(nn_buffer *buffers, int count, size_t *bytes, nn_error *error);

/* profile.c: no-ops without a profile. begin gives the time for the others; a turn's time is one thread's. */
double nn_profile_begin(const nn_plan *plan);
void nn_profile_turn(const nn_plan *plan, const nn_turn *turn, int thread, double begin);
void nn_profile_stage(const nn_plan *plan, const nn_stage *stage, const nn_run *run, double begin);
void nn_profile_free(nn_profile *profile);

#endif
