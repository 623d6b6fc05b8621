#include "judge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *exp_gan_judge_tap(const exp_gan_judge *judge, int tap) {
    return exp_tap_name(&judge->run.classifier, tap);
}

/* --- quality -------------------------------------------------------------------------------------------- */

/* Adds a sample by its logits. */
static void add_sample(exp_gan_quality *q, const float *logits) {
    int best = 0;
    double sum = 0;
    for (int k = 1; k < q->classes; k++)
        best = logits[k] > logits[best] ? k : best;
    for (int k = 0; k < q->classes; k++)
        sum += exp((double)logits[k] - logits[best]);
    q->top_probability += 1 / sum;
    q->share[best]++;
    q->samples++;
}

static void finish_quality(exp_gan_quality *q) {
    q->top_probability /= q->samples;
    q->least_share = 1;
    for (int k = 0; k < q->classes; k++) {
        q->share[k] /= q->samples;
        q->least_share = fmin(q->least_share, q->share[k]);
        q->entropy -= q->share[k] > 0 ? q->share[k] * log(q->share[k]) : 0;
    }
}

/* --- looking -------------------------------------------------------------------------------------------- */

/* From -1..1 to what the classifier was trained on. */
static void feed(exp_gan_judge *j, const float *images, int rows) {
    const exp_trained_run *run = &j->run;
    const exp_classifier *c = &run->classifier;
    float *to = nn_plan_data(c->evaluation, c->images);
    int channels = run->set.channels;
    size_t count = (size_t)rows * nn_shape_row(nn_node_shape(c->images));
    for (size_t i = 0; i < count; i++) {
        size_t channel = i % (size_t)channels;
        to[i] = ((images[i] + 1) / 2 - run->mean[channel]) / run->deviation[channel];
    }
    memset(nn_plan_labels(c->evaluation, c->labels), 0, (size_t)rows * sizeof(int32_t));
}

static void take_taps(const exp_gan_judge *j, bool real, int first, int rows) {
    const exp_classifier *c = &j->run.classifier;
    for (int i = 0; i < j->taps; i++) {
        const exp_gan_contrast *contrast = &j->contrast[i];
        int left = contrast->count - first, taken = rows < left ? rows : left;
        float *to = real ? exp_gan_contrast_real(contrast) : exp_gan_contrast_generated(contrast);
        if (taken > 0)
            memcpy(to + (size_t)first * (size_t)contrast->dims,
                   nn_plan_data(c->evaluation, nn_tap_node(c->graph, i)),
                   (size_t)taken * (size_t)contrast->dims * sizeof *to);
    }
}

static nn_status look(exp_gan_judge *j, bool real, const float *images, int count, exp_gan_quality *q,
                      nn_error *error) {
    const exp_classifier *c = &j->run.classifier;
    size_t row = nn_shape_row(nn_node_shape(c->images));
    *q = (exp_gan_quality){.classes = j->run.set.classes};
    for (int done = 0; done < count; done += c->batch) {
        int rows = count - done < c->batch ? count - done : c->batch;
        feed(j, images + (size_t)done * row, rows);
        if (nn_plan_forward(c->evaluation, (nn_run){.rows = rows}, error) != NN_OK)
            return error->status;
        take_taps(j, real, done, rows);
        for (int i = 0; i < rows; i++)
            add_sample(q, nn_plan_data(c->evaluation, c->logits) + (size_t)i * (size_t)q->classes);
    }
    finish_quality(q);
    return NN_OK;
}

nn_status exp_gan_judge_look(exp_gan_judge *j, const float *images, int count, exp_gan_quality *quality,
                             nn_error *error) {
    nn_status status = look(j, false, images, count, quality, error);
    for (int i = 0; i < j->taps && status == NN_OK; i++)
        status = exp_gan_contrast_measure(&j->contrast[i], error);
    return status;
}

/* --- opening -------------------------------------------------------------------------------------------- */

static nn_status make_contrasts(exp_gan_judge *j, const exp_gan_real *real, nn_error *error) {
    nn_status status = NN_OK;
    for (int i = 0; i < j->run.classifier.taps && status == NN_OK; i++) {
        size_t dims = nn_shape_row(nn_node_shape(nn_tap_node(j->run.classifier.graph, i)));
        j->taps = i + 1;
        status = exp_gan_contrast_new(&j->contrast[i], real->examples, dims, false, error);
    }
    return status;
}

nn_status exp_gan_judge_open(exp_gan_judge *j, const exp_gan_options *o, const exp_gan_real *real,
                             nn_error *error) {
    exp_run_request request = {.run = o->classifier, .data = o->data};
    exp_train_options options;
    *j = (exp_gan_judge){0};
    nn_status status = exp_trained_run_options(&request, &options, error);
    if (status == NN_OK && strcmp(options.dataset, o->dataset) != 0)
        return nn_fail(error, NN_EARGUMENT, "--classifier: %s was trained on %s, not on %s", o->classifier,
                       options.dataset, o->dataset);
    if (status == NN_OK)
        status = exp_trained_run_open(&j->run, &request, &options, EXP_DUMP, error);
    const data_set *set = &j->run.set;
    if (status == NN_OK &&
        (set->height != real->height || set->width != real->width || set->channels != real->channels))
        return nn_fail(error, NN_EARGUMENT,
                       "--classifier: %s was trained on images of %d x %d (width x height), not %d x %d: "
                       "give --image-size %dx%d",
                       o->classifier, set->width, set->height, real->width, real->height, set->width,
                       set->height);
    if (status == NN_OK)
        status = make_contrasts(j, real, error);
    return status == NN_OK ? look(j, true, real->held, real->examples, &j->real, error) : status;
}

void exp_gan_judge_close(exp_gan_judge *j) {
    for (int i = 0; i < j->taps; i++)
        exp_gan_contrast_free(&j->contrast[i]);
    exp_trained_run_close(&j->run);
    *j = (exp_gan_judge){0};
}
