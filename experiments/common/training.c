#include "training.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "checkpoint.h"
#include "framework/kernels/kernels.h"
#include "initial.h"
#include "plot.h"
#include "profile_table.h"
#include "progress.h"
#include "trained_run.h"

enum { TRAIN_EXAMPLES_MEASURED = 10000, UNTIMED_STEPS = 2 };
static const uint64_t NOT_SAVED = UINT64_MAX;

typedef struct training {
    exp_train_options resolved; /* the caller's, with the checksum of --init's file */
    const exp_train_options *options;
    const data_set *set;
    const volatile sig_atomic_t *stop;
    exp_classifier classifier;
    nn_optimizer optimizer;
    nn_schedule schedule;
    data_loader *train, *test;
    exp_run_folder folder;
    exp_progress progress;
    uint64_t steps; /* of the whole run */
    double epochs;
    exp_position start;    /* where this part of the run began: step 0, or a checkpoint's */
    uint64_t saved;        /* step of the newest checkpoint, NOT_SAVED: none */
    double begin;          /* exp_seconds() at the first step, had the run not stopped in between */
    exp_step_times times;  /* of this part's training steps alone, the first two left out; */
    uint64_t timed_images; /* and the images of these, and of those in the parts before */
    exp_row row;           /* of the last step */
    exp_measurement test_measurement; /* of the last evaluation; with taps after the last step */
} training;

/* --- opening -------------------------------------------------------------------------------------------- */

static nn_status open_loaders(training *t, nn_error *error) {
    const exp_train_options *o = t->options;
    data_batch_options batches = {.batch = (int)o->batch,
                                  .shuffle = true,
                                  .balanced = o->balanced,
                                  .augment = o->augment,
                                  .seed = o->seed};
    nn_status status = data_loader_new(&t->train, t->set, &t->set->train, batches, error);
    if (status == NN_OK && t->set->test.count > 0)
        status =
            data_loader_new(&t->test, t->set, &t->set->test, exp_evaluation_batches((int)o->batch), error);
    return status;
}

static void set_length(training *t) {
    const exp_train_options *o = t->options;
    double batches = data_loader_batches(t->train);
    t->steps = o->steps ? o->steps : (uint64_t)ceil(o->epochs * batches);
    t->epochs = (double)t->steps / batches;
    t->schedule = (nn_schedule){.kind = o->schedule,
                                .rate = o->rate,
                                .steps = t->steps,
                                .warmup = (uint64_t)(o->warmup * batches + 0.5)};
}

static nn_status open(training *t, nn_error *error) {
    const exp_train_options *o = t->options;
    if (t->set->train.count == 0)
        return nn_fail(error, NN_EARGUMENT, "%s has no training examples in %s: it can only be measured",
                       t->set->name, t->set->source);
    nn_optimizer_options optimizer = {.kind = o->optimizer,
                                      .momentum = (float)o->momentum,
                                      .nesterov = o->nesterov,
                                      .weight_decay = (float)o->weight_decay,
                                      .decay_all = o->decay_all};
    nn_status status = exp_classifier_build(&t->classifier, o, t->set, EXP_TRAIN, error);
    if (status == NN_OK)
        status = nn_optimizer_begin(&t->optimizer, &t->classifier.store, optimizer, error);
    if (status == NN_OK)
        status = open_loaders(t, error);
    if (status == NN_OK)
        set_length(t);
    if (status == NN_OK && o->init[0] && !(o->resume && exp_checkpoint_exists(o->run)))
        status = exp_initial_load(&t->resolved, t->set, &t->classifier, &t->progress, error);
    return status == NN_OK ? exp_run_folder_open(&t->folder, o, error) : status;
}

static void close(training *t) {
    exp_run_folder_close(&t->folder);
    data_loader_free(t->train);
    data_loader_free(t->test);
    nn_optimizer_free(&t->optimizer);
    exp_classifier_free(&t->classifier);
}

static void describe_data(exp_progress *p, const data_set *set) {
    char names[512] = "";
    for (int i = 0; i < set->classes; i++)
        snprintf(names + strlen(names), sizeof names - strlen(names), " %s", set->class_names[i]);
    exp_progress_say(p, "data     %s from %s, checksum %016llx", set->name, set->source,
                     (unsigned long long)set->checksum);
    exp_progress_say(p, "         %d training and %d test images of %d x %d x %d, %d classes:%s",
                     set->train.count, set->test.count, set->height, set->width, set->channels, set->classes,
                     names);
    exp_progress_note(p, set->name, set->note);
}

static void describe(training *t) {
    const exp_train_options *o = t->options;
    const exp_classifier *c = &t->classifier;
    exp_progress *p = &t->progress;
    describe_data(p, t->set);
    exp_progress_say(p, "model    %s, %zu parameters, %d taps", o->model, c->store.parameter_count, c->taps);
    exp_progress_say(p, "memory   %.1f MiB for training steps, %.1f MiB for evaluation",
                     (double)nn_plan_bytes(c->training) / (1 << 20),
                     (double)nn_plan_bytes(c->evaluation) / (1 << 20));
    exp_progress_say(p, "kernels  %s, %d threads", nn_kernels_active()->name, nn_threads());
    char weighted[400] = "";
    for (int i = 0; i < c->taps; i++)
        if (c->weight[i] != 0)
            snprintf(weighted + strlen(weighted), sizeof weighted - strlen(weighted), " %s=%g",
                     exp_tap_name(c, i), c->weight[i]);
    exp_progress_say(p, "loss     cross-entropy%s%s", weighted[0] ? " - SNNL of" : ", SNNL measured only",
                     weighted);
    exp_progress_say(p, "run      %s", t->folder.path);
    if (o->snnl_weight == 0 && strchr(o->snnl_layers, '='))
        exp_progress_say(p,
                         "note     --snnl-layers gives weights, but --snnl-weight is 0: nothing is weighted");
}

/* --- going on ------------------------------------------------------------------------------------------- */

static exp_checkpoint checkpoint_of(training *t) {
    return (exp_checkpoint){
        .folder = &t->folder, .options = t->options, .set = t->set, .optimizer = &t->optimizer};
}

/* What is to be said of the checkpoint that was found, and whether the run may be as long as asked for. */
static nn_status check_found(training *t, const exp_checkpoint_found *found, nn_error *error) {
    if (found->damage[0])
        exp_progress_warn(&t->progress, "NOTE: %s: going on from the checkpoint before it", found->damage);
    if (strcmp(found->version, exp_version) != 0)
        exp_progress_say(&t->progress, "note     the checkpoint is of entangle %s, this is %s",
                         found->version, exp_version);
    if (t->steps < found->position.steps)
        return nn_fail(error, NN_EARGUMENT,
                       "--epochs, --steps: a run of %llu steps cannot become one of %llu: it can only grow",
                       (unsigned long long)found->position.steps, (unsigned long long)t->steps);
    return NN_OK;
}

static nn_status go_on(training *t, const exp_position *from, nn_error *error) {
    t->start = *from;
    t->saved = from->step;
    t->timed_images = from->timed_images;
    t->row.step = from->step;
    t->row.images = from->images;
    t->row.epoch = (double)from->images / t->set->train.count;
    data_loader_seek(t->train, from->step);
    exp_progress_say(&t->progress, "resumed  after step %llu of %llu", (unsigned long long)from->step,
                     (unsigned long long)t->steps);
    return exp_run_folder_go_on(&t->folder, t->options, &t->classifier, from->step, from->seconds, error);
}

/* From where this part of the run goes on: the beginning, or the newest checkpoint. */
static nn_status find_start(training *t, nn_error *error) {
    const char *folder = t->folder.path;
    exp_checkpoint_found found;
    char *line;
    if (!t->options->resume)
        return exp_run_folder_begin(&t->folder, t->options, &t->classifier, error);
    const exp_checkpoint checkpoint = checkpoint_of(t);
    nn_status status = exp_checkpoint_load(&checkpoint, &found, error);
    if (status != NN_OK)
        return status;
    if (found.any) {
        status = check_found(t, &found, error);
        return status == NN_OK ? go_on(t, &found.position, error) : status;
    }
    if (exp_summary_of_finished(folder, &line)) {
        free(line);
        return nn_fail(error, NN_EARGUMENT, "--resume: %s is finished and has no checkpoint to train on from",
                       folder);
    }
    exp_progress_say(&t->progress, "resumed  from the beginning: %s has no checkpoint yet", folder);
    return exp_run_folder_begin(&t->folder, t->options, &t->classifier, error);
}

/* --- saving --------------------------------------------------------------------------------------------- */

/* A run cannot go on with NaNs: says when and where they came, what may help, and what is still there. */
static nn_status blame(const training *t, nn_error *error) {
    nn_error cause = *error;
    char kept[96] = "";
    if (cause.status != NN_ENUMERIC)
        return cause.status;
    if (t->saved != NOT_SAVED)
        snprintf(kept, sizeof kept, " (the checkpoint of step %llu stays)", (unsigned long long)t->saved);
    *error = (nn_error){0};
    return nn_fail(error, cause.status,
                   "step %llu, learning rate %g: %s%s: start anew with a lower --lr, a longer --warmup or a "
                   "smaller --snnl-weight",
                   (unsigned long long)t->row.step, t->row.rate, cause.message, kept);
}

/* Says how a run goes on that could not be saved. Training without being able to save would only lose more. */
static nn_status explain_unsaved(const training *t, nn_error *error) {
    nn_error cause = *error;
    char command[EXP_COMMAND_MAX];
    if (cause.status != NN_EFILE || t->saved == NOT_SAVED)
        return blame(t, error);
    *error = (nn_error){0};
    return nn_fail(error, cause.status, "%s; step %llu is saved: make room, then %s", cause.message,
                   (unsigned long long)t->saved, exp_resume_command(t->options, t->folder.path, command));
}

/* Rows first: none may be missing that the checkpoint takes as written. */
static nn_status save_checkpoint(training *t, nn_error *error) {
    const exp_checkpoint checkpoint = checkpoint_of(t);
    const exp_position position = {.step = t->row.step,
                                   .images = t->row.images,
                                   .steps = t->steps,
                                   .seconds = exp_seconds() - t->begin,
                                   .timed_seconds = t->start.timed_seconds + t->times.all,
                                   .timed_images = t->timed_images};
    nn_status status = exp_run_folder_sync(&t->folder, error);
    if (status == NN_OK)
        status = exp_checkpoint_save(&checkpoint, &position, error);
    if (status == NN_OK)
        t->saved = position.step;
    return status;
}

static nn_status save(training *t, bool checkpoint, nn_error *error) {
    nn_status status = checkpoint ? save_checkpoint(t, error) : NN_OK;
    if (status == NN_OK)
        status = exp_trained_model_save(&t->classifier, t->options, t->set,
                                        exp_run_folder_file(&t->folder, "model.safetensors"), error);
    return status == NN_OK ? status : explain_unsaved(t, error);
}

/* --- steps ---------------------------------------------------------------------------------------------- */

static bool divides(uint64_t period, uint64_t n) {
    return period && n % period == 0;
}

/* Whether an evaluation follows step `number`, taken with `batch`: every so many epochs, and at the end. */
static bool evaluates(const training *t, uint64_t number, const data_batch *batch) {
    uint64_t every = t->options->eval_every;
    bool due = batch->epoch_end && divides(every, (uint64_t)batch->epoch + 1);
    return t->test && (due || (every && number == t->steps));
}

/* Forward, backward and update for the next batch; fills in the row. */
static nn_status take_step(training *t, const data_batch *batch, bool log, nn_error *error) {
    exp_classifier *c = &t->classifier;
    exp_row *row = &t->row;
    nn_run run = {.rows = batch->count, .metrics = log, .step = row->step};
    row->rate = nn_schedule_rate(&t->schedule, row->step);
    row->step++;
    double start = exp_seconds();
    exp_classifier_feed(c, c->training, batch);
    t->times.feed += exp_seconds() - start;
    nn_status status = nn_plan_forward(c->training, run, error);
    if (status == NN_OK)
        status = nn_plan_backward(c->training, run, error);
    if (status != NN_OK)
        return blame(t, error);
    start = exp_seconds();
    nn_optimizer_step(&t->optimizer, (float)row->rate);
    t->times.optimizer += exp_seconds() - start;
    exp_classifier_read(c, c->training, log, &row->training);
    row->images += (uint64_t)batch->count;
    row->epoch = (double)row->images / t->set->train.count;
    return NN_OK;
}

static nn_status log_row(training *t, nn_error *error) {
    nn_status status = exp_run_folder_log(&t->folder, &t->classifier, &t->row, error);
    return status == NN_OK ? status : explain_unsaved(t, error);
}

static nn_status evaluate_and_draw(training *t, nn_error *error) {
    exp_measurement *m = &t->test_measurement;
    bool last = t->row.step == t->steps;
    nn_error drawing = {0};
    if (exp_classifier_evaluate(&t->classifier, t->test, last, m, error) != NN_OK)
        return blame(t, error);
    t->row.evaluated = true;
    t->row.test_loss = m->cross_entropy;
    t->row.test_accuracy = m->accuracy;
    exp_progress_say(&t->progress, "epoch %.4g: test loss %.4f, test accuracy %.2f%%", t->row.epoch,
                     m->cross_entropy, 100 * m->accuracy);
    if (t->options->log_every && log_row(t, error) != NN_OK)
        return error->status;
    if (t->options->log_every && !last && exp_plot_run(t->folder.path, true, &drawing) != NN_OK)
        exp_progress_say(&t->progress, "note     no picture: %s", drawing.message);
    return NN_OK;
}

/* From the next step on, with clocks settled and memory touched. */
static nn_status start_times(training *t, nn_error *error) {
    t->times = (exp_step_times){0};
    return t->options->profile ? nn_plan_profile(t->classifier.training, error) : NN_OK;
}

/* In training steps alone, over all parts of the run. */
static double images_per_second(const training *t) {
    return t->timed_images ? (double)t->timed_images / (t->start.timed_seconds + t->times.all) : 0;
}

static nn_status next_step(training *t, nn_error *error) {
    double start = exp_seconds();
    uint64_t number = t->row.step + 1;
    if (number == t->start.step + UNTIMED_STEPS + 1 && start_times(t, error) != NN_OK)
        return error->status;
    const data_batch *batch = data_loader_next(t->train);
    t->times.data += exp_seconds() - start;
    bool evaluate = evaluates(t, number, batch);
    bool log = t->options->log_every &&
               (evaluate || number == 1 || number == t->steps || divides(t->options->log_every, number));
    t->row.evaluated = false;
    nn_status status = take_step(t, batch, log, error);
    if (status != NN_OK)
        return status;
    double now = exp_seconds();
    t->row.seconds = now - t->begin;
    if (number > t->start.step + UNTIMED_STEPS) {
        t->times.all += now - start;
        t->times.steps++;
        t->timed_images += (uint64_t)batch->count;
    }
    exp_progress_step(&t->progress, &t->classifier, &t->row, t->epochs, t->steps, images_per_second(t));
    if (evaluate)
        status = evaluate_and_draw(t, error);
    else if (log)
        status = log_row(t, error);
    if (status == NN_OK && divides(t->options->save_every, number) && number < t->steps)
        status = save(t, true, error);
    return status;
}

/* --- the end -------------------------------------------------------------------------------------------- */

/* The first training examples, as far as the generalisation gap needs them. */
static nn_status evaluate_training_set(training *t, exp_measurement *m, nn_error *error) {
    data_split some = t->set->train;
    data_loader *loader = NULL;
    if (some.count > TRAIN_EXAMPLES_MEASURED)
        some.count = TRAIN_EXAMPLES_MEASURED;
    nn_status status =
        data_loader_new(&loader, t->set, &some, exp_evaluation_batches(t->classifier.batch), error);
    if (status == NN_OK)
        status = exp_classifier_evaluate(&t->classifier, loader, false, m, error);
    data_loader_free(loader);
    return status;
}

/* Of the final weights. The last step's evaluation serves for the test set, unless it was in an earlier part. */
static nn_status evaluate_the_end(training *t, exp_summary *s, nn_error *error) {
    nn_status status = evaluate_training_set(t, &s->train, error);
    if (status == NN_OK && t->test && t->test_measurement.examples == 0)
        status = exp_classifier_evaluate(&t->classifier, t->test, true, &t->test_measurement, error);
    s->test = t->test_measurement;
    return status == NN_OK ? status : blame(t, error);
}

static void draw(training *t) {
    nn_error error = {0};
    if (t->row.step && t->options->log_every && exp_plot_run(t->folder.path, false, &error) != NN_OK)
        exp_progress_say(&t->progress, "note     no picture: %s", error.message);
}

static nn_status finish(training *t, exp_summary *s, nn_error *error) {
    struct rusage usage;
    s->interrupted = t->row.step < t->steps;
    bool checkpoint = (t->options->save_every || s->interrupted) && t->saved != t->row.step;
    nn_status status = save(t, checkpoint, error);
    if (status == NN_OK && !s->interrupted && t->options->eval_every)
        status = evaluate_the_end(t, s, error);
    if (status != NN_OK)
        return status;
    draw(t);
    if (!s->interrupted)
        exp_checkpoint_drop_previous(&t->folder);
    getrusage(RUSAGE_SELF, &usage);
    strcpy(s->run, t->folder.path);
    s->steps = t->row.step;
    s->epochs = t->row.epoch;
    s->seconds = exp_seconds() - t->begin;
    s->images_per_second = images_per_second(t);
    s->plan_bytes = nn_plan_bytes(t->classifier.training);
    s->peak_bytes = (size_t)usage.ru_maxrss * 1024;
    return exp_summary_write(&t->folder, t->options, t->set, &t->classifier, s, error);
}

static nn_status print_profile(const training *t, nn_error *error) {
    if (!t->options->profile || !t->times.steps)
        return NN_OK;
    fputc('\n', stderr);
    return exp_profile_print(t->classifier.training, &t->times, stderr, error);
}

nn_status exp_train(const exp_train_options *options, const data_set *set, const volatile sig_atomic_t *stop,
                    exp_summary *summary, nn_error *error) {
    training t = {.resolved = *options,
                  .set = set,
                  .stop = stop,
                  .saved = NOT_SAVED,
                  .progress = exp_progress_begin(options->quiet)};
    *summary = (exp_summary){0};
    t.options = &t.resolved;
    nn_status status = open(&t, error);
    if (status == NN_OK)
        describe(&t);
    if (status == NN_OK)
        status = find_start(&t, error);
    t.begin = exp_seconds() - t.start.seconds;
    while (status == NN_OK && t.row.step < t.steps && !*stop)
        status = next_step(&t, error);
    if (status == NN_OK)
        status = finish(&t, summary, error);
    if (status == NN_OK)
        status = print_profile(&t, error);
    close(&t);
    return status;
}
