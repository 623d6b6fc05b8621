#define _GNU_SOURCE /* asprintf */
#include "runs.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis.h"
#include "announce.h"
#include "estimate.h"
#include "experiments/common/checkpoint.h"
#include "experiments/common/lock.h"
#include "experiments/common/make_folder.h"
#include "experiments/common/progress.h"
#include "experiments/common/run_folder.h"
#include "experiments/common/text_file.h"
#include "job.h"

typedef struct running {
    exp_study_table *table;
    const exp_runs_setting *setting;
    exp_runs_tally *tally;
    char *data; /* from / on */
    exp_announcer announcer;
} running;

/* --- one program's run ---------------------------------------------------------------------------------- */

static bool is_to_do(exp_run_state state) {
    return state == EXP_RUN_MISSING || state == EXP_RUN_FAILED;
}

static void name_next(running *r, const char *name) {
    exp_announcer *a = &r->announcer;
    snprintf(a->name, sizeof a->name, "%s", name);
    a->number = r->tally->found + r->tally->trained + r->tally->failed + 1;
    a->begin = exp_seconds();
    exp_announce_running(a);
}

/* Runs the program in FOLDER.partial, which has been prepared, and counts how that ended. */
static nn_status run_program(running *r, const char *folder, exp_child *child, exp_job_end *end,
                             nn_error *error) {
    char partial[PATH_MAX], log[PATH_MAX + 64];
    int ended;
    snprintf(partial, sizeof partial, "%s.partial", folder);
    child->folder = partial;
    child->stop = r->setting->stop;
    child->tick = exp_announce_running;
    child->context = &r->announcer;
    nn_status status = exp_job_run(folder, child, end, &ended, error);
    if (status != NN_OK)
        return status;
    r->tally->trained += *end == EXP_JOB_DONE;
    r->tally->failed += *end == EXP_JOB_FAILED;
    r->announcer.number = r->tally->found + r->tally->trained + r->tally->failed;
    snprintf(log, sizeof log, "%s.failed/%s", folder, child->log);
    if (*end == EXP_JOB_FAILED)
        exp_announce_failure(&r->announcer, ended, log);
    return NN_OK;
}

/* Reads what has come out, and writes the tables. */
static nn_status take_result(running *r, const exp_study_run *run, nn_error *error) {
    nn_status status = exp_study_table_read(r->table, run, error);
    if (status == NN_OK)
        status = exp_study_table_write(r->table, error);
    return status == NN_OK ? exp_study_seconds_left(r->table, &r->announcer.left, error) : status;
}

/* --- trainings ------------------------------------------------------------------------------------------ */

/* What the training is given; of no use after it, as its config.ini says the same. */
static const char options_file[] = "options.ini";

static nn_status write_options(const char *folder, const exp_train_options *options, nn_error *error) {
    char path[PATH_MAX], *text = NULL;
    size_t length = 0;
    snprintf(path, sizeof path, "%s.partial/%s", folder, options_file);
    FILE *memory = exp_memory_open(&text, &length);
    if (!memory)
        return nn_fail_memory(error, path);
    exp_options_write(exp_train_table, options, memory);
    nn_status status = exp_memory_close(memory, &text) ? nn_file_write_atomic(path, text, length, error)
                                                       : nn_fail_memory(error, path);
    free(text);
    return status;
}

static void remove_options(const char *folder) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", folder, options_file);
    unlink(path);
}

/* From the beginning, or, with a checkpoint from before, on from there: the result is the same. */
static nn_status train(running *r, exp_study_result *result, nn_error *error) {
    const exp_train_options *options = &result->run->options;
    char folder[EXP_ANALYSIS_PATH_MAX], threads[32];
    exp_job_end end;
    bool resumed;
    snprintf(folder, sizeof folder, "%s", exp_study_path(r->table, result->run, ""));
    snprintf(threads, sizeof threads, "%llu", (unsigned long long)r->setting->threads);
    name_next(r, result->run->name);
    if (exp_job_prepare(folder, exp_checkpoint_exists, &resumed, error) != NN_OK ||
        (!resumed && write_options(folder, options, error) != NN_OK))
        return error->status;
    /* Named, the data set must be there: nothing may stand in for it. */
    char *const words[] = {"--preset",  "./options.ini",
                           "--dataset", (char *)options->dataset,
                           "--run",     ".",
                           "--data",    r->data,
                           "--threads", threads,
                           "--quiet",   NULL};
    char *const on[] = {"--resume", "--run", ".", "--data", r->data, "--threads", threads, "--quiet", NULL};
    exp_child child = {
        .program = "train", .words = resumed ? on : words, .log = "train.log", .append = resumed};
    nn_status status = run_program(r, folder, &child, &end, error);
    if (status != NN_OK || end == EXP_JOB_STOPPED)
        return status;
    remove_options(folder);
    status = take_result(r, result->run, error);
    r->announcer.accuracy = result->test_accuracy;
    if (status == NN_OK && end == EXP_JOB_DONE)
        exp_announce_done(&r->announcer, result->test_accuracy);
    return status;
}

static nn_status train_missing(running *r, nn_error *error) {
    nn_status status = NN_OK;
    for (int i = 0; i < r->table->count && status == NN_OK && !*r->setting->stop; i++) {
        exp_study_result *result = &r->table->results[i];
        if (is_to_do(result->state) && !result->repeated)
            status = train(r, result, error);
    }
    return status;
}

/* --- analyses ------------------------------------------------------------------------------------------- */

static nn_status analyse(running *r, exp_study_result *result, const exp_analysis *analysis,
                         nn_error *error) {
    char folder[EXP_ANALYSIS_PATH_MAX], log[EXP_STUDY_NAME_MAX + 8], name[sizeof r->announcer.name];
    exp_job_end end;
    bool kept;
    exp_analysis_folder(r->table, result, analysis, folder);
    snprintf(log, sizeof log, "%s.log", analysis->program);
    snprintf(name, sizeof name, "%s, %s", analysis->program, result->run->name);
    name_next(r, name);
    if (exp_job_prepare(folder, NULL, &kept, error) != NN_OK)
        return error->status;
    char **words = exp_analysis_words(result, analysis, r->data, r->setting->threads);
    if (!words)
        return nn_fail_memory(error, analysis->program);
    exp_child child = {.program = analysis->program, .words = words, .log = log};
    nn_status status = run_program(r, folder, &child, &end, error);
    exp_analysis_words_free(words);
    if (status != NN_OK || end == EXP_JOB_STOPPED)
        return status;
    status = take_result(r, result->run, error);
    if (status == NN_OK && end == EXP_JOB_DONE)
        exp_announce_done(&r->announcer, NAN);
    return status;
}

/* Of every finished run. */
static nn_status analyse_missing(running *r, nn_error *error) {
    nn_status status = NN_OK;
    for (int i = 0; i < r->table->count; i++) {
        exp_study_result *result = &r->table->results[i];
        for (int k = 0; k < result->block->analysis_count && status == NN_OK && !*r->setting->stop; k++)
            if (result->state == EXP_RUN_DONE && is_to_do(result->analyses[k].state) &&
                !exp_study_analysis_repeated(r->table, result, k))
                status = analyse(r, result, &result->block->analyses[k], error);
    }
    return status;
}

/* --- all ------------------------------------------------------------------------------------------------ */

/* NULL without memory. The caller frees it. */
static char *absolute(const char *path) {
    char here[PATH_MAX], *whole;
    if (path[0] == '/')
        return strdup(path);
    return getcwd(here, sizeof here) && asprintf(&whole, "%s/%s", here, path) >= 0 ? whole : NULL;
}

static void count_state(exp_runs_tally *tally, exp_run_state state) {
    tally->skipped += state == EXP_RUN_SKIPPED;
    tally->runs += state != EXP_RUN_SKIPPED;
    tally->found += state == EXP_RUN_DONE;
}

static void count(const exp_study_table *table, exp_runs_tally *tally) {
    *tally = (exp_runs_tally){0};
    for (int i = 0; i < table->count; i++) {
        const exp_study_result *result = &table->results[i];
        if (!result->repeated)
            count_state(tally, result->state);
        for (int k = 0; k < result->block->analysis_count; k++)
            if (!exp_study_analysis_repeated(table, result, k))
                count_state(tally, result->analyses[k].state);
    }
}

/* Under the lock: what another program has done meanwhile counts. */
static nn_status look_again(running *r, nn_error *error) {
    nn_status status = NN_OK;
    for (int i = 0; i < r->table->count && status == NN_OK; i++)
        if (!r->table->results[i].repeated)
            status = exp_study_table_read(r->table, r->table->results[i].run, error);
    count(r->table, r->tally);
    r->announcer.total = r->tally->runs;
    if (status == NN_OK)
        status = exp_study_seconds_left(r->table, &r->announcer.left, error);
    return status == NN_OK ? exp_study_table_write(r->table, error) : status;
}

static nn_status do_missing(running *r, nn_error *error) {
    nn_status status = look_again(r, error);
    if (status == NN_OK)
        status = train_missing(r, error);
    if (status == NN_OK)
        status = analyse_missing(r, error);
    exp_announce_end(&r->announcer);
    r->tally->interrupted = *r->setting->stop != 0;
    return status;
}

nn_status exp_study_train(exp_study_table *table, const exp_runs_setting *setting, exp_runs_tally *tally,
                          nn_error *error) {
    char runs[EXP_TEXT_MAX + 8];
    int lock;
    running r = {.table = table,
                 .setting = setting,
                 .tally = tally,
                 .data = absolute(setting->data),
                 .announcer = {.quiet = setting->quiet, .terminal = isatty(STDERR_FILENO), .accuracy = NAN}};
    count(table, tally);
    snprintf(runs, sizeof runs, "%s/runs", table->out);
    nn_status status = r.data ? exp_make_folders(runs, error) : nn_fail_memory(error, setting->data);
    if (status == NN_OK)
        status = exp_lock_folder(table->out, "--out", &lock, error);
    if (status == NN_OK) {
        status = do_missing(&r, error);
        close(lock);
    }
    free(r.data);
    return status;
}
