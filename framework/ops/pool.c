/* pool.c - images made smaller.
 *
 *   max      y[b,p,q,c] = largest x in the window; dx: dy goes to the first largest
 *   average  y = mean of the window's cells inside the image; dy is shared out equally
 *   global   y[b,c] = mean over all pixels
 *
 * The window of output (p,q) starts at (p stride - top, q stride - left). x [B,H,W,C], y [B,P,Q,C]. Work is
 * cut by image, so results do not depend on threads. Backward reads neither x nor y: max keeps which cell it
 * took. */
#include <stdint.h>
#include <string.h>

#include "framework/kernels/kernels.h"
#include "framework/op.h"
#include "ops.h"

typedef struct window {
    int size, stride, top, left;
} window;

typedef struct extent {
    int first, last; /* rows or columns first..last-1 of the image */
} extent;

static const window *window_of(const nn_node *node) {
    return (const window *)node->options;
}

nn_window nn_pool_window(const nn_node *node) {
    const window *w = window_of(node);
    return (nn_window){w->size, w->size, w->stride, w->top, w->left};
}

static extent clip(int start, int size, int limit) {
    return (extent){start > 0 ? start : 0, start + size < limit ? start + size : limit};
}

static size_t image_size(const nn_node *node) {
    return nn_shape_row(node->shape);
}

static void start_gradient(const nn_call *call, float *dx) {
    if (!call->accumulate[0])
        memset(dx, 0, image_size(call->node->inputs[0]) * sizeof *dx);
}

/* --- max ------------------------------------------------------------------------------------------------ */

/* Output pixel (p,q): takes[c] is the place in the image of the largest value of channel c. */
static void take_largest(const nn_node *node, int p, int q, const float *x, float *y, int32_t *takes) {
    const window *w = window_of(node);
    const int *image = node->inputs[0]->shape.dims;
    int width = image[2], channels = image[3];
    extent rows = clip(p * w->stride - w->top, w->size, image[1]);
    extent columns = clip(q * w->stride - w->left, w->size, width);
    for (int c = 0; c < channels; c++) {
        int32_t best = (rows.first * width + columns.first) * channels + c;
        for (int h = rows.first; h < rows.last; h++)
            for (int v = columns.first; v < columns.last; v++) {
                int32_t at = (h * width + v) * channels + c;
                if (x[at] > x[best] || x[at] != x[at]) /* NaN passes on, so that it is noticed */
                    best = at;
            }
        y[c] = x[best];
        takes[c] = best;
    }
}

static void max_forward(const nn_call *call) {
    const int *out = call->node->shape.dims;
    size_t in_image = image_size(call->node->inputs[0]), out_image = image_size(call->node);
#pragma omp parallel for schedule(static)
    for (int b = 0; b < call->rows; b++)
        for (int p = 0; p < out[1]; p++)
            for (int q = 0; q < out[2]; q++) {
                size_t at = (size_t)b * out_image + ((size_t)p * out[2] + q) * out[3];
                take_largest(call->node, p, q, call->input[0] + (size_t)b * in_image, call->output + at,
                             (int32_t *)call->saved + at);
            }
}

static void max_backward(const nn_call *call) {
    size_t in_image = image_size(call->node->inputs[0]), out_image = image_size(call->node);
    const int32_t *takes = call->saved;
#pragma omp parallel for schedule(static)
    for (int b = 0; b < call->rows; b++) {
        float *dx = call->input_gradient[0] + (size_t)b * in_image;
        start_gradient(call, dx);
        for (size_t i = (size_t)b * out_image; i < ((size_t)b + 1) * out_image; i++)
            dx[takes[i]] += call->output_gradient[i];
    }
}

/* --- average -------------------------------------------------------------------------------------------- */

/* One image: y += the mean of each window of x, or, where dx is given, dx += dy shared out over each window. */
static void average_image(const nn_call *call, const float *x, float *y, const float *dy, float *dx) {
    const nn_node *node = call->node;
    const window *w = window_of(node);
    const int *image = node->inputs[0]->shape.dims, *out = node->shape.dims;
    int width = image[2], channels = image[3];
    for (int p = 0; p < out[1]; p++)
        for (int q = 0; q < out[2]; q++) {
            extent rows = clip(p * w->stride - w->top, w->size, image[1]);
            extent columns = clip(q * w->stride - w->left, w->size, width);
            float share = 1.0f / (float)((rows.last - rows.first) * (columns.last - columns.first));
            size_t to = ((size_t)p * out[2] + q) * channels;
            for (int h = rows.first; h < rows.last; h++)
                for (int v = columns.first; v < columns.last; v++) {
                    size_t from = ((size_t)h * width + v) * channels;
                    for (int c = 0; c < channels; c++)
                        if (dx)
                            dx[from + c] += dy[to + c] * share;
                        else
                            y[to + c] += x[from + c] * share;
                }
        }
}

static void average_forward(const nn_call *call) {
    size_t in_image = image_size(call->node->inputs[0]), out_image = image_size(call->node);
#pragma omp parallel for schedule(static)
    for (int b = 0; b < call->rows; b++) {
        float *y = call->output + (size_t)b * out_image;
        memset(y, 0, out_image * sizeof *y);
        average_image(call, call->input[0] + (size_t)b * in_image, y, NULL, NULL);
    }
}

static void average_backward(const nn_call *call) {
    size_t in_image = image_size(call->node->inputs[0]), out_image = image_size(call->node);
#pragma omp parallel for schedule(static)
    for (int b = 0; b < call->rows; b++) {
        float *dx = call->input_gradient[0] + (size_t)b * in_image;
        start_gradient(call, dx);
        average_image(call, NULL, NULL, call->output_gradient + (size_t)b * out_image, dx);
    }
}

/* --- construction --------------------------------------------------------------------------------------- */

static nn_status pool_shape(nn_node *node, nn_error *error) {
    nn_status status = nn_need_rank(node, 0, 4, error);
    if (status != NN_OK)
        return status;
    const int *image = node->inputs[0]->shape.dims;
    if (nn_shape_row(node->inputs[0]->shape) > INT32_MAX)
        return nn_fail(error, NN_ESHAPE, "%s '%s': the images of '%s' are too large", node->op->name,
                       node->name, node->inputs[0]->name);
    nn_pool_options o = *(const nn_pool_options *)node->options;
    int stride = o.stride ? o.stride : o.size;
    if (o.size < 1 || o.size > 1 << 14 || stride < 1 || stride > 1 << 14 || o.padding < NN_SAME ||
        o.padding >= o.size)
        return nn_fail(error, NN_EARGUMENT, "%s '%s': size %d, stride %d, padding %d make no pooling",
                       node->op->name, node->name, o.size, stride, o.padding);
    window w = {.size = o.size, .stride = stride};
    int out[2], *before[2] = {&w.top, &w.left};
    for (int d = 0; d < 2; d++) {
        out[d] = nn_window_outputs(image[1 + d], o.size, stride, o.padding, before[d]);
        if (out[d] < 1)
            return nn_fail(error, NN_ESHAPE, "%s '%s': a window of %d does not fit into '%s'", node->op->name,
                           node->name, o.size, node->inputs[0]->name);
    }
    memset(node->options, 0, sizeof node->options);
    memcpy(node->options, &w, sizeof w);
    node->shape = NN_SHAPE4(image[0], out[0], out[1], image[3]);
    return NN_OK;
}

static nn_status max_shape(nn_node *node, nn_error *error) {
    nn_status status = pool_shape(node, error);
    if (status == NN_OK)
        node->saved_bytes = nn_shape_count(node->shape) * sizeof(int32_t);
    return status;
}

static const nn_op op_max_pool = {.name = "max_pool",
                                  .shape = max_shape,
                                  .forward = {{.whole = max_forward}},
                                  .backward = {{.whole = max_backward}}};
static const nn_op op_average_pool = {.name = "average_pool",
                                      .shape = pool_shape,
                                      .forward = {{.slice = average_forward}},
                                      .backward = {{.slice = average_backward}}};

nn_node *nn_max_pool(nn_node *image, nn_pool_options options) {
    return nn_record(&op_max_pool, NULL, &options, sizeof options, 1, &image);
}

nn_node *nn_average_pool(nn_node *image, nn_pool_options options) {
    return nn_record(&op_average_pool, NULL, &options, sizeof options, 1, &image);
}

/* --- global average ------------------------------------------------------------------------------------- */

static nn_status global_shape(nn_node *node, nn_error *error) {
    nn_status status = nn_need_rank(node, 0, 4, error);
    if (status == NN_OK)
        node->shape = NN_SHAPE2(node->inputs[0]->shape.dims[0], node->inputs[0]->shape.dims[3]);
    return status;
}

static void global_forward(const nn_call *call) {
    const int *image = call->node->inputs[0]->shape.dims;
    int pixels = image[1] * image[2], channels = image[3];
#pragma omp parallel for schedule(static)
    for (int b = 0; b < call->rows; b++) {
        const float *x = call->input[0] + (size_t)b * pixels * channels;
        float *y = call->output + (size_t)b * channels;
        memset(y, 0, (size_t)channels * sizeof *y);
        for (int i = 0; i < pixels; i++)
            for (int c = 0; c < channels; c++)
                y[c] += x[(size_t)i * channels + c];
        for (int c = 0; c < channels; c++)
            y[c] /= (float)pixels;
    }
}

static void global_backward(const nn_call *call) {
    const int *image = call->node->inputs[0]->shape.dims;
    int pixels = image[1] * image[2], channels = image[3];
#pragma omp parallel for schedule(static)
    for (int b = 0; b < call->rows; b++) {
        float *dx = call->input_gradient[0] + (size_t)b * pixels * channels;
        const float *dy = call->output_gradient + (size_t)b * channels;
        start_gradient(call, dx);
        for (int i = 0; i < pixels; i++)
            for (int c = 0; c < channels; c++)
                dx[(size_t)i * channels + c] += dy[c] / (float)pixels;
    }
}

static const nn_op op_global_average_pool = {.name = "global_average_pool",
                                             .shape = global_shape,
                                             .forward = {{.slice = global_forward}},
                                             .backward = {{.slice = global_backward}}};

nn_node *nn_global_average_pool(nn_node *image) {
    return nn_record(&op_global_average_pool, NULL, NULL, 0, 1, &image);
}
