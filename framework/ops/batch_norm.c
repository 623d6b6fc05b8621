/* batch_norm.c - normalisation per channel (Ioffe and Szegedy 2015), the last dimension, alone or together with
 * what often follows it: the sum with a residual, and relu or leaky relu. The planner fuses these.
 *
 *   y = f(scale * (x - mean) / sqrt(variance + epsilon) + shift + residual)    f(v) = v > 0 ? v : slope v
 *
 * In training mean and variance (population) are the batch's, over all rows and pixels (N of them), and the
 * running ones move: running += momentum * (batch - running), with the sample variance (N - 1) as PyTorch
 * does. Otherwise the running ones are used. With xhat = (x - mean) / sqrt(variance + epsilon) and
 * g = dy f'(y), where f' has the sign of y or, without a residual, is computed from x again:
 *
 *   dscale = sum g xhat    dshift = sum g    dresidual = g
 *   dx = scale / sqrt(variance + epsilon) * (g - dshift / N - xhat dscale / N)
 *
 * where the last two terms belong to training only. Forward and backward go over x twice: once for the sums,
 * once for y or dx. Sums run over fixed slices of pixels, each in float, combined in double in their order: the
 * same bits for every thread count. Backward reads x and, of a relu after a residual, y. */
#include <math.h>

#include "framework/kernels/kernels.h"
#include "framework/op.h"
#include "ops.h"

enum { X, SCALE, SHIFT, RESIDUAL };
enum { RUNNING_MEAN, RUNNING_VARIANCE };
enum { SLICE_FLOATS = 1 << 15 };

typedef struct options {
    nn_batch_norm_options layer;
    float slope; /* of f: 1 without an activation */
} options;

static const options *options_of(const nn_node *node) {
    return (const options *)node->options;
}

static int channels_of(const nn_node *node) {
    return node->shape.dims[node->shape.rank - 1];
}

static size_t slice_pixels(int channels) {
    return channels < SLICE_FLOATS ? SLICE_FLOATS / (size_t)channels : 1;
}

static size_t slice_count(size_t pixels, int channels) {
    return (pixels + slice_pixels(channels) - 1) / slice_pixels(channels);
}

/* Saved: mean, 1 / sqrt(variance + epsilon), and factor and offset of y = f(x * factor + offset + residual).
 * Scratch: two sums per slice and channel, then the three coefficients of dx. */
static nn_status batch_norm_shape(nn_node *node, nn_error *error) {
    const nn_node *x = node->inputs[X];
    const nn_batch_norm_options *o = &options_of(node)->layer;
    if (!(o->momentum > 0 && o->momentum <= 1) || !(o->epsilon > 0))
        return nn_fail(error, NN_EARGUMENT, "batch_norm '%s': momentum %g or epsilon %g is out of range",
                       node->name, o->momentum, o->epsilon);
    node->shape = x->shape;
    size_t channels = (size_t)channels_of(node), pixels = nn_shape_count(x->shape) / channels;
    node->saved_bytes = 4 * channels * sizeof(float);
    node->scratch_bytes = (2 * slice_count(pixels, (int)channels) + 3) * channels * sizeof(float);
    return NN_OK;
}

/* The arrays of a call. */
typedef struct work {
    int channels;
    size_t pixels, slices;
    float *mean, *inverse, *factor, *offset; /* saved */
    float *partial, *a, *b, *k;              /* scratch */
} work;

static work work_of(const nn_call *call) {
    int channels = channels_of(call->node);
    size_t pixels = nn_call_count(call, call->node) / (size_t)channels;
    work w = {.channels = channels, .pixels = pixels, .slices = slice_count(pixels, channels)};
    w.mean = call->saved;
    w.inverse = w.mean + channels;
    w.factor = w.inverse + channels;
    w.offset = w.factor + channels;
    w.partial = call->scratch;
    w.a = w.partial + 2 * w.slices * (size_t)channels;
    w.b = w.a + channels;
    w.k = w.b + channels;
    return w;
}

typedef struct slice {
    size_t at;      /* its first float in x */
    float *sums[2]; /* per channel: mean and sum of squared deviations, or sum g and sum g (x - mean) */
    nn_affine f;
} slice;

static slice slice_at(const nn_call *call, const work *w, size_t index) {
    size_t size = slice_pixels(w->channels), first = index * size, channels = (size_t)w->channels;
    int pixels = (int)(w->pixels - first < size ? w->pixels - first : size);
    float *sums = w->partial + 2 * index * channels;
    return (slice){first * channels,
                   {sums, sums + channels},
                   {pixels, w->channels, w->factor, w->offset, options_of(call->node)->slope}};
}

typedef void slice_work(const nn_call *call, const work *w, const slice *part);

/* Each thread has the same slices in every pass, and goes over them in turn from the end and from the start: what
 * it saw last, which its cache still holds, comes first. The op before ends at the end. */
static void each_slice(const nn_call *call, const work *w, bool from_end, slice_work *compute) {
    size_t threads = (size_t)nn_threads();
#pragma omp parallel for schedule(static)
    for (size_t t = 0; t < threads; t++) {
        size_t first = w->slices * t / threads, end = w->slices * (t + 1) / threads;
        for (size_t i = first; i < end; i++) {
            slice part = slice_at(call, w, from_end ? end - 1 - (i - first) : i);
            compute(call, w, &part);
        }
    }
}

/* --- forward -------------------------------------------------------------------------------------------- */

static void measure_slice(const nn_call *call, const work *w, const slice *part) {
    nn_kernels_active()->vector->moments(part->f.rows, w->channels, call->input[X] + part->at, part->sums[0],
                                         part->sums[1]);
}

/* Mean and sum of squared deviations of one channel from those of the slices (Chan et al. 1983). */
static void combine_moments(const nn_call *call, const work *w, int channel, double *mean, double *m2) {
    double n = 0;
    *mean = *m2 = 0;
    for (size_t s = 0; s < w->slices; s++) {
        slice part = slice_at(call, w, s);
        double count = part.f.rows, delta = part.sums[0][channel] - *mean;
        *m2 += part.sums[1][channel] + delta * delta * n * count / (n + count);
        *mean += delta * count / (n + count);
        n += count;
    }
}

static void measure_batch(const nn_call *call, const work *w) {
    const nn_batch_norm_options *o = &options_of(call->node)->layer;
    each_slice(call, w, true, measure_slice);
    double n = (double)w->pixels;
    for (int c = 0; c < w->channels; c++) {
        double batch_mean, m2;
        combine_moments(call, w, c, &batch_mean, &m2);
        w->mean[c] = (float)batch_mean;
        w->inverse[c] = (float)(1 / sqrt(m2 / n + o->epsilon));
        float *running_mean = &call->state[RUNNING_MEAN][c],
              *running_variance = &call->state[RUNNING_VARIANCE][c];
        *running_mean += o->momentum * ((float)batch_mean - *running_mean);
        *running_variance += o->momentum * ((float)(m2 / (n > 1 ? n - 1 : 1)) - *running_variance);
    }
}

static void take_running(const nn_call *call, const work *w) {
    double epsilon = options_of(call->node)->layer.epsilon;
    for (int c = 0; c < w->channels; c++) {
        w->mean[c] = call->state[RUNNING_MEAN][c];
        w->inverse[c] = (float)(1 / sqrt(call->state[RUNNING_VARIANCE][c] + epsilon));
    }
}

static bool has_residual(const nn_node *node) {
    return node->input_count > RESIDUAL;
}

static void normalise_slice(const nn_call *call, const work *w, const slice *part) {
    (void)w;
    const float *residual = has_residual(call->node) ? call->input[RESIDUAL] + part->at : NULL;
    nn_kernels_active()->vector->affine(&part->f, call->input[X] + part->at, residual,
                                        call->output + part->at);
}

static void batch_norm_forward(const nn_call *call) {
    work w = work_of(call);
    if (call->training)
        measure_batch(call, &w);
    else
        take_running(call, &w);
    for (int c = 0; c < w.channels; c++) {
        w.factor[c] = call->input[SCALE][c] * w.inverse[c];
        w.offset[c] = call->input[SHIFT][c] - w.mean[c] * w.factor[c];
    }
    each_slice(call, &w, !call->training, normalise_slice);
}

/* --- backward ------------------------------------------------------------------------------------------- */

/* Where the sign of y is read from; NULL: it is computed from x. */
static const float *signs_of(const nn_call *call) {
    bool reads_output = has_residual(call->node) && options_of(call->node)->slope != 1;
    return reads_output ? call->output : NULL;
}

static const float *at_slice(const float *array, const slice *part) {
    return array ? array + part->at : NULL;
}

/* Sums, and the residual's gradient, unless that is dy already. */
static void sum_gradients_slice(const nn_call *call, const work *w, const slice *part) {
    float *dresidual = has_residual(call->node) ? call->input_gradient[RESIDUAL] : NULL;
    if (dresidual == call->output_gradient && part->f.slope == 1)
        dresidual = NULL;
    nn_kernels_active()->vector->gradient_sums(
        &part->f, call->input[X] + part->at, at_slice(signs_of(call), part), w->mean,
        call->output_gradient + part->at, call->accumulate[RESIDUAL], dresidual ? dresidual + part->at : NULL,
        part->sums[0], part->sums[1]);
}

/* The parameters' gradients, and dx = g * a[c] + x * b[c] + k[c]. */
static void gradient_coefficients(const nn_call *call, const work *w) {
    double n = call->training ? (double)w->pixels : INFINITY; /* running statistics do not depend on x */
    for (int c = 0; c < w->channels; c++) {
        double sum = 0, dot = 0, inverse = w->inverse[c];
        for (size_t s = 0; s < w->slices; s++) {
            slice part = slice_at(call, w, s);
            sum += part.sums[0][c];
            dot += part.sums[1][c];
        }
        double factor = call->input[SCALE][c] * inverse, slope = -factor * inverse * inverse * dot / n;
        w->a[c] = (float)factor;
        w->b[c] = (float)slope;
        w->k[c] = (float)(-factor * sum / n - slope * w->mean[c]);
        float *dscale = &call->input_gradient[SCALE][c], *dshift = &call->input_gradient[SHIFT][c];
        *dscale = (float)(dot * inverse) + (call->accumulate[SCALE] ? *dscale : 0);
        *dshift = (float)sum + (call->accumulate[SHIFT] ? *dshift : 0);
    }
}

/* Reads g where it has been written, as the residual's gradient. */
static void propagate_slice(const nn_call *call, const work *w, const slice *part) {
    const float *y = signs_of(call), *dy = call->output_gradient;
    nn_affine f = part->f;
    if (has_residual(call->node) && call->input_gradient[RESIDUAL] && !call->accumulate[RESIDUAL]) {
        dy = call->input_gradient[RESIDUAL];
        y = NULL;
        f.slope = 1;
    }
    nn_kernels_active()->vector->affine_backward(&f, call->input[X] + part->at, at_slice(y, part),
                                                 dy + part->at, w->a, w->b, w->k, call->accumulate[X],
                                                 call->input_gradient[X] + part->at);
}

static void batch_norm_backward(const nn_call *call) {
    work w = work_of(call);
    each_slice(call, &w, true, sum_gradients_slice);
    gradient_coefficients(call, &w);
    if (call->input_gradient[X])
        each_slice(call, &w, false, propagate_slice);
}

/* --- ops ------------------------------------------------------------------------------------------------ */

static bool absorb(nn_node *fused, const nn_node *absorbed, const nn_node *reader);

enum { READS = NN_READS_INPUT(X) | NN_READS_INPUT(SCALE) };

static const nn_op op_batch_norm = {.name = "batch_norm",
                                    .shape = batch_norm_shape,
                                    .forward = batch_norm_forward,
                                    .backward = batch_norm_backward,
                                    .backward_reads = READS,
                                    .in_place = NN_IN_PLACE_OVERWRITE,
                                    .gradient_in_place = true,
                                    .absorb = absorb};

static const nn_op op_batch_norm_relu = {.name = "batch_norm+relu",
                                         .forward = batch_norm_forward,
                                         .backward = batch_norm_backward,
                                         .backward_reads = READS,
                                         .in_place = NN_IN_PLACE_OVERWRITE,
                                         .gradient_in_place = true};

static const nn_op op_batch_norm_add = {.name = "batch_norm+add",
                                        .forward = batch_norm_forward,
                                        .backward = batch_norm_backward,
                                        .backward_reads = READS,
                                        .in_place = NN_IN_PLACE_OVERWRITE,
                                        .gradient_in_place = true,
                                        .absorb = absorb};

static const nn_op op_batch_norm_add_relu = {.name = "batch_norm+add+relu",
                                             .forward = batch_norm_forward,
                                             .backward = batch_norm_backward,
                                             .backward_reads = READS | NN_READS_OUTPUT,
                                             .in_place = NN_IN_PLACE_OVERWRITE,
                                             .gradient_in_place = true};

/* Not the sum with x itself: its gradient has one writer in this op, that of x. */
static bool absorb_add(nn_node *fused, const nn_node *absorbed, const nn_node *add) {
    nn_node *residual = add->inputs[add->inputs[0]->index == absorbed->index ? 1 : 0];
    if (fused->op != &op_batch_norm || residual->entry >= 0 || residual->index == fused->inputs[X]->index)
        return false;
    fused->op = &op_batch_norm_add;
    fused->inputs[RESIDUAL] = residual;
    fused->input_count = RESIDUAL + 1;
    return true;
}

static bool absorb(nn_node *fused, const nn_node *absorbed, const nn_node *reader) {
    if (reader->op == &nn_op_add)
        return absorb_add(fused, absorbed, reader);
    if (reader->op != &nn_op_relu)
        return false;
    ((options *)fused->options)->slope = nn_relu_slope(reader);
    fused->op = has_residual(fused) ? &op_batch_norm_add_relu : &op_batch_norm_relu;
    return true;
}

nn_node *nn_batch_norm(nn_node *x, const char *name, nn_batch_norm_options o) {
    if (!x)
        return NULL;
    if (x->integer || x->shape.rank < 2) {
        nn_refuse(x, NN_ESHAPE, "batch_norm '%s': '%s' has no channels", name, x->name);
        return NULL;
    }
    options with_defaults = {.layer = {.momentum = o.momentum == 0 ? 0.1f : o.momentum,
                                       .epsilon = o.epsilon == 0 ? 1e-5f : o.epsilon},
                             .slope = 1};
    nn_shape channels = NN_SHAPE1(channels_of(x));
    nn_entry zeros = {.shape = channels, .init = {.kind = NN_INIT_CONSTANT, .value = 0}};
    nn_entry ones = {.shape = channels, .init = {.kind = NN_INIT_CONSTANT, .value = 1}};
    nn_node *scale = nn_parameter(x, name, "weight", ones), *shift = nn_parameter(x, name, "bias", zeros);
    nn_node *node = nn_record(&op_batch_norm, name, &with_defaults, sizeof with_defaults, 3,
                              (nn_node *[]){x, scale, shift});
    node = nn_attach_state(node, name, "running_mean", zeros);
    return nn_attach_state(node, name, "running_var", ones);
}
