#include "run_folder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "framework/file.h"

const char *exp_run_folder_file(const exp_run_folder *folder, const char *name) {
    static char path[EXP_TEXT_MAX + 64];
    snprintf(path, sizeof path, "%s/%s", folder->path, name);
    return path;
}

nn_status exp_make_folders(const char *path, nn_error *error) {
    char part[EXP_TEXT_MAX];
    snprintf(part, sizeof part, "%s", path);
    for (char *slash = part + 1;; slash++) {
        if (*slash != '/' && *slash != '\0')
            continue;
        char kept = *slash;
        *slash = '\0';
        if (mkdir(part, 0777) != 0 && errno != EEXIST)
            return nn_fail(error, NN_EFILE, "cannot make the run folder %s: %s", part, strerror(errno));
        *slash = kept;
        if (!kept)
            return NN_OK;
    }
}

/* A folder named by the user: made if need be, and never one that holds a run. */
static nn_status use_named(exp_run_folder *folder, const char *path, nn_error *error) {
    if (strlen(path) >= sizeof folder->path - 64)
        return nn_fail(error, NN_EARGUMENT, "--run: the path is too long");
    strcpy(folder->path, path);
    nn_status status = exp_make_folders(path, error);
    if (status == NN_OK && access(exp_run_folder_file(folder, "config.ini"), F_OK) == 0)
        return nn_fail(error, NN_EARGUMENT,
                       "--run: %s holds a run already: name another folder, or remove that one", path);
    return status;
}

/* runs/PRESET-seedN[-snnlW], with a number behind it when that exists. mkdir decides, so that two programs
 * that start together get two folders. */
static nn_status make_new(exp_run_folder *folder, const exp_train_options *options, nn_error *error) {
    char weight[32], number[48] = "", stem[EXP_TEXT_MAX / 2], again[16] = "";
    const char *name = strrchr(options->preset, '/');
    snprintf(stem, sizeof stem, "%.200s", name ? name + 1 : options->preset);
    stem[strcspn(stem, ".")] = '\0';
    if (options->snnl_weight != 0)
        snprintf(number, sizeof number, "-snnl%s", exp_number_text(options->snnl_weight, weight));
    nn_status status = exp_make_folders("runs", error);
    for (int i = 1; status == NN_OK; i++) {
        if (i > 1)
            snprintf(again, sizeof again, "-%d", i);
        snprintf(folder->path, sizeof folder->path, "runs/%s-seed%llu%s%s", stem,
                 (unsigned long long)options->seed, number, again);
        if (mkdir(folder->path, 0777) == 0)
            break;
        if (errno != EEXIST)
            status =
                nn_fail(error, NN_EFILE, "cannot make the run folder %s: %s", folder->path, strerror(errno));
    }
    return status;
}

static nn_status write_config(const exp_run_folder *folder, const exp_train_options *options,
                              nn_error *error) {
    char *text = NULL;
    size_t length = 0;
    FILE *memory = open_memstream(&text, &length);
    if (!memory)
        return nn_fail_memory(error, "config.ini");
    fprintf(memory, "# a run of entangle %s; to repeat it: ./train --preset %s\n", exp_version,
            exp_run_folder_file(folder, "config.ini"));
    exp_options_write(exp_train_table, options, memory);
    nn_status status = fclose(memory) == 0 ? NN_OK : nn_fail_memory(error, "config.ini");
    if (status == NN_OK)
        status = nn_file_write_atomic(exp_run_folder_file(folder, "config.ini"), text, length, error);
    free(text);
    return status;
}

static nn_status written(const exp_run_folder *folder, nn_error *error) {
    if (fflush(folder->metrics) == 0 && !ferror(folder->metrics))
        return NN_OK;
    return nn_fail(error, NN_EFILE, "cannot write %s: %s", exp_run_folder_file(folder, "metrics.csv"),
                   strerror(errno));
}

static nn_status begin_metrics(exp_run_folder *folder, const exp_classifier *c, nn_error *error) {
    const char *path = exp_run_folder_file(folder, "metrics.csv");
    folder->metrics = fopen(path, "w");
    if (!folder->metrics)
        return nn_fail(error, NN_EFILE, "cannot write %s: %s", path, strerror(errno));
    fputs("step,epoch,images,seconds,lr,loss,cross_entropy,accuracy", folder->metrics);
    for (int i = 0; i < c->taps; i++)
        fprintf(folder->metrics, ",snnl/%s,temperature/%s", exp_tap_name(c, i), exp_tap_name(c, i));
    fputs(",test_loss,test_accuracy\n", folder->metrics);
    return written(folder, error);
}

nn_status exp_run_folder_open(exp_run_folder *folder, const exp_train_options *options,
                              const exp_classifier *c, nn_error *error) {
    *folder = (exp_run_folder){0};
    nn_status status =
        options->run[0] ? use_named(folder, options->run, error) : make_new(folder, options, error);
    if (status == NN_OK)
        status = write_config(folder, options, error);
    if (status == NN_OK)
        status = begin_metrics(folder, c, error);
    return status;
}

void exp_run_folder_close(exp_run_folder *folder) {
    if (folder->metrics)
        fclose(folder->metrics);
    folder->metrics = NULL;
}

nn_status exp_run_folder_log(exp_run_folder *folder, const exp_classifier *c, const exp_row *row,
                             nn_error *error) {
    const exp_measurement *m = &row->training;
    FILE *file = folder->metrics;
    fprintf(file, "%llu,%.9g,%llu,%.9g,%.9g,%.9g,%.9g,%.9g", (unsigned long long)row->step, row->epoch,
            (unsigned long long)row->images, row->seconds, row->rate, m->loss, m->cross_entropy, m->accuracy);
    for (int i = 0; i < c->taps; i++)
        fprintf(file, ",%.9g,%.9g", m->snnl[i], m->temperature[i]);
    if (row->evaluated)
        fprintf(file, ",%.9g,%.9g\n", row->test_loss, row->test_accuracy);
    else
        fputs(",,\n", file);
    return written(folder, error);
}
