#include "test_ops.h"

#include <stdlib.h>
#include <string.h>

#include "framework/op.h"
#include "support.h"

float *test_weights(size_t n) {
    return test_normal(n, "weights");
}

/* The weights are kept with the node from forward to backward. */
static nn_status weighted_shape(nn_node *node, nn_error *error) {
    (void)error;
    node->shape = NN_SCALAR;
    node->saved_bytes = nn_shape_count(node->inputs[0]->shape) * sizeof(float);
    return NN_OK;
}

static void weighted_forward(const nn_call *call) {
    size_t count = nn_call_count(call, call->node->inputs[0]);
    float *weights = test_weights(count);
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)weights[i] * call->input[0][i];
    memcpy(call->saved, weights, count * sizeof *weights);
    free(weights);
    *call->output = (float)sum;
}

/* dx (+)= dy * factors */
static void scaled_gradient(const nn_call *call, const float *factors) {
    size_t count = nn_call_count(call, call->node->inputs[0]);
    float *dx = call->input_gradient[0];
    for (size_t i = 0; i < count; i++)
        dx[i] = *call->output_gradient * factors[i] + (call->accumulate[0] ? dx[i] : 0);
}

static void weighted_backward(const nn_call *call) {
    scaled_gradient(call, call->saved);
}

static const nn_op op_weighted_sum = {.name = "weighted_sum",
                                      .shape = weighted_shape,
                                      .forward = {{.whole = weighted_forward}},
                                      .backward = {{.whole = weighted_backward}},
                                      .early = true};

nn_node *test_weighted_sum(nn_node *x, const char *name) {
    return nn_record(&op_weighted_sum, name, NULL, 0, 1, &x);
}

static nn_status scalar_shape(nn_node *node, nn_error *error) {
    (void)error;
    node->shape = NN_SCALAR;
    return NN_OK;
}

static void square_forward(const nn_call *call) {
    size_t count = nn_call_count(call, call->node->inputs[0]);
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += 0.5 * call->input[0][i] * call->input[0][i];
    *call->output = (float)sum;
}

static void square_backward(const nn_call *call) {
    scaled_gradient(call, call->input[0]);
}

static const nn_op op_square_sum = {.name = "square_sum",
                                    .shape = scalar_shape,
                                    .forward = {{.whole = square_forward}},
                                    .backward = {{.whole = square_backward}},
                                    .backward_reads = NN_READS_INPUT(0),
                                    .early = true};

nn_node *test_square_sum(nn_node *x, const char *name) {
    return nn_record(&op_square_sum, name, NULL, 0, 1, &x);
}

static nn_status same_shape(nn_node *node, nn_error *error) {
    (void)error;
    node->shape = node->inputs[0]->shape;
    return NN_OK;
}

static void barrier_forward(const nn_call *call) {
    memcpy(call->output, call->input[0], nn_call_count(call, call->node) * sizeof(float));
}

static const nn_op op_barrier = {
    .name = "barrier", .shape = same_shape, .forward = {{.whole = barrier_forward}}};

nn_node *test_barrier(nn_node *x) {
    return nn_record(&op_barrier, NULL, NULL, 0, 1, &x);
}
