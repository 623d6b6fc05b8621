/* writer.c - the messages of onnx.proto, by the numbers that it gives their fields. */
#include "writer.h"

#include <stdio.h>
#include <string.h>

#include "../layout.h"

enum { GRAPH_NODE = 1, GRAPH_INITIALIZER = 5 };
enum { NODE_INPUT = 1, NODE_OUTPUT = 2, NODE_NAME = 3, NODE_TYPE = 4, NODE_ATTRIBUTE = 5 };
enum { ATTRIBUTE_NAME = 1, ATTRIBUTE_FLOAT = 2, ATTRIBUTE_INT = 3, ATTRIBUTE_STRING = 4, ATTRIBUTE_INTS = 8 };
enum { ATTRIBUTE_TYPE = 20, TYPE_FLOAT = 1, TYPE_INT = 2, TYPE_STRING = 3, TYPE_INTS = 7 };
enum { TENSOR_DIMS = 1, TENSOR_TYPE = 2, TENSOR_NAME = 8, TENSOR_RAW = 9 };
enum { ELEMENT_FLOAT = 1, ELEMENT_INT64 = 7 };

/* --- values --------------------------------------------------------------------------------------------- */

nn_onnx_name nn_onnx_inner_name(const nn_node *node, const char *suffix) {
    nn_onnx_name name;
    snprintf(name.text, sizeof name.text, "%s/%d%s", node->name, node->index, suffix);
    return name;
}

/* An image that is transposed on its way out does not have the output's name yet. */
nn_onnx_name nn_onnx_own_name(const nn_onnx_writer *w, const nn_node *node) {
    nn_onnx_name name = nn_onnx_inner_name(node, "");
    bool transposed = w->model->channels_last && node->shape.rank == 4;
    for (int i = w->model->output_count - 1; i >= 0 && !transposed; i--)
        if (w->model->outputs[i].node == node)
            snprintf(name.text, sizeof name.text, "%s", w->model->outputs[i].name);
    return name;
}

nn_onnx_name nn_onnx_value(nn_onnx_writer *w, const nn_node *node) {
    nn_onnx_name *name = &w->values[node->index];
    if (!name->text[0] && nn_onnx_write_op(w, node) == NN_OK)
        *name = nn_onnx_own_name(w, node);
    return *name;
}

/* --- tensors -------------------------------------------------------------------------------------------- */

static nn_protobuf begin_tensor(nn_onnx_name name, nn_shape shape, int type) {
    nn_protobuf tensor = {0};
    for (int i = 0; i < shape.rank; i++)
        nn_protobuf_integer(&tensor, TENSOR_DIMS, shape.dims[i]);
    nn_protobuf_integer(&tensor, TENSOR_TYPE, type);
    nn_protobuf_text(&tensor, TENSOR_NAME, name.text);
    return tensor;
}

static void put_tensor(nn_onnx_writer *w, nn_onnx_name name, nn_shape shape, int type, const void *values,
                       size_t bytes) {
    nn_protobuf tensor = begin_tensor(name, shape, type);
    unsigned char *raw = nn_protobuf_bytes(&tensor, TENSOR_RAW, bytes);
    if (raw)
        memcpy(raw, values, bytes);
    nn_protobuf_message(&w->message, GRAPH_INITIALIZER, &tensor);
}

void nn_onnx_floats(nn_onnx_writer *w, nn_onnx_name name, nn_shape shape, const float *values) {
    size_t count = shape.rank ? nn_shape_count(shape) : 1;
    put_tensor(w, name, shape, ELEMENT_FLOAT, values, count * sizeof *values);
}

void nn_onnx_integers(nn_onnx_writer *w, nn_onnx_name name, int count, const int64_t *values) {
    put_tensor(w, name, NN_SHAPE1(count), ELEMENT_INT64, values, (size_t)count * sizeof *values);
}

nn_onnx_name nn_onnx_entry(nn_onnx_writer *w, int index, bool matrix) {
    const nn_entry *entry = &w->graph->store->entries[index];
    const float *values = nn_store_values(w->graph->store, entry);
    const bool other = matrix && entry->shape.rank == 4; /* than in a file */
    bool *written = &w->initializers[2 * index + other];
    nn_onnx_name name;
    snprintf(name.text, sizeof name.text, other ? "%s/matrix" : "%s", entry->name);
    if (*written)
        return name;
    *written = true;
    if (other) {
        nn_onnx_floats(w, name, NN_SHAPE2(entry->shape.dims[0], (int)nn_shape_row(entry->shape)), values);
        return name;
    }
    nn_protobuf tensor = begin_tensor(name, nn_layout_shape(entry), ELEMENT_FLOAT);
    unsigned char *raw = nn_protobuf_bytes(&tensor, TENSOR_RAW, entry->count * sizeof *values);
    if (raw)
        nn_layout_export(entry, values, raw);
    nn_protobuf_message(&w->message, GRAPH_INITIALIZER, &tensor);
    return name;
}

/* --- nodes ---------------------------------------------------------------------------------------------- */

nn_protobuf nn_onnx_begin(const char *type, nn_onnx_name output) {
    nn_protobuf node = {0};
    nn_protobuf_text(&node, NODE_OUTPUT, output.text);
    nn_protobuf_text(&node, NODE_NAME, output.text);
    nn_protobuf_text(&node, NODE_TYPE, type);
    return node;
}

void nn_onnx_input(nn_protobuf *node, nn_onnx_name value) {
    nn_protobuf_text(node, NODE_INPUT, value.text);
}

static nn_protobuf begin_attribute(const char *name, int type) {
    nn_protobuf attribute = {0};
    nn_protobuf_text(&attribute, ATTRIBUTE_NAME, name);
    nn_protobuf_integer(&attribute, ATTRIBUTE_TYPE, type);
    return attribute;
}

void nn_onnx_int(nn_protobuf *node, const char *name, int64_t value) {
    nn_protobuf attribute = begin_attribute(name, TYPE_INT);
    nn_protobuf_integer(&attribute, ATTRIBUTE_INT, value);
    nn_protobuf_message(node, NODE_ATTRIBUTE, &attribute);
}

void nn_onnx_ints(nn_protobuf *node, const char *name, int count, const int *values) {
    nn_protobuf attribute = begin_attribute(name, TYPE_INTS);
    for (int i = 0; i < count; i++)
        nn_protobuf_integer(&attribute, ATTRIBUTE_INTS, values[i]);
    nn_protobuf_message(node, NODE_ATTRIBUTE, &attribute);
}

void nn_onnx_float(nn_protobuf *node, const char *name, float value) {
    nn_protobuf attribute = begin_attribute(name, TYPE_FLOAT);
    nn_protobuf_float(&attribute, ATTRIBUTE_FLOAT, value);
    nn_protobuf_message(node, NODE_ATTRIBUTE, &attribute);
}

void nn_onnx_string(nn_protobuf *node, const char *name, const char *value) {
    nn_protobuf attribute = begin_attribute(name, TYPE_STRING);
    nn_protobuf_text(&attribute, ATTRIBUTE_STRING, value);
    nn_protobuf_message(node, NODE_ATTRIBUTE, &attribute);
}

void nn_onnx_end(nn_onnx_writer *w, nn_protobuf *node) {
    nn_protobuf_message(&w->message, GRAPH_NODE, node);
}

void nn_onnx_unary(nn_onnx_writer *w, const char *type, nn_onnx_name input, nn_onnx_name output) {
    nn_protobuf node = nn_onnx_begin(type, output);
    nn_onnx_input(&node, input);
    nn_onnx_end(w, &node);
}

void nn_onnx_transpose(nn_onnx_writer *w, bool to_last, nn_onnx_name input, nn_onnx_name output) {
    static const int last[] = {0, 2, 3, 1}, second[] = {0, 3, 1, 2};
    nn_protobuf node = nn_onnx_begin("Transpose", output);
    nn_onnx_input(&node, input);
    nn_onnx_ints(&node, "perm", 4, to_last ? last : second);
    nn_onnx_end(w, &node);
}
