/* mat.c on files by SciPy (tests/golden/mat_files.py), on a big-endian one written out by hand, and on wrong
 * ones of every kind. */
#include "tests/support/mat_writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "datasets/mat.h"
#include "framework/file.h"

#define GOLDEN "tests/golden/mat/"
enum { LIMIT = 1 << 20 };

static data_mat_array read_array(const char *path, const char *name) {
    data_mat mat;
    data_mat_array array;
    nn_error error = {0};
    test_ok(data_mat_open(&mat, path, LIMIT, &error), &error);
    test_ok(data_mat_find(&mat, name, LIMIT, &array, &error), &error);
    data_mat_close(&mat);
    return array;
}

/* Reads variable `name` and expects a failure of the format that says `part`. */
static void expect_failure(const char *path, const char *name, size_t limit, const char *part) {
    data_mat mat;
    data_mat_array array = {0};
    nn_error error = {0};
    nn_status status = data_mat_open(&mat, path, LIMIT, &error);
    if (status == NN_OK)
        status = data_mat_find(&mat, name, limit, &array, &error);
    if (!strstr(error.message, path))
        fail_msg("'%s' does not name the file", error.message);
    test_fails(status, NN_EFORMAT, &error, part);
    assert_null(array.data);
    data_mat_close(&mat);
}

/* --- right files ---------------------------------------------------------------------------------------- */

static void expect_numbers(const char *path) {
    static const struct {
        const char *name, *type_name;
        data_mat_type type;
        int low;
    } kinds[] = {
        {"int8", "int8", DATA_MAT_INT8, -50},        {"uint8", "uint8", DATA_MAT_UINT8, 0},
        {"int16", "int16", DATA_MAT_INT16, -50},     {"uint16", "uint16", DATA_MAT_UINT16, 0},
        {"int32", "int32", DATA_MAT_INT32, -50},     {"uint32", "uint32", DATA_MAT_UINT32, 0},
        {"int64", "int64", DATA_MAT_INT64, -50},     {"uint64", "uint64", DATA_MAT_UINT64, 0},
        {"float32", "single", DATA_MAT_SINGLE, -50}, {"float64", "double", DATA_MAT_DOUBLE, -50},
    };
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        data_mat_array a = read_array(path, kinds[k].name);
        assert_int_equal(a.type, kinds[k].type);
        assert_string_equal(data_mat_type_name(a.type), kinds[k].type_name);
        assert_int_equal(a.rank, 3);
        assert_true(a.dims[0] == 2 && a.dims[1] == 3 && a.dims[2] == 4 && a.count == 24);
        for (int i = 0; i < 24; i++)
            assert_true(data_mat_number(&a, (size_t)i) == kinds[k].low + 7 * i);
        free(a.data);
    }
}

static void reads_every_type_of_numbers(void **state) {
    (void)state;
    static const char *const files[] = {GOLDEN "numbers-plain.mat", GOLDEN "numbers-packed.mat"};
    for (int f = 0; f < 2; f++) {
        expect_numbers(files[f]);
        data_mat_array a = read_array(files[f], "large");
        assert_true(a.rank == 2 && a.count == 2);
        assert_true(data_mat_number(&a, 0) == 0x1p40 && data_mat_number(&a, 1) == -1e-300);
        free(a.data);
        a = read_array(files[f], "a_name_of_thirty_one_characters");
        assert_true(a.count == 1 && data_mat_number(&a, 0) == 7);
        free(a.data);
        a = read_array(files[f], "empty");
        assert_true(a.rank == 2 && a.dims[0] == 0 && a.dims[1] == 3 && a.count == 0);
        free(a.data);
        a = read_array(files[f], "logical");
        assert_true(a.type == DATA_MAT_UINT8 && a.count == 3);
        assert_true(data_mat_number(&a, 0) == 1 && data_mat_number(&a, 1) == 0);
        free(a.data);
    }
}

static void refuses_what_is_no_array(void **state) {
    (void)state;
    static const char *const files[] = {GOLDEN "numbers-plain.mat", GOLDEN "numbers-packed.mat"};
    static const char *const names[] = {"nested", "cells", "text", "complex"};
    for (int f = 0; f < 2; f++) {
        for (int i = 0; i < 4; i++)
            expect_failure(files[f], names[i], LIMIT, "is no array of real numbers");
        expect_failure(files[f], "int", LIMIT, "holds no variable 'int'");
        expect_failure(files[f], "number", LIMIT, "holds no variable 'number'"); /* within a structure */
    }
}

/* MATLAB stores doubles that are small whole numbers as bytes. */
static void numbers_may_be_narrower_than_their_class(void **state) {
    (void)state;
    mat_bytes content = {0};
    mat_variable(&content, "y", MAT_CLASS_DOUBLE, 2, (int32_t[]){5, 1}, MAT_UINT8, "\1\2\3\4\372", 5);
    data_mat_array a = read_array(mat_file("narrow.mat", &content), "y");
    assert_true(a.type == DATA_MAT_UINT8 && a.count == 5 && data_mat_number(&a, 4) == 250);
    free(a.data);
}

/* X, int16 1 x 3, and y, double 1 x 1 in a part of its own; names and dimensions as the format has them. */
static const unsigned char big_endian_elements[] = {
    0, 0, 0, 14, 0,   0, 0, 56,                                /* matrix */
    0, 0, 0, 6,  0,   0, 0, 8,  0,    0, 0,   10,  0, 0, 0, 0, /* flags: class int16 */
    0, 0, 0, 5,  0,   0, 0, 8,  0,    0, 0,   1,   0, 0, 0, 3, /* dimensions */
    0, 1, 0, 1,  'X', 0, 0, 0,                                 /* name, in its tag */
    0, 0, 0, 3,  0,   0, 0, 6,  1,    2, 255, 254, 0, 5, 0, 0, /* 258, -2, 5 */
    0, 0, 0, 14, 0,   0, 0, 56,                                /* matrix */
    0, 0, 0, 6,  0,   0, 0, 8,  0,    0, 0,   6,   0, 0, 0, 0, /* flags: class double */
    0, 0, 0, 5,  0,   0, 0, 8,  0,    0, 0,   1,   0, 0, 0, 1, /* dimensions */
    0, 1, 0, 1,  'y', 0, 0, 0,                                 /* name */
    0, 0, 0, 9,  0,   0, 0, 8,  0xc0, 4, 0,   0,   0, 0, 0, 0, /* -2.5 */
};

static void reads_big_endian_files(void **state) {
    (void)state;
    enum { SIZE = sizeof big_endian_elements, EACH = SIZE / 2 };
    unsigned char whole[128 + 2 * SIZE] = "MATLAB 5.0 MAT-file";
    memcpy(whole + 124, "\1\0MI", 4);
    for (int packed = 0; packed < 2; packed++) {
        size_t end = 128;
        for (int i = 0; i < 2; i++) {
            const unsigned char *element = big_endian_elements + i * EACH;
            uLongf count = EACH;
            if (packed) {
                count = SIZE;
                assert_int_equal(compress(whole + end + 8, &count, element, EACH), Z_OK);
                memcpy(whole + end, (unsigned char[]){0, 0, 0, 15, 0, 0, 0, (unsigned char)count}, 8);
                count += 8;
            } else {
                memcpy(whole + end, element, EACH);
            }
            end += count;
        }
        const char *path = test_file("big.mat", whole, end);
        data_mat_array a = read_array(path, "X");
        assert_true(a.type == DATA_MAT_INT16 && a.rank == 2 && a.dims[0] == 1 && a.dims[1] == 3);
        assert_true(((int16_t *)a.data)[0] == 258);
        assert_true(data_mat_number(&a, 1) == -2 && data_mat_number(&a, 2) == 5);
        free(a.data);
        a = read_array(path, "y");
        assert_true(a.count == 1 && data_mat_number(&a, 0) == -2.5);
        free(a.data);
    }
}

/* --- wrong files ---------------------------------------------------------------------------------------- */

static void refuses_other_headers(void **state) {
    (void)state;
    mat_bytes header = {0};
    mat_header(&header);
    expect_failure(test_file("none.mat", header.bytes, header.count), "X", LIMIT, "holds no variable 'X'");
    expect_failure(test_file("short.mat", header.bytes, 127), "X", LIMIT, "127 bytes are too few");
    header.bytes[126] = 'M';
    expect_failure(test_file("order.mat", header.bytes, header.count), "X", LIMIT, "no byte order mark");
    memcpy(header.bytes + 124, "\0\2IM", 4);
    expect_failure(test_file("hdf5.mat", header.bytes, header.count), "X", LIMIT, "save it with -v7");
    memcpy(header.bytes + 124, "\7\0IM", 4);
    expect_failure(test_file("version.mat", header.bytes, header.count), "X", LIMIT, "version 0x0007");
    mat_drop(&header);

    nn_error error = {0};
    data_mat mat;
    test_fails(data_mat_open(&mat, "absent.mat", LIMIT, &error), NN_EFILE, &error,
               "absent.mat: No such file");
    data_mat_close(&mat);
    test_fails(data_mat_open(&mat, GOLDEN "numbers-plain.mat", 1000, &error), NN_EFORMAT, &error,
               "1000 bytes");
    data_mat_close(&mat);
}

/* The file cut before byte `size`: both variables cannot be had, and the message says so. */
static void expect_cut(const unsigned char *bytes, size_t size) {
    data_mat mat;
    data_mat_array x = {0}, y = {0};
    nn_error error = {0};
    const char *path = test_file("cut.mat", bytes, size);
    nn_status status = data_mat_open(&mat, path, LIMIT, &error);
    if (status == NN_OK)
        status = data_mat_find(&mat, "X", LIMIT, &x, &error);
    if (status == NN_OK)
        status = data_mat_find(&mat, "y", LIMIT, &y, &error);
    if (status != NN_EFORMAT || !(strstr(error.message, "cut short") || strstr(error.message, "too few") ||
                                  strstr(error.message, "holds no variable")))
        fail_msg("cut at %zu: status %d, '%s'", size, status, error.message);
    free(x.data);
    free(y.data);
    data_mat_close(&mat);
}

static void refuses_files_cut_at_any_byte(void **state) {
    (void)state;
    static const char *const files[] = {GOLDEN "svhn-packed-uint8.mat", GOLDEN "svhn-plain-double.mat"};
    for (int f = 0; f < 2; f++) {
        unsigned char *bytes;
        size_t count;
        nn_error error = {0};
        test_ok(nn_file_read(files[f], LIMIT, &bytes, &count, &error), &error);
        for (size_t size = 0; size < count; size++)
            expect_cut(bytes, size);
        free(bytes);
    }
}

/* The compressed data alone cut, in an element that is whole: only unpacking can tell. */
static void refuses_compressed_data_cut_at_any_byte(void **state) {
    (void)state;
    mat_bytes plain = {0}, packed = {0};
    double numbers[40];
    for (int i = 0; i < 40; i++)
        numbers[i] = i * 0.37;
    mat_variable(&plain, "X", MAT_CLASS_DOUBLE, 2, (int32_t[]){8, 5}, MAT_DOUBLE, numbers, sizeof numbers);
    mat_packed(&packed, &plain);
    for (size_t count = 0; count < packed.count - 8; count++) {
        mat_bytes cut = {0};
        mat_word(&cut, MAT_PACKED);
        mat_word(&cut, (uint32_t)count);
        mat_raw(&cut, packed.bytes + 8, count);
        expect_failure(mat_file("cut.mat", &cut), "X", LIMIT, "its compressed data is cut short");
    }
    mat_drop(&plain);
    mat_drop(&packed);
}

/* Whatever a byte is changed to, the reader answers; that it touches no memory not its own, the sanitizers tell.
 * A changed packed number never passes: zlib's checksum covers it. */
static void survives_any_changed_byte(void **state) {
    (void)state;
    static const char *const files[] = {GOLDEN "numbers-packed.mat", GOLDEN "numbers-plain.mat"};
    static const char *const names[] = {"int16", "a_name_of_thirty_one_characters"};
    for (int f = 0; f < 2; f++) {
        data_mat whole;
        nn_error error = {0};
        test_ok(data_mat_open(&whole, files[f], LIMIT, &error), &error);
        for (size_t i = 128; i < whole.count; i++)
            for (int change = 1; change < 256; change = 2 * change + 1) {
                data_mat mat = whole;
                whole.bytes[i] ^= (unsigned char)change;
                for (int k = 0; k < 2; k++) {
                    data_mat_array a;
                    nn_status status = data_mat_find(&mat, names[k], LIMIT, &a, &error);
                    assert_true(status == NN_OK || status == NN_EFORMAT || status == NN_EMEMORY);
                    assert_true((status == NN_OK) == (a.data != NULL));
                    free(a.data);
                    error = (nn_error){0};
                }
                whole.bytes[i] ^= (unsigned char)change;
            }
        data_mat_close(&whole);
    }
}

/* A file with one matrix of the given parts, made by hand. */
static const char *file_of_parts(const mat_bytes *parts) {
    mat_bytes content = {0};
    mat_part(&content, MAT_MATRIX, parts->bytes, parts->count);
    return mat_file("parts.mat", &content);
}

static void refuses_wrong_parts(void **state) {
    (void)state;
    static const uint32_t flags[] = {MAT_CLASS_DOUBLE, 0};
    static const int32_t dims[33] = {1, 1};
    static const double number = 3;
    const struct {
        uint32_t flags_type, flags_bytes, dims_type, dims_bytes, name_type, name_bytes, type, bytes;
        const char *message;
    } cases[] = {
        {5, 8, 5, 8, 1, 1, 9, 8, "it does not start with array flags"},
        {6, 4, 5, 8, 1, 1, 9, 8, "it does not start with array flags"},
        {6, 8, 6, 8, 1, 1, 9, 8, "its dimensions are not 2 to 32 numbers"},
        {6, 8, 5, 4, 1, 1, 9, 8, "its dimensions are not 2 to 32 numbers"},
        {6, 8, 5, 10, 1, 1, 9, 8, "its dimensions are not 2 to 32 numbers"},
        {6, 8, 5, 132, 1, 1, 9, 8, "its dimensions are not 2 to 32 numbers"},
        {6, 8, 5, 8, 2, 1, 9, 8, "its name is no text of up to 64 bytes"},
        {6, 8, 5, 8, 1, 65, 9, 8, "its name is no text of up to 64 bytes"},
        {6, 8, 5, 8, 1, 1, 8, 8, "its numbers are of an unknown type"},
        {6, 8, 5, 8, 1, 1, 99, 8, "its numbers are of an unknown type"},
        {6, 8, 5, 8, 1, 1, 9, 4, "its dimensions do not fit its numbers"},
        {6, 8, 5, 8, 1, 1, 9, 0, "its dimensions do not fit its numbers"},
        {6, 8, 5, 8, 1, 1, 4 | 5 << 16, 8, "a part inside its tag has over 4 bytes"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mat_bytes parts = {0};
        const char name[72] = "X";
        mat_part(&parts, cases[i].flags_type, flags, cases[i].flags_bytes);
        mat_part(&parts, cases[i].dims_type, dims, cases[i].dims_bytes);
        mat_part(&parts, cases[i].name_type, name, cases[i].name_bytes);
        mat_part(&parts, cases[i].type, &number, cases[i].bytes);
        expect_failure(file_of_parts(&parts), "X", LIMIT, cases[i].message);
        mat_drop(&parts);
    }
}

static void refuses_wrong_sizes(void **state) {
    (void)state;
    static const unsigned char bytes[16] = {0};
    const struct {
        int rank;
        int32_t dims[8];
        uint32_t count;
        const char *message;
    } cases[] = {
        {2, {-1, 1}, 1, "it has a negative dimension"},
        {2, {4, 5}, 16, "its dimensions do not fit its numbers"},
        {2, {4, 3}, 16, "its dimensions do not fit its numbers"},
        {2, {65536, 65536}, 0, "its dimensions do not fit its numbers"}, /* 2^32 is 0 in 32 bits */
        {4, {65536, 65536, 65536, 65536}, 0, "its dimensions do not fit its numbers"},
        {3, {INT32_MAX, INT32_MAX, INT32_MAX}, 16, "its dimensions do not fit its numbers"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mat_bytes content = {0};
        mat_variable(&content, "X", MAT_CLASS_UINT8, cases[i].rank, cases[i].dims, MAT_UINT8, bytes,
                     cases[i].count);
        expect_failure(mat_file("sizes.mat", &content), "X", LIMIT, cases[i].message);
    }

    mat_bytes content = {0}; /* numbers larger than the matrix, or than the file */
    mat_variable(&content, "X", MAT_CLASS_UINT8, 2, (int32_t[]){4, 4}, MAT_UINT8, bytes, 16);
    content.bytes[4] -= 8;
    content.count -= 8;
    expect_failure(mat_file("sizes.mat", &content), "X", LIMIT, "it promises more numbers than there are");
    mat_variable(&content, "X", MAT_CLASS_UINT8, 2, (int32_t[]){4, 4}, MAT_UINT8, bytes, 16);
    content.bytes[4] += 8;
    expect_failure(mat_file("sizes.mat", &content), "X", LIMIT, "cut short: the variable at byte 128 has");
    mat_variable(&content, "X", MAT_CLASS_UINT8, 2, (int32_t[]){4, 4}, MAT_UINT8, bytes, 16);
    content.bytes[4] += 8;
    mat_raw(&content, bytes, 8);
    expect_failure(mat_file("sizes.mat", &content), "X", LIMIT, "it goes on behind its numbers");
    mat_word(&content, 7);
    mat_word(&content, 0);
    expect_failure(mat_file("sizes.mat", &content), "X", LIMIT, "damaged: type 7 at byte 128");
}

static void refuses_wrong_packing(void **state) {
    (void)state;
    mat_bytes plain = {0}, packed = {0};
    mat_part(&plain, MAT_DOUBLE, "12345678", 8);
    mat_packed(&packed, &plain);
    expect_failure(mat_file("packed.mat", &packed), "X", LIMIT, "its compressed data holds no matrix");
    mat_drop(&plain);

    mat_part(&packed, MAT_PACKED, "no zlib!", 8);
    expect_failure(mat_file("packed.mat", &packed), "X", LIMIT, "variable '?' is damaged: ");

    mat_variable(&plain, "X", MAT_CLASS_UINT8, 2, (int32_t[]){3, 1}, MAT_UINT8, "abc", 3);
    mat_packed(&packed, &plain);
    packed.bytes[packed.count - 1] ^= 1; /* zlib's own checksum */
    expect_failure(mat_file("packed.mat", &packed), "X", LIMIT,
                   "variable 'X' is damaged: incorrect data check");

    mat_raw(&plain, "\0", 1);
    mat_packed(&packed, &plain);
    expect_failure(mat_file("packed.mat", &packed), "X", LIMIT, "unpacks to more than its size");
    mat_drop(&plain);
}

/* 16 MiB of zeros in 16 KiB: refused by the limit, by what the dimensions promise, or because the packed bytes
 * cannot hold what is promised. None of it is unpacked first. */
static void refuses_bombs(void **state) {
    (void)state;
    enum { BOMB = 1 << 24 };
    unsigned char *zeros = test_bytes(BOMB);
    mat_bytes plain = {0}, packed = {0};
    mat_variable(&plain, "X", MAT_CLASS_UINT8, 2, (int32_t[]){BOMB, 1}, MAT_UINT8, zeros, BOMB);
    mat_packed(&packed, &plain);
    assert_true(packed.count < 1 << 15);
    expect_failure(mat_file("bomb.mat", &packed), "X", LIMIT,
                   "variable 'X' has 16777216 bytes, more than the 1048576 expected at most");
    mat_drop(&plain);

    mat_variable(&plain, "X", MAT_CLASS_UINT8, 2, (int32_t[]){8, 1}, MAT_UINT8, zeros, 8);
    mat_raw(&plain, zeros, BOMB);
    mat_packed(&packed, &plain);
    expect_failure(mat_file("bomb.mat", &packed), "X", LIMIT, "unpacks to more than its size");
    const uint32_t all = BOMB + 56;
    memcpy(plain.bytes + 4, &all, 4); /* and a matrix that owns up to it */
    mat_packed(&packed, &plain);
    expect_failure(mat_file("bomb.mat", &packed), "X", LIMIT, "it goes on behind its numbers");
    mat_drop(&plain);

    mat_variable(&plain, "X", MAT_CLASS_UINT8, 2, (int32_t[]){1 << 30, 1}, MAT_UINT8, zeros, 8);
    memcpy(plain.bytes + 4, &(uint32_t){(1u << 30) + 48}, 4);
    memcpy(plain.bytes + plain.count - 12, &(uint32_t){1 << 30}, 4);
    mat_packed(&packed, &plain);
    expect_failure(mat_file("bomb.mat", &packed), "X", (size_t)1 << 31,
                   "it promises more numbers than there are");
    mat_drop(&plain);
    free(zeros);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_type_of_numbers),
        cmocka_unit_test(refuses_what_is_no_array),
        cmocka_unit_test(numbers_may_be_narrower_than_their_class),
        cmocka_unit_test(reads_big_endian_files),
        cmocka_unit_test(refuses_other_headers),
        cmocka_unit_test(refuses_files_cut_at_any_byte),
        cmocka_unit_test(refuses_compressed_data_cut_at_any_byte),
        cmocka_unit_test(survives_any_changed_byte),
        cmocka_unit_test(refuses_wrong_parts),
        cmocka_unit_test(refuses_wrong_sizes),
        cmocka_unit_test(refuses_wrong_packing),
        cmocka_unit_test(refuses_bombs),
    };
    return cmocka_run_group_tests_name("mat", tests, NULL, NULL);
}
