/* execute.c - forward and backward runs of a plan, and finding out who made a NaN. */
#include <math.h>
#include <string.h>

#include "graph_internal.h"
#include "kernels/kernels.h"
#include "plan_internal.h"

static void poison(nn_plan *plan, int time) {
    if (!plan->options.poison)
        return;
    for (int i = 0; i < plan->buffer_count; i++)
        if (plan->buffers[i].shares < 0 && plan->buffers[i].birth == time)
            memset(plan->slab + plan->buffers[i].offset, 0xff,
                   plan->buffers[i].bytes); /* all ones is a NaN */
}

static void prepare(nn_step *step, nn_run run) {
    step->call.rows = run.rows;
    step->call.step = run.step;
}

static bool runs(const nn_step *step, nn_run run) {
    return step->node->op->forward && (run.metrics || !step->metric);
}

static bool output_is_finite(const nn_step *step) {
    return step->node->integer ||
           nn_kernels_active()->vector->finite(nn_call_count(&step->call, step->node), step->call.output);
}

/* A scalar came out as NaN or infinity: says where that began. The inputs are still there, so the forward
 * pass is done once more, with a look at every output. */
static nn_status diagnose(nn_plan *plan, nn_run run, const char *what, nn_error *error) {
    if (nn_store_check(plan->graph->store, false, error) != NN_OK)
        return error->status;
    for (int i = 0; i < plan->step_count; i++) {
        nn_step *step = &plan->steps[i];
        prepare(step, run);
        if (runs(step, run))
            step->node->op->forward(&step->call);
        if ((runs(step, run) || step->node->op == &nn_op_input) && !output_is_finite(step))
            return nn_fail(error, NN_ENUMERIC, "%s '%s' is the first layer whose output is NaN or infinite",
                           step->node->op->name, step->node->name);
    }
    return nn_fail(error, NN_ENUMERIC, "'%s' is NaN or infinite", what);
}

/* Whether the plan's memory is enough: every input must hold at least run.rows examples, and scratch was
 * sized for a number of threads. */
static nn_status check_run(const nn_plan *plan, nn_run run, nn_error *error) {
    if (nn_threads() > plan->graph->threads)
        return nn_fail(error, NN_EARGUMENT,
                       "%d threads, but the graph was built for %d: set their number first", nn_threads(),
                       plan->graph->threads);
    for (int i = 0; i < plan->step_count; i++) {
        const nn_node *node = plan->steps[i].node;
        if (node->op == &nn_op_input && (run.rows < 1 || run.rows > node->shape.dims[0]))
            return nn_fail(error, NN_EARGUMENT, "a run of %d examples: '%s' has room for 1 to %d", run.rows,
                           node->name, node->shape.dims[0]);
    }
    return NN_OK;
}

nn_status nn_plan_forward(nn_plan *plan, nn_run run, nn_error *error) {
    if (check_run(plan, run, error) != NN_OK)
        return error->status;
    for (int i = 0; i < plan->step_count; i++) {
        nn_step *step = &plan->steps[i];
        poison(plan, nn_forward_time(i));
        prepare(step, run);
        if (!runs(step, run))
            continue;
        step->node->op->forward(&step->call);
        if (step->node->shape.rank == 0 && !isfinite(*step->call.output))
            return diagnose(plan, run, step->node->name, error);
    }
    return NN_OK;
}

/* The gradient of the loss with respect to itself, and of the parameters that it does not depend on. */
static void start_gradients(nn_plan *plan) {
    const nn_store *store = plan->graph->store;
    nn_step *loss = &plan->steps[plan->step_of[plan->options.loss->index]];
    poison(plan, nn_seed_time(plan));
    if (loss->gradient >= 0)
        *(float *)loss->call.output_gradient = 1;
    for (int i = 0; i < plan->idle_count; i++) {
        const nn_entry *entry = &store->entries[plan->idle[i]];
        memset(store->gradients + entry->offset, 0, entry->count * sizeof(float));
    }
}

nn_status nn_plan_backward(nn_plan *plan, nn_run run, nn_error *error) {
    if (!plan->options.loss)
        return nn_fail(error, NN_EARGUMENT, "there is no backward run: the plan was made without a loss");
    if (check_run(plan, run, error) != NN_OK)
        return error->status;
    start_gradients(plan);
    for (int i = plan->step_count - 1; i >= 0; i--) {
        nn_step *step = &plan->steps[i];
        poison(plan, nn_backward_time(plan, i));
        if (!step->backward)
            continue;
        prepare(step, run);
        nn_call call = step->call;
        call.scratch =
            step->backward_scratch < 0 ? NULL : plan->slab + plan->buffers[step->backward_scratch].offset;
        step->node->op->backward(&call);
    }
    return nn_store_check(plan->graph->store, true, error);
}
