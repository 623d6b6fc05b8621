/* fuse.c - nodes that are computed together, so that memory is gone over once for all of them.
 *
 * An op offers this by `absorb` (op.h). A node takes in its reader where nobody else would see the values
 * between the two: the reader is the only one, the values are not kept, no gradient of theirs is wanted. Then
 * the reader's reader, and so on. The fused node stands in the place, and has the index, of the last one it
 * absorbed, and the name of the first, which is the layer's. */
#include "graph_internal.h"
#include "plan_internal.h"

/* The node that reads node i, if it is needed and is the only one. */
static const nn_node *only_reader(const nn_plan *plan, const nn_marks *m, int i) {
    const nn_node *reader = NULL;
    for (int r = i + 1; r < plan->graph->node_count; r++)
        for (int k = 0; k < plan->nodes[r]->input_count && nn_needed(m, r); k++)
            if (plan->nodes[r]->inputs[k]->index == i) {
                if (reader)
                    return NULL;
                reader = plan->nodes[r];
            }
    return reader;
}

static bool is_seen(const nn_plan *plan, const nn_marks *m, const nn_node *node) {
    return m->kept[node->index] || nn_listed(node, plan->options.gradients, plan->options.gradients_count);
}

/* Whether another needed node moves the same statistics: then the order of the two must stay. */
static bool shares_state(const nn_plan *plan, const nn_marks *m, const nn_node *node) {
    for (int i = 0; i < plan->graph->node_count; i++)
        if (nn_needed(m, i) && i != node->index && node->state_count && plan->nodes[i]->state_count &&
            plan->nodes[i]->state[0] == node->state[0])
            return true;
    return false;
}

void nn_fuse(nn_plan *plan, nn_marks *m) {
    for (int i = 0; i < plan->graph->node_count; i++) {
        const nn_node *last = plan->nodes[i], *reader;
        if (!nn_needed(m, i) || shares_state(plan, m, last))
            continue;
        nn_node fused = *last;
        while (fused.op->absorb && !is_seen(plan, m, last) && (reader = only_reader(plan, m, last->index)) &&
               fused.op->absorb(&fused, last, reader)) {
            m->always[last->index] = m->metric[last->index] = false;
            last = reader;
        }
        if (last->index == i)
            continue;
        fused.index = last->index;
        plan->fused[plan->fused_count] = fused;
        plan->nodes[last->index] = &plan->fused[plan->fused_count++];
    }
}
