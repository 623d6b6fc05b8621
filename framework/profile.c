/* profile.c - times of a plan's turns, and what their work is. */
#include "profile.h"

#include <stdlib.h>
#include <time.h>

#include "graph_internal.h"
#include "kernels/kernels.h"
#include "plan_internal.h"

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

nn_status nn_plan_profile(nn_plan *plan, nn_error *error) {
    nn_profile *p = calloc(1, sizeof *p);
    nn_profile_free(plan->profile);
    plan->profile = p;
    if (p) {
        p->seconds = calloc((size_t)plan->turn_count * (size_t)plan->graph->threads + 1, sizeof *p->seconds);
        p->examples = calloc((size_t)plan->turn_count + 1, sizeof *p->examples);
        p->runs = calloc((size_t)plan->turn_count + 1, sizeof *p->runs);
    }
    return p && p->seconds && p->examples && p->runs ? NN_OK : nn_fail_memory(error, "the profile");
}

void nn_profile_free(nn_profile *profile) {
    if (!profile)
        return;
    free(profile->seconds);
    free(profile->examples);
    free(profile->runs);
    free(profile);
}

double nn_profile_begin(const nn_plan *plan) {
    return plan->profile ? now() : 0;
}

void nn_profile_turn(const nn_plan *plan, const nn_turn *turn, int thread, double begin) {
    if (plan->profile)
        plan->profile->seconds[(size_t)thread * (size_t)plan->turn_count + (size_t)(turn - plan->turns)] +=
            now() - begin;
}

void nn_profile_stage(const nn_plan *plan, const nn_stage *stage, const nn_run *run, double begin) {
    nn_profile *p = plan->profile;
    if (!p)
        return;
    p->wall += now() - begin;
    for (int t = 0; t < stage->turn_count; t++) {
        const nn_turn *turn = &stage->turns[t];
        if (!run->metrics && plan->steps[turn->step].metric)
            continue;
        p->examples[turn - plan->turns] += run->rows;
        p->runs[turn - plan->turns]++;
    }
}

/* --- work ----------------------------------------------------------------------------------------------- */

/* Bytes of a node's values for some examples; parameters have no examples. */
static double bytes_of(const nn_node *node, double examples) {
    double count = (double)nn_shape_count(node->shape);
    return sizeof(float) *
           (node->entry >= 0 || node->shape.rank == 0 ? count : count / node->shape.dims[0] * examples);
}

static bool has_gradient(const nn_plan *plan, const nn_node *node) {
    return node->entry >= 0 ? !plan->options.fixed : plan->steps[plan->step_of[node->index]].gradient >= 0;
}

static double forward_bytes(const nn_node *node, double examples) {
    double bytes = bytes_of(node, examples);
    for (int k = 0; k < node->input_count; k++)
        bytes += bytes_of(node->inputs[k], examples);
    return bytes;
}

/* Gradients that are added to are read too. */
static double backward_bytes(const nn_plan *plan, const nn_step *step, double examples) {
    const nn_node *node = step->node;
    double bytes = bytes_of(node, examples) * (node->op->backward_reads & NN_READS_OUTPUT ? 2 : 1);
    for (int k = 0; k < node->input_count; k++) {
        double input = bytes_of(node->inputs[k], examples);
        if (node->op->backward_reads & NN_READS_INPUT(k))
            bytes += input;
        if (has_gradient(plan, node->inputs[k]))
            bytes += input * (step->call.accumulate[k] ? 2 : 1);
    }
    return bytes;
}

static bool has_parameters(const nn_node *node) {
    for (int k = 0; k < node->input_count; k++)
        if (node->inputs[k]->entry >= 0)
            return true;
    return false;
}

/* Backward with fixed parameters is the part that the gradient of the data adds to theirs. */
static double flop_of(const nn_plan *plan, const nn_node *node, double examples, bool backward) {
    bool data = has_gradient(plan, node->inputs[0]), fixed = plan->options.fixed && has_parameters(node);
    double flop = node->op->flop(node, examples, backward, data);
    return backward && fixed ? flop - node->op->flop(node, examples, true, false) : flop;
}

static void add_work(const nn_plan *plan, const nn_step *step, bool backward, double examples, double runs,
                     nn_profile_line *line) {
    const nn_node *node = step->node;
    double rows = runs > 0 ? examples / runs : 0;
    line->bytes += runs * (backward ? backward_bytes(plan, step, rows) : forward_bytes(node, rows));
    if (node->op->flop)
        line->flop += runs * flop_of(plan, node, rows, backward);
}

/* --- lines: every step forward, then every step backward ------------------------------------------------- */

int nn_profile_count(const nn_plan *plan) {
    return plan->profile ? 2 * plan->step_count : 0;
}

nn_profile_line nn_profile_line_at(const nn_plan *plan, int index) {
    const nn_profile *p = plan->profile;
    bool backward = index >= plan->step_count;
    int number = backward ? 2 * plan->step_count - 1 - index : index, threads = plan->graph->threads;
    const nn_step *step = &plan->steps[number];
    nn_profile_line line = {.op = step->node->op->name, .layer = step->node->name, .backward = backward};
    double examples = 0;
    for (int t = 0; t < plan->turn_count; t++) {
        if (plan->turns[t].step != number || plan->turns[t].backward != backward)
            continue;
        for (int thread = 0; thread < threads; thread++)
            line.seconds += p->seconds[(size_t)thread * (size_t)plan->turn_count + (size_t)t] / threads;
        if (!plan->turns[t].repeated) {
            line.runs = p->runs[t];
            examples = p->examples[t];
        }
    }
    add_work(plan, step, backward, examples, (double)line.runs, &line);
    return line;
}

double nn_profile_seconds(const nn_plan *plan) {
    return plan->profile ? plan->profile->wall : 0;
}

double nn_profile_waiting(const nn_plan *plan) {
    double waiting = nn_profile_seconds(plan);
    for (int i = 0; i < nn_profile_count(plan); i++)
        waiting -= nn_profile_line_at(plan, i).seconds;
    return waiting > 0 ? waiting : 0;
}
