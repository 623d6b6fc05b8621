#include "layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef enum part { TRAINING, TESTING, VALIDATION, NO_PART } part;

/* What the pictures below a prefix of their paths show of the layout. */
typedef struct view {
    const data_picture_files *files;
    const char *prefix; /* "wrapper/"; `length` characters of a path */
    size_t length;
    const char *folder;          /* the first folder below it; NULL: none */
    bool single, nested;         /* it is the only one; there are folders in folders */
    size_t deep[NO_PART + 1];    /* pictures in class folders of a folder of this name, */
    size_t shallow[NO_PART + 1]; /* or in that folder itself */
} view;

/* The rest of a path behind the prefix; NULL where it has another. */
static const char *below(const view *v, size_t file) {
    const char *path = v->files->list[file].path;
    return strncmp(path, v->prefix, v->length) == 0 ? path + v->length : NULL;
}

/* Of the first folder of a path; 0: it has none. */
static size_t folder_length(const char *path) {
    const char *slash = strchr(path, '/');
    return slash ? (size_t)(slash - path) : 0;
}

static part part_named(const char *name, size_t length) {
    static const struct {
        const char *name;
        part part;
    } names[] = {{"train", TRAINING}, {"training", TRAINING}, {"test", TESTING},         {"testing", TESTING},
                 {"val", VALIDATION}, {"valid", VALIDATION},  {"validation", VALIDATION}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i].name) == length && strncasecmp(names[i].name, name, length) == 0)
            return names[i].part;
    return NO_PART;
}

static void look(view *v) {
    *v = (view){.files = v->files, .prefix = v->prefix, .length = v->length, .single = true};
    for (size_t i = 0; i < v->files->count; i++) {
        const char *path = below(v, i);
        const size_t length = path ? folder_length(path) : 0;
        if (length == 0)
            continue;
        const bool deep = folder_length(path + length + 1) > 0;
        ++(deep ? v->deep : v->shallow)[part_named(path, length)];
        v->nested = v->nested || deep;
        v->folder = v->folder ? v->folder : path;
        v->single = v->single && strncmp(v->folder, path, length + 1) == 0;
    }
}

/* Few pictures beside the class folders, as a preview, do not make train/ a class. */
static bool has_parts(const view *v) {
    return v->deep[TRAINING] + v->deep[TESTING] > v->shallow[TRAINING] + v->shallow[TESTING];
}

/* Finds the folder in which the layout begins. */
static void descend(view *v) {
    look(v);
    while (!has_parts(v) && v->folder && v->single && v->nested) {
        v->prefix = v->folder - v->length;
        v->length += folder_length(v->folder) + 1;
        look(v);
    }
}

/* --- places --------------------------------------------------------------------------------------------- */

static nn_status find_class(data_layout *l, const char *source, const char *path, size_t length, int *label,
                            nn_error *error) {
    /* Most often that of the picture before. */
    for (int i = l->classes - 1; i >= 0; i--)
        if (strlen(l->names[i]) == length && strncmp(l->names[i], path, length) == 0) {
            *label = i;
            return NN_OK;
        }
    if (length >= DATA_NAME_MAX)
        return nn_fail(error, NN_EFORMAT,
                       "%s: the class name '%.40s...' has more than %d bytes: rename the folder", source,
                       path, DATA_NAME_MAX - 1);
    if (l->classes == DATA_CLASSES_MAX)
        return nn_fail(error, NN_EFORMAT,
                       "%s: more than %d class folders, '%.*s' among them: at most so many classes are read",
                       source, DATA_CLASSES_MAX, (int)length, path);
    char *name = strndup(path, length);
    if (!name)
        return nn_fail_memory(error, source);
    *label = l->classes;
    l->names[l->classes++] = name;
    return NN_OK;
}

static uint64_t key_of(const char *path) {
    nn_stream stream = nn_stream_named(0, path);
    const uint64_t high = nn_random_bits(&stream);
    return high << 32 | nn_random_bits(&stream);
}

/* Puts a picture with those of its part, or counts it as left out. */
static nn_status place(data_layout *l, const view *v, part tests, size_t file, nn_error *error) {
    const char *path = below(v, file);
    part p = TRAINING;
    if (path && has_parts(v)) {
        const size_t length = folder_length(path);
        p = part_named(path, length);
        path = length ? path + length + 1 : NULL;
    }
    if (path && p != TRAINING && p != tests) {
        l->unused++;
        return NN_OK;
    }
    const size_t length = path ? folder_length(path) : 0;
    if (length == 0) {
        l->beside++;
        return NN_OK;
    }
    data_place found = {.file = file, .key = key_of(path), .path = path};
    nn_status status = find_class(l, v->files->source, path, length, &found.label, error);
    if (status == NN_OK)
        *(p == TRAINING ? &l->train[l->train_count++] : &l->test[l->test_count++]) = found;
    return status;
}

static int compare_places(const void *left, const void *right) {
    const data_place *a = left, *b = right;
    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    const int order = strcmp(a->path, b->path);
    return order               ? order
           : a->file < b->file ? -1
                               : a->file > b->file; /* "train/" and "Train/" may hold one path each */
}

static void sort(data_place *places, size_t count) {
    if (count)
        qsort(places, count, sizeof *places, compare_places);
}

static int compare_names(const void *left, const void *right) {
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* Classes in the order of their names, which so far have that of their pictures. */
static void sort_classes(data_layout *l) {
    const char *before[DATA_CLASSES_MAX];
    int label[DATA_CLASSES_MAX] = {0};
    memcpy(before, l->names, sizeof before);
    qsort(l->names, (size_t)l->classes, sizeof *l->names, compare_names);
    for (int i = 0; i < l->classes; i++)
        for (int k = 0; k < l->classes; k++)
            if (before[i] == l->names[k])
                label[i] = k;
    for (size_t i = 0; i < l->train_count; i++)
        l->train[i].label = label[l->train[i].label];
    for (size_t i = 0; i < l->test_count; i++)
        l->test[i].label = label[l->test[i].label];
}

static void count_classes(const data_place *places, size_t count, size_t of_class[DATA_CLASSES_MAX]) {
    memset(of_class, 0, DATA_CLASSES_MAX * sizeof *of_class);
    for (size_t i = 0; i < count; i++)
        of_class[places[i].label]++;
}

/* Moves the first tenth of each class, in the examples' order, to those for testing. */
static void divide(data_layout *l) {
    size_t left[DATA_CLASSES_MAX], kept = 0;
    count_classes(l->train, l->train_count, left);
    for (int k = 0; k < l->classes; k++)
        left[k] = left[k] < 2 ? 0 : left[k] < 10 ? 1 : (left[k] + 5) / 10;
    for (size_t i = 0; i < l->train_count; i++) {
        const data_place found = l->train[i];
        if (left[found.label] == 0) {
            l->train[kept++] = found;
            continue;
        }
        left[found.label]--;
        l->test[l->test_count++] = found;
    }
    l->train_count = kept;
    l->divided = true;
}

/* --- checks --------------------------------------------------------------------------------------------- */

static const char wanted[] =
    "wanted are train/CLASS/ and test/CLASS/, or CLASS/, with .png, .jpg or .bmp files in them";

static nn_status check_classes(const data_layout *l, const view *v, nn_error *error) {
    const char *source = v->files->source;
    if (v->files->count == 0)
        return nn_fail(error, NN_EFORMAT, "%s: no pictures (%zu other files): %s", source, v->files->others,
                       wanted);
    bool only_parts = !has_parts(v) && l->classes > 0;
    for (int i = 0; i < l->classes; i++)
        only_parts = only_parts && part_named(l->names[i], strlen(l->names[i])) != NO_PART;
    if (only_parts)
        return nn_fail(error, NN_EFORMAT, "%s: the pictures in %s/ are in no class folders: %s", source,
                       l->names[0], wanted);
    if (l->classes == 0)
        return nn_fail(error, NN_EFORMAT, "%s: %zu pictures, but no class folders: %s", source,
                       v->files->count, wanted);
    if (l->classes == 1)
        return nn_fail(error, NN_EFORMAT, "%s: one class alone, %s: %s", source, l->names[0], wanted);
    return NN_OK;
}

static nn_status check_tested(const data_layout *l, const char *source, nn_error *error) {
    size_t trained[DATA_CLASSES_MAX], tested[DATA_CLASSES_MAX];
    count_classes(l->train, l->train_count, trained);
    count_classes(l->test, l->test_count, tested);
    for (int k = 0; k < l->classes && l->train_count; k++)
        if (tested[k] && !trained[k])
            return nn_fail(error, NN_EFORMAT,
                           "%s: the class '%s' is among the pictures for testing, but not for training",
                           source, l->names[k]);
    return NN_OK;
}

nn_status data_layout_find(data_layout *l, const data_picture_files *files, nn_error *error) {
    view v = {.files = files, .prefix = ""};
    *l = (data_layout){0};
    l->train = malloc((files->count + 1) * sizeof *l->train);
    l->test = malloc((files->count + 1) * sizeof *l->test);
    if (!l->train || !l->test)
        return nn_fail_memory(error, files->source);
    descend(&v);
    const part tests = v.deep[TESTING] ? TESTING : VALIDATION;
    nn_status status = NN_OK;
    for (size_t i = 0; i < files->count && status == NN_OK; i++)
        status = place(l, &v, tests, i, error);
    if (status == NN_OK)
        status = check_classes(l, &v, error);
    if (status != NN_OK)
        return status;
    sort_classes(l);
    sort(l->train, l->train_count);
    sort(l->test, l->test_count);
    if (l->test_count == 0)
        divide(l);
    return check_tested(l, files->source, error);
}

void data_layout_free(data_layout *l) {
    for (int i = 0; i < l->classes; i++)
        free((char *)l->names[i]);
    free(l->train);
    free(l->test);
    *l = (data_layout){0};
}
