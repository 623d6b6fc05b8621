/* elementwise.c - sums, multiples and inner products of tensors.
 *
 *   add    y = a + b              da = dy, db = dy
 *   scale  y = factor x           dx = factor dy
 *   dot    y = sum of a_i b_i     da = dy b, db = dy a      over all examples; summed in double, in order */
#include <string.h>

#include "framework/kernels/kernels.h"
#include "framework/op.h"
#include "ops.h"

static nn_status add_shape(nn_node *node, nn_error *error) {
    const nn_node *a = node->inputs[0], *b = node->inputs[1];
    char left[NN_SHAPE_TEXT], right[NN_SHAPE_TEXT];
    if (a->integer || b->integer || !nn_shape_equal(a->shape, b->shape))
        return nn_fail(error, NN_ESHAPE, "%s '%s': '%s' is %s%s, '%s' is %s%s", node->op->name, node->name,
                       a->name, nn_shape_text(a->shape, left), a->integer ? " class numbers" : "", b->name,
                       nn_shape_text(b->shape, right), b->integer ? " class numbers" : "");
    node->shape = a->shape;
    return NN_OK;
}

static void add_range(void *context, size_t first, size_t count) {
    const nn_call *call = context;
    nn_kernels_active()->vector->add(count, call->input[0] + first, call->input[1] + first,
                                     call->output + first);
}

static void add_forward(const nn_call *call) {
    nn_parallel_ranges(nn_call_count(call, call->node), add_range, (void *)call);
}

static void add_backward_range(void *context, size_t first, size_t count) {
    const nn_call *call = context;
    for (int k = 0; k < 2; k++) { /* in this order: of a + a, input 0 overwrites and input 1 adds */
        float *dx = call->input_gradient[k];
        if (!dx || (dx == call->output_gradient && !call->accumulate[k]))
            continue;
        if (call->accumulate[k])
            nn_kernels_active()->vector->add(count, dx + first, call->output_gradient + first, dx + first);
        else
            memcpy(dx + first, call->output_gradient + first, count * sizeof *dx);
    }
}

static void add_backward(const nn_call *call) {
    nn_parallel_ranges(nn_call_count(call, call->node), add_backward_range, (void *)call);
}

const nn_op nn_op_add = {.name = "add",
                         .shape = add_shape,
                         .forward = {{.slice = add_forward}},
                         .backward = {{.slice = add_backward}},
                         .in_place = NN_IN_PLACE_OVERWRITE,
                         .gradient_in_place = true};

nn_node *nn_add(nn_node *a, nn_node *b) {
    return nn_record(&nn_op_add, NULL, NULL, 0, 2, (nn_node *[]){a, b});
}

static nn_status scale_shape(nn_node *node, nn_error *error) {
    const nn_node *x = node->inputs[0];
    if (x->integer)
        return nn_fail(error, NN_ESHAPE, "scale '%s': '%s' holds class numbers", node->name, x->name);
    node->shape = x->shape;
    return NN_OK;
}

float nn_scale_factor(const nn_node *node) {
    return *(const float *)node->options;
}

static void scale_range(void *context, size_t first, size_t count) {
    const nn_call *call = context;
    nn_kernels_active()->vector->scale(count, nn_scale_factor(call->node), call->input[0] + first, false,
                                       call->output + first);
}

static void scale_forward(const nn_call *call) {
    nn_parallel_ranges(nn_call_count(call, call->node), scale_range, (void *)call);
}

static void scale_backward_range(void *context, size_t first, size_t count) {
    const nn_call *call = context;
    nn_kernels_active()->vector->scale(count, nn_scale_factor(call->node), call->output_gradient + first,
                                       call->accumulate[0], call->input_gradient[0] + first);
}

static void scale_backward(const nn_call *call) {
    nn_parallel_ranges(nn_call_count(call, call->node), scale_backward_range, (void *)call);
}

static const nn_op op_scale = {.name = "scale",
                               .shape = scale_shape,
                               .forward = {{.slice = scale_forward}},
                               .backward = {{.slice = scale_backward}},
                               .in_place = NN_IN_PLACE_OVERWRITE,
                               .gradient_in_place = true};

nn_node *nn_scale(nn_node *x, float factor) {
    return nn_record(&op_scale, NULL, &factor, sizeof factor, 1, &x);
}

static nn_status dot_shape(nn_node *node, nn_error *error) {
    nn_status status = add_shape(node, error);
    node->shape = NN_SCALAR;
    return status;
}

static void dot_forward(const nn_call *call) {
    size_t count = nn_call_count(call, call->node->inputs[0]);
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)call->input[0][i] * call->input[1][i];
    *call->output = (float)sum;
}

static void dot_backward_range(void *context, size_t first, size_t count) {
    const nn_call *call = context;
    for (int k = 0; k < 2; k++)
        if (call->input_gradient[k])
            nn_kernels_active()->vector->scale(count, *call->output_gradient, call->input[1 - k] + first,
                                               call->accumulate[k], call->input_gradient[k] + first);
}

static void dot_backward(const nn_call *call) {
    nn_parallel_ranges(nn_call_count(call, call->node->inputs[0]), dot_backward_range, (void *)call);
}

static const nn_op op_dot = {.name = "dot",
                             .shape = dot_shape,
                             .forward = {{.whole = dot_forward}},
                             .backward = {{.whole = dot_backward}},
                             .backward_reads = NN_READS_INPUT(0) | NN_READS_INPUT(1),
                             .early = true};

nn_node *nn_dot(nn_node *a, nn_node *b) {
    return nn_record(&op_dot, NULL, NULL, 0, 2, (nn_node *[]){a, b});
}
