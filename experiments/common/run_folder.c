#include "run_folder.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "framework/file.h"
#include "lock.h"
#include "make_folder.h"
#include "metrics.h"
#include "program_names.h"

const char *exp_run_folder_file(const exp_run_folder *folder, const char *name) {
    static char path[EXP_TEXT_MAX + 64];
    snprintf(path, sizeof path, "%s/%s", folder->path, name);
    return path;
}

/* runs/PRESET-seedN[-snnlW], with a number behind it when that exists. */
static nn_status make_new(exp_run_folder *folder, const exp_train_options *options, nn_error *error) {
    char weight[32], number[48] = "", preset[EXP_TEXT_MAX / 2], stem[EXP_TEXT_MAX / 2];
    const char *name = strrchr(options->preset, '/');
    snprintf(preset, sizeof preset, "%.150s", name ? name + 1 : options->preset);
    preset[strcspn(preset, ".")] = '\0';
    if (options->snnl_weight != 0)
        snprintf(number, sizeof number, "-snnl%s", exp_number_text(options->snnl_weight, weight));
    snprintf(stem, sizeof stem, "%.150s-seed%llu%s", preset, (unsigned long long)options->seed, number);
    return exp_make_folder_new(folder->path, stem, error);
}

static nn_status write_config(const exp_run_folder *folder, const exp_train_options *options,
                              nn_error *error) {
    char *text = NULL, call[EXP_CALL_MAX];
    size_t length = 0;
    FILE *memory = open_memstream(&text, &length);
    if (!memory)
        return nn_fail_memory(error, "config.ini");
    fprintf(memory, "# a run of entangle %s; to repeat it: %s --preset %s\n", exp_version,
            exp_program_call("train", call), exp_run_folder_file(folder, "config.ini"));
    exp_options_write(exp_train_table, options, memory);
    nn_status status = fclose(memory) == 0 ? NN_OK : nn_fail_memory(error, "config.ini");
    if (status == NN_OK)
        status = nn_file_write_atomic(exp_run_folder_file(folder, "config.ini"), text, length, error);
    free(text);
    return status;
}

/* --- metrics.csv ---------------------------------------------------------------------------------------- */

static nn_status cannot_write_metrics(const exp_run_folder *folder, nn_error *error) {
    return nn_fail(error, NN_EFILE, "cannot write %s: %s", exp_run_folder_file(folder, "metrics.csv"),
                   strerror(errno));
}

static nn_status written(const exp_run_folder *folder, nn_error *error) {
    return fflush(folder->metrics) == 0 && !ferror(folder->metrics) ? NN_OK
                                                                    : cannot_write_metrics(folder, error);
}

nn_status exp_run_folder_sync(exp_run_folder *folder, nn_error *error) {
    return fsync(fileno(folder->metrics)) == 0 ? NN_OK : cannot_write_metrics(folder, error);
}

/* The header line, to be freed; NULL without memory. */
static char *header_of(const exp_classifier *c) {
    char *text = NULL;
    size_t length = 0;
    FILE *memory = open_memstream(&text, &length);
    if (!memory)
        return NULL;
    fputs("step,epoch,images,seconds,lr,loss,cross_entropy,accuracy", memory);
    for (int i = 0; i < c->taps; i++)
        fprintf(memory, ",snnl/%s,temperature/%s", exp_tap_name(c, i), exp_tap_name(c, i));
    fputs(",test_loss,test_accuracy\n", memory);
    fclose(memory);
    return text;
}

static nn_status open_metrics(exp_run_folder *folder, const char *mode, nn_error *error) {
    folder->metrics = fopen(exp_run_folder_file(folder, "metrics.csv"), mode);
    return folder->metrics ? NN_OK : cannot_write_metrics(folder, error);
}

/* Those of before, when none are wanted any more, would tell of another run. */
static nn_status open_events(exp_run_folder *folder, const exp_train_options *options, const char *metrics,
                             double seconds, nn_error *error) {
    const char *path = exp_run_folder_file(folder, EXP_EVENTS_FILE);
    if (!options->tensorboard)
        return unlink(path) == 0 || errno == ENOENT
                   ? NN_OK
                   : nn_fail(error, NN_EFILE, "cannot remove %s: %s", path, strerror(errno));
    return exp_events_open(&folder->events, path, metrics, seconds, error);
}

static nn_status begin_metrics(exp_run_folder *folder, const exp_train_options *options, const char *header,
                               nn_error *error) {
    nn_status status = open_metrics(folder, "w", error);
    if (status != NN_OK)
        return status;
    fputs(header, folder->metrics);
    status = written(folder, error);
    return status == NN_OK ? open_events(folder, options, header, 0, error) : status;
}

/* Bytes of the header and the whole rows up to `step`. */
static size_t rows_until(const char *text, size_t begin, uint64_t step) {
    size_t kept = begin;
    for (const char *end; (end = strchr(text + kept, '\n')); kept = (size_t)(end + 1 - text))
        if (strtoull(text + kept, NULL, 10) > step)
            break;
    return kept;
}

/* What was logged after the checkpoint will be logged again. */
static nn_status cut_metrics(exp_run_folder *folder, const exp_train_options *options, const char *header,
                             uint64_t step, double seconds, nn_error *error) {
    const char *path = exp_run_folder_file(folder, "metrics.csv");
    unsigned char *bytes;
    size_t count;
    nn_status status = nn_file_read(path, EXP_METRICS_LARGEST, &bytes, &count, error);
    char *text = (char *)bytes;
    if (status == NN_OK && strncmp(text, header, strlen(header)) != 0)
        status = nn_fail(error, NN_EFORMAT, "%s: its first line is not that of this run", path);
    if (status == NN_OK) {
        size_t kept = rows_until(text, strlen(header), step);
        status = nn_file_write_atomic(path, text, kept, error);
        text[kept] = '\0';
    }
    if (status == NN_OK)
        status = open_metrics(folder, "a", error);
    if (status == NN_OK)
        status = open_events(folder, options, text, seconds, error);
    free(bytes);
    return status;
}

/* --- opening -------------------------------------------------------------------------------------------- */

/* NAME.PID.tmp, as nn_file_write_atomic calls what it has not finished. */
static bool is_temporary(const char *name) {
    size_t length = strlen(name);
    if (length < 6 || strcmp(name + length - 4, ".tmp") != 0)
        return false;
    size_t digits = length - 4;
    while (digits > 0 && isdigit((unsigned char)name[digits - 1]))
        digits--;
    return digits > 0 && digits < length - 4 && name[digits - 1] == '.';
}

static nn_status remove_temporaries(const exp_run_folder *folder, nn_error *error) {
    DIR *stream = opendir(folder->path);
    if (!stream)
        return nn_fail(error, NN_EFILE, "cannot read %s: %s", folder->path, strerror(errno));
    for (const struct dirent *entry; (entry = readdir(stream));)
        if (is_temporary(entry->d_name))
            unlinkat(dirfd(stream), entry->d_name, 0);
    closedir(stream);
    return NN_OK;
}

nn_status exp_run_folder_open(exp_run_folder *folder, const exp_train_options *options, nn_error *error) {
    nn_status status = NN_OK;
    *folder = (exp_run_folder){0};
    if (options->resume)
        strcpy(folder->path, options->run);
    else
        status = options->run[0] ? exp_make_folder_named(folder->path, options->run, error)
                                 : make_new(folder, options, error);
    if (status == NN_OK)
        status = exp_lock_folder(folder->path, "--run", &folder->lock, error);
    folder->locked = status == NN_OK;
    if (status == NN_OK && options->resume)
        status = remove_temporaries(folder, error);
    else if (status == NN_OK) /* once more, as nobody else comes now */
        status = exp_folder_without_run(folder->path, error);
    return status;
}

void exp_run_folder_close(exp_run_folder *folder) {
    if (folder->metrics)
        fclose(folder->metrics);
    exp_events_close(&folder->events);
    if (folder->locked)
        close(folder->lock);
    *folder = (exp_run_folder){0};
}

/* What both ways to start have in common. There is a summary.json where a run was interrupted. */
static nn_status start(exp_run_folder *folder, const exp_train_options *options, nn_error *error) {
    const char *summary = exp_run_folder_file(folder, "summary.json");
    if (unlink(summary) != 0 && errno != ENOENT)
        return nn_fail(error, NN_EFILE, "cannot remove %s: %s", summary, strerror(errno));
    return write_config(folder, options, error);
}

nn_status exp_run_folder_begin(exp_run_folder *folder, const exp_train_options *options,
                               const exp_classifier *c, nn_error *error) {
    char *header = header_of(c);
    nn_status status = header ? start(folder, options, error) : nn_fail_memory(error, "metrics.csv");
    if (status == NN_OK)
        status = begin_metrics(folder, options, header, error);
    free(header);
    return status;
}

nn_status exp_run_folder_go_on(exp_run_folder *folder, const exp_train_options *options,
                               const exp_classifier *c, uint64_t step, double seconds, nn_error *error) {
    char *header = header_of(c);
    nn_status status = header ? cut_metrics(folder, options, header, step, seconds, error)
                              : nn_fail_memory(error, "metrics.csv");
    if (status == NN_OK)
        status = start(folder, options, error);
    free(header);
    return status;
}

/* --- rows ----------------------------------------------------------------------------------------------- */

/* A line of metrics.csv, to be freed; NULL without memory. */
static char *line_of(const exp_classifier *c, const exp_row *row) {
    const exp_measurement *m = &row->training;
    char *line = NULL;
    size_t length = 0;
    FILE *memory = open_memstream(&line, &length);
    if (!memory)
        return NULL;
    fprintf(memory, "%llu,%.9g,%llu,%.9g,%.9g,%.9g,%.9g,%.9g", (unsigned long long)row->step, row->epoch,
            (unsigned long long)row->images, row->seconds, row->rate, m->loss, m->cross_entropy, m->accuracy);
    for (int i = 0; i < c->taps; i++)
        fprintf(memory, ",%.9g,%.9g", m->snnl[i], m->temperature[i]);
    if (row->evaluated)
        fprintf(memory, ",%.9g,%.9g\n", row->test_loss, row->test_accuracy);
    else
        fputs(",,\n", memory);
    if (fclose(memory) == 0)
        return line;
    free(line);
    return NULL;
}

nn_status exp_run_folder_log(exp_run_folder *folder, const exp_classifier *c, const exp_row *row,
                             nn_error *error) {
    char *line = line_of(c, row);
    if (!line)
        return nn_fail_memory(error, "metrics.csv");
    fputs(line, folder->metrics);
    nn_status status = written(folder, error);
    if (status == NN_OK && folder->events.file)
        status = exp_events_add(&folder->events, line, error);
    free(line);
    return status;
}
