/* .npz files by NumPy (tests/golden/numpy_archives.py) and our own, and what is refused. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/support.h"

#define GOLDEN "tests/golden/npz/"

static nn_npy read_array(const char *path) {
    nn_npy array;
    nn_error error = {0};
    assert_true(nn_npz_is(path));
    test_ok(nn_npz_read(path, &array, &error), &error);
    return array;
}

static void expect_golden(const char *archive) {
    char path[64];
    snprintf(path, sizeof path, GOLDEN "%s:x", archive);
    nn_npy x = read_array(path);
    assert_true(x.kind == 'f' && x.size == 8 && x.rank == 2 && x.dims[0] == 3 && x.dims[1] == 4);
    for (size_t i = 0; i < 12; i++)
        assert_true(nn_npy_number(&x, i) == (double)i / 8);
    snprintf(path, sizeof path, GOLDEN "%s:y", archive);
    nn_npy y = read_array(path);
    assert_true(y.count == 3 && nn_npy_integer(&y, 0) == 5 && nn_npy_integer(&y, 1) == -2 &&
                nn_npy_integer(&y, 2) == (int64_t)1 << 40);
    snprintf(path, sizeof path, GOLDEN "%s:deep", archive);
    nn_npy deep = read_array(path);
    assert_true(deep.rank == 3 && deep.size == 4 && deep.dims[2] == 100);
    for (size_t i = 0; i < 600; i++)
        assert_true(nn_npy_number(&deep, i) == (double)(i % 7));
    nn_npy_free(&x);
    nn_npy_free(&y);
    nn_npy_free(&deep);
}

static void archives_of_numpy(void **state) {
    (void)state;
    expect_golden("stored.npz");
    expect_golden("deflated.npz");
    nn_npy only = read_array(GOLDEN "one.npz");
    assert_true(only.count == 12 && nn_npy_number(&only, 11) == 11 / 8.0);
    nn_npy_free(&only);
}

static void names(void **state) {
    (void)state;
    assert_true(nn_npz_is("a.npz") && nn_npz_is("b/a.npz:x") && nn_npz_is("a.npz/b.npz"));
    assert_false(nn_npz_is("a.npy") || nn_npz_is("a.npzip") || nn_npz_is("a.npz/b.npy") || nn_npz_is("npz"));
}

static void refusals(void **state) {
    (void)state;
    static const struct {
        const char *path, *message;
        nn_status status;
    } cases[] = {
        {GOLDEN "stored.npz", "several arrays: name one as " GOLDEN "stored.npz:NAME; there are: x, y, deep",
         NN_EARGUMENT},
        {GOLDEN "stored.npz:z", "there is no such array; there are: x, y, deep", NN_EARGUMENT},
        {GOLDEN "others.npz:text", "others.npz:text: not a .npy file", NN_EFORMAT},
        {GOLDEN "others.npz:../out", "others.npz:../out: not a .npy file", NN_EFORMAT},
        {GOLDEN "others.npz:notes.txt", "there is no such array; there are: text, ../out", NN_EARGUMENT},
        {GOLDEN "none.npz", "it holds no arrays", NN_EFORMAT},
        {"absent.npz:x", "cannot open absent.npz: No such file", NN_EFILE},
        {"tests/golden/digits.npy.npz", "cannot open", NN_EFILE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nn_error error = {0};
        nn_npy array;
        nn_status status = nn_npz_read(cases[i].path, &array, &error);
        test_fails(status, cases[i].status, &error, cases[i].message);
    }
    nn_error error = {0};
    nn_npy array;
    const char *path = test_file("plain.npz", "no archive at all", 17);
    test_fails(nn_npz_read(path, &array, &error), NN_EFORMAT, &error, "plain.npz: not a whole .npz file");
}

/* Whatever byte is another one, and wherever the file ends: the same array or a failure. */
static void damage(void **state) {
    (void)state;
    unsigned char *bytes;
    size_t count;
    nn_error error = {0};
    test_ok(nn_file_read(GOLDEN "deflated.npz", 1 << 20, &bytes, &count, &error), &error);
    nn_npy whole = read_array(GOLDEN "deflated.npz:y");
    char path[512];
    snprintf(path, sizeof path, "%s:y", test_path("damaged.npz"));
    for (size_t i = 0; i < 2 * count; i++) {
        nn_npy array;
        nn_error ignored = {0};
        if (i < count)
            bytes[i] ^= 0x41;
        unlink(test_path("damaged.npz")); /* a new file waits for no disk */
        test_file("damaged.npz", bytes, i < count ? count : i - count);
        if (i < count)
            bytes[i] ^= 0x41;
        if (nn_npz_read(path, &array, &ignored) == NN_OK) {
            assert_int_equal(array.count, whole.count);
            assert_memory_equal(array.elements, whole.elements, whole.count * whole.size);
            nn_npy_free(&array);
        }
    }
    nn_npy_free(&whole);
    free(bytes);
}

static void written_and_read(void **state) {
    (void)state;
    float x[] = {1, -2.5f, 3e38f, 0, 5, 6};
    int64_t y[] = {-1, (int64_t)1 << 62};
    size_t shape[] = {3, 2}, two = 2;
    nn_error error = {0};
    nn_npz *z;
    char path[512], member[600];
    strcpy(path, test_path("ours.npz"));
    for (int again = 0; again < 2; again++) { /* in place of the old one */
        test_ok(nn_npz_begin(&z, path, &error), &error);
        test_ok(nn_npz_floats(z, "block9.conv1", 2, shape, x, &error), &error);
        test_ok(nn_npz_integers(z, "labels", 1, &two, y, &error), &error);
        test_ok(nn_npz_end(z, true, &error), &error);
    }
    snprintf(member, sizeof member, "%s:block9.conv1", path);
    nn_npy array = read_array(member);
    assert_true(array.rank == 2 && array.dims[0] == 3 && array.dims[1] == 2);
    for (size_t i = 0; i < 6; i++)
        assert_true(nn_npy_number(&array, i) == (double)x[i]);
    nn_npy_free(&array);
    snprintf(member, sizeof member, "%s:labels", path);
    array = read_array(member);
    assert_true(array.count == 2 && nn_npy_integer(&array, 0) == -1 &&
                nn_npy_integer(&array, 1) == (int64_t)1 << 62);
    nn_npy_free(&array);

    test_ok(nn_npz_begin(&z, path, &error), &error); /* given up: the old one stays, and nothing beside it */
    test_ok(nn_npz_floats(z, "other", 2, shape, x, &error), &error);
    test_ok(nn_npz_end(z, false, &error), &error);
    array = read_array(member);
    nn_npy_free(&array);
    snprintf(member, sizeof member, "%s.%ld.tmp", path, (long)getpid());
    assert_true(access(member, F_OK) != 0);
    test_fails(nn_npz_begin(&z, "/nowhere/a.npz", &error), NN_EFILE, &error, "cannot write /nowhere/a.npz");
    test_ok(nn_npz_end(z, false, &error), &error);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(archives_of_numpy), cmocka_unit_test(names),  cmocka_unit_test(refusals),
        cmocka_unit_test(written_and_read),  cmocka_unit_test(damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
