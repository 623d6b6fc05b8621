/* file.c: plain and gzip'd files in, damaged ones refused, and files replaced wholly or not at all. */
#include "tests/support/support.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "framework/file.h"

enum { LIMIT = 1 << 24 };

static unsigned char *random_bytes(size_t count) {
    unsigned char *bytes = test_bytes(count);
    nn_stream stream = nn_stream_named(1, "bytes");
    for (size_t i = 0; i < count; i++)
        bytes[i] = (unsigned char)nn_random_bits(&stream);
    return bytes;
}

static void expect_content(const char *path, const void *expected, size_t count) {
    nn_error error = {0};
    unsigned char *bytes;
    size_t found;
    test_ok(nn_file_read(path, LIMIT, &bytes, &found, &error), &error);
    assert_int_equal(found, count);
    test_same_bits(path, bytes, expected, count);
    free(bytes);
}

static void expect_failure(const char *path, size_t limit, nn_status status, const char *part) {
    nn_error error = {0};
    unsigned char *bytes = (unsigned char *)1;
    size_t count = 1;
    test_fails(nn_file_read(path, limit, &bytes, &count, &error), status, &error, part);
    assert_null(bytes);
    assert_int_equal(count, 0);
}

static size_t files_in_folder_of(const char *path) {
    char folder[256];
    snprintf(folder, sizeof folder, "%s", path);
    *strrchr(folder, '/') = '\0';
    DIR *listing = opendir(folder);
    assert_non_null(listing);
    size_t count = 0;
    while (readdir(listing))
        count++;
    closedir(listing);
    return count;
}

/* Sizes around the reader's first capacity, plain and packed. */
static void reads_plain_and_gzip(void **state) {
    (void)state;
    const size_t sizes[] = {0, 1, 2, 100, 65535, 65536, 65537, 1000000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        unsigned char *bytes = random_bytes(sizes[i]);
        expect_content(test_file("plain", bytes, sizes[i]), bytes, sizes[i]);
        const char *path = test_path("packed");
        gzFile packed = gzopen(path, "wb");
        assert_int_equal(gzwrite(packed, bytes, (unsigned)sizes[i]), sizes[i]);
        assert_int_equal(gzclose(packed), Z_OK);
        expect_content(path, bytes, sizes[i]);
        free(bytes);
    }
}

/* The bytes of "hello\n" packed by gzip(1): independent of zlib's writer. */
static const unsigned char hello[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                                      0x03, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0xe7, 0x02, 0x00,
                                      0x20, 0x30, 0x3a, 0x36, 0x06, 0x00, 0x00, 0x00};

static void reads_known_gzip(void **state) {
    (void)state;
    expect_content(test_file("hello.gz", hello, sizeof hello), "hello\n", 6);
}

/* A single byte 0x1f is no gzip header yet and so a plain file. */
static void refuses_gzip_cut_at_every_byte(void **state) {
    (void)state;
    for (size_t count = 2; count < sizeof hello; count++)
        expect_failure(test_file("cut.gz", hello, count), LIMIT, NN_EFORMAT,
                       "cut.gz: the gzip file is cut short");
}

static void refuses_damaged_gzip(void **state) {
    (void)state;
    unsigned char damaged[sizeof hello];
    memcpy(damaged, hello, sizeof hello);
    damaged[19] ^= 1; /* in the checksum */
    expect_failure(test_file("damaged.gz", damaged, sizeof damaged), LIMIT, NN_EFORMAT, "is damaged");
}

static void keeps_to_the_limit(void **state) {
    (void)state;
    unsigned char *zeros = test_bytes(1 << 20);
    const char *path = test_path("bomb.gz");
    gzFile packed = gzopen(path, "wb9");
    assert_int_equal(gzwrite(packed, zeros, 1 << 20), 1 << 20);
    assert_int_equal(gzclose(packed), Z_OK);
    expect_failure(path, (1 << 20) - 1, NN_EFORMAT, "more than the 1048575 bytes");
    nn_error error = {0};
    unsigned char *bytes;
    size_t count;
    test_ok(nn_file_read(path, 1 << 20, &bytes, &count, &error), &error);
    assert_int_equal(count, 1 << 20);
    free(bytes);
    expect_failure(test_file("plain", zeros, 5), 4, NN_EFORMAT, "more than the 4 bytes");
    test_ok(nn_file_read(test_file("plain", zeros, 5), 5, &bytes, &count, &error), &error);
    free(bytes);
    free(zeros);
}

/* Ten gibibytes of zeros in ten mebibytes: 1024 gzip members of 10 MiB, one behind the other. */
static void refuses_a_decompression_bomb(void **state) {
    (void)state;
    enum { MEMBERS = 1024, MEMBER = 10 << 20 };
    const char *member = test_path("member.gz"), *path = test_path("ten-gibibytes.gz");
    unsigned char *bytes = test_bytes(MEMBER);
    gzFile packed = gzopen(member, "wb9");
    assert_int_equal(gzwrite(packed, bytes, MEMBER), MEMBER);
    assert_int_equal(gzclose(packed), Z_OK);
    FILE *from = fopen(member, "rb"), *to = fopen(path, "wb");
    assert_true(from && to);
    size_t count = fread(bytes, 1, MEMBER, from);
    for (int i = 0; i < MEMBERS; i++)
        assert_int_equal(fwrite(bytes, 1, count, to), count);
    fclose(from);
    fclose(to);
    expect_failure(path, SIZE_MAX, NN_EFORMAT, "ten-gibibytes.gz: unpacks to more than 64 MiB and 200 times");
    free(bytes);
}

/* A sixteenth is random: far from what images come to, and no bomb. */
static void reads_data_that_is_packed_well(void **state) {
    (void)state;
    enum { COUNT = (NN_UNPACKED_MIB + 6) << 20, EVERY = 256, RANDOM = 16 };
    nn_error error = {0};
    unsigned char *bytes = test_bytes(COUNT), *found;
    nn_stream stream = nn_stream_named(1, "bytes");
    size_t count;
    for (size_t i = 0; i < COUNT; i += EVERY)
        for (size_t k = 0; k < RANDOM; k++)
            bytes[i + k] = (unsigned char)nn_random_bits(&stream);
    const char *path = test_path("large.gz");
    gzFile packed = gzopen(path, "wb1");
    assert_int_equal(gzwrite(packed, bytes, COUNT), COUNT);
    assert_int_equal(gzclose(packed), Z_OK);
    test_ok(nn_file_read(path, COUNT, &found, &count, &error), &error);
    assert_int_equal(count, COUNT);
    test_same_bits(path, found, bytes, COUNT);
    free(found);
    free(bytes);
}

/* Files with holes take no room on the disk: the first is larger than the limit, the second than any memory. */
static void refuses_large_files_before_reading_them(void **state) {
    (void)state;
    const char *path = test_file("holes", "", 0);
    assert_int_equal(truncate(path, (off_t)1 << 31), 0);
    expect_failure(path, (size_t)1 << 30, NN_EFORMAT, "holes: holds more than the 1073741824 bytes");
    assert_int_equal(truncate(path, (off_t)1 << 43), 0);
    expect_failure(path, SIZE_MAX, NN_EMEMORY, "holes: holds more than");
}

static void streams_end(void **state) {
    (void)state;
    nn_error error = {0};
    unsigned char *bytes;
    size_t count;
    expect_failure("/dev/zero", SIZE_MAX, NN_EFORMAT, "/dev/zero: holds more than the 536870912 bytes");
    test_ok(nn_file_read("/dev/null", SIZE_MAX, &bytes, &count, &error), &error);
    assert_int_equal(count, 0);
    free(bytes);
}

static void a_zero_byte_follows(void **state) {
    (void)state;
    const size_t sizes[] = {0, 1, 65535, 65536, 65537};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        nn_error error = {0};
        unsigned char *bytes = random_bytes(sizes[i]), *found;
        size_t count;
        test_ok(nn_file_read(test_file("text", bytes, sizes[i]), LIMIT, &found, &count, &error), &error);
        assert_int_equal(found[sizes[i]], 0);
        free(found);
        free(bytes);
    }
}

static void names_what_cannot_be_read(void **state) {
    (void)state;
    expect_failure(test_path("absent"), LIMIT, NN_EFILE, "absent: No such file");
    const char *folder = test_path("folder");
    assert_int_equal(mkdir(folder, 0700), 0);
    expect_failure(folder, LIMIT, NN_EFILE, "Is a directory");
    rmdir(folder);
}

static void writes_and_replaces(void **state) {
    (void)state;
    nn_error error = {0};
    const char *path = test_path("written");
    test_ok(nn_file_write_atomic(path, "first", 5, &error), &error);
    expect_content(path, "first", 5);
    const size_t files = files_in_folder_of(path);
    unsigned char *bytes = random_bytes(300000);
    test_ok(nn_file_write_atomic(path, bytes, 300000, &error), &error);
    expect_content(path, bytes, 300000);
    test_ok(nn_file_write_atomic(path, "", 0, &error), &error);
    expect_content(path, "", 0);
    assert_int_equal(files_in_folder_of(path), files);
    free(bytes);
}

static void writes_through_links(void **state) {
    (void)state;
    nn_error error = {0};
    const char *target = test_file("target", "old", 3), *link = test_path("link");
    assert_int_equal(symlink(target, link), 0);
    test_ok(nn_file_write_atomic(link, "new", 3, &error), &error);
    expect_content(target, "new", 3);
    struct stat information;
    assert_int_equal(lstat(link, &information), 0);
    assert_true(S_ISLNK(information.st_mode));
}

/* A limit on file sizes stops the write half way. */
static void failed_write_keeps_the_old_file(void **state) {
    (void)state;
    nn_error error = {0};
    const char *path = test_file("kept", "old content", 11);
    const size_t files = files_in_folder_of(path);
    unsigned char *bytes = random_bytes(100000);
    struct rlimit before, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 4096;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    nn_status status = nn_file_write_atomic(path, bytes, 100000, &error);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    test_fails(status, NN_EFILE, &error, "kept: File too large");
    expect_content(path, "old content", 11);
    assert_int_equal(files_in_folder_of(path), files);
    free(bytes);
}

static void renames_and_replaces(void **state) {
    (void)state;
    nn_error error = {0};
    const char *from = test_file("from", "new", 3), *to = test_file("to", "old", 3);
    test_ok(nn_file_rename(from, to, &error), &error);
    expect_content(to, "new", 3);
    assert_int_equal(access(from, F_OK), -1);
    test_fails(nn_file_rename(from, to, &error), NN_EFILE, &error, "cannot rename ");
    expect_content(to, "new", 3);
}

static void reports_a_full_disk(void **state) {
    (void)state;
    nn_error error = {0};
    test_fails(nn_file_write_atomic("/dev/full", "x", 1, &error), NN_EFILE, &error, "No space left");
    struct stat information;
    assert_int_equal(stat("/dev/full", &information), 0);
    assert_true(S_ISCHR(information.st_mode));
}

static void reports_a_missing_folder(void **state) {
    (void)state;
    nn_error error = {0};
    test_fails(nn_file_write_atomic(test_path("no/such"), "x", 1, &error), NN_EFILE, &error, "No such file");
    char path[6000];
    memset(path, 'x', sizeof path);
    path[sizeof path - 1] = '\0';
    test_fails(nn_file_write_atomic(path, "x", 1, &error), NN_EFILE, &error, "cannot write xxx");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_plain_and_gzip),
        cmocka_unit_test(reads_known_gzip),
        cmocka_unit_test(refuses_gzip_cut_at_every_byte),
        cmocka_unit_test(refuses_damaged_gzip),
        cmocka_unit_test(keeps_to_the_limit),
        cmocka_unit_test(refuses_a_decompression_bomb),
        cmocka_unit_test(reads_data_that_is_packed_well),
        cmocka_unit_test(refuses_large_files_before_reading_them),
        cmocka_unit_test(streams_end),
        cmocka_unit_test(a_zero_byte_follows),
        cmocka_unit_test(names_what_cannot_be_read),
        cmocka_unit_test(writes_and_replaces),
        cmocka_unit_test(writes_through_links),
        cmocka_unit_test(failed_write_keeps_the_old_file),
        cmocka_unit_test(renames_and_replaces),
        cmocka_unit_test(reports_a_full_disk),
        cmocka_unit_test(reports_a_missing_folder),
    };
    return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
