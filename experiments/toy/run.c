#include "run.h"

#include <math.h>
#include <string.h>

#include "experiments/common/make_folder.h"
#include "experiments/common/progress.h"
#include "files.h"
#include "framework/kernels/kernels.h"
#include "pictures.h"

enum { QUARTERS = 4 };

typedef struct descent {
    const exp_toy_options *options;
    const volatile sig_atomic_t *stop;
    double temperature; /* 0: optimal */
    int threshold_count;
    double thresholds[EXP_TOY_THRESHOLDS];
    exp_toy_points points;
    exp_toy_record record;
    exp_progress progress;
} descent;

/* --- the descent ---------------------------------------------------------------------------------------- */

/* Whether a snapshot follows `step` for its number: after each quarter of the steps. */
static bool is_due(const descent *d, uint64_t step) {
    if (d->threshold_count > 0)
        return false;
    for (uint64_t quarter = 1; quarter <= QUARTERS; quarter++)
        if (step == (d->options->steps * quarter + QUARTERS / 2) / QUARTERS)
            return true;
    return false;
}

static bool is_finished(const descent *d) {
    return d->threshold_count > 0 && d->record.threshold_next == d->threshold_count;
}

static void tell_snapshot(descent *d) {
    const exp_toy_picture *now = exp_toy_record_snapshot_now(&d->record);
    char text[32];
    if (!now)
        return;
    bool at_threshold = !isnan(now->threshold);
    exp_progress_say(&d->progress, "step %-6llu SNNL %-9.6g T %-9.4g%s%s", (unsigned long long)now->step,
                     now->value, now->temperature,
                     at_threshold ? d->options->maximise ? " at least " : " at most " : "",
                     at_threshold ? exp_number_text(now->threshold, text) : "");
}

/* Where every point's nearest neighbor is of its class the loss falls to 0 as the temperature does: there is
 * nothing to ascend by. */
static nn_status check_start(descent *d, nn_error *error) {
    const double least = 1e-9;
    if (!d->options->maximise || exp_toy_points_measure(&d->points, d->temperature).value > least)
        return NN_OK;
    return nn_fail(
        error, NN_EARGUMENT,
        "--apart: %g is too far: every nearest neighbor is of the same class, the loss 0 and without "
        "a gradient: lower it, or give a higher --temperature",
        d->options->apart);
}

static nn_status begin(descent *d, nn_error *error) {
    const exp_toy_options *o = d->options;
    nn_status status = exp_toy_temperature(o, &d->temperature, error);
    if (status == NN_OK)
        status = exp_toy_thresholds(o, d->thresholds, &d->threshold_count, error);
    if (status == NN_OK)
        status = exp_toy_points_new(&d->points, (int)o->points, (int)o->classes, o->apart, o->seed, error);
    if (status == NN_OK)
        status =
            exp_toy_record_new(&d->record, &d->points, o->maximise, d->thresholds, d->threshold_count, error);
    return status == NN_OK ? check_start(d, error) : status;
}

static nn_status descend(descent *d, nn_error *error) {
    const exp_toy_options *o = d->options;
    double rate = o->maximise ? o->rate : -o->rate;
    for (uint64_t step = 0;; step++) {
        nn_snnl_result measured = exp_toy_points_measure(&d->points, d->temperature);
        nn_status status = exp_toy_record_step(&d->record, &d->points, &measured, is_due(d, step), error);
        if (status != NN_OK)
            return status;
        tell_snapshot(d);
        if (step == o->steps || is_finished(d) || *d->stop)
            return exp_toy_record_end(&d->record, &d->points, error);
        status = exp_toy_points_move(&d->points, &measured, rate, error);
        if (status != NN_OK)
            return status;
    }
}

/* --- the result ----------------------------------------------------------------------------------------- */

static void take_result(const descent *d, exp_toy_result *result) {
    const exp_toy_record *r = &d->record;
    result->steps = r->steps;
    result->start_snnl = r->rows[0].value;
    result->end_snnl = r->rows[r->steps].value;
    result->limit = r->limit;
    result->interrupted = r->steps < d->options->steps && !is_finished(d);
    result->snapshot_count = r->snapshot_count;
    for (int i = 0; i < r->snapshot_count; i++)
        result->snapshots[i] = (exp_toy_snapshot){r->snapshots[i].step, r->snapshots[i].value,
                                                  r->snapshots[i].temperature, r->snapshots[i].threshold};
    result->threshold_count = r->threshold_count;
    memcpy(result->thresholds, r->thresholds, sizeof result->thresholds);
}

static void tell_missed(descent *d) {
    const exp_toy_record *r = &d->record;
    exp_progress always = exp_progress_begin(false);
    char threshold[32], missed[32 * EXP_TOY_THRESHOLDS] = "";
    for (int i = r->threshold_next; i < r->threshold_count; i++)
        snprintf(missed + strlen(missed), sizeof missed - strlen(missed), "%s%s", missed[0] ? ", " : "",
                 exp_number_text(r->thresholds[i].value, threshold));
    if (missed[0])
        exp_progress_say(&always, "NOTE: after %llu steps the loss is %.6g; not reached: %s",
                         (unsigned long long)r->steps, r->rows[r->steps].value, missed);
}

static nn_status make_folder(const exp_toy_options *o, exp_toy_result *result, nn_error *error) {
    char stem[64];
    snprintf(stem, sizeof stem, "toy%s-seed%llu", o->maximise ? "-maximise" : "",
             (unsigned long long)o->seed);
    nn_status status = o->run[0] ? exp_make_folder_named(result->run, o->run, error)
                                 : exp_make_folder_new(result->run, stem, error);
    if (status == NN_OK)
        status = exp_toy_write_config(result->run, o, error);
    return status;
}

/* Pictures come last: all that was computed is there even where gnuplot is not. */
static nn_status finish(descent *d, exp_toy_result *result, nn_error *error) {
    take_result(d, result);
    tell_missed(d);
    nn_status status = exp_toy_write_values(result->run, &d->record, error);
    if (status == NN_OK)
        status = exp_toy_write_points(result->run, &d->record, error);
    if (status == NN_OK)
        status = exp_toy_write_summary(d->options, result, error);
    if (status == NN_OK && d->options->pictures)
        status = exp_toy_draw(result->run, &d->record, d->options, error);
    return status;
}

nn_status exp_toy_run(const exp_toy_options *options, const volatile sig_atomic_t *stop,
                      exp_toy_result *result, nn_error *error) {
    descent d = {.options = options, .stop = stop, .progress = exp_progress_begin(options->quiet)};
    int threads_before = nn_threads();
    *result = (exp_toy_result){0};
    nn_threads_set((int)options->threads);
    nn_status status = begin(&d, error);
    if (status == NN_OK)
        status = make_folder(options, result, error);
    double started = exp_seconds();
    if (status == NN_OK)
        status = descend(&d, error);
    result->seconds = exp_seconds() - started;
    if (status == NN_OK)
        status = finish(&d, result, error);
    nn_threads_set(threads_before);
    exp_toy_record_free(&d.record);
    exp_toy_points_free(&d.points);
    return status;
}
