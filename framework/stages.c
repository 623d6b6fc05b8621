/* stages.c - which phases a slice of the batch passes through together, and the memory of what lives only there.
 *
 * A pass over the whole batch for every op would bring each activation from the main memory and back several
 * times. So phases that work by examples are collected into *stages*: a thread takes a few examples through all
 * phases of a stage while they are in its cache. What is written and read for the last time within a stage never
 * leaves it: a buffer of one slice for each thread is enough. A stage ends where all examples must be done before
 * any can go on: between the phases of one op (batch statistics), at ops that compute the whole batch at once, and
 * where the images have become smaller, for then more of them fit the cache.
 *
 * Stages and slices depend on sizes only, not on the number of threads: sums over the batch are the same bits for
 * all of them. */
#include <stdlib.h>

#include "graph_internal.h"
#include "plan_internal.h"

enum { SLICE_BYTES = 128 << 10 }; /* of one activation, at most: a few of them fit the L2 cache */

/* --- turns ---------------------------------------------------------------------------------------------- */

/* The last of the phases that there is. */
static int last_phase(const nn_plan *plan, const nn_phase *phases) {
    int last = NN_MAX_PHASES - 1;
    while (last >= 0 && !nn_phase_exists(&phases[last], plan->options.training))
        last--;
    return last;
}

/* Before the step's backward: what it reads that is not kept from the forward pass. */
static void repeat_inputs(nn_plan *plan, int step) {
    const nn_node *node = plan->steps[step].node;
    for (int k = 0; k < node->input_count; k++) {
        int from = node->inputs[k]->entry < 0 ? plan->step_of[node->inputs[k]->index] : -1;
        if (from < 0 || plan->steps[from].repeated < 0)
            continue;
        const nn_phase *forward = plan->steps[from].node->op->forward;
        plan->turns[plan->turn_count++] = (nn_turn){.step = from,
                                                    .phase = &forward[last_phase(plan, forward)],
                                                    .backward = true,
                                                    .repeated = true,
                                                    .time = nn_backward_time(plan, step, 0)};
    }
}

static void add_turns(nn_plan *plan, int step, bool backward) {
    const nn_op *op = plan->steps[step].node->op;
    const nn_phase *phases = backward ? op->backward : op->forward;
    int last = last_phase(plan, phases);
    if (backward)
        repeat_inputs(plan, step);
    for (int p = 0; p <= last; p++) {
        if (!nn_phase_exists(&phases[p], plan->options.training))
            continue;
        int when = p == last ? NN_MAX_PHASES - 1 : p; /* the last phase that there is comes last */
        plan->turns[plan->turn_count++] =
            (nn_turn){.step = step,
                      .phase = &phases[p],
                      .backward = backward,
                      .time = backward ? nn_backward_time(plan, step, when) : nn_forward_time(step, when)};
    }
}

static size_t row_bytes(const nn_node *node) {
    return nn_shape_row(node->shape) * sizeof(float);
}

/* Bytes of one example in the largest tensor that a turn reads or writes. */
static size_t largest_row(const nn_plan *plan, const nn_turn *turn) {
    const nn_node *node = plan->steps[turn->step].node;
    size_t largest = row_bytes(node);
    for (int k = 0; k < node->input_count; k++)
        if (node->inputs[k]->entry < 0 && row_bytes(node->inputs[k]) > largest)
            largest = row_bytes(node->inputs[k]);
    return largest;
}

/* --- stages --------------------------------------------------------------------------------------------- */

/* Scalars have no examples to cut. */
static bool computes_batch(const nn_plan *plan, const nn_turn *turn) {
    return turn->phase->whole || plan->steps[turn->step].node->shape.rank == 0;
}

/* Whether the turn goes on where the stage's last one ended. */
static bool joins(const nn_plan *plan, const nn_stage *stage, size_t stage_row, const nn_turn *turn) {
    const nn_turn *before = turn - 1;
    bool waits = before->step == turn->step && before->backward == turn->backward;
    return !stage->whole && !computes_batch(plan, turn) && stage->backward == turn->backward && !waits &&
           2 * largest_row(plan, turn) > stage_row;
}

static void cut_batch(nn_stage *stage, int batch, size_t row) {
    int limit = nn_slice_limit(batch), fit = row ? (int)(SLICE_BYTES / row) : limit;
    stage->slice = fit < 1 ? 1 : fit < limit ? fit : limit;
    int slices = (batch + stage->slice - 1) / stage->slice;
    stage->unit = stage->slice * ((slices + NN_UNITS - 1) / NN_UNITS);
}

void nn_plan_stages(nn_plan *plan) {
    for (int i = 0; i < plan->step_count; i++)
        add_turns(plan, i, false);
    for (int i = plan->step_count - 1; i >= 0; i--)
        if (plan->steps[i].backward)
            add_turns(plan, i, true);
    size_t row = 0;
    for (int t = 0; t < plan->turn_count; t++) {
        nn_turn *turn = &plan->turns[t];
        nn_stage *stage = &plan->stages[plan->stage_count - 1];
        if (plan->stage_count == 0 || !joins(plan, stage, row, turn)) {
            stage = &plan->stages[plan->stage_count++];
            *stage =
                (nn_stage){.turns = turn, .whole = computes_batch(plan, turn), .backward = turn->backward};
            row = 0;
        }
        stage->turn_count++;
        size_t turn_row = largest_row(plan, turn);
        row = row > turn_row ? row : turn_row;
        if (!stage->whole)
            cut_batch(stage, plan->steps[turn->step].node->shape.dims[0], row);
    }
}

/* --- memory of a stage ---------------------------------------------------------------------------------- */

/* Number of the stage that computes at each time, doubled and one more, so that what is between two stages has a
 * number too: inputs are filled at 0, the gradient's seed is between forward and backward. */
static void number_times(const nn_plan *plan, int *stage_of) {
    int time = 0, seed = nn_seed_time(plan), end = nn_end_time(plan), stage = 0;
    stage_of[time++] = 0;
    for (; stage < plan->stage_count; stage++) {
        const nn_stage *s = &plan->stages[stage];
        if (s->backward && time <= seed)
            while (time <= seed)
                stage_of[time++] = 2 * stage;
        while (time <= s->turns[s->turn_count - 1].time)
            stage_of[time++] = 2 * stage + 1;
    }
    while (time <= end)
        stage_of[time++] = 2 * stage;
}

static bool is_local(const nn_plan *plan, const nn_buffer *buffer, const int *stage_of) {
    int stage = stage_of[buffer->birth];
    return buffer->shares < 0 && buffer->row && stage % 2 && stage == stage_of[buffer->death] &&
           !plan->stages[stage / 2].whole;
}

/* Lays out one stage's local buffers, and the memory of its turns, in `table`, which has room for all of them. */
static nn_status lay_out_stage(nn_plan *plan, int index, const int *stage_of, nn_buffer *table,
                               nn_error *error) {
    nn_stage *stage = &plan->stages[index];
    int count = 0;
    for (int i = 0; i < plan->buffer_count; i++)
        if (plan->buffers[i].local && stage_of[plan->buffers[i].birth] == 2 * index + 1) {
            table[count] = plan->buffers[i];
            table[count].local = false;
            table[count++].bytes = (size_t)stage->slice * plan->buffers[i].row;
        }
    int buffers = count;
    for (int t = 0; t < stage->turn_count; t++) {
        int time = stage->turns[t].time;
        size_t bytes = plan->steps[stage->turns[t].step].node->own_bytes;
        table[count++] = (nn_buffer){.bytes = bytes, .birth = time, .death = time, .shares = -1};
    }
    nn_status status = nn_memory_layout(table, count, &stage->own_bytes, error);
    for (int i = 0, next = 0; next < buffers; i++)
        if (plan->buffers[i].local && stage_of[plan->buffers[i].birth] == 2 * index + 1)
            plan->buffers[i].offset = table[next++].offset;
    for (int t = 0; t < stage->turn_count; t++)
        stage->turns[t].own = table[buffers + t].offset;
    if (stage->own_bytes > plan->own_bytes)
        plan->own_bytes = stage->own_bytes;
    return status;
}

nn_status nn_plan_own_memory(nn_plan *plan, nn_error *error) {
    int *stage_of = malloc(((size_t)nn_end_time(plan) + 1) * sizeof *stage_of);
    nn_buffer *table = calloc((size_t)(plan->buffer_count + plan->turn_count) + 1, sizeof *table);
    nn_status status = stage_of && table ? NN_OK : nn_fail_memory(error, "the plan");
    if (status == NN_OK)
        number_times(plan, stage_of);
    for (int i = 0; i < plan->buffer_count && status == NN_OK; i++)
        plan->buffers[i].local = is_local(plan, &plan->buffers[i], stage_of);
    for (int i = 0; i < plan->stage_count && status == NN_OK; i++)
        if (!plan->stages[i].whole)
            status = lay_out_stage(plan, i, stage_of, table, error);
    for (int i = 0; i < plan->buffer_count && status == NN_OK; i++) {
        plan->buffers[i].birth = stage_of[plan->buffers[i].birth];
        plan->buffers[i].death = stage_of[plan->buffers[i].death];
    }
    free(stage_of);
    free(table);
    return status;
}
