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
 * where the last two terms belong to training only. Forward and backward have two phases: the sums over the batch,
 * then y or dx. Sums are taken over blocks of pixels in float and combined in double, slice by slice in their
 * order: the same bits for every thread count. Backward reads x and, of a relu after a residual, y. */
#include <math.h>
#include <string.h>

#include "framework/kernels/kernels.h"
#include "framework/op.h"
#include "ops.h"

enum { X, SCALE, SHIFT, RESIDUAL };
enum { RUNNING_MEAN, RUNNING_VARIANCE };
enum { BLOCK_FLOATS = 1 << 15 };

typedef struct options {
    nn_batch_norm_options layer;
    float slope; /* of f: 1 without an activation */
} options;

static const options *options_of(const nn_node *node) {
    return (const options *)node->options;
}

float nn_batch_norm_epsilon(const nn_node *node) {
    return options_of(node)->layer.epsilon;
}

static int channels_of(const nn_node *node) {
    return node->shape.dims[node->shape.rank - 1];
}

/* Saved: mean, 1 / sqrt(variance + epsilon), and factor and offset of y = f(x * factor + offset + residual).
 * Scratch: two sums per slice and channel, then the three coefficients of dx. Each thread: two sums of a block. */
static nn_status batch_norm_shape(nn_node *node, nn_error *error) {
    const nn_node *x = node->inputs[X];
    const nn_batch_norm_options *o = &options_of(node)->layer;
    if (!(o->momentum > 0 && o->momentum <= 1) || !(o->epsilon > 0))
        return nn_fail(error, NN_EARGUMENT, "batch_norm '%s': momentum %g or epsilon %g is out of range",
                       node->name, o->momentum, o->epsilon);
    node->shape = x->shape;
    size_t channels = (size_t)channels_of(node), slices = (size_t)node->shape.dims[0];
    node->saved_bytes = 4 * channels * sizeof(float);
    node->scratch_bytes = 2 * slices * channels * sizeof(double) + 3 * channels * sizeof(float);
    node->own_bytes = 2 * channels * sizeof(float);
    return NN_OK;
}

/* The arrays of a call. */
typedef struct work {
    int channels;
    size_t pixels;                           /* of the slice, or the batch */
    float *mean, *inverse, *factor, *offset; /* saved */
    double *sums;                            /* scratch: [slice][2][channels] */
    float *a, *b, *k;                        /* scratch */
} work;

static work work_of(const nn_call *call) {
    int channels = channels_of(call->node);
    work w = {.channels = channels, .pixels = nn_call_count(call, call->node) / (size_t)channels};
    w.mean = call->saved;
    w.inverse = w.mean + channels;
    w.factor = w.inverse + channels;
    w.offset = w.factor + channels;
    w.sums = call->scratch;
    w.a = (float *)(w.sums + 2 * (size_t)call->node->shape.dims[0] * (size_t)channels);
    w.b = w.a + channels;
    w.k = w.b + channels;
    return w;
}

/* The two sums of a slice, one behind the other. */
static double *sums_of(const work *w, int slice) {
    return w->sums + 2 * (size_t)slice * (size_t)w->channels;
}

/* Some pixels of a slice. */
typedef struct block {
    size_t at;      /* its first float in x */
    float *sums[2]; /* per channel: mean and sum of squared deviations, or sum g and sum g (x - mean) */
    nn_affine f;
} block;

static block block_at(const nn_call *call, const work *w, size_t first) {
    size_t channels = (size_t)w->channels, most = channels < BLOCK_FLOATS ? BLOCK_FLOATS / channels : 1;
    int pixels = (int)(w->pixels - first < most ? w->pixels - first : most);
    float *sums = call->own;
    return (block){first * channels,
                   {sums, sums + channels},
                   {pixels, w->channels, w->factor, w->offset, options_of(call->node)->slope}};
}

static bool has_residual(const nn_node *node) {
    return node->input_count > RESIDUAL;
}

/* --- forward -------------------------------------------------------------------------------------------- */

/* Adds `count` pixels with a mean and sum of squared deviations to `n` others (Chan et al. 1983). */
static void add_moments(double n, double count, double block_mean, double block_m2, double *mean,
                        double *m2) {
    double delta = block_mean - *mean;
    *m2 += block_m2 + delta * delta * n * count / (n + count);
    *mean += delta * count / (n + count);
}

/* The slice's mean and sum of squared deviations. */
static void measure(const nn_call *call) {
    work w = work_of(call);
    double *mean = sums_of(&w, call->slice), *m2 = mean + w.channels;
    memset(mean, 0, 2 * (size_t)w.channels * sizeof *mean);
    for (size_t done = 0; done < w.pixels;) {
        block part = block_at(call, &w, done);
        nn_kernels_active()->vector->moments(part.f.rows, w.channels, call->input[X] + part.at, part.sums[0],
                                             part.sums[1]);
        for (int c = 0; c < w.channels; c++)
            add_moments((double)done, part.f.rows, part.sums[0][c], part.sums[1][c], &mean[c], &m2[c]);
        done += (size_t)part.f.rows;
    }
}

/* The batch's statistics of one channel, and the running ones. All slices but the last have as many rows. */
static void finish_channel(const nn_call *call, const work *w, int c) {
    const nn_batch_norm_options *o = &options_of(call->node)->layer;
    double n = 0, mean = 0, m2 = 0, total = (double)w->pixels, row = total / call->rows;
    for (int s = 0; s < call->slices; s++) {
        const double *sums = sums_of(w, s);
        double count = s + 1 < call->slices ? row * call->slice_rows : total - n;
        add_moments(n, count, sums[c], sums[w->channels + c], &mean, &m2);
        n += count;
    }
    w->mean[c] = (float)mean;
    w->inverse[c] = (float)(1 / sqrt(m2 / n + o->epsilon));
    float *running_mean = &call->state[RUNNING_MEAN][c],
          *running_variance = &call->state[RUNNING_VARIANCE][c];
    *running_mean += o->momentum * ((float)mean - *running_mean);
    *running_variance += o->momentum * ((float)(m2 / (n > 1 ? n - 1 : 1)) - *running_variance);
}

static void finish_statistics(const nn_call *call) {
    work w = work_of(call);
#pragma omp for schedule(static)
    for (int c = 0; c < w.channels; c++)
        finish_channel(call, &w, c);
}

static void begin_normalising(const nn_call *call) {
    work w = work_of(call);
    double epsilon = options_of(call->node)->layer.epsilon;
#pragma omp for schedule(static)
    for (int c = 0; c < w.channels; c++) {
        if (!call->training) {
            w.mean[c] = call->state[RUNNING_MEAN][c];
            w.inverse[c] = (float)(1 / sqrt(call->state[RUNNING_VARIANCE][c] + epsilon));
        }
        w.factor[c] = call->input[SCALE][c] * w.inverse[c];
        w.offset[c] = call->input[SHIFT][c] - w.mean[c] * w.factor[c];
    }
}

static void normalise(const nn_call *call) {
    work w = work_of(call);
    for (size_t done = 0; done < w.pixels;) {
        block part = block_at(call, &w, done);
        const float *residual = has_residual(call->node) ? call->input[RESIDUAL] + part.at : NULL;
        nn_kernels_active()->vector->affine(&part.f, call->input[X] + part.at, residual,
                                            call->output + part.at);
        done += (size_t)part.f.rows;
    }
}

/* --- backward ------------------------------------------------------------------------------------------- */

/* Where the sign of y is read from; NULL: it is computed from x. */
static const float *signs_of(const nn_call *call) {
    bool reads_output = has_residual(call->node) && options_of(call->node)->slope != 1;
    return reads_output ? call->output : NULL;
}

static const float *from(const float *array, size_t at) {
    return array ? array + at : NULL;
}

/* Whether the sums are needed: not where neither dx nor a gradient of the parameters depends on them. */
static bool wants_sums(const nn_call *call) {
    return call->training || call->input_gradient[SCALE] || call->input_gradient[SHIFT];
}

/* Sums, and the residual's gradient, unless that is dy already. */
static void sum_gradients(const nn_call *call) {
    work w = work_of(call);
    double *sum = sums_of(&w, call->slice), *dot = sum + w.channels;
    float *dresidual = has_residual(call->node) ? call->input_gradient[RESIDUAL] : NULL;
    if (dresidual == call->output_gradient && options_of(call->node)->slope == 1)
        dresidual = NULL;
    if (!wants_sums(call) && !dresidual)
        return;
    memset(sum, 0, 2 * (size_t)w.channels * sizeof *sum);
    for (size_t done = 0; done < w.pixels;) {
        block part = block_at(call, &w, done);
        nn_kernels_active()->vector->gradient_sums(
            &part.f, call->input[X] + part.at, from(signs_of(call), part.at), w.mean,
            call->output_gradient + part.at, call->accumulate[RESIDUAL],
            dresidual ? dresidual + part.at : NULL, part.sums[0], part.sums[1]);
        for (int c = 0; c < w.channels; c++) {
            sum[c] += part.sums[0][c];
            dot[c] += part.sums[1][c];
        }
        done += (size_t)part.f.rows;
    }
}

/* A parameter's gradient, where it is wanted. */
static void add_to(const nn_call *call, int parameter, int c, double value) {
    float *gradient = call->input_gradient[parameter];
    if (gradient)
        gradient[c] = (float)value + (call->accumulate[parameter] ? gradient[c] : 0);
}

/* The parameters' gradients, and dx = g * a[c] + x * b[c] + k[c]. */
static void finish_sums(const nn_call *call) {
    work w = work_of(call);
    double n = call->training ? (double)w.pixels : INFINITY; /* running statistics do not depend on x */
#pragma omp for schedule(static)
    for (int c = 0; c < w.channels; c++) {
        double sum = 0, dot = 0, inverse = w.inverse[c];
        for (int s = 0; s < call->slices && wants_sums(call); s++) {
            sum += sums_of(&w, s)[c];
            dot += sums_of(&w, s)[w.channels + c];
        }
        double factor = call->input[SCALE][c] * inverse, slope = -factor * inverse * inverse * dot / n;
        w.a[c] = (float)factor;
        w.b[c] = (float)slope;
        w.k[c] = (float)(-factor * sum / n - slope * w.mean[c]);
        add_to(call, SCALE, c, dot * inverse);
        add_to(call, SHIFT, c, sum);
    }
}

/* Reads g where it has been written, as the residual's gradient. */
static void propagate(const nn_call *call) {
    work w = work_of(call);
    const float *y = signs_of(call), *dy = call->output_gradient;
    bool written = has_residual(call->node) && call->input_gradient[RESIDUAL] && !call->accumulate[RESIDUAL];
    for (size_t done = 0; done < w.pixels && call->input_gradient[X];) {
        block part = block_at(call, &w, done);
        if (written)
            part.f.slope = 1;
        nn_kernels_active()->vector->affine_backward(
            &part.f, call->input[X] + part.at, written ? NULL : from(y, part.at),
            (written ? call->input_gradient[RESIDUAL] : dy) + part.at, w.a, w.b, w.k, call->accumulate[X],
            call->input_gradient[X] + part.at);
        done += (size_t)part.f.rows;
    }
}

/* --- ops ------------------------------------------------------------------------------------------------ */

static bool absorb(nn_node *fused, const nn_node *absorbed, const nn_node *reader);

/* What all forms have in common. */
enum { READS = NN_READS_INPUT(X) | NN_READS_INPUT(SCALE) };
#define FORWARD                                                                                              \
    {                                                                                                        \
        {.slice = measure, .end = finish_statistics, .training = true}, {                                    \
            .begin = begin_normalising, .slice = normalise                                                   \
        }                                                                                                    \
    }
#define BACKWARD                                                                                             \
    {                                                                                                        \
        {.slice = sum_gradients, .end = finish_sums}, {                                                      \
            .slice = propagate                                                                               \
        }                                                                                                    \
    }

static const nn_op op_batch_norm = {.name = "batch_norm",
                                    .shape = batch_norm_shape,
                                    .forward = FORWARD,
                                    .backward = BACKWARD,
                                    .backward_reads = READS,
                                    .in_place = NN_IN_PLACE_OVERWRITE,
                                    .gradient_in_place = true,
                                    .repeatable = true,
                                    .absorb = absorb};

static const nn_op op_batch_norm_relu = {.name = "batch_norm+relu",
                                         .forward = FORWARD,
                                         .backward = BACKWARD,
                                         .backward_reads = READS,
                                         .in_place = NN_IN_PLACE_OVERWRITE,
                                         .gradient_in_place = true,
                                         .repeatable = true};

static const nn_op op_batch_norm_add = {.name = "batch_norm+add",
                                        .early_gradients = NN_READS_INPUT(RESIDUAL),
                                        .forward = FORWARD,
                                        .backward = BACKWARD,
                                        .backward_reads = READS,
                                        .in_place = NN_IN_PLACE_OVERWRITE,
                                        .gradient_in_place = true,
                                        .absorb = absorb};

static const nn_op op_batch_norm_add_relu = {.name = "batch_norm+add+relu",
                                             .early_gradients = NN_READS_INPUT(RESIDUAL),
                                             .forward = FORWARD,
                                             .backward = BACKWARD,
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
