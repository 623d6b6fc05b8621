/* plan.c - from a graph to steps in order, buffers with lifetimes, and resolved calls. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "graph_internal.h"
#include "memory.h"
#include "plan_internal.h"

/* Whether the node's values are to last until the end of a run. Scalars take no memory worth a thought. */
static bool is_kept(const nn_plan_options *o, const nn_node *node) {
    return node->shape.rank == 0 || node->op == &nn_op_input || nn_listed(node, o->keep, o->keep_count) ||
           nn_listed(node, o->metrics, o->metrics_count);
}

/* Marks a node and everything it is computed from. Inputs are recorded before their users, so one walk down
 * does. */
static void mark_ancestors(const nn_graph *graph, const nn_node *target, bool *marked) {
    marked[target->index] = true;
    for (int i = target->index; i >= 0; i--)
        if (marked[i])
            for (int k = 0; k < graph->nodes[i]->input_count; k++)
                marked[graph->nodes[i]->inputs[k]->index] = true;
}

/* Whether a gradient that reaches the node goes on to one of its inputs. */
static bool passes_gradient(const nn_marks *m, const nn_node *node) {
    for (int k = 0; k < node->input_count; k++)
        if (m->differentiated[node->inputs[k]->index])
            return true;
    return false;
}

static nn_status mark_differentiated(const nn_plan *plan, nn_marks *m, bool *above_loss, nn_error *error) {
    const nn_plan_options *o = &plan->options;
    mark_ancestors(plan->graph, o->loss, above_loss);
    for (int i = 0; i < plan->graph->node_count; i++) {
        const nn_node *node = plan->graph->nodes[i];
        bool passes = passes_gradient(m, node), wanted = nn_listed(node, o->gradients, o->gradients_count);
        bool learned = node->entry >= 0 && !o->fixed;
        m->differentiated[i] = above_loss[i] && (passes || wanted || learned);
        if (above_loss[i] && passes && !nn_passes_gradient(node->op))
            return nn_fail(error, NN_EARGUMENT, "%s '%s' passes no gradient and cannot be part of the loss",
                           node->op->name, node->name);
    }
    return NN_OK;
}

static nn_status mark(const nn_plan *plan, nn_marks *m, bool *above_loss, nn_error *error) {
    const nn_graph *graph = plan->graph;
    const nn_plan_options *o = &plan->options;
    for (int i = 0; i < o->keep_count; i++)
        mark_ancestors(graph, o->keep[i], m->always);
    for (int i = 0; i < o->metrics_count; i++)
        mark_ancestors(graph, o->metrics[i], m->metric);
    if (o->loss)
        mark_ancestors(graph, o->loss, m->always);
    for (int i = 0; i < graph->node_count; i++) {
        const nn_node *node = graph->nodes[i];
        m->metric[i] = m->metric[i] && !m->always[i];
        m->kept[i] = is_kept(o, node);
    }
    return o->loss ? mark_differentiated(plan, m, above_loss, error) : NN_OK;
}

/* --- order ---------------------------------------------------------------------------------------------- */

static bool ready(const nn_plan *plan, const nn_node *node) {
    for (int k = 0; k < node->input_count; k++)
        if (node->inputs[k]->op != &nn_op_parameter && plan->step_of[node->inputs[k]->index] < 0)
            return false;
    return true;
}

static void add_step(nn_plan *plan, const nn_marks *m, nn_node *node) {
    nn_step *step = &plan->steps[plan->step_count];
    *step = (nn_step){.node = node,
                      .metric = m->metric[node->index],
                      .backward = m->differentiated[node->index] && passes_gradient(m, node),
                      .output = -1,
                      .gradient = -1,
                      .saved = -1,
                      .scratch = -1,
                      .backward_scratch = -1,
                      .report = -1,
                      .repeated = -1};
    plan->step_of[node->index] = plan->step_count++;
}

/* Nodes in the order of recording, but an early one (a loss on a tap) as soon as its inputs are there: then
 * what it reads need not be kept for it until the end of the network. */
static void schedule(nn_plan *plan, const nn_marks *m) {
    const int count = plan->graph->node_count;
    for (int i = 0; i < count; i++) {
        nn_node *node = plan->nodes[i];
        if (!nn_needed(m, i) || node->op == &nn_op_parameter || plan->step_of[i] >= 0)
            continue;
        add_step(plan, m, node);
        for (int j = i + 1; j < count; j++) {
            nn_node *early = plan->nodes[j];
            if (early->op->early && nn_needed(m, j) && plan->step_of[j] < 0 && ready(plan, early))
                add_step(plan, m, early);
        }
    }
}

/* --- calls ---------------------------------------------------------------------------------------------- */

/* NULL for no buffer and for a local one: that is looked up for each slice. */
static void *memory_of(const nn_plan *plan, int buffer) {
    const nn_buffer *root = buffer < 0 ? NULL : &plan->buffers[nn_buffer_root(plan, buffer)];
    return root && !root->local ? plan->slab + root->offset : NULL;
}

static void resolve_inputs(nn_plan *plan, const nn_marks *m, nn_step *step, bool *written) {
    const nn_store *store = plan->graph->store;
    for (int k = 0; k < step->node->input_count; k++) {
        const nn_node *input = step->node->inputs[k];
        nn_call *call = &step->call;
        if (input->entry >= 0) {
            const nn_entry *entry = &store->entries[input->entry];
            call->input[k] = store->parameters + entry->offset;
            bool learned = step->backward && m->differentiated[input->index];
            call->input_gradient[k] = learned ? store->gradients + entry->offset : NULL;
        } else {
            const nn_step *from = &plan->steps[plan->step_of[input->index]];
            call->input[k] = memory_of(plan, from->output);
            call->input_gradient[k] = step->backward ? memory_of(plan, from->gradient) : NULL;
        }
        if (step->backward && m->differentiated[input->index]) {
            call->accumulate[k] = written[input->index];
            written[input->index] = true;
        }
    }
}

/* Walks in backward order, so that the first writer of each gradient overwrites and the others add. */
static void resolve(nn_plan *plan, const nn_marks *m, bool *written) {
    const nn_store *store = plan->graph->store;
    for (int i = plan->step_count - 1; i >= 0; i--) {
        nn_step *step = &plan->steps[i];
        step->call = (nn_call){.node = step->node,
                               .training = plan->options.training,
                               .differentiated = step->backward,
                               .seed = store->seed,
                               .output = memory_of(plan, step->output),
                               .output_gradient = memory_of(plan, step->gradient),
                               .saved = memory_of(plan, step->saved),
                               .scratch = memory_of(plan, step->scratch),
                               .report = memory_of(plan, step->report)};
        resolve_inputs(plan, m, step, written);
        for (int k = 0; k < step->node->state_count; k++)
            step->call.state[k] = store->statistics + store->entries[step->node->state[k]].offset;
    }
}

static void list_idle(nn_plan *plan, const bool *written) {
    const nn_graph *graph = plan->graph;
    for (int e = 0; e < graph->store->entry_count && !plan->options.fixed; e++) {
        bool idle = graph->store->entries[e].kind == NN_PARAMETER;
        for (int i = 0; i < graph->node_count && idle; i++)
            idle = graph->nodes[i]->entry != e || !written[i];
        if (idle)
            plan->idle[plan->idle_count++] = e;
    }
}

static nn_status allocate_slabs(nn_plan *plan, nn_error *error) {
    plan->slab = nn_memory_new(plan->slab_bytes);
    plan->own = nn_memory_new(plan->own_bytes * (size_t)plan->graph->threads);
    if (!plan->slab || !plan->own)
        return nn_fail(error, NN_EMEMORY,
                       "a run needs %zu MiB of memory, which cannot be had: use a smaller batch",
                       nn_plan_bytes(plan) >> 20);
    return NN_OK;
}

static nn_status lay_out(nn_plan *plan, nn_marks *m, bool *written, nn_error *error) {
    if (!plan->options.unfused)
        nn_fuse(plan, m);
    schedule(plan, m);
    nn_plan_buffers(plan, m);
    nn_plan_stages(plan);
    nn_status status = nn_plan_own_memory(plan, error);
    if (status == NN_OK)
        status = nn_memory_layout(plan->buffers, plan->buffer_count, &plan->slab_bytes, error);
    if (status == NN_OK)
        status = allocate_slabs(plan, error);
    if (status == NN_OK) {
        resolve(plan, m, written);
        list_idle(plan, written);
    }
    return status;
}

/* --- making and freeing --------------------------------------------------------------------------------- */

static nn_status check_nodes(const nn_graph *graph, const char *role, nn_node *const *list, int count,
                             nn_error *error) {
    for (int i = 0; i < count; i++)
        if (!list[i] || list[i]->graph != graph)
            return nn_fail(error, NN_EARGUMENT, "plan: node %d of %s, '%s', is not of this graph", i, role,
                           list[i] ? list[i]->name : "NULL");
    return NN_OK;
}

static nn_status check_options(const nn_graph *graph, const nn_plan_options *o, nn_error *error) {
    if (graph->error.status != NN_OK)
        return nn_fail(error, graph->error.status, "%s", graph->error.message);
    if (!o->loss && o->keep_count == 0 && o->metrics_count == 0)
        return nn_fail(error, NN_EARGUMENT, "a plan needs a loss, or nodes to keep");
    if ((o->loss && check_nodes(graph, "the loss", &o->loss, 1, error) != NN_OK) ||
        check_nodes(graph, "keep", o->keep, o->keep_count, error) != NN_OK ||
        check_nodes(graph, "metrics", o->metrics, o->metrics_count, error) != NN_OK ||
        check_nodes(graph, "gradients", o->gradients, o->gradients_count, error) != NN_OK)
        return error->status;
    for (int i = 0; i < o->gradients_count; i++)
        if (o->gradients[i]->integer)
            return nn_fail(error, NN_EARGUMENT, "plan: a gradient is wanted, but '%s' holds class numbers",
                           o->gradients[i]->name);
    if (o->loss && o->loss->shape.rank != 0)
        return nn_fail(error, NN_ESHAPE, "the loss '%s' is not a scalar", o->loss->name);
    return NN_OK;
}

static nn_node **copy_list(nn_node *const *list, int count) {
    nn_node **copy = malloc(((size_t)count + 1) * sizeof(nn_node *));
    if (copy && count)
        memcpy(copy, list, (size_t)count * sizeof(nn_node *));
    return copy;
}

/* Everything whose size is known from the graph; steps have at most seven buffers each. */
static bool allocate_tables(nn_plan *plan, const nn_plan_options *options) {
    nn_plan_options *o = &plan->options;
    size_t nodes = (size_t)plan->graph->node_count + 1;
    *o = *options;
    o->keep = copy_list(options->keep, options->keep_count);
    o->metrics = copy_list(options->metrics, options->metrics_count);
    o->gradients = copy_list(options->gradients, options->gradients_count);
    plan->nodes = copy_list(plan->graph->nodes, plan->graph->node_count);
    plan->fused = calloc(nodes, sizeof *plan->fused);
    plan->steps = calloc(nodes, sizeof *plan->steps);
    plan->step_of = malloc(nodes * sizeof *plan->step_of);
    plan->idle = malloc(((size_t)plan->graph->store->entry_count + 1) * sizeof *plan->idle);
    plan->buffers = calloc(nodes * 7, sizeof *plan->buffers);
    plan->turns = calloc(nodes * (2 * NN_MAX_PHASES + 1), sizeof *plan->turns);
    plan->stages = calloc(nodes * (2 * NN_MAX_PHASES + 1), sizeof *plan->stages);
    if (!o->keep || !o->metrics || !o->gradients || !plan->nodes || !plan->fused || !plan->steps ||
        !plan->step_of || !plan->idle || !plan->buffers || !plan->turns || !plan->stages)
        return false;
    for (size_t i = 0; i < nodes; i++)
        plan->step_of[i] = -1;
    return true;
}

nn_status nn_plan_new(nn_plan **result, nn_graph *graph, nn_plan_options options, nn_error *error) {
    *result = NULL;
    nn_status status = check_options(graph, &options, error);
    if (status == NN_OK)
        status = nn_store_freeze(graph->store, error);
    if (status != NN_OK)
        return status;
    size_t nodes = (size_t)graph->node_count;
    nn_plan *plan = calloc(1, sizeof *plan);
    bool *flags = calloc(6 * nodes, sizeof *flags);
    if (plan)
        plan->graph = graph;
    if (!plan || !flags || !allocate_tables(plan, &options)) {
        status = nn_fail_memory(error, "the plan");
        goto done;
    }
    nn_marks m = {flags, flags + nodes, flags + 2 * nodes, flags + 3 * nodes};
    status = mark(plan, &m, flags + 4 * nodes, error);
    if (status == NN_OK)
        status = lay_out(plan, &m, flags + 5 * nodes, error);
done:
    free(flags);
    if (status == NN_OK)
        *result = plan;
    else
        nn_plan_free(plan);
    return status;
}

void nn_plan_free(nn_plan *plan) {
    if (!plan)
        return;
    free((void *)plan->options.keep);
    free((void *)plan->options.metrics);
    free((void *)plan->options.gradients);
    free(plan->nodes);
    free(plan->fused);
    free(plan->steps);
    free(plan->step_of);
    free(plan->idle);
    free(plan->buffers);
    free(plan->turns);
    free(plan->stages);
    free(plan->slab);
    free(plan->own);
    nn_profile_free(plan->profile);
    free(plan);
}

/* --- reading -------------------------------------------------------------------------------------------- */

static const nn_step *step_of(const nn_plan *plan, const nn_node *node) {
    int step = node ? plan->step_of[node->index] : -1;
    return step < 0 ? NULL : &plan->steps[step];
}

float *nn_plan_data(const nn_plan *plan, const nn_node *node) {
    const nn_step *step = step_of(plan, node);
    return step && is_kept(&plan->options, node) ? step->call.output : NULL;
}

int32_t *nn_plan_labels(const nn_plan *plan, const nn_node *node) {
    return (int32_t *)(void *)nn_plan_data(plan, node);
}

float nn_plan_scalar(const nn_plan *plan, const nn_node *node) {
    const float *value = nn_plan_data(plan, node);
    return value ? *value : NAN;
}

const float *nn_plan_gradient(const nn_plan *plan, const nn_node *node) {
    const nn_step *step = step_of(plan, node);
    bool wanted = nn_listed(node, plan->options.gradients, plan->options.gradients_count);
    return step && wanted ? step->call.output_gradient : NULL;
}

const void *nn_plan_report(const nn_plan *plan, const nn_node *node) {
    const nn_step *step = step_of(plan, node);
    return step ? step->call.report : NULL;
}

size_t nn_plan_bytes(const nn_plan *plan) {
    return plan->slab_bytes + plan->own_bytes * (size_t)plan->graph->threads;
}

void nn_plan_print(const nn_plan *plan, FILE *file) {
    fprintf(file, "%4s %-20s %-28s %8s %12s %12s %12s %12s\n", "step", "op", "name", "backward", "output KiB",
            "at KiB", "life", "scratch KiB");
    for (int i = 0; i < plan->step_count; i++) {
        const nn_step *step = &plan->steps[i];
        const nn_buffer *output = &plan->buffers[step->output];
        char life[32];
        snprintf(life, sizeof life, "%d-%d", output->birth, output->death);
        fprintf(file, "%4d %-20s %-28s %8s %12zu %12zu %12s %12zu%s\n", i, step->node->op->name,
                step->node->name, step->backward ? "yes" : "", output->bytes >> 10,
                plan->buffers[nn_buffer_root(plan, step->output)].offset >> 10, life,
                step->node->scratch_bytes >> 10, output->shares >= 0 ? "  in place" : "");
    }
    fprintf(file, "slab: %.1f MiB\n", (double)plan->slab_bytes / (1 << 20));
}
