#include "graph.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "graph_internal.h"
#include "kernels/kernels.h"

const nn_op nn_op_input = {.name = "input"};
const nn_op nn_op_parameter = {.name = "parameter"};

nn_graph *nn_graph_new(nn_store *store) {
    nn_graph *graph = calloc(1, sizeof *graph);
    if (!graph)
        return NULL;
    graph->store = store;
    graph->threads = nn_threads();
    return graph;
}

void nn_graph_free(nn_graph *graph) {
    if (!graph)
        return;
    for (int i = 0; i < graph->node_count; i++)
        free(graph->nodes[i]);
    free(graph->nodes);
    free(graph);
}

const nn_error *nn_graph_error(const nn_graph *graph) {
    return &graph->error;
}

/* A zeroed node at the end of the graph's list, or NULL with the graph in error. */
static nn_node *append(nn_graph *graph, const nn_op *op, const char *name) {
    if (graph->error.status != NN_OK)
        return NULL;
    if (graph->node_count == graph->node_capacity) {
        int capacity = graph->node_capacity ? 2 * graph->node_capacity : 128;
        nn_node **nodes = realloc(graph->nodes, (size_t)capacity * sizeof *nodes);
        if (!nodes) {
            nn_fail_memory(&graph->error, "the graph");
            return NULL;
        }
        graph->nodes = nodes;
        graph->node_capacity = capacity;
    }
    nn_node *node = calloc(1, sizeof *node);
    if (!node) {
        nn_fail_memory(&graph->error, "a node of the graph");
        return NULL;
    }
    node->op = op;
    node->graph = graph;
    node->index = graph->node_count;
    node->entry = -1;
    if (name)
        snprintf(node->name, sizeof node->name, "%s", name);
    else
        snprintf(node->name, sizeof node->name, "%s%d", op->name, node->index);
    graph->nodes[graph->node_count++] = node;
    return node;
}

static bool name_fits(nn_graph *graph, const char *name) {
    if (strlen(name) < NN_NAME_MAX)
        return true;
    nn_fail(&graph->error, NN_EARGUMENT, "the name '%.40s...' is longer than %d characters", name,
            NN_NAME_MAX - 1);
    return false;
}

nn_node *nn_input(nn_graph *graph, const char *name, nn_shape shape) {
    char text[NN_SHAPE_TEXT];
    if (shape.rank == 0 || nn_shape_count(shape) == 0) {
        nn_fail(&graph->error, NN_ESHAPE, "input '%s': %s is not a batch of tensors", name,
                nn_shape_text(shape, text));
        return NULL;
    }
    nn_node *node = name_fits(graph, name) ? append(graph, &nn_op_input, name) : NULL;
    if (node)
        node->shape = shape;
    return node;
}

nn_node *nn_labels(nn_graph *graph, const char *name, int batch, int classes) {
    if (classes < 1) {
        nn_fail(&graph->error, NN_EARGUMENT, "labels '%s': %d classes", name, classes);
        return NULL;
    }
    nn_node *node = nn_input(graph, name, NN_SHAPE1(batch));
    if (node) {
        node->integer = true;
        node->classes = classes;
    }
    return node;
}

nn_status nn_refuse(const nn_node *node, nn_status status, const char *format, ...) {
    char message[sizeof node->graph->error.message];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return nn_fail(&node->graph->error, status, "%s", message);
}

nn_node *nn_record(const nn_op *op, const char *name, const void *options, size_t options_size,
                   int input_count, nn_node *const *inputs) {
    for (int i = 0; i < input_count; i++)
        if (!inputs[i])
            return NULL;
    nn_graph *graph = inputs[0]->graph;
    for (int i = 1; i < input_count; i++)
        if (inputs[i]->graph != graph) {
            nn_fail(&graph->error, NN_EARGUMENT, "%s: its inputs '%s' and '%s' belong to different graphs",
                    op->name, inputs[0]->name, inputs[i]->name);
            return NULL;
        }
    nn_node *node = !name || name_fits(graph, name) ? append(graph, op, name) : NULL;
    if (!node)
        return NULL;
    node->input_count = input_count;
    for (int i = 0; i < input_count; i++)
        node->inputs[i] = inputs[i];
    if (options_size)
        memcpy(node->options, options, options_size);
    if (op->shape(node, &graph->error) != NN_OK)
        return NULL;
    if (nn_shape_count(node->shape) == 0) {
        nn_fail(&graph->error, NN_ESHAPE, "%s '%s': its output is too large", op->name, node->name);
        return NULL;
    }
    return node;
}

static bool entry_name(nn_graph *graph, const char *layer, const char *suffix, nn_entry *entry) {
    int length = snprintf(entry->name, sizeof entry->name, "%s.%s", layer, suffix);
    if (length < NN_NAME_MAX)
        return true;
    nn_fail(&graph->error, NN_EARGUMENT, "the layer name '%s' is too long", layer);
    return false;
}

nn_node *nn_parameter(nn_node *like, const char *layer, const char *suffix, nn_entry entry) {
    if (!like)
        return NULL;
    nn_graph *graph = like->graph;
    int index;
    entry.kind = NN_PARAMETER;
    if (!entry_name(graph, layer, suffix, &entry) ||
        nn_store_declare(graph->store, entry, &index, &graph->error) != NN_OK)
        return NULL;
    for (int i = 0; i < graph->node_count; i++)
        if (graph->nodes[i]->entry == index)
            return graph->nodes[i];
    nn_node *node = append(graph, &nn_op_parameter, entry.name);
    if (node) {
        node->shape = entry.shape;
        node->entry = index;
    }
    return node;
}

nn_node *nn_attach_state(nn_node *node, const char *layer, const char *suffix, nn_entry entry) {
    if (!node)
        return NULL;
    nn_graph *graph = node->graph;
    int index;
    entry.kind = NN_STATISTIC;
    if (!entry_name(graph, layer, suffix, &entry) ||
        nn_store_declare(graph->store, entry, &index, &graph->error) != NN_OK)
        return NULL;
    node->state[node->state_count++] = index;
    return node;
}

nn_node *nn_tap(nn_node *node, const char *name) {
    if (!node)
        return NULL;
    nn_graph *graph = node->graph;
    if (!name_fits(graph, name))
        return NULL;
    for (int i = 0; i < graph->tap_count; i++)
        if (strcmp(graph->taps[i].name, name) == 0) {
            nn_fail(&graph->error, NN_EARGUMENT, "tap '%s' is named twice", name);
            return NULL;
        }
    if (graph->tap_count == MAX_TAPS) {
        nn_fail(&graph->error, NN_EARGUMENT, "tap '%s': a graph has at most %d taps", name, MAX_TAPS);
        return NULL;
    }
    tap *new = &graph->taps[graph->tap_count++];
    new->node = node;
    snprintf(new->name, sizeof new->name, "%s", name);
    return node;
}

int nn_tap_count(const nn_graph *graph) {
    return graph->tap_count;
}

nn_node *nn_tap_node(const nn_graph *graph, int index) {
    return graph->taps[index].node;
}

const char *nn_tap_name(const nn_graph *graph, int index) {
    return graph->taps[index].name;
}

const char *nn_node_name(const nn_node *node) {
    return node->name;
}

nn_shape nn_node_shape(const nn_node *node) {
    return node->shape;
}

nn_graph *nn_node_graph(const nn_node *node) {
    return node->graph;
}

static const char *tap_of(const nn_graph *graph, const nn_node *node) {
    for (int i = 0; i < graph->tap_count; i++)
        if (graph->taps[i].node == node)
            return graph->taps[i].name;
    return "";
}

void nn_graph_print(const nn_graph *graph, FILE *file) {
    fprintf(file, "%-16s %-28s %-24s %10s  %s\n", "op", "name", "shape", "parameters", "tap");
    for (int i = 0; i < graph->node_count; i++) {
        const nn_node *node = graph->nodes[i];
        if (node->op == &nn_op_parameter)
            continue;
        size_t parameters = 0;
        for (int k = 0; k < node->input_count; k++)
            if (node->inputs[k]->op == &nn_op_parameter)
                parameters += nn_shape_count(node->inputs[k]->shape);
        char text[NN_SHAPE_TEXT];
        fprintf(file, "%-16s %-28s %-24s %10zu  %s\n", node->op->name, node->name,
                nn_shape_text(node->shape, text), parameters, tap_of(graph, node));
    }
}

size_t nn_call_count(const nn_call *call, const nn_node *node) {
    return node->shape.rank == 0 ? 1 : (size_t)call->rows * nn_shape_row(node->shape);
}

nn_status nn_need_rank(const nn_node *node, int input, int rank, nn_error *error) {
    const nn_node *x = node->inputs[input];
    char text[NN_SHAPE_TEXT];
    if (x->shape.rank != rank || x->integer)
        return nn_fail(error, NN_ESHAPE, "%s '%s': wants a tensor of %d dimensions, '%s' is %s%s",
                       node->op->name, node->name, rank, x->name, nn_shape_text(x->shape, text),
                       x->integer ? " class numbers" : "");
    return NN_OK;
}

nn_status nn_need_labels(const nn_node *node, int input, nn_error *error) {
    const nn_node *x = node->inputs[input];
    if (!x->integer)
        return nn_fail(error, NN_ESHAPE, "%s '%s': wants class numbers (nn_labels), '%s' holds floats",
                       node->op->name, node->name, x->name);
    if (x->shape.dims[0] != node->inputs[0]->shape.dims[0])
        return nn_fail(error, NN_ESHAPE, "%s '%s': %d examples, but '%s' has %d labels", node->op->name,
                       node->name, node->inputs[0]->shape.dims[0], x->name, x->shape.dims[0]);
    return NN_OK;
}
