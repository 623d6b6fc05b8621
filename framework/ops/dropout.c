/* dropout.c - in training  y = x * m / (1 - rate),  m = 0 with probability rate, else 1;  dx = dy * m / (1 -
 * rate). In evaluation y = x.
 *
 * The mask is not stored: element i of step t is a pure function of the layer's stream, so backward makes it
 * again. */
#include <string.h>

#include "framework/kernels/kernels.h"
#include "framework/op.h"
#include "framework/random.h"
#include "ops.h"

static float rate_of(const nn_node *node) {
    return *(const float *)node->options;
}

static nn_status dropout_shape(nn_node *node, nn_error *error) {
    float rate = rate_of(node);
    if (node->inputs[0]->integer || !(rate >= 0 && rate < 1))
        return nn_fail(error, NN_EARGUMENT,
                       "dropout '%s': the rate %g is not in [0, 1), or its input is not floats", node->name,
                       rate);
    node->shape = node->inputs[0]->shape;
    return NN_OK;
}

typedef struct dropout_work {
    const nn_call *call;
    nn_stream stream;
    const float *source;
    float *target;
    bool accumulate;
} dropout_work;

static void mask_range(void *context, size_t first, size_t count) {
    const dropout_work *work = context;
    float rate = rate_of(work->call->node), scale = 1 / (1 - rate);
    uint32_t step[2] = {(uint32_t)work->call->step, (uint32_t)(work->call->step >> 32)};
    uint32_t key[2] = {(uint32_t)work->stream.key, (uint32_t)(work->stream.key >> 32)};
    uint32_t threshold = (uint32_t)((double)rate * 4294967296.0), bits[4] = {0};
    for (size_t i = first; i < first + count; i++) { /* ranges start at multiples of 4 */
        if (i % 4 == 0)
            nn_philox((uint32_t[4]){(uint32_t)(i / 4), (uint32_t)(i / 4 >> 32), step[0], step[1]}, key, bits);
        float value = bits[i % 4] < threshold ? 0 : work->source[i] * scale;
        work->target[i] = work->accumulate ? work->target[i] + value : value;
    }
}

/* NOLINTNEXTLINE(readability-non-const-parameter): mask_range writes to target */
static void apply(const nn_call *call, const float *source, float *target, bool accumulate) {
    char name[NN_NAME_MAX + 16] = "dropout/";
    dropout_work work = {.call = call,
                         .stream = nn_stream_named(call->seed, strcat(name, call->node->name)),
                         .source = source,
                         .target = target,
                         .accumulate = accumulate};
    nn_parallel_ranges(nn_call_count(call, call->node), mask_range, &work);
}

static void copy(const nn_call *call, const float *source, float *target, bool accumulate) {
    size_t count = nn_call_count(call, call->node);
    if (accumulate)
        nn_kernels_active()->vector->add(count, target, source, target);
    else if (target != source)
        memcpy(target, source, count * sizeof *target);
}

static void dropout_forward(const nn_call *call) {
    (call->training ? apply : copy)(call, call->input[0], call->output, false);
}

static void dropout_backward(const nn_call *call) {
    (call->training ? apply : copy)(call, call->output_gradient, call->input_gradient[0],
                                    call->accumulate[0]);
}

static const nn_op op_dropout = {.name = "dropout",
                                 .shape = dropout_shape,
                                 .forward = {{.whole = dropout_forward}},
                                 .backward = {{.whole = dropout_backward}},
                                 .in_place = NN_IN_PLACE_OVERWRITE,
                                 .gradient_in_place = true};

nn_node *nn_dropout(nn_node *x, const char *name, float rate) {
    return nn_record(&op_dropout, name, &rate, sizeof rate, 1, &x);
}
