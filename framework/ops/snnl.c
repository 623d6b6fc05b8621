/* snnl.c - the soft nearest neighbor loss of a batch of representations, as an op: the mathematics is in
 * framework/snnl/.
 *
 * x [B, ...] and labels [B] -> scalar. The temperature is an argmin, a slowly learned value or a constant,
 * and the gradient with respect to x holds it fixed; for the argmin that is the whole gradient (envelope
 * theorem).
 *
 * LEARNED follows the authors' method, T = T0 / t with one gradient step of 0.1 a batch that lowers the loss,
 * but moves log t instead of t, by 1 at most, so that T stays positive and finite. The loss is then evaluated
 * at the new T. */
#include <limits.h>
#include <math.h>

#include "framework/op.h"
#include "ops.h"

enum { X, LABELS };
static const double learning_rate = 0.1;
static const double largest_change = 1; /* of log t in one batch: a first guess far off must not run away */

static const nn_snnl_options *options_of(const nn_node *node) {
    return (const nn_snnl_options *)node->options;
}

static nn_status snnl_shape(nn_node *node, nn_error *error) {
    const nn_node *x = node->inputs[X];
    nn_status status = nn_need_labels(node, LABELS, error);
    if (status != NN_OK)
        return status;
    if (x->integer || x->shape.rank < 2 || nn_shape_row(x->shape) > INT_MAX)
        return nn_fail(error, NN_ESHAPE, "snnl '%s': '%s' is not a batch of representations", node->name,
                       x->name);
    float temperature = options_of(node)->temperature;
    if (!(temperature > 0 && isfinite(temperature)))
        return nn_fail(error, NN_EARGUMENT, "snnl '%s': the temperature %g is not positive", node->name,
                       temperature);
    node->shape = NN_SCALAR;
    node->saved_bytes = nn_snnl_workspace(x->shape.dims[0], (int)nn_shape_row(x->shape), false);
    node->report_bytes = sizeof(nn_snnl_result);
    if (node->saved_bytes == 0)
        return nn_fail(error, NN_ESHAPE, "snnl '%s': '%s' is too large", node->name, x->name);
    return NN_OK;
}

static nn_snnl_points points_of(const nn_call *call) {
    return (nn_snnl_points){.count = call->rows,
                            .dims = (int)nn_shape_row(call->node->inputs[X]->shape),
                            .x32 = call->input[X],
                            .labels = (const int32_t *)call->input[LABELS],
                            .distance = options_of(call->node)->distance};
}

/* state[0][0] is log t. */
static nn_snnl_result at_learned(const nn_call *call, const nn_snnl_points *points) {
    double start = options_of(call->node)->temperature;
    float *log_t = call->state[0];
    if (call->training) {
        nn_snnl_result before = nn_snnl_at(points, call->saved, start / exp((double)*log_t));
        *log_t -= (float)fmax(-largest_change, fmin(largest_change, learning_rate * before.slope));
    }
    return nn_snnl_at(points, call->saved, start / exp((double)*log_t));
}

static void snnl_forward(const nn_call *call) {
    const nn_snnl_options *o = options_of(call->node);
    nn_snnl_points points = points_of(call);
    nn_snnl_result *result = call->report;
    nn_snnl_begin(&points, call->saved);
    if (o->mode == NN_TEMPERATURE_OPTIMAL)
        *result = nn_snnl_optimal(&points, call->saved);
    else if (o->mode == NN_TEMPERATURE_LEARNED)
        *result = at_learned(call, &points);
    else
        *result = nn_snnl_at(&points, call->saved, o->temperature);
    *call->output = (float)result->value;
}

static void snnl_backward(const nn_call *call) {
    nn_snnl_points points = points_of(call);
    nn_snnl_gradient(&points, call->saved, call->report, *call->output_gradient, call->accumulate[X],
                     call->input_gradient[X]);
}

/* Half of the points' Gram matrix; backward the product of the weights of all pairs with the points. */
static double snnl_flop(const nn_node *node, double examples, bool backward, bool data) {
    (void)data;
    return examples * examples * (double)nn_shape_row(node->inputs[X]->shape) * (backward ? 2 : 1);
}

static const nn_op op_snnl = {.name = "snnl",
                              .shape = snnl_shape,
                              .forward = {{.whole = snnl_forward}},
                              .backward = {{.whole = snnl_backward}},
                              .backward_reads = NN_READS_INPUT(X) | NN_READS_INPUT(LABELS),
                              .early = true,
                              .flop = snnl_flop};

nn_node *nn_snnl(nn_node *x, nn_node *labels, const char *name, nn_snnl_options options) {
    if (options.temperature == 0)
        options.temperature = 100;
    nn_node *node = nn_record(&op_snnl, name, &options, sizeof options, 2, (nn_node *[]){x, labels});
    if (options.mode != NN_TEMPERATURE_LEARNED)
        return node;
    nn_entry log_t = {.shape = NN_SHAPE1(1), .init = {.kind = NN_INIT_CONSTANT}, .internal = true};
    return nn_attach_state(node, name, "log_t", log_t);
}
