/* batch_norm.c - normalisation per channel (Ioffe and Szegedy 2015), the last dimension.
 *
 *   y = scale * (x - mean) / sqrt(variance + epsilon) + shift
 *
 * In training mean and variance (population) are the batch's, over all rows and pixels (N of them), and the
 * running ones move: running += momentum * (batch - running), with the sample variance (N - 1) as PyTorch
 * does. Otherwise the running ones are used. With xhat = (x - mean) / sqrt(variance + epsilon):
 *
 *   dscale = sum dy xhat    dshift = sum dy
 *   dx = scale / sqrt(variance + epsilon) * (dy - dshift / N - xhat dscale / N)
 *
 * where the last two terms belong to training only. Sums run over fixed slices of pixels, each in float,
 * combined in double in their order: the same bits for every thread count. Backward reads x; the output may be
 * overwritten. */
#include <math.h>

#include "framework/kernels/kernels.h"
#include "framework/op.h"
#include "ops.h"

enum { X, SCALE, SHIFT };
enum { RUNNING_MEAN, RUNNING_VARIANCE };
enum { SLICE_FLOATS = 1 << 15 }; /* 128 KiB of x: stays in L2 between the two passes over it */

static const nn_batch_norm_options *options_of(const nn_node *node) {
    return (const nn_batch_norm_options *)node->options;
}

static int channels_of(const nn_node *node) {
    return node->shape.dims[node->shape.rank - 1];
}

static size_t pixels_of(const nn_call *call) {
    return nn_call_count(call, call->node) / (size_t)channels_of(call->node);
}

static size_t slice_pixels(int channels) {
    return channels < SLICE_FLOATS ? SLICE_FLOATS / (size_t)channels : 1;
}

static size_t slice_count(size_t pixels, int channels) {
    return (pixels + slice_pixels(channels) - 1) / slice_pixels(channels);
}

/* Saved: mean and 1 / sqrt(variance + epsilon). Scratch: two sums per slice and channel, then three
 * coefficients. */
static nn_status batch_norm_shape(nn_node *node, nn_error *error) {
    const nn_node *x = node->inputs[X];
    const nn_batch_norm_options *o = options_of(node);
    if (!(o->momentum > 0 && o->momentum <= 1) || !(o->epsilon > 0))
        return nn_fail(error, NN_EARGUMENT, "batch_norm '%s': momentum %g or epsilon %g is out of range",
                       node->name, o->momentum, o->epsilon);
    node->shape = x->shape;
    size_t channels = (size_t)channels_of(node), pixels = nn_shape_count(x->shape) / channels;
    node->saved_bytes = 2 * channels * sizeof(float);
    node->scratch_bytes = (2 * slice_count(pixels, (int)channels) + 3) * channels * sizeof(float);
    return NN_OK;
}

typedef struct slice {
    size_t first;
    int pixels;
} slice;

static slice slice_at(size_t index, size_t pixels, int channels) {
    size_t size = slice_pixels(channels), first = index * size;
    return (slice){first, (int)(pixels - first < size ? pixels - first : size)};
}

/* Mean and sum of squared deviations of one channel from those of the slices (Chan et al. 1983). */
static void combine_moments(const nn_call *call, int channel, double *mean, double *m2) {
    int channels = channels_of(call->node);
    size_t pixels = pixels_of(call), slices = slice_count(pixels, channels);
    const float *partial = call->scratch;
    double n = 0;
    *mean = *m2 = 0;
    for (size_t s = 0; s < slices; s++) {
        double count = slice_at(s, pixels, channels).pixels;
        double delta = partial[2 * s * channels + channel] - *mean;
        *m2 += partial[(2 * s + 1) * channels + channel] + delta * delta * n * count / (n + count);
        *mean += delta * count / (n + count);
        n += count;
    }
}

static void measure_batch(const nn_call *call) {
    int channels = channels_of(call->node);
    size_t pixels = pixels_of(call), slices = slice_count(pixels, channels);
    float *partial = call->scratch, *mean = call->saved, *inverse = mean + channels;
    const nn_batch_norm_options *o = options_of(call->node);
#pragma omp parallel for schedule(static)
    for (size_t s = 0; s < slices; s++) {
        slice part = slice_at(s, pixels, channels);
        nn_kernels_active()->vector->moments(part.pixels, channels, call->input[X] + part.first * channels,
                                             partial + 2 * s * channels, partial + (2 * s + 1) * channels);
    }
    double n = (double)pixels;
    for (int c = 0; c < channels; c++) {
        double batch_mean, m2;
        combine_moments(call, c, &batch_mean, &m2);
        mean[c] = (float)batch_mean;
        inverse[c] = (float)(1 / sqrt(m2 / n + o->epsilon));
        float *running_mean = &call->state[RUNNING_MEAN][c],
              *running_variance = &call->state[RUNNING_VARIANCE][c];
        *running_mean += o->momentum * ((float)batch_mean - *running_mean);
        *running_variance += o->momentum * ((float)(m2 / (n > 1 ? n - 1 : 1)) - *running_variance);
    }
}

static void take_running(const nn_call *call) {
    int channels = channels_of(call->node);
    float *mean = call->saved, *inverse = mean + channels;
    for (int c = 0; c < channels; c++) {
        mean[c] = call->state[RUNNING_MEAN][c];
        inverse[c] =
            (float)(1 / sqrt((double)call->state[RUNNING_VARIANCE][c] + options_of(call->node)->epsilon));
    }
}

static void batch_norm_forward(const nn_call *call) {
    int channels = channels_of(call->node);
    size_t pixels = pixels_of(call), slices = slice_count(pixels, channels);
    if (call->training)
        measure_batch(call);
    else
        take_running(call);
    const float *mean = call->saved, *inverse = mean + channels;
    float *factor = (float *)call->scratch + 2 * slices * channels, *offset = factor + channels;
    for (int c = 0; c < channels; c++) {
        factor[c] = call->input[SCALE][c] * inverse[c];
        offset[c] = call->input[SHIFT][c] - mean[c] * factor[c];
    }
#pragma omp parallel for schedule(static)
    for (size_t s = 0; s < slices; s++) {
        slice part = slice_at(s, pixels, channels);
        size_t at = part.first * channels;
        nn_kernels_active()->vector->affine(part.pixels, channels, call->input[X] + at, factor, offset,
                                            call->output + at);
    }
}

static void sum_gradients(const nn_call *call) {
    int channels = channels_of(call->node);
    size_t pixels = pixels_of(call), slices = slice_count(pixels, channels);
    float *partial = call->scratch;
#pragma omp parallel for schedule(static)
    for (size_t s = 0; s < slices; s++) {
        slice part = slice_at(s, pixels, channels);
        size_t at = part.first * channels;
        nn_kernels_active()->vector->gradient_sums(part.pixels, channels, call->input[X] + at, call->saved,
                                                   call->output_gradient + at, partial + 2 * s * channels,
                                                   partial + (2 * s + 1) * channels);
    }
}

/* The parameters' gradients, and dx = dy * a[c] + x * b[c] + k[c]. */
static void gradient_coefficients(const nn_call *call, float *a, float *b, float *k) {
    int channels = channels_of(call->node);
    size_t pixels = pixels_of(call), slices = slice_count(pixels, channels);
    const float *partial = call->scratch, *mean = call->saved, *inverse = mean + channels;
    double n = call->training ? (double)pixels : INFINITY; /* running statistics do not depend on x */
    for (int c = 0; c < channels; c++) {
        double sum = 0, dot = 0;
        for (size_t s = 0; s < slices; s++) {
            sum += partial[2 * s * channels + c];
            dot += partial[(2 * s + 1) * channels + c];
        }
        double factor = (double)call->input[SCALE][c] * inverse[c],
               slope = -factor * inverse[c] * inverse[c] * dot / n;
        a[c] = (float)factor;
        b[c] = (float)slope;
        k[c] = (float)(-factor * sum / n - slope * mean[c]);
        float *dscale = &call->input_gradient[SCALE][c], *dshift = &call->input_gradient[SHIFT][c];
        *dscale = (float)(dot * inverse[c]) + (call->accumulate[SCALE] ? *dscale : 0);
        *dshift = (float)sum + (call->accumulate[SHIFT] ? *dshift : 0);
    }
}

static void batch_norm_backward(const nn_call *call) {
    int channels = channels_of(call->node);
    size_t pixels = pixels_of(call), slices = slice_count(pixels, channels);
    float *a = (float *)call->scratch + 2 * slices * channels, *b = a + channels, *k = b + channels;
    sum_gradients(call);
    gradient_coefficients(call, a, b, k);
    if (!call->input_gradient[X])
        return;
#pragma omp parallel for schedule(static)
    for (size_t s = 0; s < slices; s++) {
        slice part = slice_at(s, pixels, channels);
        size_t at = part.first * channels;
        nn_kernels_active()->vector->affine_backward(part.pixels, channels, call->input[X] + at,
                                                     call->output_gradient + at, a, b, k, call->accumulate[X],
                                                     call->input_gradient[X] + at);
    }
}

static const nn_op op_batch_norm = {.name = "batch_norm",
                                    .shape = batch_norm_shape,
                                    .forward = batch_norm_forward,
                                    .backward = batch_norm_backward,
                                    .backward_reads = NN_READS_INPUT(X) | NN_READS_INPUT(SCALE),
                                    .gradient_in_place = true};

nn_node *nn_batch_norm(nn_node *x, const char *name, nn_batch_norm_options options) {
    if (!x)
        return NULL;
    if (x->integer || x->shape.rank < 2) {
        nn_refuse(x, NN_ESHAPE, "batch_norm '%s': '%s' has no channels", name, x->name);
        return NULL;
    }
    if (options.momentum == 0)
        options.momentum = 0.1f;
    if (options.epsilon == 0)
        options.epsilon = 1e-5f;
    nn_shape channels = NN_SHAPE1(channels_of(x));
    nn_entry zeros = {.shape = channels, .init = {.kind = NN_INIT_CONSTANT, .value = 0}};
    nn_entry ones = {.shape = channels, .init = {.kind = NN_INIT_CONSTANT, .value = 1}};
    nn_node *scale = nn_parameter(x, name, "weight", ones), *shift = nn_parameter(x, name, "bias", zeros);
    nn_node *node =
        nn_record(&op_batch_norm, name, &options, sizeof options, 3, (nn_node *[]){x, scale, shift});
    node = nn_attach_state(node, name, "running_mean", zeros);
    return nn_attach_state(node, name, "running_var", ones);
}
