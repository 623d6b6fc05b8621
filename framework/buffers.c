/* buffers.c - which buffers a plan needs, how long each lives, and which of them share memory. */
#include "graph_internal.h"
#include "plan_internal.h"

/* --- buffers -------------------------------------------------------------------------------------------- */

static int add_buffer(nn_plan *plan, size_t bytes, int birth, int death) {
    if (bytes == 0)
        return -1;
    plan->buffers[plan->buffer_count] =
        (nn_buffer){.bytes = bytes, .birth = birth, .death = death, .shares = -1};
    return plan->buffer_count++;
}

/* For a node's values or their gradient. */
static int add_tensor(nn_plan *plan, const nn_node *node, int birth, int death) {
    size_t bytes = nn_shape_count(node->shape) * sizeof(float);
    int buffer = add_buffer(plan, bytes, birth, death);
    plan->buffers[buffer].row = node->shape.rank ? bytes / (size_t)node->shape.dims[0] : 0;
    return buffer;
}

enum { LAST = NN_MAX_PHASES - 1 };

int nn_buffer_root(const nn_plan *plan, int buffer) {
    while (plan->buffers[buffer].shares >= 0)
        buffer = plan->buffers[buffer].shares;
    return buffer;
}

static void share(nn_plan *plan, int buffer, int with) {
    with = nn_buffer_root(plan, with);
    nn_buffer *taken = &plan->buffers[buffer], *kept = &plan->buffers[with];
    taken->shares = with;
    if (taken->birth < kept->birth)
        kept->birth = taken->birth;
    if (taken->death > kept->death)
        kept->death = taken->death;
}

static bool reads_in_backward(const nn_step *step, const nn_node *node) {
    if (!step->backward)
        return false;
    if (step->node->index == node->index && (step->node->op->backward_reads & NN_READS_OUTPUT))
        return true;
    for (int k = 0; k < step->node->input_count; k++)
        if (step->node->inputs[k]->index == node->index &&
            (step->node->op->backward_reads & NN_READS_INPUT(k)))
            return true;
    return false;
}

static bool uses(const nn_step *step, const nn_node *node) {
    return nn_listed(node, step->node->inputs, step->node->input_count);
}

/* The one step that reads step i's output, or -1. */
static int only_reader(const nn_plan *plan, int i) {
    int reader = -1;
    for (int r = i + 1; r < plan->step_count; r++)
        if (uses(&plan->steps[r], plan->steps[i].node)) {
            if (reader >= 0)
                return -1;
            reader = r;
        }
    return reader;
}

/* Whether step i's output is computed again for its reader's backward instead of being kept for it: where it would
 * otherwise never leave the cache. */
static bool is_repeated(const nn_plan *plan, const nn_marks *m, int i) {
    const nn_step *step = &plan->steps[i];
    int reader = only_reader(plan, i);
    if (plan->options.separate || !step->node->op->repeatable || !step->backward ||
        m->kept[step->node->index] || reader < 0 || reads_in_backward(step, step->node))
        return false;
    const nn_op *op = plan->steps[reader].node->op;
    return op->forward[0].slice && op->backward[0].slice && op->in_place == NN_IN_PLACE_NEVER &&
           reads_in_backward(&plan->steps[reader], step->node);
}

static int last_use(const nn_plan *plan, const nn_marks *m, int step) {
    const nn_node *node = plan->steps[step].node;
    if (m->kept[node->index])
        return nn_end_time(plan);
    bool repeated = is_repeated(plan, m, step);
    int last = nn_forward_time(step, LAST);
    for (int i = step; i < plan->step_count; i++) {
        if (uses(&plan->steps[i], node) && nn_forward_time(i, LAST) > last)
            last = nn_forward_time(i, LAST);
        if (reads_in_backward(&plan->steps[i], node) && !repeated && nn_backward_time(plan, i, LAST) > last)
            last = nn_backward_time(plan, i, LAST);
    }
    return last;
}

/* The last step in forward order that sends a gradient to the node: the first one to write it. -1 for the
 * loss. */
static int first_gradient_writer(const nn_plan *plan, const nn_node *node) {
    for (int i = plan->step_count - 1; i >= 0; i--)
        if (plan->steps[i].backward && uses(&plan->steps[i], node))
            return i;
    return -1;
}

/* When a node's gradient is first written: by the step `writer`, or as the loss's own. */
static int gradient_birth(const nn_plan *plan, const nn_node *node, int writer) {
    if (writer < 0)
        return nn_seed_time(plan);
    const nn_node *reader = plan->steps[writer].node;
    for (int k = 0; k < reader->input_count; k++)
        if (reader->inputs[k]->index == node->index && (reader->op->early_gradients & NN_READS_INPUT(k)))
            return nn_backward_time(plan, writer, 0);
    return nn_backward_time(plan, writer, LAST);
}

static void add_buffers(nn_plan *plan, const nn_marks *m) {
    const nn_plan_options *o = &plan->options;
    for (int i = 0; i < plan->step_count; i++) {
        nn_step *step = &plan->steps[i];
        nn_node *node = step->node;
        int now = nn_forward_time(i, 0), done = nn_forward_time(i, LAST);
        int back = nn_backward_time(plan, i, 0), over = nn_backward_time(plan, i, LAST);
        step->output = add_tensor(plan, node, node->op == &nn_op_input ? 0 : done, last_use(plan, m, i));
        step->saved = add_buffer(plan, node->saved_bytes, now, step->backward ? over : done);
        step->scratch = add_buffer(plan, node->scratch_bytes, now, done);
        step->report = add_buffer(plan, node->report_bytes, 0, nn_end_time(plan));
        if (step->backward)
            step->backward_scratch = add_buffer(plan, node->scratch_bytes, back, over);
        if (is_repeated(plan, m, i)) {
            int reader = only_reader(plan, i);
            step->repeated = add_tensor(plan, node, nn_backward_time(plan, reader, 0),
                                        nn_backward_time(plan, reader, LAST));
        }
        if (m->differentiated[node->index]) {
            bool wanted = nn_listed(node, o->gradients, o->gradients_count);
            int writer = first_gradient_writer(plan, node);
            step->gradient =
                add_tensor(plan, node, gradient_birth(plan, node, writer), wanted ? nn_end_time(plan) : over);
        }
    }
}

/* --- sharing -------------------------------------------------------------------------------------------- */

/* The step that makes input k of a step, where the input may lend its memory to the output or to its gradient:
 * it is no parameter and of the same size. -1 where it is not so. */
static int lender(const nn_plan *plan, const nn_step *step, int k) {
    const nn_node *input = step->node->inputs[k];
    bool may = input->entry < 0 && nn_shape_count(input->shape) == nn_shape_count(step->node->shape);
    return may ? plan->step_of[input->index] : -1;
}

/* Whether step i may overwrite a buffer: nobody may need the old values of a node there. */
static bool may_overwrite(const nn_plan *plan, const nn_marks *m, int i, int buffer) {
    int memory = nn_buffer_root(plan, buffer);
    for (int s = 0; s < i; s++) {
        const nn_node *node = plan->steps[s].node;
        if (nn_buffer_root(plan, plan->steps[s].output) != memory)
            continue;
        if (m->kept[node->index])
            return false;
        for (int user = s; user < plan->step_count; user++)
            if ((user > i && uses(&plan->steps[user], node)) || reads_in_backward(&plan->steps[user], node))
                return false;
    }
    return true;
}

static void share_output(nn_plan *plan, const nn_marks *m, int i) {
    nn_step *step = &plan->steps[i];
    nn_in_place in_place = step->node->op->in_place;
    for (int k = 0; k < step->node->input_count && in_place != NN_IN_PLACE_NEVER; k++) {
        int from = lender(plan, step, k);
        if (from < 0)
            continue;
        int memory = plan->steps[from].output;
        if (in_place == NN_IN_PLACE_VIEW || may_overwrite(plan, m, i, memory)) {
            share(plan, step->output, memory);
            return;
        }
    }
}

/* An elementwise op's gradient with respect to an input can take the memory of its output's gradient, which
 * nobody reads afterwards, when it is the first to write there. Of several inputs the last is taken: a residual,
 * to which the gradient goes as it is. */
static void share_gradient(nn_plan *plan, int i) {
    const nn_plan_options *o = &plan->options;
    nn_step *step = &plan->steps[i];
    if (!step->backward || !step->node->op->gradient_in_place ||
        nn_listed(step->node, o->gradients, o->gradients_count))
        return;
    for (int k = step->node->input_count - 1; k >= 0; k--) {
        int from = lender(plan, step, k);
        int gradient = from < 0 ? -1 : plan->steps[from].gradient;
        if (gradient >= 0 && first_gradient_writer(plan, step->node->inputs[k]) == i) {
            share(plan, gradient, step->gradient);
            return;
        }
    }
}

static void separate_buffers(nn_plan *plan) {
    for (int i = 0; i < plan->buffer_count; i++) {
        plan->buffers[i].birth = 0;
        plan->buffers[i].death = nn_end_time(plan);
    }
}

void nn_plan_buffers(nn_plan *plan, const nn_marks *m) {
    add_buffers(plan, m);
    if (plan->options.separate) {
        separate_buffers(plan);
        return;
    }
    for (int i = 0; i < plan->step_count; i++)
        share_output(plan, m, i);
    for (int i = plan->step_count - 1; i >= 0; i--)
        share_gradient(plan, i);
}
