/* cifar.c on folders and archives with two records a file, made byte by byte. */
#include "tests/support/support.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "datasets/datasets.h"

enum { RECORD = 3073, RECORDS = 2, FILE_BYTES = RECORDS * RECORD, FILES = 6, BLOCK = 512 };

static const char *const names[FILES] = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                         "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"};
static const char ten_names[] = "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n";

/* The byte of file f, record r, channel c, row y and column x. */
static unsigned char pixel(int f, int r, int c, int y, int x) {
    return (unsigned char)(f * 7 + r * 31 + c * 101 + y * 5 + x * 3);
}

static void make_file(int f, unsigned char bytes[FILE_BYTES]) {
    for (int r = 0; r < RECORDS; r++) {
        *bytes++ = (unsigned char)((f * 2 + r) % 10);
        for (int c = 0; c < 3; c++)
            for (int y = 0; y < 32; y++)
                for (int x = 0; x < 32; x++)
                    *bytes++ = pixel(f, r, c, y, x);
    }
}

static const char *fresh_root(const char *folder) {
    static char root[256];
    static int number;
    char relative[64], path[512];
    snprintf(relative, sizeof relative, "root%d", number++);
    snprintf(root, sizeof root, "%s", test_path(relative));
    assert_int_equal(mkdir(root, 0700), 0);
    snprintf(path, sizeof path, "%s/cifar10", root);
    assert_int_equal(mkdir(path, 0700), 0);
    if (*folder) {
        snprintf(path, sizeof path, "%s/cifar10/%s", root, folder);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    return root;
}

static void put(const char *root, const char *name, const void *bytes, size_t count) {
    char path[512];
    snprintf(path, sizeof path, "%s/cifar10/cifar-10-batches-bin/%s", root, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    fclose(file);
}

static const char *root_with_folder(void) {
    const char *root = fresh_root("cifar-10-batches-bin");
    unsigned char bytes[FILE_BYTES];
    for (int f = 0; f < FILES; f++) {
        make_file(f, bytes);
        put(root, names[f], bytes, sizeof bytes);
    }
    return root;
}

static void add_member(gzFile archive, const char *name, const void *content, size_t count) {
    char header[BLOCK] = {0};
    snprintf(header, 100, "cifar-10-batches-bin/%s", name);
    snprintf(header + 124, 12, "%011o", (unsigned)count);
    header[156] = '0';
    memcpy(header + 257, "ustar  ", 8);
    memset(header + 148, ' ', 8);
    unsigned sum = 0;
    for (int i = 0; i < BLOCK; i++)
        sum += (unsigned char)header[i];
    snprintf(header + 148, 8, "%06o", sum);
    const char zeros[BLOCK] = {0};
    gzwrite(archive, header, BLOCK);
    gzwrite(archive, content, (unsigned)count);
    gzwrite(archive, zeros, (unsigned)((BLOCK - count % BLOCK) % BLOCK));
}

/* An archive with the first `files` of the six files, and the class names where there are any. */
static const char *root_with_archive(int files, const char *class_names) {
    const char *root = fresh_root("");
    char path[512];
    snprintf(path, sizeof path, "%s/cifar10/cifar-10-binary.tar.gz", root);
    gzFile archive = gzopen(path, "wb1");
    if (class_names)
        add_member(archive, "batches.meta.txt", class_names, strlen(class_names));
    unsigned char bytes[FILE_BYTES];
    for (int f = files - 1; f >= 0; f--) {
        make_file(f, bytes);
        add_member(archive, names[f], bytes, sizeof bytes);
    }
    const char zeros[2 * BLOCK] = {0};
    gzwrite(archive, zeros, sizeof zeros);
    assert_int_equal(gzclose(archive), Z_OK);
    return root;
}

static void expect_failure(const char *root, nn_status status, const char *part) {
    nn_error error = {0};
    data_set set;
    test_fails(data_load(&set, "cifar10", root, 0, 0, &error), status, &error, part);
    assert_null(set.train.pixels);
    assert_int_equal(set.test.count, 0);
}

static void expect_whole(const char *root, const char *first_name) {
    nn_error error = {0};
    data_set set;
    assert_true(data_present("cifar10", root));
    test_ok(data_load(&set, "cifar10", root, 0, 0, &error), &error);
    assert_int_equal(set.height, 32);
    assert_int_equal(set.width, 32);
    assert_int_equal(set.channels, 3);
    assert_int_equal(set.classes, 10);
    assert_string_equal(set.class_names[0], first_name);
    assert_int_equal(set.train.count, 10);
    assert_int_equal(set.test.count, 2);
    for (int f = 0; f < FILES; f++)
        for (int r = 0; r < RECORDS; r++) {
            const data_split *split = f < 5 ? &set.train : &set.test;
            const int i = f < 5 ? f * RECORDS + r : r;
            assert_int_equal(split->labels[i], (f * 2 + r) % 10);
            for (int y = 0; y < 32; y++)
                for (int x = 0; x < 32; x++)
                    for (int c = 0; c < 3; c++)
                        assert_int_equal(split->pixels[((i * 32 + y) * 32 + x) * 3 + c],
                                         pixel(f, r, c, y, x));
        }
    data_free(&set);
}

static void reads_the_folder(void **state) {
    (void)state;
    const char *root = root_with_folder();
    expect_whole(root, "airplane");
    put(root, "batches.meta.txt", ten_names, strlen(ten_names));
    expect_whole(root, "a");
}

static void reads_the_archive(void **state) {
    (void)state;
    expect_whole(root_with_archive(FILES, NULL), "airplane");
    expect_whole(root_with_archive(FILES, ten_names), "a");
}

/* A folder that was not extracted to the end does not hide the archive. */
static void incomplete_folder_gives_way(void **state) {
    (void)state;
    const char *root = root_with_archive(FILES, ten_names);
    char path[512];
    snprintf(path, sizeof path, "%s/cifar10/cifar-10-batches-bin", root);
    assert_int_equal(mkdir(path, 0700), 0);
    put(root, names[0], "x", 1);
    expect_whole(root, "a");
}

static void names_missing_files(void **state) {
    (void)state;
    const char *root = fresh_root("");
    assert_false(data_present("cifar10", root));
    expect_failure(root, NN_EFILE, "scripts/fetch cifar10");
    expect_failure(root, NN_EFILE, "cifar-10-binary.tar.gz");
    expect_failure(root_with_archive(5, NULL), NN_EFILE,
                   "cifar-10-binary.tar.gz: cifar-10-batches-bin/test_batch.bin is missing");

    root = root_with_folder();
    char path[512];
    snprintf(path, sizeof path, "%s/cifar10/cifar-10-batches-bin/%s", root, names[3]);
    assert_int_equal(unlink(path), 0);
    assert_false(data_present("cifar10", root));
    expect_failure(root, NN_EFILE, "cifar-10-batches-bin/data_batch_4.bin is missing");
}

static void refuses_cut_files(void **state) {
    (void)state;
    unsigned char bytes[FILE_BYTES + 1] = {0};
    const struct {
        int file;
        size_t count;
        const char *part;
    } cases[] = {
        {0, 0, "data_batch_1.bin: 0 bytes"},
        {0, 1, "data_batch_1.bin: 1 bytes are no whole number of 3073-byte records: record 0 is cut short"},
        {2, FILE_BYTES - 1,
         "data_batch_3.bin: 6145 bytes are no whole number of 3073-byte records: record 1"},
        {5, FILE_BYTES + 1, "test_batch.bin: 6147 bytes are no whole number of 3073-byte records: record 2"},
        {1, RECORD, "data_batch_2.bin holds 1 records, but data_batch_1.bin holds 2"},
        {5, RECORD, "test_batch.bin holds 1 records, but data_batch_1.bin holds 2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *root = root_with_folder();
        put(root, names[cases[i].file], bytes, cases[i].count);
        expect_failure(root, NN_EFORMAT, cases[i].part);
    }
}

static void refuses_labels_above_9(void **state) {
    (void)state;
    const char *root = root_with_folder();
    unsigned char bytes[FILE_BYTES];
    make_file(3, bytes);
    bytes[RECORD] = 10;
    put(root, names[3], bytes, sizeof bytes);
    expect_failure(root, NN_EFORMAT, "data_batch_4.bin: record 1 has label 10");
}

static void refuses_wrong_class_names(void **state) {
    (void)state;
    expect_failure(root_with_archive(FILES, ""), NN_EFORMAT,
                   "batches.meta.txt: 0 class names, there must be 10");
    expect_failure(root_with_archive(FILES, "1\n2\n3\n4\n5\n6\n7\n8\n9"), NN_EFORMAT, "9 class names");
    expect_failure(root_with_archive(FILES, "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11"), NN_EFORMAT,
                   "11 class names");
    expect_failure(root_with_archive(FILES,
                                     "a name of more than sixty-three letters, which is as many as there is "
                                     "room for\n2\n3\n4\n5\n6\n7\n8\n9\n10"),
                   NN_EFORMAT, "more than 63 characters");
}

/* The packed archive, cut in steps that are coprime to all block sizes. */
static void refuses_cut_archives(void **state) {
    (void)state;
    const char *root = root_with_archive(FILES, ten_names);
    char path[512];
    snprintf(path, sizeof path, "%s/cifar10/cifar-10-binary.tar.gz", root);
    struct stat information;
    assert_int_equal(stat(path, &information), 0);
    for (long size = information.st_size - 1; size > 1; size -= 17) {
        assert_int_equal(truncate(path, size), 0);
        expect_failure(root, NN_EFORMAT, "cifar-10-binary.tar.gz: the gzip file is cut short");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_folder),
        cmocka_unit_test(reads_the_archive),
        cmocka_unit_test(incomplete_folder_gives_way),
        cmocka_unit_test(names_missing_files),
        cmocka_unit_test(refuses_cut_files),
        cmocka_unit_test(refuses_labels_above_9),
        cmocka_unit_test(refuses_wrong_class_names),
        cmocka_unit_test(refuses_cut_archives),
    };
    return cmocka_run_group_tests_name("cifar", tests, NULL, NULL);
}
