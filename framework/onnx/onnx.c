/* onnx.c - the file around the graph: inputs, outputs, where it comes from. */
#include "onnx.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../file.h"
#include "writer.h"

enum {
    MODEL_IR = 1,
    MODEL_PRODUCER = 2,
    MODEL_VERSION = 3,
    MODEL_GRAPH = 7,
    MODEL_OPSET = 8,
    MODEL_METADATA = 14
};
enum { GRAPH_NAME = 2, GRAPH_INPUT = 11, GRAPH_OUTPUT = 12 };
enum { OPSET_VERSION = 2, ENTRY_KEY = 1, ENTRY_VALUE = 2 };
enum {
    INFO_NAME = 1,
    INFO_TYPE = 2,
    TYPE_TENSOR = 1,
    TENSOR_ELEMENT = 1,
    TENSOR_SHAPE = 2,
    ELEMENT_FLOAT = 1
};
enum { SHAPE_DIMENSION = 1, DIMENSION_VALUE = 1, DIMENSION_NAME = 2 };
enum { IR_VERSION = 7 }; /* that came with opset 13's release */
static const size_t largest_file = ((size_t)1 << 31) - 1;

/* --- inputs and outputs --------------------------------------------------------------------------------- */

/* A ValueInfoProto: floats of the node's shape, as it is outside, for any number of examples. */
static nn_protobuf describe(const nn_onnx_model *model, const nn_node *node, const char *name) {
    nn_protobuf shape = {0}, dimension = {0}, tensor = {0}, type = {0}, info = {0};
    const bool second = node->shape.rank == 4 && !model->channels_last;
    static const int from[] = {0, 3, 1, 2};
    nn_protobuf_text(&dimension, DIMENSION_NAME, "batch");
    nn_protobuf_message(&shape, SHAPE_DIMENSION, &dimension);
    for (int i = 1; i < node->shape.rank; i++) {
        nn_protobuf_integer(&dimension, DIMENSION_VALUE, node->shape.dims[second ? from[i] : i]);
        nn_protobuf_message(&shape, SHAPE_DIMENSION, &dimension);
    }
    nn_protobuf_integer(&tensor, TENSOR_ELEMENT, ELEMENT_FLOAT);
    nn_protobuf_message(&tensor, TENSOR_SHAPE, &shape);
    nn_protobuf_message(&type, TYPE_TENSOR, &tensor);
    nn_protobuf_text(&info, INFO_NAME, name);
    nn_protobuf_message(&info, INFO_TYPE, &type);
    return info;
}

/* y = x TYPE a number for each channel. */
static nn_onnx_name by_channel(nn_onnx_writer *w, const char *type, nn_onnx_name x, const char *name,
                               const float *numbers) {
    const nn_node *input = w->model->input;
    nn_onnx_name constant, y = nn_onnx_inner_name(input, "/");
    strcat(y.text, type);
    snprintf(constant.text, sizeof constant.text, "%s/%s", w->model->input_name, name);
    nn_onnx_floats(w, constant, (nn_shape){3, {input->shape.dims[3], 1, 1}}, numbers);
    nn_protobuf p = nn_onnx_begin(type, y);
    nn_onnx_input(&p, x);
    nn_onnx_input(&p, constant);
    nn_onnx_end(w, &p);
    return y;
}

static void put_input(nn_onnx_writer *w) {
    const nn_onnx_model *m = w->model;
    nn_onnx_name x = {""};
    strncpy(x.text, m->input_name, sizeof x.text - 1);
    nn_protobuf info = describe(m, m->input, x.text);
    nn_protobuf_message(&w->message, GRAPH_INPUT, &info);
    if (m->channels_last && m->input->shape.rank == 4) {
        nn_onnx_name second = nn_onnx_inner_name(m->input, "/second");
        nn_onnx_transpose(w, false, x, second);
        x = second;
    }
    if (m->mean)
        x = by_channel(w, "Sub", x, "mean", m->mean);
    if (m->deviation)
        x = by_channel(w, "Div", x, "deviation", m->deviation);
    w->values[m->input->index] = x;
}

/* The node that computes an output has given it its name, but for an image with the channels last, and for a second name
 * of one node or one of the input. */
static void put_output(nn_onnx_writer *w, nn_onnx_output output) {
    nn_onnx_name value = nn_onnx_value(w, output.node), name = {""};
    strncpy(name.text, output.name, sizeof name.text - 1);
    if (w->model->channels_last && output.node->shape.rank == 4)
        nn_onnx_transpose(w, true, value, name);
    else if (strcmp(value.text, name.text) != 0)
        nn_onnx_unary(w, "Identity", value, name);
    nn_protobuf info = describe(w->model, output.node, name.text);
    nn_protobuf_message(&w->message, GRAPH_OUTPUT, &info);
}

static void put_graph(nn_onnx_writer *w) {
    nn_protobuf_text(&w->message, GRAPH_NAME, w->model->name);
    put_input(w);
    for (int i = 0; i < w->model->output_count; i++)
        put_output(w, w->model->outputs[i]);
}

/* --- the file ------------------------------------------------------------------------------------------- */

static nn_protobuf make_file(const nn_onnx_model *model, nn_protobuf *graph) {
    nn_protobuf file = {0}, part = {0};
    nn_protobuf_integer(&file, MODEL_IR, IR_VERSION);
    nn_protobuf_text(&file, MODEL_PRODUCER, model->producer);
    nn_protobuf_text(&file, MODEL_VERSION, model->version);
    nn_protobuf_integer(&part, OPSET_VERSION, NN_ONNX_OPSET);
    nn_protobuf_message(&file, MODEL_OPSET, &part);
    for (const nn_metadata *m = model->metadata; m && m->key; m++) {
        nn_protobuf_text(&part, ENTRY_KEY, m->key);
        nn_protobuf_text(&part, ENTRY_VALUE, m->value);
        nn_protobuf_message(&file, MODEL_METADATA, &part);
    }
    nn_protobuf_message(&file, MODEL_GRAPH, graph);
    return file;
}

static nn_status write_file(const nn_onnx_model *model, nn_onnx_writer *w, const char *path,
                            nn_error *error) {
    put_graph(w);
    if (error->status != NN_OK)
        return error->status;
    nn_protobuf file = make_file(model, &w->message);
    nn_status status = NN_OK;
    if (file.failed)
        status = nn_fail_memory(error, path);
    else if (file.count > largest_file)
        status = nn_fail(error, NN_ESHAPE, "%s: a file of %zu MiB, but ONNX files have at most 2 GiB", path,
                         file.count >> 20);
    if (status == NN_OK)
        status = nn_file_write_atomic(path, file.bytes, file.count, error);
    nn_protobuf_free(&file);
    return status;
}

nn_status nn_onnx_write(const nn_onnx_model *model, const char *path, nn_error *error) {
    const nn_graph *graph = model->input->graph;
    nn_onnx_writer w = {.model = model, .graph = graph, .error = error};
    w.values = calloc((size_t)graph->node_count, sizeof *w.values);
    w.initializers = calloc(2 * (size_t)graph->store->entry_count + 1, sizeof *w.initializers);
    nn_status status =
        w.values && w.initializers ? write_file(model, &w, path, error) : nn_fail_memory(error, path);
    nn_protobuf_free(&w.message);
    free(w.values);
    free(w.initializers);
    return status;
}
