/* execute.c - forward and backward runs of a plan, and finding out who made a NaN. */
#include <math.h>
#include <omp.h>
#include <string.h>

#include "graph_internal.h"
#include "kernels/kernels.h"
#include "plan_internal.h"

/* One run through some of the stages. */
typedef struct pass {
    nn_plan *plan;
    nn_run run;
    bool inspect;  /* look for NaNs and infinities: */
    int first_bad; /* the first step whose output has one, or step_count */
} pass;

static bool takes_part(const pass *p, const nn_turn *turn) {
    return p->run.metrics || !p->plan->steps[turn->step].metric;
}

/* All ones is a NaN. */
static void poison(nn_plan *plan, int time) {
    for (int i = 0; i < plan->buffer_count && plan->options.poison; i++) {
        const nn_buffer *buffer = &plan->buffers[i];
        if (buffer->shares < 0 && !buffer->local && buffer->birth == time)
            memset(plan->slab + buffer->offset, 0xff, buffer->bytes);
    }
}

/* --- calls ---------------------------------------------------------------------------------------------- */

/* The call of a turn with the whole batch. */
static nn_call batch_call(const pass *p, const nn_stage *stage, const nn_turn *turn) {
    const nn_step *step = &p->plan->steps[turn->step];
    nn_call call = step->call;
    call.rows = p->run.rows;
    call.step = p->run.step;
    if (turn->backward && !turn->repeated)
        call.scratch = step->backward_scratch < 0
                           ? NULL
                           : p->plan->slab + p->plan->buffers[step->backward_scratch].offset;
    if (!stage->whole) {
        call.slice_rows = stage->slice;
        call.slices = (p->run.rows + stage->slice - 1) / stage->slice;
        call.units = (p->run.rows + stage->unit - 1) / stage->unit;
    }
    return call;
}

/* A buffer from example `first` on; a local one holds nothing else. */
static void *from_example(const nn_plan *plan, int buffer, int first, char *own) {
    if (buffer < 0)
        return NULL;
    const nn_buffer *root = &plan->buffers[nn_buffer_root(plan, buffer)];
    return root->local ? own + root->offset
                       : plan->slab + root->offset + (size_t)first * plan->buffers[buffer].row;
}

/* Makes the call of a whole batch one of `rows` examples from `first` on. */
static void take_slice(const nn_plan *plan, const nn_turn *turn, int first, int rows, char *own,
                       nn_call *call) {
    const nn_step *step = &plan->steps[turn->step];
    call->rows = rows;
    call->own = own + turn->own;
    call->output = from_example(plan, turn->repeated ? step->repeated : step->output, first, own);
    call->output_gradient = from_example(plan, step->gradient, first, own);
    for (int k = 0; k < step->node->input_count; k++) {
        const nn_node *input = step->node->inputs[k];
        if (input->entry >= 0)
            continue;
        const nn_step *from = &plan->steps[plan->step_of[input->index]];
        bool repeated = turn->backward && from->repeated >= 0;
        call->input[k] = from_example(plan, repeated ? from->repeated : from->output, first, own);
        call->input_gradient[k] = step->backward ? from_example(plan, from->gradient, first, own) : NULL;
    }
}

/* --- stages --------------------------------------------------------------------------------------------- */

static void inspect(pass *p, const nn_turn *turn, const nn_call *call) {
    const nn_node *node = call->node;
    if (turn->backward || node->integer || !call->output ||
        nn_kernels_active()->vector->finite(nn_call_count(call, node), call->output))
        return;
#pragma omp critical(inspect)
    if (turn->step < p->first_bad)
        p->first_bad = turn->step;
}

static void run_slice(pass *p, const nn_stage *stage, int slice, char *own) {
    int first = slice * stage->slice, left = p->run.rows - first;
    if (p->plan->options.poison)
        memset(own, 0xff, stage->own_bytes);
    for (int t = 0; t < stage->turn_count; t++) {
        const nn_turn *turn = &stage->turns[t];
        if (!takes_part(p, turn))
            continue;
        nn_call call = batch_call(p, stage, turn);
        call.slice = slice;
        call.unit = first / stage->unit;
        call.unit_begins = first % stage->unit == 0;
        take_slice(p->plan, turn, first, left < stage->slice ? left : stage->slice, own, &call);
        double begin = nn_profile_begin(p->plan);
        turn->phase->slice(&call);
        nn_profile_turn(p->plan, turn, omp_get_thread_num(), begin);
        if (p->inspect)
            inspect(p, turn, &call);
    }
}

/* By the team: begin or end of all turns that have one. */
static void surround(const pass *p, const nn_stage *stage, bool begin) {
    for (int t = 0; t < stage->turn_count; t++) {
        const nn_turn *turn = &stage->turns[t];
        void (*work)(const nn_call *) = begin ? turn->phase->begin : turn->phase->end;
        if (!work || turn->repeated || !takes_part(p, turn))
            continue;
        nn_call call = batch_call(p, stage, turn);
        double started = nn_profile_begin(p->plan);
        work(&call);
        nn_profile_turn(p->plan, turn, omp_get_thread_num(), started);
#pragma omp barrier
    }
}

/* Units go to the threads as they come, in turn from the first and from the last one: what the stage before left in
 * the caches comes first. */
static void run_sliced(pass *p, const nn_stage *stage) {
    int units = (p->run.rows + stage->unit - 1) / stage->unit;
    bool from_end = (stage - p->plan->stages) % 2;
#pragma omp parallel num_threads(nn_threads())
    {
        char *own = p->plan->own + (size_t)omp_get_thread_num() * p->plan->own_bytes;
        surround(p, stage, true);
#pragma omp for schedule(dynamic)
        for (int i = 0; i < units; i++) {
            int first = (from_end ? units - 1 - i : i) * stage->unit, end = first + stage->unit;
            for (int row = first; row < end && row < p->run.rows; row += stage->slice)
                run_slice(p, stage, row / stage->slice, own);
        }
        surround(p, stage, false);
    }
}

static void run_whole(pass *p, const nn_stage *stage) {
    const nn_turn *turn = stage->turns;
    if (!takes_part(p, turn))
        return;
    nn_call call = batch_call(p, stage, turn);
    void (*compute)(const nn_call *) = turn->phase->whole ? turn->phase->whole : turn->phase->slice;
    double begin = nn_profile_begin(p->plan);
    compute(&call);
    for (int thread = 0; thread < p->plan->graph->threads; thread++) /* it was every thread's */
        nn_profile_turn(p->plan, turn, thread, begin);
    if (p->inspect)
        inspect(p, turn, &call);
}

static void run_stage(pass *p, int index) {
    const nn_stage *stage = &p->plan->stages[index];
    double begin = nn_profile_begin(p->plan);
    poison(p->plan, 2 * index + 1);
    if (stage->whole)
        run_whole(p, stage);
    else
        run_sliced(p, stage);
    nn_profile_stage(p->plan, stage, &p->run, begin);
}

/* --- runs ----------------------------------------------------------------------------------------------- */

/* A scalar came out as NaN or infinity: says where that began. The inputs are still there, so the forward
 * pass is done once more, with a look at every output. */
static nn_status diagnose(nn_plan *plan, nn_run run, const char *what, nn_error *error) {
    if (nn_store_check(plan->graph->store, false, error) != NN_OK)
        return error->status;
    pass p = {.plan = plan, .run = run, .inspect = true, .first_bad = plan->step_count};
    for (int i = 0; i < plan->step_count; i++) {
        const nn_step *step = &plan->steps[i];
        nn_call call = step->call;
        call.rows = run.rows;
        if (step->node->op == &nn_op_input)
            inspect(&p, &(nn_turn){.step = i}, &call);
    }
    for (int i = 0; i < plan->stage_count && !plan->stages[i].backward; i++)
        run_stage(&p, i);
    if (p.first_bad == plan->step_count)
        return nn_fail(error, NN_ENUMERIC, "'%s' is NaN or infinite", what);
    const nn_node *node = plan->steps[p.first_bad].node;
    return nn_fail(error, NN_ENUMERIC, "%s '%s' is the first layer whose output is NaN or infinite",
                   node->op->name, node->name);
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

/* Scalars are computed by whole stages. */
static bool scalar_is_finite(const pass *p, const nn_stage *stage) {
    const nn_step *step = &p->plan->steps[stage->turns->step];
    return !stage->whole || !takes_part(p, stage->turns) || step->node->shape.rank > 0 ||
           isfinite(*step->call.output);
}

nn_status nn_plan_forward(nn_plan *plan, nn_run run, nn_error *error) {
    if (check_run(plan, run, error) != NN_OK)
        return error->status;
    pass p = {.plan = plan, .run = run};
    for (int i = 0; i < plan->stage_count && !plan->stages[i].backward; i++) {
        const nn_stage *stage = &plan->stages[i];
        run_stage(&p, i);
        if (!scalar_is_finite(&p, stage))
            return diagnose(plan, run, plan->steps[stage->turns->step].node->name, error);
    }
    return NN_OK;
}

/* The gradient of the loss with respect to itself, and of the parameters that it does not depend on. */
static void start_gradients(nn_plan *plan) {
    const nn_store *store = plan->graph->store;
    nn_step *loss = &plan->steps[plan->step_of[plan->options.loss->index]];
    if (loss->gradient >= 0)
        *(float *)loss->call.output_gradient = 1;
    for (int i = 0; i < plan->idle_count; i++) {
        const nn_entry *entry = &store->entries[plan->idle[i]];
        memset(store->gradients + entry->offset, 0, entry->count * sizeof(float));
    }
}

static nn_status check_gradients(const nn_plan *plan, nn_run run, nn_error *error) {
    const nn_plan_options *o = &plan->options;
    if (!o->fixed)
        return nn_store_check(plan->graph->store, true, error);
    for (int i = 0; i < o->gradients_count; i++) {
        const float *gradient = nn_plan_gradient(plan, o->gradients[i]);
        nn_call call = {.rows = run.rows};
        if (gradient && !nn_kernels_active()->vector->finite(nn_call_count(&call, o->gradients[i]), gradient))
            return nn_fail(error, NN_ENUMERIC, "the gradient of '%s' has values that are NaN or infinite",
                           o->gradients[i]->name);
    }
    return NN_OK;
}

nn_status nn_plan_backward(nn_plan *plan, nn_run run, nn_error *error) {
    if (!plan->options.loss)
        return nn_fail(error, NN_EARGUMENT, "there is no backward run: the plan was made without a loss");
    if (check_run(plan, run, error) != NN_OK)
        return error->status;
    pass p = {.plan = plan, .run = run};
    int first = 0;
    while (first < plan->stage_count && !plan->stages[first].backward)
        first++;
    poison(plan, 2 * first);
    start_gradients(plan);
    for (int i = first; i < plan->stage_count; i++)
        run_stage(&p, i);
    return check_gradients(plan, run, error);
}
