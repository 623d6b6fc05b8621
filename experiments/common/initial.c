#include "initial.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void find_file(const char *init, char path[EXP_TEXT_MAX + 32]) {
    struct stat found;
    bool folder = stat(init, &found) == 0 && S_ISDIR(found.st_mode);
    snprintf(path, EXP_TEXT_MAX + 32, "%s%s", init, folder ? "/model.safetensors" : "");
}

static nn_status check_sum(exp_train_options *o, const nn_safetensors *file, nn_error *error) {
    char checksum[32];
    snprintf(checksum, sizeof checksum, "%016llx", (unsigned long long)nn_safetensors_hash(file));
    if (o->init_checksum[0] && strcmp(o->init_checksum, checksum) != 0)
        return nn_fail(error, NN_EFORMAT,
                       "its checksum is %s, but --init-checksum is %.32s: it is another file", checksum,
                       o->init_checksum);
    strcpy(o->init_checksum, checksum);
    return NN_OK;
}

/* The lines of a report, each as a line of its own. */
static void say(exp_progress *progress, char *lines, bool warn) {
    char *rest = lines;
    for (char *line = strsep(&rest, "\n"); rest; line = strsep(&rest, "\n"))
        (warn ? exp_progress_warn : exp_progress_say)(progress, warn ? "%s" : "         %s", line);
}

/* Numbers of the channels, as model.safetensors has them. */
static void list(const float *numbers, int count, char text[128]) {
    text[0] = '\0';
    for (int c = 0; c < count; c++)
        snprintf(text + strlen(text), 128 - strlen(text), c ? " %.9g" : "%.9g", (double)numbers[c]);
}

/* Images are normalised as always; weights may have been trained on images that were normalised otherwise. */
static void describe_normalisation(exp_progress *progress, const data_set *set, const nn_safetensors *file) {
    const char *mean = nn_safetensors_text(file, "mean"), *deviation = nn_safetensors_text(file, "deviation");
    char ours[2][128];
    list(set->mean, set->channels, ours[0]);
    list(set->deviation, set->channels, ours[1]);
    if (mean && deviation && strcmp(mean, ours[0]) == 0 && strcmp(deviation, ours[1]) == 0)
        return;
    exp_progress_say(progress, "         images are normalised by the training set's mean %s, deviation %s",
                     ours[0], ours[1]);
    if (mean && deviation)
        exp_progress_say(progress,
                         "         those of the file's training were by mean %.100s, deviation %.100s", mean,
                         deviation);
    else
        exp_progress_say(progress, "         (the file does not say how those of its training were)");
}

static nn_status take(exp_train_options *o, const data_set *set, const nn_safetensors *file,
                      exp_classifier *c, exp_progress *progress, nn_error *error) {
    nn_weights_report report = {0};
    nn_status status = check_sum(o, file, error);
    if (status == NN_OK)
        status = nn_weights_take(&c->store, file, o->init_skip, &report, error);
    if (status == NN_OK)
        exp_progress_say(progress, "weights  %d tensors of %s, checksum %s", report.taken, o->init,
                         o->init_checksum);
    if (report.text && (status == NN_OK || report.misfits))
        say(progress, report.text, report.misfits > 0);
    if (status == NN_OK)
        describe_normalisation(progress, set, file);
    free(report.text);
    return status;
}

nn_status exp_initial_load(exp_train_options *o, const data_set *set, exp_classifier *c,
                           exp_progress *progress, nn_error *error) {
    char path[EXP_TEXT_MAX + 32];
    nn_safetensors *file;
    nn_error wrong = {0};
    find_file(o->init, path);
    nn_status status = nn_safetensors_open(&file, path, error);
    if (status == NN_OK) {
        status = take(o, set, file, c, progress, &wrong);
        if (status != NN_OK)
            status = nn_fail(error, status, "--init: %s: %s%s", path, wrong.message,
                             status == NN_EFORMAT && !strstr(wrong.message, "checksum")
                                 ? " (--init-skip GLOB leaves tensors out, to begin afresh)"
                                 : "");
    }
    nn_safetensors_close(file);
    return status;
}
