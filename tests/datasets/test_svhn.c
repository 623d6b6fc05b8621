/* svhn.c on files by SciPy (tests/golden/mat_files.py), and on wrong ones. */
#include "tests/support/mat_writer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "datasets/datasets.h"
#include "framework/file.h"

#define GOLDEN "tests/golden/mat/"
enum { IMAGE = 32 * 32 * 3 };

/* Makes a data root with the golden training and test files given, NULL for none. */
static const char *root_with(const char *train, const char *test) {
    static char root[256];
    static int number;
    char name[32], path[512];
    const char *const sources[] = {train, test}, *const names[] = {"train_32x32.mat", "test_32x32.mat"};
    snprintf(name, sizeof name, "root%d", number++);
    snprintf(root, sizeof root, "%s", test_path(name));
    snprintf(path, sizeof path, "%s/svhn", root);
    assert_true(mkdir(root, 0700) == 0 && mkdir(path, 0700) == 0);
    for (int i = 0; i < 2; i++) {
        unsigned char *bytes;
        size_t count;
        nn_error error = {0};
        if (!sources[i])
            continue;
        test_ok(nn_file_read(sources[i], 1 << 24, &bytes, &count, &error), &error);
        snprintf(path, sizeof path, "%s/svhn/%s", root, names[i]);
        test_ok(nn_file_write_atomic(path, bytes, count, &error), &error);
        free(bytes);
    }
    return root;
}

static void expect_split(const data_split *split, int count, int first) {
    assert_int_equal(split->count, count);
    for (int i = 0; i < count; i++) {
        assert_int_equal(split->labels[i], ((i * 3 + first) % 10 + 1) % 10);
        for (int y = 0; y < 32; y++)
            for (int x = 0; x < 32; x++)
                for (int c = 0; c < 3; c++)
                    assert_int_equal(split->pixels[i * IMAGE + (y * 32 + x) * 3 + c],
                                     (y * 5 + x * 3 + c * 101 + (i + first) * 31) % 256);
    }
}

static void reads_both_files(void **state) {
    (void)state;
    static const struct {
        const char *file;
        int count, first;
    } files[] = {{GOLDEN "svhn-packed-uint8.mat", 6, 0},
                 {GOLDEN "svhn-plain-double.mat", 3, 6},
                 {GOLDEN "svhn-packed-double.mat", 11, 9}};
    for (int f = 0; f < 3; f++) {
        const int g = (f + 1) % 3;
        const char *root = root_with(files[f].file, files[g].file);
        nn_error error = {0};
        data_set set;
        assert_true(data_present("svhn", root));
        test_ok(data_load(&set, "svhn", root, 0, 0, &error), &error);
        assert_true(set.height == 32 && set.width == 32 && set.channels == 3 && set.classes == 10);
        assert_string_equal(set.class_names[0], "0");
        assert_string_equal(set.class_names[9], "9");
        expect_split(&set.train, files[f].count, files[f].first);
        expect_split(&set.test, files[g].count, files[g].first);
        data_free(&set);
    }
}

static void expect_failure(const char *root, nn_status status, const char *part) {
    nn_error error = {0};
    data_set set;
    test_fails(data_load(&set, "svhn", root, 0, 0, &error), status, &error, part);
    assert_null(set.train.pixels);
    assert_int_equal(set.test.count, 0);
}

static void names_missing_files(void **state) {
    (void)state;
    char how[512];
    const char *root = root_with(NULL, NULL);
    assert_false(data_present("svhn", root));
    expect_failure(root, NN_EFILE, "no svhn data: looked for train_32x32.mat and test_32x32.mat in ");
    snprintf(how, sizeof how, "in %s/svhn; to get it: ENTANGLE_DATA='%s' scripts/fetch svhn", root, root);
    expect_failure(root, NN_EFILE, how);
    root = root_with(GOLDEN "svhn-packed-uint8.mat", NULL);
    assert_false(data_present("svhn", root));
    expect_failure(root, NN_EFILE, "looked for test_32x32.mat in ");
    root = root_with(NULL, GOLDEN "svhn-packed-uint8.mat");
    assert_false(data_present("svhn", root));
    expect_failure(root, NN_EFILE, "looked for train_32x32.mat in ");
}

/* What scripts/fetch asks for with --if-missing is what the reader reads: no download is tried. */
static void fetch_knows_the_same_files(void **state) {
    (void)state;
    char command[1024];
    const char *root = root_with(GOLDEN "svhn-packed-uint8.mat", GOLDEN "svhn-packed-uint8.mat");
    const char *format =
        "PATH='%s':$PATH ENTANGLE_DATA='%s' scripts/fetch --if-missing svhn 2>&1 | grep -q .";
    assert_int_equal(mkdir(test_path("tools"), 0700), 0);
    const char *curl = test_file("tools/curl", "#!/bin/sh\necho called\nexit 6\n", 29);
    assert_int_equal(chmod(curl, 0700), 0);
    snprintf(command, sizeof command, format, test_path("tools"), root);
    assert_int_not_equal(system(command), 0); /* said nothing */
    snprintf(command, sizeof command, format, test_path("tools"),
             root_with(NULL, GOLDEN "svhn-packed-uint8.mat"));
    assert_int_equal(system(command), 0);
}

/* A test file of one variable X and one variable y, the training file being right. */
static void expect_refused(int rank, const int32_t *dims, uint32_t type, int labels, const double *y,
                           int columns, const char *part) {
    static const unsigned char pixels[8 * IMAGE];
    size_t bytes = type == MAT_UINT8 ? 1 : 4;
    for (int i = 0; i < rank; i++)
        bytes *= (size_t)dims[i];
    mat_bytes content = {0};
    mat_variable(&content, "X", MAT_CLASS_UINT8, rank, dims, type, pixels, bytes);
    if (y)
        mat_variable(&content, "y", MAT_CLASS_DOUBLE, 2, (int32_t[]){labels, columns}, MAT_DOUBLE, y,
                     (size_t)labels * (size_t)columns * sizeof *y);
    char path[256];
    snprintf(path, sizeof path, "%s", mat_file("test.mat", &content));
    expect_failure(root_with(GOLDEN "svhn-packed-uint8.mat", path), NN_EFORMAT, part);
}

static void refuses_wrong_dimensions(void **state) {
    (void)state;
    static const double y[] = {1, 2, 10, 9};
    const int32_t two[] = {32, 32, 3, 2};
    expect_refused(4, (int32_t[]){32, 31, 3, 2}, MAT_UINT8, 2, y, 1,
                   "test_32x32.mat: X is 32 x 31 x 3 x 2, must be");
    expect_refused(4, (int32_t[]){2, 32, 32, 3}, MAT_UINT8, 2, y, 1,
                   "X is 2 x 32 x 32 x 3, must be 32 x 32 x 3 x images");
    expect_refused(4, (int32_t[]){32, 32, 1, 2}, MAT_UINT8, 2, y, 1, "X is 32 x 32 x 1 x 2");
    expect_refused(4, (int32_t[]){32, 32, 3, 0}, MAT_UINT8, 0, y, 1, "X is 32 x 32 x 3 x 0");
    expect_refused(2, (int32_t[]){32, 32}, MAT_UINT8, 1, y, 1, "X is 32 x 32, must be");
    expect_refused(5, (int32_t[]){32, 32, 3, 1, 1}, MAT_UINT8, 1, y, 1, "X is 32 x 32 x 3 x 1 x 1, must be");
    expect_refused(4, two, MAT_INT32, 2, y, 1, "X holds int32 numbers, must be uint8");
    expect_refused(4, two, MAT_UINT8, 1, y, 1, "y is 1 x 1, must be 2 x 1: a label for each image");
    expect_refused(4, two, MAT_UINT8, 2, y, 2, "y is 2 x 2, must be 2 x 1");
    expect_refused(4, two, MAT_UINT8, 0, NULL, 1, "test_32x32.mat: holds no variable 'y'");
}

static void refuses_wrong_labels(void **state) {
    (void)state;
    static const double wrong[] = {0, 11, -1, 1.5, 1e300, 4294967297.0, NAN, INFINITY};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const double y[] = {3, wrong[i]};
        expect_refused(4, (int32_t[]){32, 32, 3, 2}, MAT_UINT8, 2, y, 1, "test_32x32.mat: label 1 is ");
    }
    expect_refused(4, (int32_t[]){32, 32, 3, 1}, MAT_UINT8, 1, (double[]){11}, 1,
                   "label 0 is 11, must be a whole number from 1 to 10");
}

/* MATLAB leaves out a last dimension of 1. */
static void reads_a_single_image(void **state) {
    (void)state;
    mat_bytes content = {0};
    unsigned char pixels[IMAGE];
    for (int i = 0; i < IMAGE; i++)
        pixels[i] = (unsigned char)(i % 251);
    mat_variable(&content, "X", MAT_CLASS_UINT8, 3, (int32_t[]){32, 32, 3}, MAT_UINT8, pixels, IMAGE);
    mat_variable(&content, "y", MAT_CLASS_UINT8, 2, (int32_t[]){1, 1}, MAT_UINT8, "\12", 1);
    char path[256];
    snprintf(path, sizeof path, "%s", mat_file("one.mat", &content));
    nn_error error = {0};
    data_set set;
    test_ok(data_load(&set, "svhn", root_with(path, path), 0, 0, &error), &error);
    assert_true(set.train.count == 1 && set.train.labels[0] == 0);
    assert_int_equal(set.train.pixels[1], (1024 + 0) % 251); /* row 0, column 0, green */
    assert_int_equal(set.train.pixels[3], 32);               /* row 0, column 1, red */
    assert_int_equal(set.train.pixels[32 * 3], 1);           /* row 1, column 0, red */
    data_free(&set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_both_files),           cmocka_unit_test(names_missing_files),
        cmocka_unit_test(fetch_knows_the_same_files), cmocka_unit_test(refuses_wrong_dimensions),
        cmocka_unit_test(refuses_wrong_labels),       cmocka_unit_test(reads_a_single_image),
    };
    return cmocka_run_group_tests_name("svhn", tests, NULL, NULL);
}
