#define _GNU_SOURCE /* asprintf, nftw */
#include "runs.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "estimate.h"
#include "experiments/common/checkpoint.h"
#include "experiments/common/lock.h"
#include "experiments/common/make_folder.h"
#include "experiments/common/progress.h"
#include "experiments/common/run_folder.h"

typedef struct running {
    exp_study_table *table;
    const exp_runs_setting *setting;
    exp_runs_tally *tally;
    char *data; /* from / on */
    bool terminal;
    /* of the run under way: */
    const exp_study_run *run;
    double begin, left; /* when it began; seconds left for all then, NaN: unknown */
    double accuracy;    /* of the run before it, NaN: unknown */
} running;

/* --- words ---------------------------------------------------------------------------------------------- */

static void format_time(double seconds, char text[48]) {
    unsigned long s = (unsigned long)(seconds + 0.5);
    if (isnan(seconds) || seconds > 1e8)
        text[0] = '\0';
    else if (s >= 3600)
        snprintf(text, 48, ", %lu:%02lu:%02lu left", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(text, 48, ", %lu:%02lu left", s / 60, s % 60);
}

/* The run's number, counting those done and failed before it. */
static int number_of(const running *r) {
    return r->tally->found + r->tally->trained + r->tally->failed;
}

static void format_accuracy(double accuracy, const char *what, char text[48]) {
    text[0] = '\0';
    if (!isnan(accuracy))
        snprintf(text, 48, "  %s %.2f%%", what, 100 * accuracy);
}

/* On a terminal: the one line that is rewritten. */
static void show_running(void *context) {
    const running *r = context;
    char line[EXP_RUN_NAME_MAX + 128], left[48], before[48];
    if (r->setting->quiet || !r->terminal)
        return;
    format_time(r->left > 0 ? fmax(0, r->left - (exp_seconds() - r->begin)) : r->left, left);
    format_accuracy(r->accuracy, "last accuracy", before);
    snprintf(line, sizeof line, "run %d/%d  %s%s%s", number_of(r) + 1, r->tally->runs, r->run->name, left,
             before);
    exp_terminal_line(line);
}

static void clear_line(const running *r) {
    if (r->terminal && !r->setting->quiet)
        exp_terminal_line("");
}

static void report_done(const running *r) {
    char left[48], accuracy[48];
    if (r->setting->quiet || r->terminal)
        return;
    format_time(r->left, left);
    format_accuracy(r->accuracy, "accuracy", accuracy);
    fprintf(stderr, "run %d/%d  %s%s%s\n", number_of(r), r->tally->runs, r->run->name, accuracy, left);
}

/* The last line of a log, without its end. */
static void last_line(const char *path, char line[256]) {
    unsigned char *bytes;
    size_t count;
    nn_error ignored = {0};
    line[0] = '\0';
    if (nn_file_read(path, 1 << 24, &bytes, &count, &ignored) != NN_OK)
        return;
    while (count && bytes[count - 1] == '\n')
        count--;
    size_t begin = count;
    while (begin && bytes[begin - 1] != '\n')
        begin--;
    snprintf(line, 256, "%.*s", (int)(count - begin < 255 ? count - begin : 255), (char *)bytes + begin);
    free(bytes);
}

static void report_failure(const running *r, int ended) {
    char line[256], reason[64] = "";
    const char *log = exp_study_path(r->table, r->run, ".failed/train.log");
    last_line(log, line);
    if (WIFSIGNALED(ended))
        snprintf(reason, sizeof reason, "ended by signal %d", WTERMSIG(ended));
    else if (!line[0])
        snprintf(reason, sizeof reason, "ended with status %d", WEXITSTATUS(ended));
    clear_line(r);
    fprintf(stderr, "run %d/%d  %s FAILED: %s%s%s (%s)\n", number_of(r), r->tally->runs, r->run->name, reason,
            reason[0] && line[0] ? "; " : "", line, log);
}

/* --- folders -------------------------------------------------------------------------------------------- */

static int remove_one(const char *path, const struct stat *found, int kind, struct FTW *place) {
    (void)found, (void)kind, (void)place;
    return remove(path);
}

/* Removes a folder with all that is in it; none is fine. */
static nn_status remove_folder(const char *path, nn_error *error) {
    if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT)
        return NN_OK;
    return nn_fail(error, NN_EFILE, "cannot remove %s: %s", path, strerror(errno));
}

static nn_status rename_folder(const char *from, const char *to, nn_error *error) {
    if (rename(from, to) == 0)
        return NN_OK;
    return nn_fail(error, NN_EFILE, "cannot rename %s to %s: %s", from, to, strerror(errno));
}

/* A training that a killed program has left ends with it, but perhaps a moment later. */
static nn_status wait_for_former(const char *partial, nn_error *error) {
    const int tries = 100;
    for (int i = 1;; i++) {
        int lock;
        nn_status status = exp_lock_folder(partial, "--out", &lock, error);
        if (status == NN_OK)
            close(lock);
        if (status != NN_EARGUMENT || i == tries)
            return status;
        *error = (nn_error){0};
        usleep(100000);
    }
}

/* A folder RUN.partial, empty or with a run that has a checkpoint (*resume), and no RUN.failed. */
static nn_status clear_way(const running *r, bool *resume, nn_error *error) {
    const char *folder = exp_study_path(r->table, r->run, "");
    if (access(folder, F_OK) == 0)
        return nn_fail(error, NN_EFILE, "%s holds no finished run: remove it", folder);
    nn_status status = remove_folder(exp_study_path(r->table, r->run, ".failed"), error);
    const char *partial = exp_study_path(r->table, r->run, ".partial");
    if (status == NN_OK && access(partial, F_OK) == 0)
        status = wait_for_former(partial, error);
    *resume = exp_checkpoint_exists(partial);
    if (status != NN_OK || *resume)
        return status;
    status = remove_folder(partial, error);
    if (status == NN_OK && mkdir(partial, 0777) != 0)
        return nn_fail(error, NN_EFILE, "cannot make %s: %s", partial, strerror(errno));
    return status;
}

/* --- one run -------------------------------------------------------------------------------------------- */

static nn_status keep(running *r, nn_error *error) {
    nn_status status = rename_folder(exp_study_path(r->table, r->run, ".partial"),
                                     exp_study_path(r->table, r->run, ""), error);
    r->tally->trained++;
    return status;
}

static nn_status give_up(running *r, int ended, nn_error *error) {
    nn_status status = rename_folder(exp_study_path(r->table, r->run, ".partial"),
                                     exp_study_path(r->table, r->run, ".failed"), error);
    r->tally->failed++;
    if (status == NN_OK)
        report_failure(r, ended);
    return status;
}

static nn_status train(running *r, exp_study_result *result, nn_error *error) {
    char partial[EXP_TEXT_MAX + EXP_RUN_NAME_MAX + 64];
    int ended;
    bool resume;
    if (clear_way(r, &resume, error) != NN_OK)
        return error->status;
    snprintf(partial, sizeof partial, "%s", exp_study_path(r->table, r->run, ".partial"));
    exp_child child = {.folder = partial,
                       .resume = resume,
                       .data = r->data,
                       .threads = r->setting->threads,
                       .stop = r->setting->stop,
                       .tick = show_running,
                       .context = r};
    r->begin = exp_seconds();
    nn_status status = exp_child_train(&child, &r->run->options, &ended, error);
    if (status != NN_OK)
        return status;
    bool done = WIFEXITED(ended) && WEXITSTATUS(ended) == 0;
    if (!done && *r->setting->stop)
        return NN_OK;
    status = done ? keep(r, error) : give_up(r, ended, error);
    if (status == NN_OK)
        status = exp_study_table_read(r->table, r->run, error);
    if (status == NN_OK)
        status = exp_study_table_write(r->table, error);
    if (status == NN_OK)
        status = exp_study_seconds_left(r->table, &r->left, error);
    r->accuracy = result->test_accuracy;
    if (status == NN_OK && result->state == EXP_RUN_DONE)
        report_done(r);
    return status;
}

/* --- all runs ------------------------------------------------------------------------------------------- */

/* NULL without memory. The caller frees it. */
static char *absolute(const char *path) {
    char here[PATH_MAX], *whole;
    if (path[0] == '/')
        return strdup(path);
    return getcwd(here, sizeof here) && asprintf(&whole, "%s/%s", here, path) >= 0 ? whole : NULL;
}

static void count(const exp_study_table *table, exp_runs_tally *tally) {
    *tally = (exp_runs_tally){0};
    for (int i = 0; i < table->count; i++) {
        const exp_study_result *result = &table->results[i];
        if (result->repeated)
            continue;
        tally->skipped += result->state == EXP_RUN_SKIPPED;
        tally->runs += result->state != EXP_RUN_SKIPPED;
        tally->found += result->state == EXP_RUN_DONE;
    }
}

static nn_status train_missing(running *r, nn_error *error) {
    nn_status status = exp_study_table_write(r->table, error);
    for (int i = 0; i < r->table->count && status == NN_OK; i++) {
        exp_study_result *result = &r->table->results[i];
        bool missing = result->state == EXP_RUN_MISSING || result->state == EXP_RUN_FAILED;
        if (!missing || result->repeated)
            continue;
        if (*r->setting->stop)
            break;
        r->run = result->run;
        show_running(r);
        status = train(r, result, error);
    }
    clear_line(r);
    r->tally->interrupted = *r->setting->stop != 0;
    return status;
}

/* Under the lock: what another program has done meanwhile counts. */
static nn_status look_again(running *r, nn_error *error) {
    nn_status status = NN_OK;
    for (int i = 0; i < r->table->count && status == NN_OK; i++)
        if (!r->table->results[i].repeated)
            status = exp_study_table_read(r->table, r->table->results[i].run, error);
    count(r->table, r->tally);
    return status == NN_OK ? exp_study_seconds_left(r->table, &r->left, error) : status;
}

nn_status exp_study_train(exp_study_table *table, const exp_runs_setting *setting, exp_runs_tally *tally,
                          nn_error *error) {
    char runs[EXP_TEXT_MAX + 8];
    int lock;
    running r = {.table = table,
                 .setting = setting,
                 .tally = tally,
                 .data = absolute(setting->data),
                 .terminal = isatty(STDERR_FILENO),
                 .accuracy = NAN};
    count(table, tally);
    snprintf(runs, sizeof runs, "%s/runs", table->out);
    nn_status status = r.data ? exp_make_folders(runs, error) : nn_fail_memory(error, setting->data);
    if (status == NN_OK)
        status = exp_lock_folder(table->out, "--out", &lock, error);
    if (status == NN_OK) {
        status = look_again(&r, error);
        if (status == NN_OK)
            status = train_missing(&r, error);
        close(lock);
    }
    free(r.data);
    return status;
}
