#include "model.h"

#include <string.h>

/* The path's last part, whether or not a slash follows it. */
static void name_model(exp_attack_model *m) {
    size_t end = strlen(m->path);
    while (end > 1 && m->path[end - 1] == '/')
        end--;
    size_t begin = end;
    while (begin > 0 && m->path[begin - 1] != '/')
        begin--;
    snprintf(m->name, sizeof m->name, "%.*s", (int)(end - begin), m->path + begin);
}

nn_status exp_attack_model_open(exp_attack_model *m, const exp_run_request *request, exp_purpose purpose,
                                bool training, nn_error *error) {
    exp_train_options options;
    *m = (exp_attack_model){.path = request->run};
    name_model(m);
    nn_status status = exp_trained_run_options(request, &options, error);
    if (!training)
        options.train_limit = 1;
    if (status == NN_OK)
        status = exp_trained_run_open(&m->run, request, &options, purpose, error);
    if (status == NN_OK)
        m->size = nn_shape_row(nn_node_shape(m->run.classifier.images));
    return status;
}

void exp_attack_model_close(exp_attack_model *m) {
    exp_trained_run_close(&m->run);
}

nn_status exp_attack_models_agree(const exp_attack_model *source, const exp_attack_model *target,
                                  nn_error *error) {
    const data_set *a = &source->run.set, *b = &target->run.set;
    if (a->height == b->height && a->width == b->width && a->channels == b->channels &&
        a->classes == b->classes)
        return NN_OK;
    return nn_fail(
        error, NN_ESHAPE,
        "--to %s: its images are %d x %d x %d of %d classes, the attacked run's %d x %d x %d of %d",
        target->path, b->height, b->width, b->channels, b->classes, a->height, a->width, a->channels,
        a->classes);
}

void exp_attack_model_describe(const exp_attack_model *m, char *text, size_t size) {
    char weight[32];
    const exp_train_options *o = &m->run.options;
    snprintf(text, size, "%s, SNNL weight %s, seed %llu", o->model, exp_number_text(o->snnl_weight, weight),
             (unsigned long long)o->seed);
}

void exp_attack_normalise(const exp_attack_model *m, int count, const float *images, float *normalised) {
    const int channels = m->run.set.channels;
    for (size_t k = 0; k < (size_t)count * m->size; k += (size_t)channels)
        for (int c = 0; c < channels; c++)
            normalised[k + (size_t)c] =
                (float)(((double)images[k + (size_t)c] - m->run.mean[c]) / m->run.deviation[c]);
}

static int first_largest(const float *values, int count, float sign) {
    int best = 0;
    for (int k = 1; k < count; k++)
        if (sign * values[k] > sign * values[best])
            best = k;
    return best;
}

static nn_status predict_batch(exp_attack_model *m, int count, const float *images, int32_t *predictions,
                               int32_t *least, nn_error *error) {
    exp_classifier *c = &m->run.classifier;
    exp_attack_normalise(m, count, images, nn_plan_data(c->evaluation, c->images));
    if (nn_plan_forward(c->evaluation, (nn_run){.rows = count}, error) != NN_OK)
        return error->status;
    int classes = nn_node_shape(c->logits).dims[1];
    for (int i = 0; i < count; i++) {
        const float *logits = nn_plan_data(c->evaluation, c->logits) + (size_t)i * (size_t)classes;
        predictions[i] = first_largest(logits, classes, 1);
        if (least)
            least[i] = first_largest(logits, classes, -1);
    }
    return NN_OK;
}

nn_status exp_attack_predict(exp_attack_model *m, int count, const float *images, int32_t *predictions,
                             int32_t *least, nn_error *error) {
    nn_status status = NN_OK;
    for (int done = 0, rows; done < count && status == NN_OK; done += rows) {
        rows = count - done < m->run.classifier.batch ? count - done : m->run.classifier.batch;
        status = predict_batch(m, rows, images + (size_t)done * m->size, predictions + done,
                               least ? least + done : NULL, error);
    }
    return status;
}

static nn_status gradient_of_batch(exp_attack_model *m, int count, const float *images,
                                   const int32_t *classes, float *gradient, nn_error *error) {
    exp_classifier *c = &m->run.classifier;
    nn_run run = {.rows = count};
    exp_attack_normalise(m, count, images, nn_plan_data(c->attack, c->images));
    memcpy(nn_plan_labels(c->attack, c->labels), classes, (size_t)count * sizeof *classes);
    if (nn_plan_forward(c->attack, run, error) != NN_OK || nn_plan_backward(c->attack, run, error) != NN_OK)
        return error->status;
    const float *normalised = nn_plan_gradient(c->attack, c->images);
    const size_t channels = (size_t)m->run.set.channels;
    for (size_t k = 0; k < (size_t)count * m->size; k++)
        gradient[k] = normalised[k] / m->run.deviation[k % channels];
    return NN_OK;
}

nn_status exp_attack_model_gradient(void *attacked, int count, const float *images, const int32_t *classes,
                                    float *gradient, nn_error *error) {
    exp_attack_model *m = attacked;
    nn_status status = NN_OK;
    for (int done = 0, rows; done < count && status == NN_OK; done += rows) {
        size_t at = (size_t)done * m->size;
        rows = count - done < m->run.classifier.batch ? count - done : m->run.classifier.batch;
        status = gradient_of_batch(m, rows, images + at, classes + done, gradient + at, error);
    }
    return status;
}
