/* shape.c - the same numbers under another shape.
 *
 *   flatten  [B, ...] -> [B, product of the rest]
 *   reshape  [B, ...] -> any shape of as many numbers in each example
 *
 * The result shares its input's memory whenever the planner can let it: then nothing is copied. */
#include <limits.h>
#include <string.h>

#include "framework/kernels/kernels.h"
#include "framework/op.h"
#include "ops.h"

static nn_status flatten_shape(nn_node *node, nn_error *error) {
    const nn_node *x = node->inputs[0];
    if (x->integer || x->shape.rank < 2 || nn_shape_row(x->shape) > INT_MAX)
        return nn_fail(error, NN_ESHAPE, "flatten '%s': '%s' is not a batch of tensors", node->name, x->name);
    node->shape = NN_SHAPE2(x->shape.dims[0], (int)nn_shape_row(x->shape));
    return NN_OK;
}

static void same_forward(const nn_call *call) {
    if (call->output != call->input[0])
        memcpy(call->output, call->input[0], nn_call_count(call, call->node) * sizeof(float));
}

static void same_backward(const nn_call *call) {
    size_t count = nn_call_count(call, call->node);
    float *dx = call->input_gradient[0];
    if (call->accumulate[0])
        nn_kernels_active()->vector->add(count, dx, call->output_gradient, dx);
    else if (dx != call->output_gradient)
        memcpy(dx, call->output_gradient, count * sizeof(float));
}

static const nn_op op_flatten = {.name = "flatten",
                                 .shape = flatten_shape,
                                 .forward = {{.whole = same_forward}},
                                 .backward = {{.whole = same_backward}},
                                 .in_place = NN_IN_PLACE_VIEW,
                                 .gradient_in_place = true};

nn_node *nn_flatten(nn_node *x) {
    return nn_record(&op_flatten, NULL, NULL, 0, 1, &x);
}

static nn_status reshape_shape(nn_node *node, nn_error *error) {
    const nn_node *x = node->inputs[0];
    nn_shape wanted = *(const nn_shape *)node->options;
    char from[NN_SHAPE_TEXT], to[NN_SHAPE_TEXT];
    if (wanted.rank < 0 || wanted.rank > NN_MAX_RANK)
        wanted = NN_SCALAR;
    if (x->integer || x->shape.rank < 2 || wanted.rank < 2 || wanted.dims[0] != x->shape.dims[0] ||
        nn_shape_count(wanted) != nn_shape_count(x->shape))
        return nn_fail(error, NN_ESHAPE, "reshape '%s': '%s' is %s%s and cannot become %s", node->name,
                       x->name, nn_shape_text(x->shape, from), x->integer ? " class numbers" : "",
                       nn_shape_text(wanted, to));
    node->shape = wanted;
    return NN_OK;
}

static const nn_op op_reshape = {.name = "reshape",
                                 .shape = reshape_shape,
                                 .forward = {{.whole = same_forward}},
                                 .backward = {{.whole = same_backward}},
                                 .in_place = NN_IN_PLACE_VIEW,
                                 .gradient_in_place = true};

nn_node *nn_reshape(nn_node *x, nn_shape shape) {
    return nn_record(&op_reshape, NULL, &shape, sizeof shape, 1, &x);
}
