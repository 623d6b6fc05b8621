/* .npy files: made here byte by byte, from the format's description, and read back from what is written. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "framework/npy.h"
#include "tests/support/support.h"

/* A file of the given version with this header and these elements; its path. */
static const char *make_file(int version, const char *header, const void *elements, size_t count) {
    unsigned char bytes[1024] = {0x93, 'N', 'U', 'M', 'P', 'Y', (unsigned char)version, 0};
    size_t length = strlen(header), at = 8;
    bytes[at++] = (unsigned char)(length & 255);
    bytes[at++] = (unsigned char)(length >> 8);
    if (version != 1)
        at += 2; /* the length has four bytes */
    memcpy(bytes + at, header, length);
    if (count)
        memcpy(bytes + at + length, elements, count);
    return test_file("array.npy", bytes, at + length + count);
}

static nn_npy read_array(const char *path) {
    nn_npy array;
    nn_error error = {0};
    test_ok(nn_npy_read(path, &array, &error), &error);
    return array;
}

/* Type by type: elements as bytes and the numbers that they are. */
static void every_type_is_read(void **state) {
    (void)state;
    const struct {
        const char *type;
        unsigned char bytes[16]; /* two elements */
        size_t size;
        double numbers[2];
    } types[] = {
        {"<f4", {0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc1}, 4, {1, -10}},
        {"<f8", {0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0, 0, 0, 0, 0, 0, 0x24, 0xc0}, 8, {1, -10}},
        {"|i1", {0x7f, 0x80}, 1, {127, -128}},
        {"<i2", {0xff, 0x7f, 0xfe, 0xff}, 2, {32767, -2}},
        {"<i4", {1, 2, 0, 0, 0, 0, 0, 0x80}, 4, {513, -2147483648.0}},
        {"<i8",
         {0, 0, 0, 0, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
         8,
         {4294967296.0, -1}},
        {"|u1", {0, 0xff}, 1, {0, 255}},
        {"<u2", {0xff, 0xff, 1, 0}, 2, {65535, 1}},
        {"<u4", {0xff, 0xff, 0xff, 0xff, 3, 0, 0, 0}, 4, {4294967295.0, 3}},
        {"<u8", {0, 0, 0, 0, 0, 0, 0, 0x80, 5}, 8, {9223372036854775808.0, 5}},
        {"|b1", {0, 1}, 1, {0, 1}},
    };
    for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
        char header[128];
        snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': (2,), }",
                 types[t].type);
        nn_npy array = read_array(make_file(1, header, types[t].bytes, 2 * types[t].size));
        assert_int_equal(array.kind, types[t].type[1]);
        assert_int_equal(array.size, types[t].size);
        for (size_t k = 0; k < 2; k++) {
            assert_true(nn_npy_number(&array, k) == types[t].numbers[k]);
            if (array.kind != 'f' && types[t].numbers[k] < 9e18)
                assert_true((double)nn_npy_integer(&array, k) == types[t].numbers[k]);
        }
        nn_npy_free(&array);
    }
}

static void every_shape_is_read(void **state) {
    (void)state;
    const struct {
        const char *text;
        int rank;
        size_t dims[4], count;
    } shapes[] = {
        {"()", 0, {0}, 1},        {"(3,)", 1, {3}, 3},
        {"(2, 3)", 2, {2, 3}, 6}, {"( 1 ,2,3 , 1 ,)", 4, {1, 2, 3, 1}, 6},
        {"(0, 5)", 2, {0, 5}, 0}, {"(5, 0)", 2, {5, 0}, 0},
    };
    unsigned char elements[6] = {10, 11, 12, 13, 14, 15};
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        for (int version = 1; version <= 2; version++) {
            char header[160];
            /* any order of keys, any quotes, padding before the line's end */
            snprintf(header, sizeof header, "{\"shape\": %s, 'fortran_order': False, \"descr\":'|u1'}     \n",
                     shapes[s].text);
            nn_npy array = read_array(make_file(version, header, elements, shapes[s].count));
            assert_int_equal(array.rank, shapes[s].rank);
            assert_int_equal(array.count, shapes[s].count);
            for (int k = 0; k < array.rank; k++)
                assert_int_equal(array.dims[k], shapes[s].dims[k]);
            for (size_t k = 0; k < array.count; k++)
                assert_int_equal(nn_npy_integer(&array, k), 10 + k);
            nn_npy_free(&array);
        }
}

static void hostile_headers_are_refused(void **state) {
    (void)state;
    const struct {
        const char *header, *part;
    } cases[] = {
        {"", "header"},
        {"{", "header"},
        {"{}", "header"},
        {"{'descr': '<f4', 'fortran_order': False, }", "header"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,)", "header"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), } x", "header"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'shape': (2,)}", "header"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (-2,), }", "header"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2 4), }", "header"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': 2, }", "header"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999999,), }", "header"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': "
         "(1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,"
         "1,1,1,2), }",
         "header"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296, 4294967296), }",
         "larger"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", "needs 12 bytes"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", "needs 4 bytes"},
        {"{'descr': '<f4', 'fortran_order': True, 'shape': (2,), }", "Fortran"},
        {"{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }", "big-endian"},
        {"{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", "'<c8'"},
        {"{'descr': '<f2', 'fortran_order': False, 'shape': (4,), }", "'<f2'"},
        {"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", "'|O'"},
        {"{'descr': '', 'fortran_order': False, 'shape': (1,), }", "''"},
        {"{'descr': [('a', '<f4'), ('b', '<f4')], 'fortran_order': False, 'shape': (1,), }", "header"},
        {"{'descr': 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'fortran_order': False, 'shape': (1,), }",
         "header"},
    };
    nn_npy array;
    nn_error error = {0};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        const char *path = make_file(1, cases[k].header, "12345678", 8);
        test_fails(nn_npy_read(path, &array, &error), NN_EFORMAT, &error, cases[k].part);
        assert_null(array.file);
    }
}

/* Every length that a valid file may be cut to, and files that are something else. */
static void cut_and_foreign_files_are_refused(void **state) {
    (void)state;
    nn_npy array;
    nn_error error = {0};
    unsigned char bytes[256];
    const char *path =
        make_file(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", "12345678", 8);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t length = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    for (size_t cut = 0; cut < length; cut++)
        test_fails(nn_npy_read(test_file("cut.npy", bytes, cut), &array, &error), NN_EFORMAT, &error,
                   "cut.npy");

    bytes[6] = 3;
    test_fails(nn_npy_read(test_file("3.npy", bytes, length), &array, &error), NN_EFORMAT, &error,
               "version 3.0");
    bytes[6] = 1;
    bytes[0] = 'x';
    test_fails(nn_npy_read(test_file("x.npy", bytes, length), &array, &error), NN_EFORMAT, &error,
               "not a .npy");
    test_fails(nn_npy_read(test_path("absent.npy"), &array, &error), NN_EFILE, &error, "absent.npy");
}

/* The first 128 bytes are exactly those that numpy.save writes for this shape. */
static void floats_are_written_as_numpy_writes_them(void **state) {
    (void)state;
    const float elements[] = {1, -10, 0.5f, INFINITY, 0, 3};
    const size_t dims[] = {2, 3};
    nn_error error = {0};
    const char *path = test_path("written.npy");
    test_ok(nn_npy_write_floats(path, 2, dims, elements, &error), &error);

    unsigned char expected[128 + 24], actual[200];
    memset(expected, ' ', 128);
    memcpy(expected, "\x93NUMPY\x01\x00\x76\x00", 10);
    const char *header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
    memcpy(expected + 10, header, strlen(header));
    expected[127] = '\n';
    memcpy(expected + 128, "\0\0\x80\x3f\0\0\x20\xc1\0\0\0\x3f\0\0\x80\x7f\0\0\0\0\0\0\x40\x40", 24);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fread(actual, 1, sizeof actual, file), sizeof expected);
    fclose(file);
    test_same_bits("written file", actual, expected, sizeof expected);
}

static void what_is_written_is_read(void **state) {
    (void)state;
    const int64_t elements[] = {INT64_MIN, -1, 0, INT64_MAX};
    const size_t dims[] = {4, 1, 1};
    nn_error error = {0};
    const char *path = test_path("integers.npy");
    test_ok(nn_npy_write_integers(path, 3, dims, elements, &error), &error);
    nn_npy array = read_array(path);
    assert_true(array.kind == 'i' && array.size == 8 && array.rank == 3 && array.dims[0] == 4);
    for (size_t k = 0; k < 4; k++)
        assert_true(nn_npy_integer(&array, k) == elements[k]);
    nn_npy_free(&array);

    float number = 2.5f;
    test_ok(nn_npy_write_floats(path, 0, NULL, &number, &error), &error);
    array = read_array(path);
    assert_true(array.rank == 0 && array.count == 1 && nn_npy_number(&array, 0) == 2.5);
    nn_npy_free(&array);

    test_fails(nn_npy_write_floats(path, 33, dims, &number, &error), NN_EARGUMENT, &error, "rank 33");
    test_fails(nn_npy_write_floats("/nonexistent/x.npy", 0, NULL, &number, &error), NN_EFILE, &error,
               "/nonexistent");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_is_read),
        cmocka_unit_test(every_shape_is_read),
        cmocka_unit_test(hostile_headers_are_refused),
        cmocka_unit_test(cut_and_foreign_files_are_refused),
        cmocka_unit_test(floats_are_written_as_numpy_writes_them),
        cmocka_unit_test(what_is_written_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
