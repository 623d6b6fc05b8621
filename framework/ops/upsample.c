/* upsample.c - images made larger.
 *
 *   nearest neighbour  y[b,p,q,c] = x[b, p / factor, q / factor, c]    dx[b,h,w,c] = sum of dy over its factor x factor
 *
 * x [B,H,W,C], y [B,H factor,W factor,C]. With a 3 x 3 convolution behind it, a layer of a generator
 * ("resize-convolution"): every output pixel sees equally many inputs, where a transposed convolution whose kernel is
 * no multiple of its stride draws a checkerboard (Odena, Dumoulin and Olah 2016), and no kernel of its own is needed. */
#include <limits.h>
#include <string.h>

#include "framework/op.h"
#include "ops.h"

static int factor_of(const nn_node *node) {
    return *(const int *)node->options;
}

static nn_status upsample_shape(nn_node *node, nn_error *error) {
    nn_status status = nn_need_rank(node, 0, 4, error);
    if (status != NN_OK)
        return status;
    const nn_node *x = node->inputs[0];
    const int *image = x->shape.dims;
    int factor = factor_of(node);
    if (factor < 1 || factor > 1 << 10)
        return nn_fail(error, NN_EARGUMENT, "upsample '%s': the factor %d is not from 1 to 1024", node->name,
                       factor);
    if (image[1] > INT_MAX / factor || image[2] > INT_MAX / factor)
        return nn_fail(error, NN_ESHAPE, "upsample '%s': the images of '%s' are too large", node->name,
                       x->name);
    node->shape = NN_SHAPE4(image[0], image[1] * factor, image[2] * factor, image[3]);
    return NN_OK;
}

static void upsample_forward(const nn_call *call) {
    const int *image = call->node->inputs[0]->shape.dims;
    int factor = factor_of(call->node);
    size_t channels = (size_t)image[3], row = (size_t)image[2] * factor * channels;
#pragma omp parallel for schedule(static)
    for (int line = 0; line < call->rows * image[1]; line++) {
        const float *x = call->input[0] + (size_t)line * image[2] * channels;
        float *y = call->output + (size_t)line * factor * row, *to = y;
        for (int w = 0; w < image[2]; w++, x += channels)
            for (int f = 0; f < factor; f++, to += channels)
                memcpy(to, x, channels * sizeof *to);
        for (int f = 1; f < factor; f++)
            memcpy(y + (size_t)f * row, y, row * sizeof *y);
    }
}

static void upsample_backward(const nn_call *call) {
    const int *image = call->node->inputs[0]->shape.dims;
    int factor = factor_of(call->node);
    size_t channels = (size_t)image[3], row = (size_t)image[2] * factor * channels;
#pragma omp parallel for schedule(static)
    for (int line = 0; line < call->rows * image[1]; line++) {
        float *dx = call->input_gradient[0] + (size_t)line * image[2] * channels;
        const float *dy = call->output_gradient + (size_t)line * factor * row;
        if (!call->accumulate[0])
            memset(dx, 0, (size_t)image[2] * channels * sizeof *dx);
        for (int f = 0; f < factor; f++)
            for (int q = 0; q < image[2] * factor; q++, dy += channels) {
                float *to = dx + (size_t)(q / factor) * channels;
                for (size_t c = 0; c < channels; c++)
                    to[c] += dy[c];
            }
    }
}

static const nn_op op_upsample = {.name = "upsample",
                                  .shape = upsample_shape,
                                  .forward = {{.slice = upsample_forward}},
                                  .backward = {{.slice = upsample_backward}}};

nn_node *nn_upsample(nn_node *image, int factor) {
    return nn_record(&op_upsample, NULL, &factor, sizeof factor, 1, &image);
}
