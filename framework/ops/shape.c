/* shape.c - the same numbers under another shape.
 *
 *   flatten  [B, ...] -> [B, product of the rest]
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

static void flatten_forward(const nn_call *call) {
    if (call->output != call->input[0])
        memcpy(call->output, call->input[0], nn_call_count(call, call->node) * sizeof(float));
}

static void flatten_backward(const nn_call *call) {
    size_t count = nn_call_count(call, call->node);
    float *dx = call->input_gradient[0];
    if (call->accumulate[0])
        nn_kernels_active()->vector->add(count, dx, call->output_gradient, dx);
    else if (dx != call->output_gradient)
        memcpy(dx, call->output_gradient, count * sizeof(float));
}

static const nn_op op_flatten = {.name = "flatten",
                                 .shape = flatten_shape,
                                 .forward = {{.whole = flatten_forward}},
                                 .backward = {{.whole = flatten_backward}},
                                 .in_place = NN_IN_PLACE_VIEW,
                                 .gradient_in_place = true};

nn_node *nn_flatten(nn_node *x) {
    return nn_record(&op_flatten, NULL, NULL, 0, 1, &x);
}
