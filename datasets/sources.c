/* sources.c - the table of data sets, and what is done to each of them after its reader. */
#include "sources.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive.h"
#include "pictures/pictures.h"

const data_source data_sources[] = {
    {"mnist", "handwritten digits, 28 x 28, 10 classes", data_load_mnist, data_present_mnist},
    {"fashion-mnist", "articles of clothing, 28 x 28, 10 classes", data_load_fashion_mnist,
     data_present_fashion_mnist},
    {"notmnist", "letters A to J in many fonts, 28 x 28, 10 classes", data_load_notmnist,
     data_present_notmnist},
    {"cifar10", "photographs of animals and vehicles, 32 x 32 color, 10 classes", data_load_cifar10,
     data_present_cifar10},
    {"svhn", "digits of house numbers, 32 x 32 color, 10 classes", data_load_svhn, data_present_svhn},
    {"shapes", "built in: drawn shapes on busy backgrounds, 32 x 32 color, 10 classes", data_load_shapes,
     data_present_shapes},
    {0},
};

bool data_find(char path[DATA_PATH_MAX], const char *folder, const char *name) {
    int length = snprintf(path, DATA_PATH_MAX, "%s/%s", folder, name);
    return length < DATA_PATH_MAX && access(path, F_OK) == 0;
}

nn_status data_missing(const char *name, const char *places, const char *root, nn_error *error) {
    char command[DATA_COMMAND_MAX];
    return nn_fail(error, NN_EFILE, "no %s data: looked for %s; to get it: %s", name, places,
                   data_fetch_command(name, root, command));
}

const char *data_fetch_command(const char *name, const char *root, char text[DATA_COMMAND_MAX]) {
    const char *here = "scripts/fetch", *program = access(here, X_OK) == 0 ? here : "entangle-fetch";
    snprintf(text, DATA_COMMAND_MAX, "ENTANGLE_DATA='%s' %s %s", root, program, name);
    return text;
}

/* Bytes of one example; 0 when they do not fit. */
static size_t example_bytes(const data_set *set) {
    return nn_shape_count((nn_shape){3, {set->height, set->width, set->channels}});
}

nn_status data_split_new(const data_set *set, data_split *split, int count, nn_error *error) {
    size_t bytes, example = example_bytes(set);
    if (example == 0 || !nn_multiply((size_t)count, example, &bytes))
        return nn_fail_memory(error, set->name);
    *split = (data_split){.count = count, .pixels = malloc(bytes), .labels = malloc((size_t)count)};
    return split->pixels && split->labels ? NN_OK : nn_fail_memory(error, set->name);
}

nn_status data_name_classes(data_set *set, const char *const *names, int count, nn_error *error) {
    set->classes = count;
    for (int i = 0; i < count; i++) {
        int length = snprintf(set->class_names[i], DATA_NAME_MAX, "%s", names[i]);
        if (length >= DATA_NAME_MAX)
            return nn_fail(error, NN_EFORMAT, "%s: the class name '%.40s...' has more than %d characters",
                           set->name, names[i], DATA_NAME_MAX - 1);
        nn_remove_controls(set->class_names[i]);
    }
    return NN_OK;
}

static uint64_t hash_split(uint64_t hash, const data_set *set, const data_split *split) {
    if (split->count == 0)
        return hash;
    hash = nn_hash(hash, split->pixels, (size_t)split->count * example_bytes(set));
    return nn_hash(hash, split->labels, (size_t)split->count);
}

static uint64_t checksum(const data_set *set) {
    const int32_t sizes[] = {set->height,  set->width,       set->channels,
                             set->classes, set->train.count, set->test.count};
    uint64_t hash = nn_hash(nn_hash_start, sizes, sizeof sizes);
    return hash_split(hash_split(hash, set, &set->train), set, &set->test);
}

static void limit_split(const data_set *set, data_split *split, int limit) {
    if (limit == 0 || limit >= split->count)
        return;
    split->count = limit;
    unsigned char *smaller = realloc(split->pixels, (size_t)limit * example_bytes(set));
    if (smaller)
        split->pixels = smaller;
}

/* Mean and population deviation of every channel, from how often each of the 256 values occurs. */
static void measure(data_set *set) {
    const data_split *split = set->train.count ? &set->train : &set->test;
    const int channels = set->channels;
    const size_t bytes = (size_t)split->count * example_bytes(set);
    uint64_t occurrences[DATA_CHANNELS_MAX][256] = {0};
    for (size_t i = 0; i < bytes; i += (size_t)channels)
        for (int c = 0; c < channels; c++)
            occurrences[c][split->pixels[i + (size_t)c]]++;

    const double n = (double)(bytes / (size_t)channels);
    for (int c = 0; c < channels; c++) {
        double sum = 0, squares = 0;
        for (int value = 0; value < 256; value++)
            sum += (double)occurrences[c][value] * value;
        const double mean = sum / n;
        for (int value = 0; value < 256; value++)
            squares += (double)occurrences[c][value] * (value - mean) * (value - mean);
        set->mean[c] = (float)(mean / 255);
        set->deviation[c] = squares > 0 ? (float)(sqrt(squares / n) / 255) : 1;
    }
}

static const data_source *find_source(const char *name) {
    for (const data_source *source = data_sources; source->name; source++)
        if (strcmp(source->name, name) == 0)
            return source;
    return NULL;
}

bool data_is_named(const char *name) {
    return find_source(name) != NULL;
}

bool data_find_pictures(char path[DATA_PATH_MAX], const char *name, const char *root) {
    if (snprintf(path, DATA_PATH_MAX, "%s", name) < DATA_PATH_MAX && access(name, F_OK) == 0)
        return true;
    return name[0] && name[0] != '/' && root[0] && data_find(path, root, name);
}

bool data_is_path(const char *name, const char *root) {
    char path[DATA_PATH_MAX];
    return !find_source(name) &&
           (strchr(name, '/') || data_archive_named(name) || data_find_pictures(path, name, root));
}

const char *data_names(char text[DATA_NAMES_TEXT]) {
    text[0] = '\0';
    for (const data_source *source = data_sources; source->name; source++) {
        size_t length = strlen(text);
        snprintf(text + length, DATA_NAMES_TEXT - length, "%s%s", length ? ", " : "", source->name);
    }
    return text;
}

static nn_status fail_unknown(const char *name, const char *root, nn_error *error) {
    char known[DATA_NAMES_TEXT];
    if (data_is_path(name, root))
        return nn_fail(error, NN_EFILE,
                       "no data at %s: looked for a folder or an archive (.tar, .tar.gz, .zip) of pictures "
                       "there and in %s",
                       name, root);
    return nn_fail(error, NN_EARGUMENT,
                   "unknown data set '%s'; there are %s; nor is there a folder or an archive of pictures of "
                   "that name, here or "
                   "in %s",
                   name, data_names(known), root);
}

static nn_status check_form(const data_set *set, data_form form, nn_error *error) {
    if ((form.height == 0 || (form.height == set->height && form.width == set->width)) &&
        (form.channels == 0 || form.channels == set->channels))
        return NN_OK;
    return nn_fail(error, NN_EARGUMENT,
                   "the images of %s are %d x %d (width x height): they are not resized, only pictures in a "
                   "folder or an archive are",
                   set->name, set->width, set->height);
}

static nn_status load(data_set *set, const char *name, const char *root, data_form form, nn_error *error) {
    const data_source *source = find_source(name);
    char path[DATA_PATH_MAX];
    if (!source)
        return data_find_pictures(path, name, root) ? data_load_pictures(path, form, set, error)
                                                    : fail_unknown(name, root, error);
    snprintf(set->name, sizeof set->name, "%s", name);
    nn_status status = source->load(root, set, error);
    return status == NN_OK ? check_form(set, form, error) : status;
}

nn_status data_load_as(data_set *set, const char *name, const char *root, data_form form, int train_limit,
                       int test_limit, nn_error *error) {
    *set = (data_set){0};
    if (train_limit < 0 || test_limit < 0)
        return nn_fail(error, NN_EARGUMENT, "a limit of %d examples: must be 0 (all) or more",
                       train_limit < 0 ? train_limit : test_limit);
    nn_status status = load(set, name, root, form, error);
    if (status != NN_OK) {
        data_free(set);
        return status;
    }
    set->checksum = checksum(set);
    limit_split(set, &set->train, train_limit);
    limit_split(set, &set->test, test_limit);
    measure(set);
    return NN_OK;
}

nn_status data_load(data_set *set, const char *name, const char *root, int train_limit, int test_limit,
                    nn_error *error) {
    return data_load_as(set, name, root, (data_form){0}, train_limit, test_limit, error);
}

bool data_present(const char *name, const char *root) {
    const data_source *source = find_source(name);
    char path[DATA_PATH_MAX];
    return source ? source->present(root) : data_find_pictures(path, name, root);
}

void data_free(data_set *set) {
    free(set->train.pixels);
    free(set->train.labels);
    free(set->test.pixels);
    free(set->test.labels);
    *set = (data_set){0};
}
