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

nn_window nn_conv_window(const nn_node *node) {
    const nn_conv_geometry *g = geometry_of(node);
    return (nn_window){g->kernel_height, g->kernel_width, g->stride, g->top, g->left};
}

static const float *bias_of(const nn_call *call) {
    return call->node->input_count > BIAS ? call->input[BIAS] : NULL;
}

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

/* nn_conv has checked the geometry and made the weights to fit. */
static int set_shape(nn_node *node) {
    const nn_conv_geometry *g = geometry_of(node);
    int batch = node->inputs[X]->shape.dims[0];
    node->shape = NN_SHAPE4(batch, g->out_height, g->out_width, g->filters);
    return batch;
}

static double flop(const nn_node *node, double examples, bool backward, bool data) {
    const nn_conv_geometry *g = geometry_of(node);
    double products = (double)g->out_height * g->out_width * g->filters * g->kernel_height * g->kernel_width *
                      g->channels * examples;
    return 2 * products * (backward ? 1 + data : 1);
}

/* --- the whole batch at once ---------------------------------------------------------------------------- */

static nn_status whole_shape(nn_node *node, nn_error *error) {
    (void)error;
    node->scratch_bytes = nn_conv_scratch(geometry_of(node), set_shape(node));
    return NN_OK;
}

static void whole_forward(const nn_call *call) {
    nn_conv_forward(geometry_of(call->node), call->rows, call->input[X], call->input[WEIGHT], bias_of(call),
                    call->output, call->scratch);
}

/* Not in plans whose parameters are fixed. */
static bool wants_weights(const nn_call *call) {
    return call->input_gradient[WEIGHT] != NULL;
}

static void whole_weights(const nn_call *call) {
    if (!wants_weights(call))
        return;
    float *dbias = bias_of(call) ? call->input_gradient[BIAS] : NULL;
    nn_conv_backward_weights(geometry_of(call->node), call->rows, call->input[X], call->output_gradient,
                             call->accumulate[WEIGHT], call->input_gradient[WEIGHT], dbias, call->scratch);
}

static void whole_data(const nn_call *call) {
    if (call->input_gradient[X])
        nn_conv_backward_data(geometry_of(call->node), call->rows, call->output_gradient, call->input[WEIGHT],
                              call->accumulate[X], call->input_gradient[X], call->scratch);
}

/* --- in slices ------------------------------------------------------------------------------------------ */

static nn_conv_memory data_memory(const nn_node *node) {
    return nn_conv_data_memory(geometry_of(node), nn_slice_limit(node->shape.dims[0]));
}

/* Scratch: the packed weights, or for backward those of the data's gradient. */
static void reserve_slices(nn_node *node) {
    nn_conv_memory forward = nn_conv_forward_memory(geometry_of(node), nn_slice_limit(set_shape(node)));
    nn_conv_memory data = data_memory(node);
    node->scratch_bytes = larger(forward.shared, data.shared);
    node->own_bytes = larger(forward.own, data.own);
}

static void begin_forward(const nn_call *call) {
    nn_conv_forward_begin(geometry_of(call->node), call->input[WEIGHT], bias_of(call), call->scratch);
}

static void slice_forward(const nn_call *call) {
    nn_conv_forward_slice(geometry_of(call->node), call->rows, call->input[X], bias_of(call) != NULL,
                          call->output, call->scratch, call->own);
}

static void begin_data(const nn_call *call) {
    nn_conv_data_begin(geometry_of(call->node), call->input[WEIGHT], call->scratch);
}

static void slice_data(const nn_call *call) {
    if (call->input_gradient[X])
        nn_conv_data_slice(geometry_of(call->node), call->rows, call->output_gradient, call->accumulate[X],
                           call->input_gradient[X], call->scratch, call->own);
}

/* The weights' gradient with all of the batch at once. */
static nn_status wide_shape(nn_node *node, nn_error *error) {
    (void)error;
    reserve_slices(node);
    node->scratch_bytes =
        larger(node->scratch_bytes, nn_conv_scratch(geometry_of(node), node->shape.dims[0]));
    return NN_OK;
}

/* The weights' gradient in slices too; its sums lie behind the packed weights. */
static nn_conv_memory weights_memory(const nn_node *node) {
    return nn_conv_weights_memory(geometry_of(node), NN_UNITS, nn_slice_limit(node->shape.dims[0]));
}

static nn_status narrow_shape(nn_node *node, nn_error *error) {
    (void)error;
    reserve_slices(node);
    nn_conv_memory weights = weights_memory(node);
    node->scratch_bytes = larger(node->scratch_bytes, data_memory(node).shared + weights.shared);
    node->own_bytes = larger(node->own_bytes, weights.own);
    return NN_OK;
}

static void *weight_sums(const nn_call *call) {
    return (char *)call->scratch + data_memory(call->node).shared;
}

static void slice_backward(const nn_call *call) {
    if (wants_weights(call))
        nn_conv_weights_slice(geometry_of(call->node), call->rows, call->input[X], call->output_gradient,
                              call->unit, call->unit_begins, weight_sums(call), call->own);
    slice_data(call);
}

static void end_backward(const nn_call *call) {
    if (!wants_weights(call))
        return;
    nn_conv_weights_end(geometry_of(call->node), call->units, call->accumulate[WEIGHT],
                        call->input_gradient[WEIGHT], weight_sums(call));
}

/* --- ops ------------------------------------------------------------------------------------------------ */

/* In slices where the packed weights stay in a cache, for each slice reads all of them; the weights' gradient too
 * where it is small and there is no bias. */
static const nn_op op_conv = {.name = "conv",
                              .shape = whole_shape,
                              .forward = {{.whole = whole_forward}},
                              .backward = {{.whole = whole_weights}, {.whole = whole_data}},
                              .backward_reads = NN_READS_INPUT(X) | NN_READS_INPUT(WEIGHT),
                              .flop = flop};

static const nn_op op_wide_conv = {
    .name = "conv",
    .shape = wide_shape,
    .forward = {{.begin = begin_forward, .slice = slice_forward}},
    .backward = {{.whole = whole_weights}, {.begin = begin_data, .slice = slice_data}},
    .backward_reads = NN_READS_INPUT(X) | NN_READS_INPUT(WEIGHT),
    .flop = flop};

static const nn_op op_narrow_conv = {
    .name = "conv",
    .shape = narrow_shape,
    .forward = {{.begin = begin_forward, .slice = slice_forward}},
    .backward = {{.begin = begin_data, .slice = slice_backward, .end = end_backward}},
    .backward_reads = NN_READS_INPUT(X) | NN_READS_INPUT(WEIGHT),
    .flop = flop};

static const nn_op *op_for(const nn_conv_geometry *g, bool bias) {
    enum { PACKED_BYTES = 3 << 18 }; /* at most: they share the L2 cache with a slice */
    if (nn_conv_forward_memory(g, 1).shared > PACKED_BYTES || nn_conv_data_memory(g, 1).shared > PACKED_BYTES)
        return &op_conv;
    return bias || !nn_conv_weights_in_parts(g) ? &op_wide_conv : &op_narrow_conv;
}

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
    return nn_record(op_for(&g, o.bias), name, &g, sizeof g, o.bias ? 3 : 2, inputs);
}
