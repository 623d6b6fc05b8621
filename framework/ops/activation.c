/* activation.c - elementwise nonlinearities.
 *
 *   relu        y = max(x, 0)              dx = dy * [y > 0]
 *   leaky relu  y = x > 0 ? x : slope x    dx = dy * (y > 0 ? 1 : slope)
 *   tanh        y = tanh x                 dx = dy * (1 - y^2)
 *   sigmoid     y = 1 / (1 + exp(-x))      dx = dy * y (1 - y)
 *
 * All backwards read the output only, so each may work in place. */
#include <math.h>

#include "framework/kernels/kernels.h"
#include "framework/op.h"
#include "ops.h"

static nn_status same_shape(nn_node *node, nn_error *error) {
    if (node->inputs[0]->integer)
        return nn_fail(error, NN_ESHAPE, "%s '%s': '%s' holds class numbers", node->op->name, node->name,
                       node->inputs[0]->name);
    node->shape = node->inputs[0]->shape;
    return NN_OK;
}

float nn_relu_slope(const nn_node *relu) {
    return *(const float *)relu->options;
}

static void relu_range(void *context, size_t first, size_t count) {
    const nn_call *call = context;
    nn_kernels_active()->vector->relu(count, call->input[0] + first, nn_relu_slope(call->node),
                                      call->output + first);
}

static void relu_forward(const nn_call *call) {
    nn_parallel_ranges(nn_call_count(call, call->node), relu_range, (void *)call);
}

static void relu_backward_range(void *context, size_t first, size_t count) {
    const nn_call *call = context;
    nn_kernels_active()->vector->relu_backward(count, call->output + first, call->output_gradient + first,
                                               nn_relu_slope(call->node), call->accumulate[0],
                                               call->input_gradient[0] + first);
}

static void relu_backward(const nn_call *call) {
    nn_parallel_ranges(nn_call_count(call, call->node), relu_backward_range, (void *)call);
}

const nn_op nn_op_relu = {.name = "relu",
                          .shape = same_shape,
                          .forward = {{.slice = relu_forward}},
                          .backward = {{.slice = relu_backward}},
                          .backward_reads = NN_READS_OUTPUT,
                          .in_place = NN_IN_PLACE_OVERWRITE,
                          .gradient_in_place = true};

nn_node *nn_leaky_relu(nn_node *x, float slope) {
    if (x && !(slope >= 0 && slope < 1)) {
        nn_refuse(x, NN_EARGUMENT, "leaky relu of '%s': the slope %g is not in [0, 1)", nn_node_name(x),
                  slope);
        return NULL;
    }
    return nn_record(&nn_op_relu, NULL, &slope, sizeof slope, 1, &x);
}

nn_node *nn_relu(nn_node *x) {
    return nn_leaky_relu(x, 0);
}

static void tanh_range(void *context, size_t first, size_t count) {
    const nn_call *call = context;
    for (size_t i = first; i < first + count; i++)
        call->output[i] = tanhf(call->input[0][i]);
}

static void sigmoid_range(void *context, size_t first, size_t count) {
    const nn_call *call = context;
    for (size_t i = first; i < first + count; i++)
        call->output[i] = 1 / (1 + expf(-call->input[0][i]));
}

static void tanh_backward_range(void *context, size_t first, size_t count) {
    const nn_call *call = context;
    float *dx = call->input_gradient[0];
    for (size_t i = first; i < first + count; i++) {
        float y = call->output[i], gradient = call->output_gradient[i] * (1 - y * y);
        dx[i] = call->accumulate[0] ? dx[i] + gradient : gradient;
    }
}

static void sigmoid_backward_range(void *context, size_t first, size_t count) {
    const nn_call *call = context;
    float *dx = call->input_gradient[0];
    for (size_t i = first; i < first + count; i++) {
        float y = call->output[i], gradient = call->output_gradient[i] * y * (1 - y);
        dx[i] = call->accumulate[0] ? dx[i] + gradient : gradient;
    }
}

static void tanh_forward(const nn_call *call) {
    nn_parallel_ranges(nn_call_count(call, call->node), tanh_range, (void *)call);
}

static void tanh_backward(const nn_call *call) {
    nn_parallel_ranges(nn_call_count(call, call->node), tanh_backward_range, (void *)call);
}

static void sigmoid_forward(const nn_call *call) {
    nn_parallel_ranges(nn_call_count(call, call->node), sigmoid_range, (void *)call);
}

static void sigmoid_backward(const nn_call *call) {
    nn_parallel_ranges(nn_call_count(call, call->node), sigmoid_backward_range, (void *)call);
}

static const nn_op op_tanh = {.name = "tanh",
                              .shape = same_shape,
                              .forward = {{.slice = tanh_forward}},
                              .backward = {{.slice = tanh_backward}},
                              .backward_reads = NN_READS_OUTPUT,
                              .in_place = NN_IN_PLACE_OVERWRITE,
                              .gradient_in_place = true};

static const nn_op op_sigmoid = {.name = "sigmoid",
                                 .shape = same_shape,
                                 .forward = {{.slice = sigmoid_forward}},
                                 .backward = {{.slice = sigmoid_backward}},
                                 .backward_reads = NN_READS_OUTPUT,
                                 .in_place = NN_IN_PLACE_OVERWRITE,
                                 .gradient_in_place = true};

nn_node *nn_tanh(nn_node *x) {
    return nn_record(&op_tanh, NULL, NULL, 0, 1, &x);
}

nn_node *nn_sigmoid(nn_node *x) {
    return nn_record(&op_sigmoid, NULL, NULL, 0, 1, &x);
}
