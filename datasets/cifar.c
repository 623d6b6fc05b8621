/* cifar.c - CIFAR-10 in its binary form (https://www.cs.toronto.edu/~kriz/cifar.html), from the archive as it
 * is downloaded or from the extracted folder.
 *
 * Five training files and a test file, each of the same number of records. A record is a label byte and the
 * 32 x 32 image, all of its red bytes first, then the green, then the blue. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "framework/file.h"
#include "sources.h"
#include "tar.h"

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

/* Where the files come from: a folder, or the unpacked archive in memory. */
struct container {
    const char *path;
    unsigned char *archive; /* NULL: a folder */
    size_t archive_count;
};

struct content {
    char path[DATA_PATH_MAX + NAME_TEXT]; /* for messages */
    const unsigned char *bytes;           /* NULL: no such file */
    size_t count;
    unsigned char *owned; /* to be freed; NULL within the archive */
};

/* Reads one file; one that is not there is no failure here. */
static nn_status read_content(const struct container *from, const char *name, struct content *content,
                              nn_error *error) {
    content->bytes = content->owned = NULL;
    if (!from->archive) {
        if (!data_find(content->path, from->path, name))
            return NN_OK;
        nn_status status = nn_file_read(content->path, largest_file, &content->owned, &content->count, error);
        content->bytes = content->owned;
        return status;
    }
    char member_name[NAME_TEXT];
    snprintf(member_name, sizeof member_name, FOLDER "/%s", name);
    snprintf(content->path, sizeof content->path, "%s: %s", from->path, member_name);
    data_tar tar = {.path = from->path, .bytes = from->archive, .count = from->archive_count};
    data_tar_member member;
    bool found;
    nn_status status = data_tar_find(tar, member_name, &member, &found, error);
    if (status == NN_OK && found) {
        content->bytes = member.bytes;
        content->count = member.count;
    }
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
static nn_status read_names(const struct container *from, data_set *set, nn_error *error) {
    struct content text;
    nn_status status = read_content(from, names_file, &text, error);
    if (status != NN_OK)
        return status;
    if (!text.bytes)
        return data_name_classes(set, standard_names, CLASSES, error);

    char *copy = malloc(text.count + 1);
    if (copy) {
        memcpy(copy, text.bytes, text.count);
        copy[text.count] = '\0';
        const char *names[CLASSES];
        int count = 0;
        char *rest = NULL;
        for (char *name = strtok_r(copy, "\r\n", &rest); name; name = strtok_r(NULL, "\r\n", &rest), count++)
            if (count < CLASSES)
                names[count] = name;
        status = count == CLASSES ? data_name_classes(set, names, CLASSES, error)
                                  : nn_fail(error, NN_EFORMAT, "%s: %d class names, there must be %d",
                                            text.path, count, CLASSES);
    } else {
        status = nn_fail_memory(error, text.path);
    }
    free(copy);
    free(text.owned);
    return status;
}

static nn_status read_all(const struct container *from, data_set *set, nn_error *error) {
    set->height = set->width = SIDE;
    set->channels = CHANNELS;
    nn_status status = read_names(from, set, error);
    for (int i = 0; i < FILES && status == NN_OK; i++) {
        struct content content;
        status = read_content(from, files[i], &content, error);
        if (status == NN_OK)
            status = take_file(&content, i, set, error);
        free(content.owned);
    }
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
    struct container from = {.path = set->source};
    if (!is_folder) {
        nn_status status = nn_file_read(from.path, largest_file, &from.archive, &from.archive_count, error);
        if (status != NN_OK)
            return status;
    }
    nn_status status = read_all(&from, set, error);
    free(from.archive);
    return status;
}

bool data_present_cifar10(const char *root) {
    char path[DATA_PATH_MAX];
    bool is_folder;
    return find_container(path, root, &is_folder) && (!is_folder || folder_complete(path));
}
