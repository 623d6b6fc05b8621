/* ops.c - the counterparts of the framework's ops in ONNX, one function each, as in evaluation. */
#include <string.h>

#include "writer.h"

/* A node whose first input is that of ours. */
static nn_protobuf begin(nn_onnx_writer *w, const char *type, const nn_node *node) {
    nn_onnx_name x = nn_onnx_value(w, node->inputs[0]);
    nn_protobuf p = nn_onnx_begin(type, nn_onnx_own_name(w, node));
    nn_onnx_input(&p, x);
    return p;
}

/* One without attributes, of all our inputs. */
static void plain(nn_onnx_writer *w, const char *type, const nn_node *node) {
    nn_protobuf p = begin(w, type, node);
    for (int i = 1; i < node->input_count; i++)
        nn_onnx_input(&p, nn_onnx_value(w, node->inputs[i]));
    nn_onnx_end(w, &p);
}

static void put_tanh(nn_onnx_writer *w, const nn_node *node) {
    plain(w, "Tanh", node);
}

static void put_sigmoid(nn_onnx_writer *w, const nn_node *node) {
    plain(w, "Sigmoid", node);
}

static void put_add(nn_onnx_writer *w, const nn_node *node) {
    plain(w, "Add", node);
}

/* Does nothing in evaluation. */
static void put_dropout(nn_onnx_writer *w, const nn_node *node) {
    plain(w, "Identity", node);
}

static void put_relu(nn_onnx_writer *w, const nn_node *node) {
    const float slope = nn_relu_slope(node);
    nn_protobuf p = begin(w, slope == 0 ? "Relu" : "LeakyRelu", node);
    if (slope != 0)
        nn_onnx_float(&p, "alpha", slope);
    nn_onnx_end(w, &p);
}

static void put_scale(nn_onnx_writer *w, const nn_node *node) {
    const float factor = nn_scale_factor(node);
    nn_onnx_name name = nn_onnx_inner_name(node, "/factor");
    nn_onnx_floats(w, name, NN_SCALAR, &factor);
    nn_protobuf p = begin(w, "Mul", node);
    nn_onnx_input(&p, name);
    nn_onnx_end(w, &p);
}

/* --- windows -------------------------------------------------------------------------------------------- */

/* Padding behind the last cell: as much as before the first where that gives as many outputs, else what the last window
 * needs. */
static int padding_behind(int in, int out, int size, int stride, int before) {
    if (nn_window_outputs(in, size, stride, before, &(int){0}) == out)
        return before;
    int needed = (out - 1) * stride + size - in - before;
    return needed > 0 ? needed : 0;
}

static void put_window(nn_protobuf *p, const nn_node *node, nn_window window) {
    const int *in = node->inputs[0]->shape.dims, *out = node->shape.dims;
    int pads[] = {window.top, window.left,
                  padding_behind(in[1], out[1], window.height, window.stride, window.top),
                  padding_behind(in[2], out[2], window.width, window.stride, window.left)};
    nn_onnx_ints(p, "kernel_shape", 2, (int[]){window.height, window.width});
    nn_onnx_ints(p, "strides", 2, (int[]){window.stride, window.stride});
    nn_onnx_ints(p, "pads", 4, pads);
}

static void put_conv(nn_onnx_writer *w, const nn_node *node) {
    nn_protobuf p = begin(w, "Conv", node);
    for (int i = 1; i < node->input_count; i++)
        nn_onnx_input(&p, nn_onnx_entry(w, node->inputs[i]->entry, false));
    put_window(&p, node, nn_conv_window(node));
    nn_onnx_end(w, &p);
}

static void put_pool(nn_onnx_writer *w, const char *type, const nn_node *node) {
    nn_protobuf p = begin(w, type, node);
    put_window(&p, node, nn_pool_window(node));
    nn_onnx_end(w, &p);
}

static void put_max_pool(nn_onnx_writer *w, const nn_node *node) {
    put_pool(w, "MaxPool", node);
}

static void put_average_pool(nn_onnx_writer *w, const nn_node *node) {
    put_pool(w, "AveragePool", node);
}

static void put_global_average_pool(nn_onnx_writer *w, const nn_node *node) {
    nn_onnx_name image = nn_onnx_inner_name(node, "/image");
    nn_onnx_unary(w, "GlobalAveragePool", nn_onnx_value(w, node->inputs[0]), image);
    nn_onnx_unary(w, "Flatten", image, nn_onnx_own_name(w, node));
}

/* --- shapes --------------------------------------------------------------------------------------------- */

/* A value with its numbers in the order that they have here: an image with the channels last. */
static nn_onnx_name channels_last(nn_onnx_writer *w, const nn_node *node, const nn_node *reader) {
    nn_onnx_name x = nn_onnx_value(w, node);
    if (node->shape.rank != 4)
        return x;
    nn_onnx_name last = nn_onnx_inner_name(reader, "/last");
    nn_onnx_transpose(w, true, x, last);
    return last;
}

static void put_flatten(nn_onnx_writer *w, const nn_node *node) {
    nn_onnx_unary(w, "Flatten", channels_last(w, node->inputs[0], node), nn_onnx_own_name(w, node));
}

static void put_reshape(nn_onnx_writer *w, const nn_node *node) {
    const bool image = node->shape.rank == 4;
    int64_t dims[NN_MAX_RANK] = {0}; /* 0: the batch, as it is */
    for (int i = 1; i < node->shape.rank; i++)
        dims[i] = node->shape.dims[i];
    nn_onnx_name shape = nn_onnx_inner_name(node, "/shape"), own = nn_onnx_own_name(w, node),
                 reshaped = image ? nn_onnx_inner_name(node, "/reshaped") : own;
    nn_onnx_integers(w, shape, node->shape.rank, dims);
    nn_onnx_name x = channels_last(w, node->inputs[0], node);
    nn_protobuf p = nn_onnx_begin("Reshape", reshaped);
    nn_onnx_input(&p, x);
    nn_onnx_input(&p, shape);
    nn_onnx_end(w, &p);
    if (image)
        nn_onnx_transpose(w, false, reshaped, own);
}

static void put_upsample(nn_onnx_writer *w, const nn_node *node) {
    const float factor = (float)(node->shape.dims[1] / node->inputs[0]->shape.dims[1]);
    nn_onnx_name scales = nn_onnx_inner_name(node, "/scales");
    nn_onnx_floats(w, scales, NN_SHAPE1(4), (float[]){1, 1, factor, factor});
    nn_protobuf p = begin(w, "Resize", node);
    nn_onnx_input(&p, (nn_onnx_name){""}); /* no region of interest */
    nn_onnx_input(&p, scales);
    nn_onnx_string(&p, "mode", "nearest");
    nn_onnx_string(&p, "coordinate_transformation_mode", "asymmetric");
    nn_onnx_string(&p, "nearest_mode", "floor");
    nn_onnx_end(w, &p);
}

/* --- layers with parameters ----------------------------------------------------------------------------- */

static void put_batch_norm(nn_onnx_writer *w, const nn_node *node) {
    nn_protobuf p = begin(w, "BatchNormalization", node);
    for (int i = 1; i < 3; i++)
        nn_onnx_input(&p, nn_onnx_entry(w, node->inputs[i]->entry, false));
    for (int i = 0; i < node->state_count; i++)
        nn_onnx_input(&p, nn_onnx_entry(w, node->state[i], false));
    nn_onnx_float(&p, "epsilon", nn_batch_norm_epsilon(node));
    nn_onnx_end(w, &p);
}

/* Whose weights are, as in a file, those of an image with the channels second: it is flattened like that. NULL: of no
 * image, or not of one that was only flattened. */
static const nn_node *image_before(const nn_node *dense) {
    const nn_node *x = dense->inputs[0];
    if (x->op && strcmp(x->op->name, "flatten") == 0)
        x = x->inputs[0];
    return x->shape.rank == 4 && dense->inputs[1]->shape.rank == 4 ? x : NULL;
}

static void put_dense(nn_onnx_writer *w, const nn_node *node) {
    const nn_node *image = image_before(node);
    nn_onnx_name x;
    if (image) {
        x = nn_onnx_inner_name(node, "/flat");
        nn_onnx_unary(w, "Flatten", nn_onnx_value(w, image), x);
    } else
        x = nn_onnx_value(w, node->inputs[0]);
    nn_protobuf p = nn_onnx_begin("Gemm", nn_onnx_own_name(w, node));
    nn_onnx_input(&p, x);
    nn_onnx_input(&p, nn_onnx_entry(w, node->inputs[1]->entry, !image));
    nn_onnx_input(&p, nn_onnx_entry(w, node->inputs[2]->entry, false));
    nn_onnx_int(&p, "transB", 1);
    nn_onnx_end(w, &p);
}

/* --- table ---------------------------------------------------------------------------------------------- */

static const struct counterpart {
    const char *op;
    void (*put)(nn_onnx_writer *writer, const nn_node *node);
} counterparts[] = {
    {"conv", put_conv},
    {"dense", put_dense},
    {"batch_norm", put_batch_norm},
    {"relu", put_relu},
    {"tanh", put_tanh},
    {"sigmoid", put_sigmoid},
    {"add", put_add},
    {"scale", put_scale},
    {"dropout", put_dropout},
    {"max_pool", put_max_pool},
    {"average_pool", put_average_pool},
    {"global_average_pool", put_global_average_pool},
    {"upsample", put_upsample},
    {"flatten", put_flatten},
    {"reshape", put_reshape},
};

nn_status nn_onnx_write_op(nn_onnx_writer *w, const nn_node *node) {
    if (w->error->status != NN_OK)
        return w->error->status;
    for (size_t i = 0; i < sizeof counterparts / sizeof *counterparts; i++)
        if (strcmp(counterparts[i].op, node->op->name) == 0) {
            counterparts[i].put(w, node);
            return w->error->status;
        }
    return nn_fail(w->error, NN_EARGUMENT, "'%s' cannot be exported: ONNX has no counterpart of the op '%s'",
                   node->name, node->op->name);
}
