/* svhn.c - Street View House Numbers, cropped digits (http://ufldl.stanford.edu/housenumbers), from the two
 * MATLAB files as they are downloaded.
 *
 * X is uint8 [32][32][3][images] with the row fastest, y is [images][1], where 10 stands for the digit 0. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mat.h"
#include "sources.h"

enum { SIDE = 32, CHANNELS = 3, IMAGE = SIDE * SIDE * CHANNELS, CLASSES = 10 };

/* The training file is of 174 MiB and unpacks to 215. */
static const size_t largest_file = (size_t)1 << 29, largest_array = (size_t)1 << 29;

#define TRAIN "train_32x32.mat"
#define TEST  "test_32x32.mat"
static const char *const digits[CLASSES] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};

/* Turns images of [channel][column][row] into [row][column][channel], in place. */
static void transpose(unsigned char *pixels, int count) {
    unsigned char image[IMAGE];
    for (int i = 0; i < count; i++, pixels += IMAGE) {
        memcpy(image, pixels, IMAGE);
        for (int row = 0; row < SIDE; row++)
            for (int column = 0; column < SIDE; column++)
                for (int c = 0; c < CHANNELS; c++)
                    pixels[(row * SIDE + column) * CHANNELS + c] = image[(c * SIDE + column) * SIDE + row];
    }
}

/* The first six dimensions, all that a message needs: "32 x 32 x 3 x 7". */
static const char *shape_of(const data_mat_array *array, char text[96]) {
    int length = 0;
    for (int i = 0; i < array->rank && i < 6; i++)
        length += snprintf(text + length, 96 - (size_t)length, "%s%zu", i ? " x " : "", array->dims[i]);
    return text;
}

static nn_status read_images(const data_mat *mat, data_split *split, nn_error *error) {
    char text[96];
    data_mat_array x;
    nn_status status = data_mat_find(mat, "X", largest_array, &x, error);
    if (status != NN_OK)
        return status;
    split->pixels = x.data;
    if (x.type != DATA_MAT_UINT8)
        return nn_fail(error, NN_EFORMAT, "%s: X holds %s numbers, must be uint8", mat->path,
                       data_mat_type_name(x.type));
    /* MATLAB leaves out a last dimension of 1. */
    const size_t count = x.rank == 4 ? x.dims[3] : 1;
    if (x.rank < 3 || x.rank > 4 || x.dims[0] != SIDE || x.dims[1] != SIDE || x.dims[2] != CHANNELS ||
        count == 0 || count > INT_MAX)
        return nn_fail(error, NN_EFORMAT, "%s: X is %s, must be %d x %d x %d x images", mat->path,
                       shape_of(&x, text), SIDE, SIDE, CHANNELS);
    split->count = (int)count;
    transpose(split->pixels, split->count);
    return NN_OK;
}

static nn_status take_labels(const data_mat *mat, const data_mat_array *y, data_split *split,
                             nn_error *error) {
    char text[96];
    if (y->rank != 2 || y->dims[0] != (size_t)split->count || y->dims[1] != 1)
        return nn_fail(error, NN_EFORMAT, "%s: y is %s, must be %d x 1: a label for each image", mat->path,
                       shape_of(y, text), split->count);
    split->labels = malloc(y->count);
    if (!split->labels)
        return nn_fail_memory(error, mat->path);
    for (size_t i = 0; i < y->count; i++) {
        const double label = data_mat_number(y, i);
        if (!(label >= 1 && label <= CLASSES) || label != (int)label)
            return nn_fail(error, NN_EFORMAT, "%s: label %zu is %g, must be a whole number from 1 to %d",
                           mat->path, i, label, CLASSES);
        split->labels[i] = (unsigned char)((int)label % CLASSES);
    }
    return NN_OK;
}

static nn_status read_labels(const data_mat *mat, data_split *split, nn_error *error) {
    data_mat_array y;
    nn_status status = data_mat_find(mat, "y", largest_array, &y, error);
    if (status == NN_OK)
        status = take_labels(mat, &y, split, error);
    free(y.data);
    return status;
}

static nn_status read_split(const char *path, data_split *split, nn_error *error) {
    data_mat mat;
    nn_status status = data_mat_open(&mat, path, largest_file, error);
    if (status == NN_OK)
        status = read_images(&mat, split, error);
    if (status == NN_OK)
        status = read_labels(&mat, split, error);
    data_mat_close(&mat);
    return status;
}

nn_status data_load_svhn(const char *root, data_set *set, nn_error *error) {
    char train[DATA_PATH_MAX], test[DATA_PATH_MAX];
    const bool has_train = data_find(train, root, "svhn/" TRAIN),
               has_test = data_find(test, root, "svhn/" TEST);
    if (!has_train || !has_test) {
        char places[2 * DATA_PATH_MAX];
        snprintf(places, sizeof places, "%s%s%s in %s/svhn", has_train ? "" : TRAIN,
                 has_train || has_test ? "" : " and ", has_test ? "" : TEST, root);
        return data_missing("svhn", places, root, error);
    }
    data_find(set->source, root, "svhn");
    set->height = set->width = SIDE;
    set->channels = CHANNELS;
    nn_status status = data_name_classes(set, digits, CLASSES, error);
    if (status == NN_OK)
        status = read_split(test, &set->test, error);
    return status == NN_OK ? read_split(train, &set->train, error) : status;
}

bool data_present_svhn(const char *root) {
    char path[DATA_PATH_MAX];
    return data_find(path, root, "svhn/" TRAIN) && data_find(path, root, "svhn/" TEST);
}
