/* conv.c - 2-d convolution (cross-correlation, like every framework: the kernel is not flipped).
 *
 *   y[b,p,q,k] = bias[k] + sum over r,s,c of w[k,r,s,c] * x[b, p*stride - top + r, q*stride - left + s, c]
 *
 * x [B,H,W,C]  w [K,R,S,C]  bias [K]  y [B,P,Q,K]; outside the image x is 0. With a padding number P = (H + 2
 * padding - R) / stride + 1, the remainder dropped; SAME gives P = H / stride rounded up, the odd padding row
 * at the bottom. Backward reads x and w. */
#include <limits.h>

#include "framework/kernels/kernels.h"
#include "framework/op.h"
#include "ops.h"

enum { X, WEIGHT, BIAS };

static const nn_conv_geometry *geometry_of(const nn_node *node) {
    return (const nn_conv_geometry *)node->options;
}

static nn_status conv_shape(nn_node *node, nn_error *error) {
    (void)error; /* nn_conv has checked the geometry and made the weights to fit */
    const nn_conv_geometry *g = geometry_of(node);
    int batch = node->inputs[X]->shape.dims[0];
    node->shape = NN_SHAPE4(batch, g->out_height, g->out_width, g->filters);
    node->scratch_bytes = nn_conv_scratch(g, batch);
    return NN_OK;
}

static void conv_forward(const nn_call *call) {
    const float *bias = call->node->input_count > BIAS ? call->input[BIAS] : NULL;
    nn_conv_forward(geometry_of(call->node), call->rows, call->input[X], call->input[WEIGHT], bias,
                    call->output, call->scratch);
}

static void conv_backward(const nn_call *call) {
    const nn_conv_geometry *g = geometry_of(call->node);
    float *dbias = call->node->input_count > BIAS ? call->input_gradient[BIAS] : NULL;
    nn_conv_backward_weights(g, call->rows, call->input[X], call->output_gradient, call->accumulate[WEIGHT],
                             call->input_gradient[WEIGHT], dbias, call->scratch);
    if (call->input_gradient[X])
        nn_conv_backward_data(g, call->rows, call->output_gradient, call->input[WEIGHT], call->accumulate[X],
                              call->input_gradient[X], call->scratch);
}

static const nn_op op_conv = {.name = "conv",
                              .shape = conv_shape,
                              .forward = conv_forward,
                              .backward = conv_backward,
                              .backward_reads = NN_READS_INPUT(X) | NN_READS_INPUT(WEIGHT)};

static nn_status plan_geometry(const nn_node *x, const char *name, const nn_conv_options *o,
                               nn_conv_geometry *g) {
    char text[NN_SHAPE_TEXT];
    if (x->integer || x->shape.rank != 4)
        return nn_refuse(x, NN_ESHAPE,
                         "conv '%s': wants images (batch x height x width x channels), '%s' is %s", name,
                         x->name, nn_shape_text(x->shape, text));
    const int limit = 1 << 14; /* with it no size below leaves an int */
    if (o->filters < 1 || g->kernel_height < 1 || g->kernel_width < 1 || g->stride < 1 ||
        o->padding < NN_SAME || g->kernel_height > limit || g->kernel_width > limit || g->stride > limit ||
        o->padding > limit)
        return nn_refuse(x, NN_EARGUMENT,
                         "conv '%s': %d filters of %d x %d, stride %d, padding %d make no convolution", name,
                         o->filters, g->kernel_height, g->kernel_width, g->stride, o->padding);
    g->out_height = nn_window_outputs(g->height, g->kernel_height, g->stride, o->padding, &g->top);
    g->out_width = nn_window_outputs(g->width, g->kernel_width, g->stride, o->padding, &g->left);
    if (g->out_height < 1 || g->out_width < 1)
        return nn_refuse(x, NN_ESHAPE, "conv '%s': a %d x %d kernel does not fit into '%s', which is %s",
                         name, g->kernel_height, g->kernel_width, x->name, nn_shape_text(x->shape, text));
    return NN_OK;
}

nn_node *nn_conv(nn_node *x, const char *name, nn_conv_options o) {
    if (!x)
        return NULL;
    nn_conv_geometry g = {.height = x->shape.dims[1],
                          .width = x->shape.dims[2],
                          .channels = x->shape.dims[3],
                          .filters = o.filters,
                          .kernel_height = o.kernel_height ? o.kernel_height : o.kernel,
                          .kernel_width = o.kernel_width ? o.kernel_width : o.kernel,
                          .stride = o.stride ? o.stride : 1};
    if (plan_geometry(x, name, &o, &g) != NN_OK)
        return NULL;
    int taps = g.kernel_height * g.kernel_width;
    if (taps > INT_MAX / (g.channels > g.filters ? g.channels : g.filters)) {
        nn_refuse(x, NN_ESHAPE, "conv '%s': %d filters of %d x %d x %d are too large", name, g.filters,
                  g.kernel_height, g.kernel_width, g.channels);
        return NULL;
    }
    nn_entry weight = {.shape = NN_SHAPE4(g.filters, g.kernel_height, g.kernel_width, g.channels),
                       .init = {.kind = o.init, .fan_in = taps * g.channels, .fan_out = taps * g.filters},
                       .decay = true};
    nn_entry bias = {.shape = NN_SHAPE1(g.filters), .init = {.kind = NN_INIT_CONSTANT}, .decay = true};
    nn_node *inputs[] = {x, nn_parameter(x, name, "weight", weight),
                         o.bias ? nn_parameter(x, name, "bias", bias) : NULL};
    return nn_record(&op_conv, name, &g, sizeof g, o.bias ? 3 : 2, inputs);
}
