/* dense.c - a matrix product with a bias.
 *
 *   y = x w^T + bias      dx = dy w      dw = dy^T x      dbias = sum over b of dy
 *
 * x [B, in]  w [out, in]  bias [out]  y [B, out]; an image [B,H,W,C] is taken as [B, H W C] in place. */
#include <limits.h>

#include "framework/kernels/kernels.h"
#include "framework/op.h"
#include "ops.h"

enum { X, WEIGHT, BIAS };

static nn_status dense_shape(nn_node *node, nn_error *error) {
    (void)error; /* nn_dense has checked the input and made the weights to fit */
    node->shape = NN_SHAPE2(node->inputs[X]->shape.dims[0], node->inputs[WEIGHT]->shape.dims[0]);
    return NN_OK;
}

static void dense_forward(const nn_call *call) {
    int in = (int)nn_shape_row(call->node->inputs[X]->shape), out = call->node->shape.dims[1];
    for (int b = 0; b < call->rows; b++)
        for (int k = 0; k < out; k++)
            call->output[(size_t)b * out + k] = call->input[BIAS][k];
    nn_gemm(false, true, call->rows, out, in, call->input[X], in, call->input[WEIGHT], in, true, call->output,
            out);
}

static void bias_gradient(const nn_call *call, int out) {
    for (int k = 0; k < out; k++) {
        double sum = call->accumulate[BIAS] ? call->input_gradient[BIAS][k] : 0;
        for (int b = 0; b < call->rows; b++)
            sum += call->output_gradient[(size_t)b * out + k];
        call->input_gradient[BIAS][k] = (float)sum;
    }
}

static void dense_backward(const nn_call *call) {
    int in = (int)nn_shape_row(call->node->inputs[X]->shape), out = call->node->shape.dims[1];
    const float *dy = call->output_gradient;
    if (call->input_gradient[X])
        nn_gemm(false, false, call->rows, in, out, dy, out, call->input[WEIGHT], in, call->accumulate[X],
                call->input_gradient[X], in);
    if (call->input_gradient[WEIGHT])
        nn_gemm(true, false, out, in, call->rows, dy, out, call->input[X], in, call->accumulate[WEIGHT],
                call->input_gradient[WEIGHT], in);
    if (call->input_gradient[BIAS])
        bias_gradient(call, out);
}

static double dense_flop(const nn_node *node, double examples, bool backward, bool data) {
    double weights = (double)nn_shape_count(node->inputs[WEIGHT]->shape);
    return 2 * weights * examples * (backward ? 1 + data : 1);
}

static const nn_op op_dense = {.name = "dense",
                               .shape = dense_shape,
                               .forward = {{.whole = dense_forward}},
                               .backward = {{.whole = dense_backward}},
                               .backward_reads = NN_READS_INPUT(X) | NN_READS_INPUT(WEIGHT),
                               .flop = dense_flop};

/* The node whose shape x had before it was flattened, dropped out and so on; x itself when there is none. */
static const nn_node *image_behind(const nn_node *x) {
    while (x->shape.rank == 2 && x->input_count == 1 &&
           nn_shape_row(x->inputs[0]->shape) == nn_shape_row(x->shape))
        x = x->inputs[0];
    return x;
}

nn_node *nn_dense(nn_node *x, const char *name, nn_dense_options options) {
    if (!x)
        return NULL;
    if (x->integer || x->shape.rank < 2 || nn_shape_row(x->shape) > INT_MAX || options.units < 1) {
        char text[NN_SHAPE_TEXT];
        nn_refuse(x, NN_ESHAPE, "dense '%s': cannot make %d units of '%s', which is %s", name, options.units,
                  x->name, nn_shape_text(x->shape, text));
        return NULL;
    }
    /* The weights keep the image's shape behind a flatten, so that they can be exported channels first. */
    nn_shape weight = image_behind(x)->shape;
    weight.dims[0] = options.units;
    int in = (int)nn_shape_row(x->shape);
    nn_init init = {.kind = options.init, .fan_in = in, .fan_out = options.units};
    nn_init zero = {.kind = NN_INIT_CONSTANT};
    nn_node *w = nn_parameter(x, name, "weight",
                              (nn_entry){.shape = weight, .flat = true, .init = init, .decay = true});
    nn_node *bias = nn_parameter(x, name, "bias",
                                 (nn_entry){.shape = NN_SHAPE1(options.units), .init = zero, .decay = true});
    return nn_record(&op_dense, name, NULL, 0, 3, (nn_node *[]){x, w, bias});
}
