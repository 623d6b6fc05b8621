#include "evaluate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- images --------------------------------------------------------------------------------------------- */

void exp_attack_test_images(const exp_attack_model *m, int first, int count, float *images, int32_t *labels) {
    const data_split *test = &m->run.set.test;
    const unsigned char *pixels = test->pixels + (size_t)first * m->size;
    for (size_t k = 0; k < (size_t)count * m->size; k++)
        images[k] = (float)(pixels[k] / 255.0);
    for (int i = 0; i < count; i++)
        labels[i] = test->labels[first + i];
}

nn_status exp_attack_all(const exp_attack *attack, exp_attack_model *m, const exp_attack_batch *all,
                         float *adversarial, const volatile sig_atomic_t *stop,
                         void (*done)(void *context, int images), void *context, nn_error *error) {
    const int batch = m->run.classifier.batch;
    float *gradient = calloc((size_t)batch * m->size, sizeof *gradient);
    nn_status status = gradient ? NN_OK : nn_fail_memory(error, "gradients");
    for (int at = 0, rows; at < all->count && status == NN_OK && !*stop; at += rows) {
        rows = all->count - at < batch ? all->count - at : batch;
        size_t pixel = (size_t)at * m->size;
        exp_attack_batch part = {.count = rows,
                                 .size = m->size,
                                 .first = all->first + (uint64_t)at,
                                 .images = all->images + pixel,
                                 .classes = all->classes + at,
                                 .stop = stop};
        status = exp_attack_images(attack, exp_attack_model_gradient, m, &part, adversarial + pixel, gradient,
                                   error);
        if (done && !*stop)
            done(context, at + rows);
    }
    free(gradient);
    return status;
}

/* --- opening -------------------------------------------------------------------------------------------- */

static double share_right(const exp_attack_evaluation *e, const int32_t *predictions) {
    int right = 0;
    for (int i = 0; i < e->examples; i++)
        right += predictions[i] == e->labels[i];
    return (double)right / e->examples;
}

static nn_status look(exp_attack_evaluation *e, nn_error *error) {
    nn_status status = NN_OK;
    for (int m = 0; m < e->model_count && status == NN_OK; m++) {
        int32_t *predictions = e->predictions + (size_t)m * (size_t)e->examples;
        status = exp_attack_predict(&e->models[m], e->examples, e->images, predictions, m ? NULL : e->classes,
                                    error);
        e->clean[m] = share_right(e, predictions);
    }
    return status;
}

nn_status exp_attack_evaluation_open(exp_attack_evaluation *e, nn_error *error) {
    const exp_attack_settings *s = e->settings;
    size_t examples = (size_t)e->examples, shown = (size_t)e->model_count, size = e->models[0].size;
    e->images = calloc(examples * size, sizeof *e->images);
    e->labels = calloc(examples, sizeof *e->labels);
    e->classes = calloc(examples, sizeof *e->classes);
    e->predictions = calloc(shown * examples, sizeof *e->predictions);
    e->clean = calloc(shown, sizeof *e->clean);
    e->rows = calloc((size_t)s->method_count * (size_t)s->epsilon_count * shown, sizeof *e->rows);
    if (!e->images || !e->labels || !e->classes || !e->predictions || !e->clean || !e->rows)
        return nn_fail_memory(error, "the images: use --examples");
    exp_attack_test_images(&e->models[0], 0, e->examples, e->images, e->labels);
    nn_status status = look(e, error);
    exp_attack_take_aim(s, e->models[0].run.set.classes, e->examples, e->labels, e->classes);
    return status;
}

void exp_attack_evaluation_close(exp_attack_evaluation *e) {
    free(e->images);
    free(e->labels);
    free(e->classes);
    free(e->predictions);
    free(e->clean);
    free(e->rows);
}

const char *exp_attack_target_text(const exp_attack_evaluation *e, char *text, size_t size) {
    const char *const names[] = {"none", e->models[0].run.set.class_names[e->settings->target], "next",
                                 "least-likely"};
    snprintf(text, size, "%s", names[e->settings->aim]);
    return text;
}

/* --- attacks -------------------------------------------------------------------------------------------- */

/* Forward and backward runs of an attack on one image. */
static int iterations_of(const exp_attack_settings *s, int method) {
    return s->methods[method] == EXP_FGSM ? 1 : s->iterations;
}

typedef struct advance {
    const exp_attack_evaluation *evaluation;
    double before, here, all; /* iterations on one image: of attacks that are done, of this one, of all */
} advance;

static void advanced(void *context, int images) {
    const advance *a = context;
    const exp_attack_evaluation *e = a->evaluation;
    if (e->report)
        e->report(e->context, (a->before + a->here * images / e->examples) / a->all);
}

static bool counts(const exp_attack_evaluation *e, int m, int i) {
    const int32_t *theirs = e->predictions + (size_t)m * (size_t)e->examples;
    bool aimed = e->settings->aim != EXP_AIM_NONE;
    return e->predictions[i] == e->labels[i] && theirs[i] == e->labels[i] &&
           !(aimed && e->classes[i] == e->labels[i]);
}

static exp_attack_row row_of(const exp_attack_evaluation *e, int m, const int32_t *predictions) {
    exp_attack_row row = {.model = m, .accuracy = share_right(e, predictions)};
    int succeeded = 0;
    for (int i = 0; i < e->examples; i++) {
        bool counted = counts(e, m, i), aimed = e->settings->aim != EXP_AIM_NONE;
        row.counted += counted;
        succeeded += counted && (predictions[i] == e->classes[i]) == aimed;
    }
    row.success = row.counted ? (double)succeeded / row.counted : NAN;
    return row;
}

/* Shows an attack's images to all models. predictions [examples] is scratch. */
static nn_status show(exp_attack_evaluation *e, const exp_attack_made *made, int32_t *predictions,
                      nn_error *error) {
    nn_status status = NN_OK;
    for (int m = 0; m < e->model_count && status == NN_OK; m++) {
        status = exp_attack_predict(&e->models[m], e->examples, made->adversarial, predictions, NULL, error);
        if (status == NN_OK) {
            exp_attack_row row = row_of(e, m, predictions);
            row.method = made->method;
            row.epsilon = made->epsilon;
            e->rows[e->row_count++] = row;
        }
        if (status == NN_OK && m == 0 && e->made)
            status = e->made(e->context, made, error);
    }
    return status;
}

static nn_status attack_once(exp_attack_evaluation *e, exp_attack_made made, advance *progress,
                             float *adversarial, int32_t *predictions, nn_error *error) {
    const exp_attack_settings *s = e->settings;
    exp_attack attack = exp_attack_with(s, s->methods[made.method], s->epsilons[made.epsilon].value);
    exp_attack_batch all = {
        .count = e->examples, .size = e->models[0].size, .images = e->images, .classes = e->classes};
    progress->here = iterations_of(s, made.method);
    nn_status status =
        exp_attack_all(&attack, &e->models[0], &all, adversarial, e->stop, advanced, progress, error);
    progress->before += progress->here;
    made.adversarial = adversarial;
    made.predictions = predictions;
    return status == NN_OK && !*e->stop ? show(e, &made, predictions, error) : status;
}

nn_status exp_attack_evaluate(exp_attack_evaluation *e, nn_error *error) {
    const exp_attack_settings *s = e->settings;
    float *adversarial = calloc((size_t)e->examples * e->models[0].size, sizeof *adversarial);
    int32_t *predictions = calloc((size_t)e->examples, sizeof *predictions);
    advance progress = {.evaluation = e};
    nn_status status =
        adversarial && predictions ? NN_OK : nn_fail_memory(error, "adversarial images: use --examples");
    for (int m = 0; m < s->method_count; m++)
        progress.all += s->epsilon_count * iterations_of(s, m);
    for (int k = 0; k < s->method_count * s->epsilon_count && status == NN_OK && !*e->stop; k++) {
        exp_attack_made made = {.method = k / s->epsilon_count, .epsilon = k % s->epsilon_count};
        status = attack_once(e, made, &progress, adversarial, predictions, error);
    }
    free(adversarial);
    free(predictions);
    return status;
}
