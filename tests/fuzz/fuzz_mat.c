/* MATLAB 5 files: as they are, with every plain variable packed by zlib, and as both files of SVHN. */
#include "datasets/mat.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "datasets/datasets.h"
#include "fuzz.h"

enum { HEADER = 128, TAG = 8, MATRIX = 14, PACKED = 15, LIMIT = 1 << 20 };

static void require_array(const data_mat_array *array) {
    size_t count = 1;
    double sum = 0;
    fuzz_require(array->rank >= 2 && array->rank <= DATA_MAT_RANK_MAX, "an array has 2 to 32 dimensions");
    for (int i = 0; i < array->rank; i++)
        count *= array->dims[i];
    fuzz_require(count == array->count && count <= LIMIT, "the dimensions give the count");
    for (size_t i = 0; i < count; i++)
        sum += data_mat_number(array, i);
    fuzz_read(&sum, sizeof sum);
}

static void read_variables(const char *path) {
    static const char *const names[] = {"X", "y", "numbers", "none"};
    data_mat mat;
    nn_error error = {0};
    nn_status status = data_mat_open(&mat, path, LIMIT, &error);
    fuzz_require_reason(status, &error, path);
    for (size_t i = 0; status == NN_OK && i < sizeof names / sizeof *names; i++) {
        data_mat_array array;
        nn_error wrong = {0};
        nn_status found = data_mat_find(&mat, names[i], LIMIT, &array, &wrong);
        fuzz_require_reason(found, &wrong, path);
        fuzz_require((found == NN_OK) == (array.data != NULL), "a failure leaves nothing");
        if (found == NN_OK)
            require_array(&array);
        free(array.data);
    }
    data_mat_close(&mat);
}

static void read_svhn(const void *bytes, size_t count) {
    data_set set;
    nn_error error = {0};
    fuzz_file("svhn/train_32x32.mat", bytes, count);
    fuzz_file("svhn/test_32x32.mat", bytes, count);
    nn_status status = data_load(&set, "svhn", fuzz_path("."), 0, 0, &error);
    fuzz_require_reason(status, &error, "svhn");
    if (status != NN_OK)
        return;
    for (int i = 0; i < set.train.count; i++)
        fuzz_require(set.train.labels[i] < set.classes, "labels are below the number of classes");
    fuzz_read(set.train.pixels, (size_t)set.train.count * 32 * 32 * 3);
    data_free(&set);
}

/* Little-endian, as are the files that are packed here. */
static void put_word(unsigned char *to, size_t word) {
    for (int i = 0; i < 4; i++)
        to[i] = (unsigned char)(word >> (8 * i));
}

static size_t word_at(const unsigned char *at) {
    return at[0] | (size_t)at[1] << 8 | (size_t)at[2] << 16 | (size_t)at[3] << 24;
}

/* Packs one element of the file at `at` to `to`; how many bytes it takes there. */
static size_t pack(const unsigned char *at, size_t count, unsigned char *to) {
    uLongf packed = compressBound(count);
    fuzz_require(compress2(to + TAG, &packed, at, count, 1) == Z_OK, "zlib has room");
    put_word(to, PACKED);
    put_word(to + 4, packed);
    return TAG + packed;
}

/* The same file, its matrices packed, as far as it can be followed; NULL where it is none. To be freed. */
static unsigned char *pack_all(const unsigned char *bytes, size_t count, size_t *size) {
    if (count < HEADER)
        return NULL;
    unsigned char *all = malloc(HEADER + (count / TAG + 1) * (TAG + 64) + 2 * count);
    fuzz_require(all != NULL, "there is memory");
    memcpy(all, bytes, HEADER);
    *size = HEADER;
    for (size_t place = HEADER; count - place >= TAG;) {
        const size_t left = count - place - TAG, wanted = word_at(bytes + place + 4),
                     here = TAG + (wanted < left ? wanted : left);
        if (word_at(bytes + place) == MATRIX) {
            *size += pack(bytes + place, here, all + *size);
        } else {
            memcpy(all + *size, bytes + place, here);
            *size += here;
        }
        place += here;
    }
    return all;
}

FUZZ_TARGET(mat) {
    size_t size = 0;
    unsigned char *packed = pack_all(bytes, count, &size);
    read_variables(fuzz_file("plain.mat", bytes, count));
    read_svhn(bytes, count);
    if (packed) {
        read_variables(fuzz_file("packed.mat", packed, size));
        read_svhn(packed, size);
    }
    free(packed);
}
