/* cifar.c - CIFAR-10 in its binary form (https://www.cs.toronto.edu/~kriz/cifar.html), from the archive as it
 * is downloaded or from the extracted folder.
 *
 * Five training files and a test file, each of the same number of records. A record is a label byte and the
 * 32 x 32 image, all of its red bytes first, then the green, then the blue. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive.h"
#include "framework/file.h"
#include "sources.h"

enum {
    SIDE = 32,
    PLANE = SIDE * SIDE,
    CHANNELS = 3,
    IMAGE = CHANNELS * PLANE,
    RECORD = 1 + IMAGE,
    CLASSES = 10
};
enum { TRAIN_FILES = 5, FILES = TRAIN_FILES + 1, NAME_TEXT = 64 };

static const size_t largest_file = (size_t)1 << 29;

#define FOLDER  "cifar-10-batches-bin"
#define ARCHIVE "cifar-10-binary.tar.gz"
static const char names_file[] = "batches.meta.txt";
static const char *const files[FILES] = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                         "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"};
static const char *const standard_names[CLASSES] = {"airplane", "automobile", "bird",  "cat",  "deer",
                                                    "dog",      "frog",       "horse", "ship", "truck"};

/* One of the files. */
struct content {
    char path[DATA_PATH_MAX + NAME_TEXT]; /* for messages */
    unsigned char *bytes;                 /* NULL: no such file */
    size_t count;
};

/* Those that a folder or an archive holds. */
struct container {
    struct content names, records[FILES];
};

static void container_free(struct container *from) {
    free(from->names.bytes);
    for (int i = 0; i < FILES; i++)
        free(from->records[i].bytes);
}

/* The place for a file's content; NULL for files that are not wanted. */
static struct content *content_named(struct container *from, const char *name) {
    if (strcmp(name, names_file) == 0)
        return &from->names;
    for (int i = 0; i < FILES; i++)
        if (strcmp(name, files[i]) == 0)
            return &from->records[i];
    return NULL;
}

static nn_status read_folder(struct container *from, const char *folder, nn_error *error) {
    nn_status status = NN_OK;
    for (int i = -1; i < FILES && status == NN_OK; i++) {
        const char *name = i < 0 ? names_file : files[i];
        struct content *content = content_named(from, name);
        snprintf(content->path, sizeof content->path, "%s/%s", folder, name);
        if (access(content->path, F_OK) == 0)
            status = nn_file_read(content->path, largest_file, &content->bytes, &content->count, error);
    }
    return status;
}

/* Takes a member that is one of the files, the first of that name. */
static nn_status take_member(struct container *from, data_archive *archive, const data_member *member,
                             nn_error *error) {
    const char *name = strncmp(member->path, "./", 2) == 0 ? member->path + 2 : member->path;
    const size_t folder = sizeof FOLDER "/" - 1;
    if (member->kind != DATA_MEMBER_FILE || strncmp(name, FOLDER "/", folder) != 0)
        return NN_OK;
    struct content *content = content_named(from, name + folder);
    if (!content || content->bytes)
        return NN_OK;
    nn_status status = data_archive_read(archive, largest_file, &content->bytes, &content->count, error);
    if (status == NN_OK && !content->bytes)
        return nn_fail(error, NN_EFORMAT, "%s is damaged", content->path);
    return status;
}

static nn_status read_archive(struct container *from, const char *path, nn_error *error) {
    data_archive *archive;
    for (int i = -1; i < FILES; i++) {
        const char *name = i < 0 ? names_file : files[i];
        struct content *content = content_named(from, name);
        snprintf(content->path, sizeof content->path, "%s: " FOLDER "/%s", path, name);
    }
    nn_status status = data_archive_open(&archive, path, largest_file, error);
    for (bool end = false; status == NN_OK && !end;) {
        data_member member;
        status = data_archive_next(archive, &member, &end, error);
        if (status == NN_OK && !end)
            status = take_member(from, archive, &member, error);
    }
    data_archive_close(archive);
    return status;
}

/* Appends a file's records to the split, their planes interleaved. */
static nn_status unpack_records(const struct content *content, data_split *split, nn_error *error) {
    const size_t records = content->count / RECORD;
    for (size_t r = 0; r < records; r++) {
        const unsigned char *record = content->bytes + r * RECORD;
        if (record[0] >= CLASSES)
            return nn_fail(error, NN_EFORMAT, "%s: record %zu has label %d, must be below %d", content->path,
                           r, record[0], CLASSES);
        split->labels[split->count] = record[0];
        unsigned char *pixels = split->pixels + (size_t)split->count * IMAGE;
        for (int p = 0; p < PLANE; p++)
            for (int c = 0; c < CHANNELS; c++)
                pixels[p * CHANNELS + c] = record[1 + c * PLANE + p];
        split->count++;
    }
    return NN_OK;
}

/* Checks a file's size, which the first file sets for all, and takes its records. */
static nn_status take_file(const struct content *content, int index, data_set *set, nn_error *error) {
    if (!content->bytes)
        return nn_fail(error, NN_EFILE, "%s is missing", content->path);
    if (content->count == 0 || content->count % RECORD)
        return nn_fail(error, NN_EFORMAT,
                       "%s: %zu bytes are no whole number of %d-byte records: record %zu is cut short",
                       content->path, content->count, RECORD, content->count / RECORD);
    const int records = (int)(content->count / RECORD);
    if (index == 0) {
        nn_status status = data_split_new(set, &set->train, TRAIN_FILES * records, error);
        if (status == NN_OK)
            status = data_split_new(set, &set->test, records, error);
        if (status != NN_OK)
            return status;
        set->train.count = set->test.count = 0; /* counted up as records are taken */
    } else if (records != set->train.count / index) {
        return nn_fail(error, NN_EFORMAT, "%s holds %d records, but %s holds %d", content->path, records,
                       files[0], set->train.count / index);
    }
    return unpack_records(content, index < TRAIN_FILES ? &set->train : &set->test, error);
}

/* Takes the class names from batches.meta.txt, one a line, where there is such a file. */
static nn_status take_names(const struct content *text, data_set *set, nn_error *error) {
    if (!text->bytes)
        return data_name_classes(set, standard_names, CLASSES, error);
    char *copy = malloc(text->count + 1);
    if (!copy)
        return nn_fail_memory(error, text->path);
    memcpy(copy, text->bytes, text->count);
    copy[text->count] = '\0';
    const char *names[CLASSES];
    int count = 0;
    char *rest = NULL;
    for (char *name = strtok_r(copy, "\r\n", &rest); name; name = strtok_r(NULL, "\r\n", &rest), count++)
        if (count < CLASSES)
            names[count] = name;
    nn_status status = count == CLASSES ? data_name_classes(set, names, CLASSES, error)
                                        : nn_fail(error, NN_EFORMAT, "%s: %d class names, there must be %d",
                                                  text->path, count, CLASSES);
    free(copy);
    return status;
}

static nn_status take_all(const struct container *from, data_set *set, nn_error *error) {
    set->height = set->width = SIDE;
    set->channels = CHANNELS;
    nn_status status = take_names(&from->names, set, error);
    for (int i = 0; i < FILES && status == NN_OK; i++)
        status = take_file(&from->records[i], i, set, error);
    return status;
}

/* Whether the folder holds all six files. */
static bool folder_complete(const char *folder) {
    char path[DATA_PATH_MAX];
    for (int i = 0; i < FILES; i++)
        if (!data_find(path, folder, files[i]))
            return false;
    return true;
}

/* Whether there is a folder or an archive to read from, the complete folder first; *is_folder says which. A
 * folder that lacks files counts where there is nothing better, so that a message can name the file. */
static bool find_container(char path[DATA_PATH_MAX], const char *root, bool *is_folder) {
    *is_folder = data_find(path, root, "cifar10/" FOLDER) && folder_complete(path);
    if (*is_folder || data_find(path, root, "cifar10/" ARCHIVE))
        return true;
    return *is_folder = data_find(path, root, "cifar10/" FOLDER);
}

nn_status data_load_cifar10(const char *root, data_set *set, nn_error *error) {
    bool is_folder;
    if (!find_container(set->source, root, &is_folder)) {
        char places[DATA_PATH_MAX];
        snprintf(places, sizeof places, ARCHIVE " and " FOLDER " in %s/cifar10", root);
        return data_missing("cifar10", places, root, error);
    }
    struct container from = {0};
    nn_status status =
        is_folder ? read_folder(&from, set->source, error) : read_archive(&from, set->source, error);
    if (status == NN_OK)
        status = take_all(&from, set, error);
    container_free(&from);
    return status;
}

bool data_present_cifar10(const char *root) {
    char path[DATA_PATH_MAX];
    bool is_folder;
    return find_container(path, root, &is_folder) && (!is_folder || folder_complete(path));
}
