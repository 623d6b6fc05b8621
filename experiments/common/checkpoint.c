#include "checkpoint.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "program_names.h"

static const char newest[] = "checkpoint.safetensors", previous[] = "checkpoint.previous.safetensors",
                  unnamed[] = "checkpoint.new.safetensors";

enum { PATH_SIZE = EXP_TEXT_MAX + 64 };

static const char *path_of(const exp_run_folder *folder, const char *name, char path[PATH_SIZE]) {
    snprintf(path, PATH_SIZE, "%s", exp_run_folder_file(folder, name));
    return path;
}

/* --- metadata ------------------------------------------------------------------------------------------- */

enum { TEXTS_MAX = 64, KEY_SIZE = 48 };

typedef struct texts {
    int count;
    nn_metadata list[TEXTS_MAX + 1]; /* ended by a NULL key */
    char keys[TEXTS_MAX][KEY_SIZE], values[TEXTS_MAX][EXP_TEXT_MAX];
} texts;

/* The place for the value of a new key. */
static char *add(texts *t, const char *prefix, const char *name) {
    int i = t->count++;
    snprintf(t->keys[i], KEY_SIZE, "%s%s", prefix, name);
    t->list[i] = (nn_metadata){t->keys[i], t->values[i]};
    return t->values[i];
}

static void add_count(texts *t, const char *name, uint64_t value) {
    snprintf(add(t, "", name), EXP_TEXT_MAX, "%llu", (unsigned long long)value);
}

static void add_number(texts *t, const char *name, double value) {
    snprintf(add(t, "", name), EXP_TEXT_MAX, "%.17g", value);
}

static void checksum_text(const data_set *set, char text[32]) {
    snprintf(text, 32, "%016llx", (unsigned long long)set->checksum);
}

static void describe(const exp_checkpoint *c, const exp_position *position, texts *t) {
    *t = (texts){0};
    snprintf(add(t, "", "version"), EXP_TEXT_MAX, "%s", exp_version);
    checksum_text(c->set, add(t, "", "dataset_checksum"));
    add_count(t, "step", position->step);
    add_count(t, "images", position->images);
    add_count(t, "steps", position->steps);
    add_number(t, "seconds", position->seconds);
    add_number(t, "timed_seconds", position->timed_seconds);
    add_count(t, "timed_images", position->timed_images);
    for (const exp_option *o = exp_train_table; o->name; o++)
        if (o->recorded)
            exp_option_text(o, c->options, add(t, "option.", o->name));
}

static nn_status read_count(const nn_safetensors *file, const char *key, uint64_t *value, nn_error *error) {
    const char *text = nn_safetensors_text(file, key);
    char *end;
    errno = 0;
    *value = text ? strtoull(text, &end, 10) : 0;
    if (text && text[0] >= '0' && text[0] <= '9' && !*end && !errno)
        return NN_OK;
    return nn_fail(error, NN_EFORMAT, "a checkpoint's '%s' is no whole number", key);
}

static nn_status read_number(const nn_safetensors *file, const char *key, double *value, nn_error *error) {
    const char *text = nn_safetensors_text(file, key);
    char *end;
    *value = text ? strtod(text, &end) : 0;
    if (text && end != text && !*end && isfinite(*value))
        return NN_OK;
    return nn_fail(error, NN_EFORMAT, "a checkpoint's '%s' is no number", key);
}

static nn_status read_position(const nn_safetensors *file, exp_position *p, nn_error *error) {
    nn_status status = read_count(file, "step", &p->step, error);
    if (status == NN_OK)
        status = read_count(file, "images", &p->images, error);
    if (status == NN_OK)
        status = read_count(file, "steps", &p->steps, error);
    if (status == NN_OK)
        status = read_number(file, "seconds", &p->seconds, error);
    if (status == NN_OK)
        status = read_number(file, "timed_seconds", &p->timed_seconds, error);
    if (status == NN_OK)
        status = read_count(file, "timed_images", &p->timed_images, error);
    if (status == NN_OK && (p->step > p->steps || p->seconds < 0 || p->timed_seconds < 0))
        status = nn_fail(error, NN_EFORMAT, "a checkpoint cannot be at step %llu of %llu after %g seconds",
                         (unsigned long long)p->step, (unsigned long long)p->steps, p->seconds);
    return status;
}

/* --- saving --------------------------------------------------------------------------------------------- */

nn_status exp_checkpoint_save(const exp_checkpoint *c, const exp_position *position, nn_error *error) {
    char last[PATH_SIZE], before[PATH_SIZE], made[PATH_SIZE];
    texts t;
    path_of(c->folder, newest, last);
    path_of(c->folder, previous, before);
    path_of(c->folder, unnamed, made);
    describe(c, position, &t);
    nn_status status = nn_checkpoint_save(c->optimizer, t.list, made, error);
    if (status == NN_OK && rename(last, before) != 0 && errno != ENOENT)
        status = nn_fail(error, NN_EFILE, "cannot rename %s: %s", last, strerror(errno));
    return status == NN_OK ? nn_file_rename(made, last, error) : status;
}

void exp_checkpoint_drop_previous(const exp_run_folder *folder) {
    unlink(exp_run_folder_file(folder, previous));
}

/* --- loading -------------------------------------------------------------------------------------------- */

static nn_status check_options(const exp_checkpoint *c, const nn_safetensors *file, nn_error *error) {
    char key[KEY_SIZE], now[EXP_TEXT_MAX];
    for (const exp_option *o = exp_train_table; o->name; o++) {
        snprintf(key, sizeof key, "option.%s", o->name);
        const char *before = nn_safetensors_text(file, key);
        if (before && exp_train_option_changed(o, before, exp_option_text(o, c->options, now)))
            return nn_fail(error, NN_EARGUMENT,
                           "%s has %s = %.100s now, but its checkpoint was made with %.100s: put that back",
                           exp_run_folder_file(c->folder, "config.ini"), o->name, now, before);
    }
    return NN_OK;
}

static nn_status check_data(const exp_checkpoint *c, const nn_safetensors *file, nn_error *error) {
    char now[32];
    const char *before = nn_safetensors_text(file, "dataset_checksum");
    checksum_text(c->set, now);
    if (before && strcmp(before, now) == 0)
        return NN_OK;
    return nn_fail(
        error, NN_EFORMAT,
        "the data set %s from %s has checksum %s, the run in %s was trained on one with %.16s: give the "
        "same data (--data)",
        c->set->name, c->set->source, now, c->folder->path, before ? before : "none");
}

static nn_status take(const exp_checkpoint *c, const nn_safetensors *file, exp_checkpoint_found *found,
                      nn_error *error) {
    const char *version = nn_safetensors_text(file, "version");
    nn_status status = check_options(c, file, error);
    if (status == NN_OK)
        status = check_data(c, file, error);
    if (status == NN_OK)
        status = read_position(file, &found->position, error);
    if (status == NN_OK)
        status = nn_checkpoint_restore(file, c->optimizer, error);
    snprintf(found->version, sizeof found->version, "%s", version ? version : "");
    nn_remove_controls(found->version);
    found->any = status == NN_OK;
    return status;
}

static nn_status only_damaged(const exp_checkpoint *c, const exp_checkpoint_found *found, nn_error *error) {
    char call[EXP_CALL_MAX];
    return nn_fail(
        error, NN_EFORMAT,
        "%s; no other checkpoint is whole, so the run cannot go on: repeat it in a new folder with "
        "%s --preset %s",
        found->damage, exp_program_call("train", call), exp_run_folder_file(c->folder, "config.ini"));
}

bool exp_checkpoint_exists(const char *run) {
    const char *const names[] = {newest, previous};
    char path[PATH_SIZE];
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", run, names[i]);
        if (access(path, F_OK) == 0)
            return true;
    }
    return false;
}

/* The previous one takes the place of a newest that is damaged, or that a killed program had no time to name. */
nn_status exp_checkpoint_load(const exp_checkpoint *c, exp_checkpoint_found *found, nn_error *error) {
    char paths[2][PATH_SIZE];
    nn_safetensors *file = NULL;
    nn_status status = NN_OK;
    int which = 0;
    path_of(c->folder, newest, paths[0]);
    path_of(c->folder, previous, paths[1]);
    *found = (exp_checkpoint_found){0};
    for (; which < 2; which++) {
        nn_error wrong = {0};
        if (access(paths[which], F_OK) != 0)
            continue;
        nn_safetensors_close(file);
        status = nn_checkpoint_open(&file, paths[which], &wrong);
        if (status == NN_OK)
            break;
        if (status != NN_EFORMAT) {
            *error = wrong;
            break;
        }
        if (!found->damage[0])
            snprintf(found->damage, sizeof found->damage, "%.255s", wrong.message);
    }
    if (status == NN_OK && which < 2)
        status = take(c, file, found, error);
    else if (status == NN_EFORMAT)
        status = only_damaged(c, found, error);
    nn_safetensors_close(file);
    if (status == NN_OK && which == 1)
        status = nn_file_rename(paths[1], paths[0], error);
    return status;
}
