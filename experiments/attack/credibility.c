#include "credibility.h"

#include <stdlib.h>

#include "experiments/outliers/detection.h"

/* Everything of one measurement; arrays have an entry for each image. */
typedef struct work {
    const exp_attack_evaluation *evaluation;
    exp_attack_model *model;
    exp_dknn *dknn;
    int count;
    float *images, *adversarial; /* 0..1, then normalised */
    int32_t *labels;
    exp_dknn_verdict *verdicts[2]; /* of the images, and of the adversarial ones */
    double *scores[2];
} work;

static nn_status allocate(work *w, nn_error *error) {
    size_t count = (size_t)w->count;
    w->images = calloc(count * w->model->size, sizeof *w->images);
    w->adversarial = calloc(count * w->model->size, sizeof *w->adversarial);
    w->labels = calloc(count, sizeof *w->labels);
    for (int k = 0; k < 2; k++) {
        w->verdicts[k] = calloc(count, sizeof *w->verdicts[k]);
        w->scores[k] = calloc(count, sizeof *w->scores[k]);
    }
    return w->images && w->adversarial && w->labels && w->verdicts[0] && w->verdicts[1] && w->scores[0] &&
                   w->scores[1]
               ? NN_OK
               : nn_fail_memory(error, "the images to be judged: use --examples");
}

static void release(work *w) {
    exp_dknn_free(w->dknn);
    free(w->images);
    free(w->adversarial);
    free(w->labels);
    for (int k = 0; k < 2; k++) {
        free(w->verdicts[k]);
        free(w->scores[k]);
    }
}

/* The class that each image's attack is computed with. */
static nn_status take_aim(const work *w, int32_t *classes, nn_error *error) {
    int32_t *predictions = calloc((size_t)w->count, sizeof *predictions);
    if (!predictions)
        return nn_fail_memory(error, "predictions");
    nn_status status = exp_attack_predict(w->model, w->count, w->images, predictions, classes, error);
    exp_attack_take_aim(w->evaluation->settings, w->model->run.set.classes, w->count, w->labels, classes);
    free(predictions);
    return status;
}

static nn_status attack(work *w, const exp_attack_credibility *c, nn_error *error) {
    int32_t *classes = calloc((size_t)w->count, sizeof *classes);
    nn_status status = classes ? take_aim(w, classes, error) : nn_fail_memory(error, "classes");
    if (status == NN_OK) {
        exp_attack how = exp_attack_with(w->evaluation->settings, c->method, c->epsilon.value);
        exp_attack_batch all = {.count = w->count,
                                .size = w->model->size,
                                .first = (uint64_t)c->calibration,
                                .images = w->images,
                                .classes = classes};
        status = exp_attack_all(&how, w->model, &all, w->adversarial, w->evaluation->stop, NULL, NULL, error);
    }
    free(classes);
    return status;
}

static nn_status judge(work *w, const exp_attack_credibility *c, nn_error *error) {
    const volatile sig_atomic_t *stop = w->evaluation->stop;
    exp_dknn_options options = exp_dknn_defaults;
    options.neighbors = c->neighbors;
    options.calibration = c->calibration;
    options.training = c->training;
    options.report = c->report;
    options.context = c->context;
    options.stop = stop;
    nn_status status = exp_dknn_new(&w->dknn, &w->model->run, &options, error);
    float *const images[] = {w->images, w->adversarial};
    for (int k = 0; k < 2 && status == NN_OK && !*stop; k++) {
        exp_attack_normalise(w->model, w->count, images[k], images[k]);
        status = exp_dknn_judge(w->dknn, images[k], w->count, w->verdicts[k], NULL, error);
    }
    return status;
}

static exp_credibility_judgement sum_up(const work *w, const exp_dknn_verdict *verdicts) {
    exp_credibility_judgement j = {0};
    for (int i = 0; i < w->count; i++) {
        bool right = verdicts[i].prediction == w->labels[i];
        j.accuracy += (double)right / w->count;
        j.network_accuracy += (double)(verdicts[i].network == w->labels[i]) / w->count;
        for (int v = 0; v < EXP_DKNN_VARIANTS; v++) {
            j.reliability[v].bin_count = EXP_JUDGEMENT_BINS;
            exp_calibration_add(&j.reliability[v], verdicts[i].credibility[v], right, 0);
        }
    }
    return j;
}

static nn_status compare(const work *w, exp_attack_credibility *c, nn_error *error) {
    nn_status status = NN_OK;
    for (int v = 0; v < EXP_DKNN_VARIANTS && status == NN_OK; v++) {
        exp_detection detection;
        for (int k = 0; k < 2; k++)
            for (int i = 0; i < w->count; i++)
                w->scores[k][i] = w->verdicts[k][i].credibility[v];
        status = exp_detect(w->scores[0], w->count, w->scores[1], w->count, &detection, NULL, NULL, error);
        c->auroc[v] = detection.auroc;
    }
    return status;
}

nn_status exp_attack_credibility_check(const exp_attack_credibility *c, const exp_attack_model *m,
                                       nn_error *error) {
    int tests = m->run.set.test.count;
    if (c->calibration < tests)
        return NN_OK;
    return nn_fail(error, NN_EARGUMENT, "--calibration %d leaves none of the %d test examples to be judged",
                   c->calibration, tests);
}

nn_status exp_attack_credibility_measure(exp_attack_credibility *c, const exp_attack_evaluation *e,
                                         nn_error *error) {
    exp_attack_model *m = &e->models[0];
    int left = m->run.set.test.count - c->calibration;
    work w = {.evaluation = e, .model = m, .count = left < c->examples ? left : c->examples};
    c->examples = w.count;
    nn_status status = exp_attack_credibility_check(c, m, error);
    if (status == NN_OK)
        status = allocate(&w, error);
    if (status == NN_OK) {
        exp_attack_test_images(m, c->calibration, w.count, w.images, w.labels);
        status = attack(&w, c, error);
    }
    if (status == NN_OK && !*e->stop)
        status = judge(&w, c, error);
    if (status == NN_OK && !*e->stop) {
        c->clean = sum_up(&w, w.verdicts[0]);
        c->adversarial = sum_up(&w, w.verdicts[1]);
        status = compare(&w, c, error);
    }
    release(&w);
    return status;
}
