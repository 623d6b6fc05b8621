/* idx.c and sources.c on IDX files made byte by byte. */
#include "tests/support/support.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "datasets/datasets.h"

/* Three test images of 2 x 3 pixels and four training images, with their labels. */
static const unsigned char test_images[] = {0, 0, 8, 3, 0, 0, 0, 3, 0, 0,  0,  2,  0,  0,  0,  3,  0,
                                            1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 255};
static const unsigned char test_labels[] = {0, 0, 8, 1, 0, 0, 0, 3, 9, 0, 5};
static const unsigned char train_images[] = {0,   0,   8,   3,   0, 0, 0, 4, 0,  0,  0,  2,  0,  0,
                                             0,   3,   255, 255, 0, 0, 0, 0, 10, 10, 10, 10, 10, 10,
                                             100, 100, 100, 100, 0, 0, 1, 2, 3,  4,  5,  6};
static const unsigned char train_labels[] = {0, 0, 8, 1, 0, 0, 0, 4, 1, 1, 2, 0};

/* An empty data root with an empty folder for the set `name`. */
static const char *fresh_root(const char *name) {
    static char root[256];
    static int number;
    char relative[64];
    snprintf(relative, sizeof relative, "root%d", number++);
    snprintf(root, sizeof root, "%s", test_path(relative));
    assert_int_equal(mkdir(root, 0700), 0);
    char folder[300];
    snprintf(folder, sizeof folder, "%s/%s", root, name);
    assert_int_equal(mkdir(folder, 0700), 0);
    return root;
}

static void put(const char *root, const char *name, const void *bytes, size_t count) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", root, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    fclose(file);
}

static void put_gzip(const char *root, const char *name, const void *bytes, size_t count) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", root, name);
    gzFile file = gzopen(path, "wb");
    assert_int_equal(gzwrite(file, bytes, (unsigned)count), count);
    assert_int_equal(gzclose(file), Z_OK);
}

static const char *whole_root(void) {
    const char *root = fresh_root("mnist");
    put(root, "mnist/t10k-images-idx3-ubyte", test_images, sizeof test_images);
    put_gzip(root, "mnist/t10k-labels-idx1-ubyte.gz", test_labels, sizeof test_labels);
    put_gzip(root, "mnist/train-images-idx3-ubyte.gz", train_images, sizeof train_images);
    put(root, "mnist/train-labels-idx1-ubyte", train_labels, sizeof train_labels);
    return root;
}

static void expect_failure(const char *root, nn_status status, const char *part) {
    nn_error error = {0};
    data_set set;
    test_fails(data_load(&set, "mnist", root, 0, 0, &error), status, &error, part);
    const data_set empty = {0};
    assert_memory_equal(&set, &empty, sizeof set);
}

static void reads_all_four_files(void **state) {
    (void)state;
    nn_error error = {0};
    data_set set;
    test_ok(data_load(&set, "mnist", whole_root(), 0, 0, &error), &error);
    assert_string_equal(set.name, "mnist");
    assert_int_equal(set.height, 2);
    assert_int_equal(set.width, 3);
    assert_int_equal(set.channels, 1);
    assert_int_equal(set.classes, 10);
    assert_string_equal(set.class_names[7], "7");
    assert_int_equal(set.train.count, 4);
    assert_int_equal(set.test.count, 3);
    assert_memory_equal(set.train.pixels, train_images + 16, 24);
    assert_memory_equal(set.train.labels, train_labels + 8, 4);
    assert_memory_equal(set.test.pixels, test_images + 16, 18);
    assert_memory_equal(set.test.labels, test_labels + 8, 3);
    data_free(&set);
    assert_null(set.train.pixels);
}

/* Mean and deviation from the definition, over the pixels given. */
static void expect_statistics(const data_set *set, const unsigned char *pixels, int count) {
    double mean = 0, variance = 0;
    for (int i = 0; i < count; i++)
        mean += pixels[i] / 255.0 / count;
    for (int i = 0; i < count; i++)
        variance += (pixels[i] / 255.0 - mean) * (pixels[i] / 255.0 - mean) / count;
    assert_true(fabs(set->mean[0] - mean) < 1e-7);
    assert_true(fabs(set->deviation[0] - sqrt(variance)) < 1e-7);
}

static void limits_and_statistics(void **state) {
    (void)state;
    nn_error error = {0};
    data_set all, few;
    const char *root = whole_root();
    test_ok(data_load(&all, "mnist", root, 0, 0, &error), &error);
    expect_statistics(&all, train_images + 16, 24);
    test_ok(data_load(&few, "mnist", root, 2, 1, &error), &error);
    expect_statistics(&few, train_images + 16, 12);
    assert_int_equal(few.train.count, 2);
    assert_int_equal(few.test.count, 1);
    assert_memory_equal(few.train.pixels, train_images + 16, 12);
    assert_true(few.checksum == all.checksum);
    data_free(&few);
    test_ok(data_load(&few, "mnist", root, 5, 100, &error), &error);
    assert_int_equal(few.train.count, 4);
    assert_int_equal(few.test.count, 3);
    data_free(&few);
    data_free(&all);
    test_fails(data_load(&few, "mnist", root, -1, 0, &error), NN_EARGUMENT, &error, "limit of -1");
    test_fails(data_load(&few, "mnist", root, 0, -2, &error), NN_EARGUMENT, &error, "limit of -2");
}

static void channel_of_one_value_has_deviation_1(void **state) {
    (void)state;
    const char *root = whole_root();
    unsigned char flat[sizeof train_images];
    memcpy(flat, train_images, sizeof flat);
    memset(flat + 16, 51, 24);
    put_gzip(root, "mnist/train-images-idx3-ubyte.gz", flat, sizeof flat);
    nn_error error = {0};
    data_set set;
    test_ok(data_load(&set, "mnist", root, 0, 0, &error), &error);
    assert_true(set.mean[0] == 0.2f);
    assert_true(set.deviation[0] == 1);
    data_free(&set);
}

/* FNV-1a written out, over what the contract names: six 32-bit sizes, then pixels and labels, training set
 * first. */
static uint64_t fnv(uint64_t hash, const unsigned char *bytes, size_t count) {
    while (count--)
        hash = (hash ^ *bytes++) * 1099511628211u;
    return hash;
}

static void checksum_covers_everything(void **state) {
    (void)state;
    const char *root = whole_root();
    nn_error error = {0};
    data_set set;
    test_ok(data_load(&set, "mnist", root, 0, 0, &error), &error);
    const unsigned char sizes[] = {2, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 10, 0, 0, 0, 4, 0, 0, 0, 3, 0, 0, 0};
    uint64_t hash = fnv(14695981039346656037u, sizes, sizeof sizes);
    hash = fnv(hash, train_images + 16, 24);
    hash = fnv(hash, train_labels + 8, 4);
    hash = fnv(hash, test_images + 16, 18);
    hash = fnv(hash, test_labels + 8, 3);
    assert_true(set.checksum == hash);
    data_free(&set);
}

static void training_pair_may_be_missing(void **state) {
    (void)state;
    const char *root = fresh_root("notmnist");
    assert_false(data_present("notmnist", root));
    put(root, "notmnist/t10k-images-idx3-ubyte", test_images, sizeof test_images);
    assert_false(data_present("notmnist", root));
    put(root, "notmnist/t10k-labels-idx1-ubyte", test_labels, sizeof test_labels);
    assert_true(data_present("notmnist", root));
    nn_error error = {0};
    data_set set;
    test_ok(data_load(&set, "notmnist", root, 0, 0, &error), &error);
    assert_int_equal(set.train.count, 0);
    assert_int_equal(set.test.count, 3);
    assert_string_equal(set.class_names[9], "J");
    expect_statistics(&set, test_images + 16, 18);
    data_free(&set);
    put(root, "notmnist/train-labels-idx1-ubyte", train_labels, sizeof train_labels);
    test_fails(data_load(&set, "notmnist", root, 0, 0, &error), NN_EFILE, &error,
               "train-images-idx3-ubyte is missing");
}

static void missing_set_says_how_to_get_it(void **state) {
    (void)state;
    const char *root = fresh_root("other");
    expect_failure(root, NN_EFILE, "scripts/fetch mnist");
    expect_failure(root, NN_EFILE, root);
    expect_failure("/nowhere", NN_EFILE, "/nowhere/mnist");
    char path[2000];
    memset(path, 'x', sizeof path);
    path[sizeof path - 1] = '\0';
    expect_failure(path, NN_EFILE, "no mnist data");
    nn_error error = {0};
    data_set set;
    test_fails(data_load(&set, "nist", root, 0, 0, &error), NN_EARGUMENT, &error, "mnist, fashion-mnist");
    assert_false(data_present("nist", root));
}

/* Fashion-MNIST in the data root wins over the system's. */
static void fashion_mnist_names(void **state) {
    (void)state;
    const char *root = fresh_root("fashion-mnist");
    put(root, "fashion-mnist/t10k-images-idx3-ubyte", test_images, sizeof test_images);
    put(root, "fashion-mnist/t10k-labels-idx1-ubyte", test_labels, sizeof test_labels);
    nn_error error = {0};
    data_set set;
    test_ok(data_load(&set, "fashion-mnist", root, 0, 0, &error), &error);
    assert_string_equal(set.class_names[0], "T-shirt/top");
    assert_string_equal(set.class_names[9], "Ankle boot");
    assert_int_equal(set.test.count, 3);
    assert_true(strncmp(set.source, root, strlen(root)) == 0);
    data_free(&set);
}

/* Each file cut after every number of bytes, and with a byte too many. */
static void refuses_files_cut_at_every_byte(void **state) {
    (void)state;
    const char *root = whole_root();
    for (size_t count = 0; count < sizeof test_images; count++) {
        put(root, "mnist/t10k-images-idx3-ubyte", test_images, count);
        expect_failure(root, NN_EFORMAT, "t10k-images-idx3-ubyte: ");
    }
    put(root, "mnist/t10k-images-idx3-ubyte", test_images, sizeof test_images - 1);
    expect_failure(root, NN_EFORMAT, "promises 18 bytes of data, the file holds 17");
    unsigned char more[sizeof test_images + 1] = {0};
    memcpy(more, test_images, sizeof test_images);
    put(root, "mnist/t10k-images-idx3-ubyte", more, sizeof more);
    expect_failure(root, NN_EFORMAT, "promises 18 bytes of data, the file holds 19");
    put(root, "mnist/t10k-images-idx3-ubyte", test_images, sizeof test_images);
    for (size_t count = 0; count < sizeof train_labels; count++) {
        put(root, "mnist/train-labels-idx1-ubyte", train_labels, count);
        expect_failure(root, NN_EFORMAT, "train-labels-idx1-ubyte: ");
    }
    put(root, "mnist/train-labels-idx1-ubyte", train_labels, sizeof train_labels);
    data_set set;
    nn_error error = {0};
    test_ok(data_load(&set, "mnist", root, 0, 0, &error), &error);
    data_free(&set);
}

/* Changes one byte of the test images' file. */
static void expect_refused(size_t at, unsigned char value, const char *part) {
    const char *root = whole_root();
    unsigned char changed[sizeof test_images];
    memcpy(changed, test_images, sizeof changed);
    changed[at] = value;
    put(root, "mnist/t10k-images-idx3-ubyte", changed, sizeof changed);
    expect_failure(root, NN_EFORMAT, part);
}

static void refuses_wrong_headers(void **state) {
    (void)state;
    expect_refused(0, 1, "starts with 0x01000803");
    expect_refused(2, 9, "starts with 0x00000903");
    expect_refused(3, 1, "an IDX file of images starts with 0x00000803");
    expect_refused(7, 0, "dimension 0 is 0");
    expect_refused(4, 255, "dimension 0 is 4278190083");
    expect_refused(4, 127, "promises 12784238610 bytes");
    expect_refused(15, 0, "dimension 2 is 0");
    /* three dimensions of 2^31 - 1 multiply to more than 64 bits */
    unsigned char huge[sizeof test_images];
    memcpy(huge, test_images, sizeof huge);
    for (int i = 4; i < 16; i++)
        huge[i] = i % 4 ? 255 : 127;
    const char *root = whole_root();
    put(root, "mnist/t10k-images-idx3-ubyte", huge, sizeof huge);
    expect_failure(root, NN_EFORMAT, "the file holds 18");
}

static void refuses_files_that_do_not_fit_together(void **state) {
    (void)state;
    const char *root = whole_root();
    put(root, "mnist/train-labels-idx1-ubyte", test_labels, sizeof test_labels);
    expect_failure(root, NN_EFORMAT, "holds 4 images, but");

    unsigned char turned[sizeof train_images];
    memcpy(turned, train_images, sizeof turned);
    turned[11] = 3;
    turned[15] = 2;
    root = whole_root();
    put_gzip(root, "mnist/train-images-idx3-ubyte.gz", turned, sizeof turned);
    expect_failure(root, NN_EFORMAT, "images of 3 x 2, but the test images are 2 x 3");

    unsigned char labels[sizeof train_labels];
    memcpy(labels, train_labels, sizeof labels);
    labels[10] = 10;
    root = whole_root();
    put(root, "mnist/train-labels-idx1-ubyte", labels, sizeof labels);
    expect_failure(root, NN_EFORMAT, "label 2 is 10, must be below 10");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_all_four_files),
        cmocka_unit_test(limits_and_statistics),
        cmocka_unit_test(channel_of_one_value_has_deviation_1),
        cmocka_unit_test(checksum_covers_everything),
        cmocka_unit_test(training_pair_may_be_missing),
        cmocka_unit_test(missing_set_says_how_to_get_it),
        cmocka_unit_test(fashion_mnist_names),
        cmocka_unit_test(refuses_files_cut_at_every_byte),
        cmocka_unit_test(refuses_wrong_headers),
        cmocka_unit_test(refuses_files_that_do_not_fit_together),
    };
    return cmocka_run_group_tests_name("idx", tests, NULL, NULL);
}
