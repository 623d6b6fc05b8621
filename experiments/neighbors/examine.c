#include "examine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "experiments/common/make_folder.h"
#include "experiments/outliers/files.h"
#include "pictures.h"

typedef struct examination {
    const exp_examine_options *options;
    exp_progress *progress;
    const volatile sig_atomic_t *stop;
    double begun; /* seconds */
    bool interrupted;
    const char *doing; /* for progress */
    exp_trained_run run;
    exp_dknn *dknn;
    exp_judged judged;
    exp_source sources[EXP_SOURCES_MAX]; /* of outliers */
    int source_count;
    exp_outliers outliers;
} examination;

static void report(void *context, double done) {
    examination *e = context;
    exp_progress_part(e->progress, e->doing, done);
}

/* --- before the work ------------------------------------------------------------------------------------ */

/* Makes the folder; what an earlier call said to be done there no longer is. */
static nn_status prepare_folder(const char *out, nn_error *error) {
    char path[EXP_TEXT_MAX + 16];
    if (strlen(out) >= EXP_TEXT_MAX - 64)
        return nn_fail(error, NN_EARGUMENT, "--out: the path is too long");
    nn_status status = exp_make_folders(out, error);
    if (status == NN_OK && access(out, W_OK | X_OK) != 0)
        status = nn_fail(error, NN_EFILE, "--out: cannot write to the folder %s: %s", out, strerror(errno));
    snprintf(path, sizeof path, "%s/summary.json", out);
    if (status == NN_OK && unlink(path) != 0 && errno != ENOENT)
        status = nn_fail(error, NN_EFILE, "--out: cannot remove %s: %s", path, strerror(errno));
    return status;
}

static nn_status open_run(examination *e, nn_error *error) {
    const exp_examine_options *o = e->options;
    exp_run_request request = {.run = o->run, .data = o->data};
    exp_train_options options;
    nn_status status = exp_trained_run_options(&request, &options, error);
    if (status == NN_OK)
        status = exp_trained_run_open(&e->run, &request, &options, EXP_DUMP, error);
    exp_progress_note(e->progress, e->run.set.name, e->run.set.note);
    if (status == NN_OK && o->calibration >= (uint64_t)e->run.set.test.count)
        status = nn_fail(error, NN_EARGUMENT,
                         "--calibration: %llu of the %d test examples of %s would leave none to judge",
                         (unsigned long long)o->calibration, e->run.set.test.count, e->run.set.name);
    return status;
}

static nn_status find_sources(examination *e, nn_error *error) {
    const exp_examine_options *o = e->options;
    if (!o->outliers[0])
        return NN_OK;
    const char *own = e->run.set.name;
    char left_out[EXP_SOURCES_TEXT];
    nn_status status =
        exp_sources_parse(o->outliers, o->skip_missing ? NULL : own, e->sources, &e->source_count, error);
    if (status == NN_OK && o->skip_missing) {
        exp_sources_keep_present(e->sources, &e->source_count, own, exp_data_root(o->data), left_out);
        if (left_out[0])
            exp_progress_say(e->progress, "NOTE: --outliers: left out: %s", left_out);
    }
    if (status == NN_OK)
        status = exp_sources_check(e->sources, e->source_count, exp_data_root(o->data), error);
    return status;
}

/* How many examples after those for calibration are judged. */
static int judged_count(const examination *e) {
    uint64_t left = (uint64_t)e->run.set.test.count - e->options->calibration, wanted = e->options->examples;
    return (int)(wanted == 0 || wanted > left ? left : wanted);
}

/* The test examples named by --show, as places among the judged ones. */
static nn_status read_shown(const examination *e, exp_neighbors_result *r, nn_error *error) {
    char text[EXP_TEXT_MAX], *rest = NULL;
    int first = (int)e->options->calibration, count = judged_count(e);
    strcpy(text, e->options->show);
    for (char *item = strtok_r(text, ", ", &rest); item; item = strtok_r(NULL, ", ", &rest)) {
        char *end;
        long index = strtol(item, &end, 10);
        if (*end || index < first || index >= (long)first + count)
            return nn_fail(error, NN_EARGUMENT,
                           "--show: '%s' is none of the test examples that are judged, %d to %d", item, first,
                           first + count - 1);
        if (r->shown_count == EXP_SHOWN_MAX)
            return nn_fail(error, NN_EARGUMENT, "--show: more than %d examples", EXP_SHOWN_MAX);
        r->shown[r->shown_count++] = (int)index - first;
    }
    return NN_OK;
}

/* --- the work ------------------------------------------------------------------------------------------- */

static nn_status open_dknn(examination *e, nn_error *error) {
    const exp_examine_options *o = e->options;
    exp_dknn_options options = exp_dknn_defaults;
    options.layers = o->layers;
    options.neighbors = (int)o->neighbors;
    options.calibration = (int)o->calibration;
    options.training = (int)o->train_limit;
    options.report = report;
    options.context = e;
    options.stop = e->stop;
    return exp_dknn_new(&e->dknn, &e->run, &options, error);
}

/* More neighbours than a class has examples cannot all agree, however clear the case is. */
static void note_few(const examination *e) {
    int each = exp_dknn_training(e->dknn) / exp_dknn_classes(e->dknn);
    if (each < exp_dknn_neighbors(e->dknn))
        exp_progress_say(
            e->progress,
            "NOTE: %d training images are about %d of each class: with %d neighbors some must be "
            "of other classes; take fewer (--neighbors)",
            exp_dknn_training(e->dknn), each, exp_dknn_neighbors(e->dknn));
}

static nn_status judge(examination *e, nn_error *error) {
    e->doing = "calibrating, judging test images";
    return exp_judged_new(&e->judged, e->dknn, &e->run, &e->run.set.test, (int)e->options->calibration,
                          judged_count(e), error);
}

static void report_outliers(void *context, const char *doing, double done) {
    examination *e = context;
    e->doing = doing; /* of the DkNN's own reports too */
    report(e, done);
}

static nn_status compare(examination *e, nn_error *error) {
    exp_outliers_options options = {.sources = e->sources,
                                    .source_count = e->source_count,
                                    .root = exp_data_root(e->options->data),
                                    .first = e->judged.first,
                                    .count = e->judged.count,
                                    .verdicts = e->judged.verdicts,
                                    .variant = (exp_dknn_variant)e->options->variant,
                                    .seed = e->options->seed,
                                    .report = report_outliers,
                                    .context = e,
                                    .stop = e->stop};
    return exp_outliers_measure(&e->outliers, &e->run, e->options->run, e->dknn, &options, error);
}

static void choose_shown(exp_neighbors_result *r) {
    if (r->shown_count > 0)
        return;
    r->chosen = true;
    r->shown[0] = exp_judged_most_credible(r->judged, r->variant);
    r->shown[1] = exp_judged_least_credible(r->judged, r->variant);
    r->shown_count = 2;
}

static nn_status write_files(examination *e, exp_neighbors_result *r, nn_error *error) {
    r->statistics = exp_neighbors_measure(&e->judged);
    choose_shown(r);
    nn_status status = exp_neighbors_write_table(r, error);
    if (status == NN_OK)
        status = exp_neighbors_draw_credibility(r, error);
    if (status == NN_OK)
        status = exp_neighbors_draw_sheet(r, error);
    if (status == NN_OK && r->outliers)
        status = exp_outliers_write(r->outliers, r->out, error);
    r->seconds = exp_seconds() - e->begun;
    return status;
}

static void conclude(const examination *e, const exp_neighbors_result *r) {
    const exp_neighbors_statistics *s = &r->statistics;
    const exp_credibility *c = &s->variants[r->variant];
    exp_progress_say(
        e->progress,
        "%d test images of %s: accuracy %.4f (network %.4f), mean credibility %.3f, confidence %.3f "
        "(%s), %.1f s: see %s",
        s->count, e->run.set.name, s->accuracy, s->network_accuracy, c->credibility, c->confidence,
        exp_dknn_variants[r->variant], r->seconds, r->out);
    for (int k = 0; k < e->outliers.sources; k++) {
        char line[EXP_OUTLIER_LINE_MAX];
        exp_progress_say(e->progress, "%s", exp_outliers_line(&e->outliers, k, line));
    }
}

static nn_status examine(examination *e, nn_error *error) {
    exp_neighbors_result r = {.run_folder = e->options->run,
                              .out = e->options->out,
                              .run = &e->run,
                              .judged = &e->judged,
                              .variant = (exp_dknn_variant)e->options->variant,
                              .calibration = (int)e->options->calibration};
    nn_status status = read_shown(e, &r, error);
    if (status == NN_OK)
        status = open_dknn(e, error);
    if (status == NN_OK && !*e->stop) {
        note_few(e);
        status = judge(e, error);
    }
    if (status == NN_OK && !*e->stop && e->source_count > 0) {
        r.outliers = &e->outliers;
        status = compare(e, error);
    }
    if (status == NN_OK && !*e->stop)
        status = write_files(e, &r, error);
    e->interrupted = *e->stop;
    if (status != NN_OK || e->interrupted)
        return status;
    status = exp_neighbors_write_summary(&r, e->options->json ? stdout : NULL, error);
    if (status == NN_OK)
        conclude(e, &r);
    return status;
}

nn_status exp_examine(const exp_examine_options *options, exp_progress *progress,
                      const volatile sig_atomic_t *stop, bool *interrupted, nn_error *error) {
    examination e = {.options = options, .progress = progress, .stop = stop, .begun = exp_seconds()};
    nn_status status = open_run(&e, error);
    if (status == NN_OK)
        status = find_sources(&e, error);
    if (status == NN_OK)
        status = prepare_folder(options->out, error);
    if (status == NN_OK)
        status = examine(&e, error);
    *interrupted = e.interrupted;
    exp_outliers_free(&e.outliers);
    exp_judged_free(&e.judged);
    exp_dknn_free(e.dknn);
    exp_trained_run_close(&e.run);
    return status;
}
