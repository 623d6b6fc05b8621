/* cross_entropy.c - what a classifier's outputs are worth.
 *
 *   cross entropy  loss = mean over b of  log sum_k exp(z_bk) - z_b,label;  dz = (softmax(z) - onehot) / B
 *   accuracy       share of rows whose first largest z is the label's; passes no gradient
 *   binary         loss = mean over all n elements of  log(1 + exp(z)) - t z;  dz = (sigmoid(z) - t) / n,  dt = -z / n
 *                  which is -t log sigmoid(z) - (1 - t) log(1 - sigmoid(z)) without its overflows */
#include <math.h>

#include "framework/op.h"
#include "ops.h"

enum { LOGITS, LABELS };

static nn_status loss_shape(nn_node *node, nn_error *error) {
    nn_status status = nn_need_rank(node, LOGITS, 2, error);
    if (status == NN_OK)
        status = nn_need_labels(node, LABELS, error);
    if (status != NN_OK)
        return status;
    int outputs = node->inputs[LOGITS]->shape.dims[1], classes = node->inputs[LABELS]->classes;
    if (outputs != classes)
        return nn_fail(error, NN_ESHAPE, "%s '%s': '%s' has %d outputs for %d classes", node->op->name,
                       node->name, node->inputs[LOGITS]->name, outputs, classes);
    node->shape = NN_SCALAR;
    return NN_OK;
}

static nn_status cross_entropy_shape(nn_node *node, nn_error *error) {
    nn_status status = loss_shape(node, error);
    if (status == NN_OK)
        node->saved_bytes = nn_shape_count(node->inputs[LOGITS]->shape) * sizeof(float);
    return status;
}

/* Fills p with the softmax of z and returns log sum exp z. */
static double softmax(const float *z, int classes, float *p) {
    float largest = z[0];
    for (int k = 1; k < classes; k++)
        largest = z[k] > largest ? z[k] : largest;
    double sum = 0;
    for (int k = 0; k < classes; k++)
        sum += exp((double)z[k] - largest);
    for (int k = 0; k < classes; k++)
        p[k] = (float)(exp((double)z[k] - largest) / sum);
    return largest + log(sum);
}

static void cross_entropy_forward(const nn_call *call) {
    int classes = call->node->inputs[LOGITS]->shape.dims[1];
    const int32_t *labels = (const int32_t *)call->input[LABELS];
    float *p = call->saved;
    double sum = 0;
    for (int b = 0; b < call->rows; b++) {
        const float *z = call->input[LOGITS] + (size_t)b * classes;
        sum += softmax(z, classes, p + (size_t)b * classes) - z[labels[b]];
    }
    *call->output = (float)(sum / call->rows);
}

static void cross_entropy_backward(const nn_call *call) {
    int classes = call->node->inputs[LOGITS]->shape.dims[1];
    const int32_t *labels = (const int32_t *)call->input[LABELS];
    const float *p = call->saved;
    float *dz = call->input_gradient[LOGITS], scale = *call->output_gradient / (float)call->rows;
    for (int b = 0; b < call->rows; b++)
        for (int k = 0; k < classes; k++) {
            size_t i = (size_t)b * classes + k;
            float gradient = (p[i] - (float)(k == labels[b])) * scale;
            dz[i] = call->accumulate[LOGITS] ? dz[i] + gradient : gradient;
        }
}

static const nn_op op_cross_entropy = {.name = "cross_entropy",
                                       .shape = cross_entropy_shape,
                                       .forward = {{.whole = cross_entropy_forward}},
                                       .backward = {{.whole = cross_entropy_backward}},
                                       .early = true};

nn_node *nn_cross_entropy(nn_node *logits, nn_node *labels) {
    return nn_record(&op_cross_entropy, "cross_entropy", NULL, 0, 2, (nn_node *[]){logits, labels});
}

static void accuracy_forward(const nn_call *call) {
    int classes = call->node->inputs[LOGITS]->shape.dims[1], right = 0;
    const int32_t *labels = (const int32_t *)call->input[LABELS];
    for (int b = 0; b < call->rows; b++) {
        const float *z = call->input[LOGITS] + (size_t)b * classes;
        int best = 0;
        for (int k = 1; k < classes; k++)
            if (z[k] > z[best])
                best = k;
        right += best == labels[b];
    }
    *call->output = (float)right / (float)call->rows;
}

static const nn_op op_accuracy = {
    .name = "accuracy", .shape = loss_shape, .forward = {{.whole = accuracy_forward}}, .early = true};

nn_node *nn_accuracy(nn_node *logits, nn_node *labels) {
    return nn_record(&op_accuracy, "accuracy", NULL, 0, 2, (nn_node *[]){logits, labels});
}

/* --- binary --------------------------------------------------------------------------------------------- */

static nn_status binary_shape(nn_node *node, nn_error *error) {
    const nn_node *z = node->inputs[0], *t = node->inputs[1];
    char left[NN_SHAPE_TEXT], right[NN_SHAPE_TEXT];
    if (z->integer || t->integer || z->shape.rank == 0 || !nn_shape_equal(z->shape, t->shape))
        return nn_fail(error, NN_ESHAPE, "%s '%s': '%s' is %s, its targets '%s' are %s%s", node->op->name,
                       node->name, z->name, nn_shape_text(z->shape, left), t->name,
                       nn_shape_text(t->shape, right), t->integer ? " class numbers" : "");
    node->shape = NN_SCALAR;
    return NN_OK;
}

static void binary_forward(const nn_call *call) {
    size_t count = nn_call_count(call, call->node->inputs[0]);
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        double z = call->input[0][i];
        sum += fmax(z, 0) + log1p(exp(-fabs(z))) - call->input[1][i] * z;
    }
    *call->output = (float)(sum / (double)count);
}

static void binary_backward(const nn_call *call) {
    size_t count = nn_call_count(call, call->node->inputs[0]);
    double scale = *call->output_gradient / (double)count;
    float *dz = call->input_gradient[0], *dt = call->input_gradient[1];
    for (size_t i = 0; i < count; i++) {
        double z = call->input[0][i], t = call->input[1][i], e = exp(-fabs(z));
        float of_z = (float)(((z < 0 ? e : 1) / (1 + e) - t) * scale), of_t = (float)(-z * scale);
        if (dz)
            dz[i] = call->accumulate[0] ? dz[i] + of_z : of_z;
        if (dt)
            dt[i] = call->accumulate[1] ? dt[i] + of_t : of_t;
    }
}

static const nn_op op_binary = {.name = "binary_cross_entropy",
                                .shape = binary_shape,
                                .forward = {{.whole = binary_forward}},
                                .backward = {{.whole = binary_backward}},
                                .backward_reads = NN_READS_INPUT(0) | NN_READS_INPUT(1),
                                .early = true};

nn_node *nn_binary_cross_entropy(nn_node *logits, nn_node *targets) {
    return nn_record(&op_binary, NULL, NULL, 0, 2, (nn_node *[]){logits, targets});
}
