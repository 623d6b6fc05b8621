/* idx.c - MNIST and its kin: four IDX files, gzip'd or not.
 *
 * An IDX file is big-endian: a magic number (two zero bytes, the type 8 for bytes, the number of dimensions),
 * each dimension as 32 bits, then the data (http://yann.lecun.com/exdb/mnist). Every number in it is checked
 * against the bytes that are there. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "framework/file.h"
#include "sources.h"

enum { IMAGES_MAGIC = 0x803, LABELS_MAGIC = 0x801, CLASSES = 10 };

static const size_t largest_file = (size_t)1 << 31;

struct kind {
    const char *name;          /* the folder's name too */
    const char *system_folder; /* where a system package puts the files, or NULL */
    const char *class_names[CLASSES];
};

static const struct kind mnist = {"mnist", NULL, {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}};
static const struct kind fashion_mnist = {"fashion-mnist",
                                          "/usr/share/datasets/fashion-mnist",
                                          {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal",
                                           "Shirt", "Sneaker", "Bag", "Ankle boot"}};
static const struct kind notmnist = {"notmnist", NULL, {"A", "B", "C", "D", "E", "F", "G", "H", "I", "J"}};

/* The paths of one split's two files. */
struct pair {
    bool has_images, has_labels;
    char images[DATA_PATH_MAX], labels[DATA_PATH_MAX];
};

static bool find_file(char path[DATA_PATH_MAX], const char *folder, const char *split, const char *content) {
    char name[64];
    snprintf(name, sizeof name, "%s-%s.gz", split, content);
    if (data_find(path, folder, name))
        return true;
    snprintf(name, sizeof name, "%s-%s", split, content);
    return data_find(path, folder, name);
}

/* `split` is "train" or "t10k". */
static struct pair find_pair(const char *folder, const char *split) {
    struct pair found;
    found.has_images = find_file(found.images, folder, split, "images-idx3-ubyte");
    found.has_labels = find_file(found.labels, folder, split, "labels-idx1-ubyte");
    return found;
}

/* The folder that holds the test pair at least: in the data root, else the system's. */
static bool find_folder(char folder[DATA_PATH_MAX], const struct kind *kind, const char *root) {
    data_find(folder, root, kind->name);
    struct pair test = find_pair(folder, "t10k");
    if (!(test.has_images && test.has_labels) && kind->system_folder) {
        strcpy(folder, kind->system_folder);
        test = find_pair(folder, "t10k");
    }
    return test.has_images && test.has_labels;
}

static uint32_t big_endian(const unsigned char *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* Reads an IDX file of bytes: its dimensions, and its data, which the caller frees. */
static nn_status read_idx(const char *path, uint32_t magic, uint32_t *dims, unsigned char **data,
                          nn_error *error) {
    size_t size;
    nn_status status = nn_file_read(path, largest_file, data, &size, error);
    if (status != NN_OK)
        return status;
    const int rank = (int)(magic & 0xff);
    const size_t header = 4 + 4 * (size_t)rank;
    if (size < header)
        return nn_fail(error, NN_EFORMAT, "%s: %zu bytes are too few for an IDX header of %zu", path, size,
                       header);
    if (big_endian(*data) != magic)
        return nn_fail(error, NN_EFORMAT, "%s: starts with 0x%08x, an IDX file of %s starts with 0x%08x",
                       path, big_endian(*data), rank == 3 ? "images" : "labels", magic);
    size_t promised = 1;
    bool fits = true;
    for (int i = 0; i < rank; i++) {
        dims[i] = big_endian(*data + 4 + 4 * i);
        if (dims[i] == 0 || dims[i] > INT_MAX)
            return nn_fail(error, NN_EFORMAT, "%s: dimension %d is %u", path, i, dims[i]);
        fits = fits && nn_multiply(promised, dims[i], &promised);
    }
    if (!fits || promised != size - header)
        return nn_fail(error, NN_EFORMAT, "%s: the header promises %zu bytes of data, the file holds %zu",
                       path, fits ? promised : SIZE_MAX, size - header);
    memmove(*data, *data + header, promised);
    return NN_OK;
}

static nn_status read_pair(const struct pair *files, data_set *set, data_split *split, nn_error *error) {
    uint32_t images[3] = {0}, labels[1] = {0};
    nn_status status = read_idx(files->images, IMAGES_MAGIC, images, &split->pixels, error);
    if (status == NN_OK)
        status = read_idx(files->labels, LABELS_MAGIC, labels, &split->labels, error);
    if (status != NN_OK)
        return status;
    if (images[0] != labels[0])
        return nn_fail(error, NN_EFORMAT, "%s holds %u images, but %s holds %u labels", files->images,
                       images[0], files->labels, labels[0]);
    if (set->height && (images[1] != (uint32_t)set->height || images[2] != (uint32_t)set->width))
        return nn_fail(error, NN_EFORMAT, "%s: images of %u x %u, but the test images are %d x %d",
                       files->images, images[1], images[2], set->height, set->width);
    for (uint32_t i = 0; i < labels[0]; i++)
        if (split->labels[i] >= CLASSES)
            return nn_fail(error, NN_EFORMAT, "%s: label %u is %d, must be below %d", files->labels, i,
                           split->labels[i], CLASSES);
    set->height = (int)images[1];
    set->width = (int)images[2];
    set->channels = 1;
    split->count = (int)images[0];
    return NN_OK;
}

static nn_status load(const struct kind *kind, const char *root, data_set *set, nn_error *error) {
    if (!find_folder(set->source, kind, root)) {
        char places[2 * DATA_PATH_MAX];
        snprintf(places, sizeof places,
                 "t10k-images-idx3-ubyte[.gz] and t10k-labels-idx1-ubyte[.gz] in %s/%s%s%s", root, kind->name,
                 kind->system_folder ? " and " : "", kind->system_folder ? kind->system_folder : "");
        return data_missing(kind->name, places, root, error);
    }
    const struct pair train = find_pair(set->source, "train"), test = find_pair(set->source, "t10k");
    if (train.has_images != train.has_labels)
        return nn_fail(error, NN_EFILE, "%s is there, but %s is missing",
                       train.has_images ? train.images : train.labels,
                       train.has_images ? train.labels : train.images);
    nn_status status = data_name_classes(set, kind->class_names, CLASSES, error);
    if (status == NN_OK)
        status = read_pair(&test, set, &set->test, error);
    if (status == NN_OK && train.has_images)
        status = read_pair(&train, set, &set->train, error);
    return status;
}

static bool present(const struct kind *kind, const char *root) {
    char folder[DATA_PATH_MAX];
    return find_folder(folder, kind, root);
}

nn_status data_load_mnist(const char *root, data_set *set, nn_error *error) {
    return load(&mnist, root, set, error);
}

nn_status data_load_fashion_mnist(const char *root, data_set *set, nn_error *error) {
    return load(&fashion_mnist, root, set, error);
}

nn_status data_load_notmnist(const char *root, data_set *set, nn_error *error) {
    return load(&notmnist, root, set, error);
}

bool data_present_mnist(const char *root) {
    return present(&mnist, root);
}

bool data_present_fashion_mnist(const char *root) {
    return present(&fashion_mnist, root);
}

bool data_present_notmnist(const char *root) {
    return present(&notmnist, root);
}
