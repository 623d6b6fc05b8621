/* cross_entropy.c - what a classifier's outputs are worth.
 *
 *   cross entropy  loss = mean over b of  log sum_k exp(z_bk) - z_b,label;  dz = (softmax(z) - onehot) / B
 *   accuracy       share of rows whose first largest z is the label's; passes no gradient */
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
            float gradient = (p[i] - (k == labels[b])) * scale;
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
