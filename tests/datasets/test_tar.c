/* tar.c on archives made by hand, block by block, from the standard's field offsets. */
#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/tar.h"

enum { BLOCK = 512, SPACE = 16 * BLOCK };

struct archive {
    unsigned char bytes[SPACE];
    size_t count;
};

/* Sets the checksum at offset 148: the sum of all bytes, its own eight as spaces. */
static void seal(unsigned char *header) {
    unsigned sum = 0;
    memset(header + 148, ' ', 8);
    for (int i = 0; i < BLOCK; i++)
        sum += header[i];
    snprintf((char *)header + 148, 8, "%06o", sum);
}

/* Appends a member: name at 0, size at 124, type at 156, "ustar" at 257, prefix at 345. */
static unsigned char *add(struct archive *archive, const char *name, const char *prefix, char type,
                          const void *content, size_t count) {
    unsigned char *header = archive->bytes + archive->count;
    assert_true(archive->count + BLOCK + count + BLOCK <= SPACE);
    memcpy(header, name, strnlen(name, 100));
    snprintf((char *)header + 124, 12, "%011zo", count);
    header[156] = (unsigned char)type;
    memcpy(header + 257, "ustar\00000", 8);
    memcpy(header + 345, prefix, strlen(prefix));
    seal(header);
    memcpy(header + BLOCK, content, count);
    archive->count += BLOCK + (count + BLOCK - 1) / BLOCK * BLOCK;
    return header;
}

/* Two zero blocks. */
static void finish(struct archive *archive) {
    archive->count += 2 * BLOCK;
}

static data_tar open_archive(const struct archive *archive) {
    return (data_tar){.path = "a.tar", .bytes = archive->bytes, .count = archive->count};
}

static void expect_member(data_tar *tar, const char *name, char type, const char *content) {
    nn_error error = {0};
    data_tar_member member;
    bool end = true;
    test_ok(data_tar_next(tar, &member, &end, &error), &error);
    assert_false(end);
    assert_string_equal(member.name, name);
    assert_int_equal(member.type, type);
    assert_int_equal(member.count, strlen(content));
    assert_memory_equal(member.bytes, content, strlen(content));
}

static void expect_failure(const struct archive *archive, const char *part) {
    nn_error error = {0};
    data_tar tar = open_archive(archive);
    data_tar_member member;
    bool end = false;
    nn_status status = NN_OK;
    while (status == NN_OK && !end)
        status = data_tar_next(&tar, &member, &end, &error);
    test_fails(status, NN_EFORMAT, &error, part);
}

static void reads_members_in_turn(void **state) {
    (void)state;
    struct archive archive = {0};
    char long_name[300];
    memset(long_name, 'n', sizeof long_name);
    memcpy(long_name, "deep/", 5);
    long_name[299] = '\0';
    char full[101];
    memset(full, 'f', 100);
    full[100] = '\0';

    add(&archive, "folder/", "", '5', "", 0);
    add(&archive, "folder/one", "", '0', "first", 5);
    add(&archive, full, "", '0', "a name without its zero byte", 28);
    add(&archive, "two", "some/prefix", '0', "", 0);
    add(&archive, "././@LongLink", "", 'L', long_name, sizeof long_name);
    add(&archive, "deep/cut", "", '0', "third", 5);
    add(&archive, "old", "", '\0', "before ustar", 12);
    finish(&archive);

    data_tar tar = open_archive(&archive);
    expect_member(&tar, "folder/", '5', "");
    expect_member(&tar, "folder/one", '0', "first");
    expect_member(&tar, full, '0', "a name without its zero byte");
    expect_member(&tar, "some/prefix/two", '0', "");
    expect_member(&tar, long_name, '0', "third");
    expect_member(&tar, "old", '0', "before ustar");
    nn_error error = {0};
    data_tar_member member;
    bool end = false;
    test_ok(data_tar_next(&tar, &member, &end, &error), &error);
    assert_true(end);
}

static void finds_by_name(void **state) {
    (void)state;
    struct archive archive = {0};
    add(&archive, "b", "", '5', "", 0); /* not a file */
    add(&archive, "a", "", '0', "one", 3);
    add(&archive, "./b", "", '0', "two", 3);
    finish(&archive);
    nn_error error = {0};
    data_tar_member member;
    bool found;
    test_ok(data_tar_find(open_archive(&archive), "b", &member, &found, &error), &error);
    assert_true(found);
    assert_memory_equal(member.bytes, "two", 3);
    test_ok(data_tar_find(open_archive(&archive), "c", &member, &found, &error), &error);
    assert_false(found);
}

/* Everything up to the first byte after the end mark's first block has to be there. */
static void refuses_archives_cut_at_every_byte(void **state) {
    (void)state;
    struct archive whole = {0};
    add(&whole, "a", "", '0', "one", 3);
    add(&whole, "b", "", '0', "two", 3);
    finish(&whole);
    for (size_t count = 0; count < whole.count - BLOCK; count++) {
        /* memory of just this size, so that a sanitizer sees a byte read too many */
        unsigned char *cut = malloc(count ? count : 1);
        memcpy(cut, whole.bytes, count);
        nn_error error = {0};
        data_tar tar = {.path = "a.tar", .bytes = cut, .count = count};
        data_tar_member member;
        bool end = false;
        nn_status status = NN_OK;
        while (status == NN_OK && !end)
            status = data_tar_next(&tar, &member, &end, &error);
        test_fails(status, NN_EFORMAT, &error, "a.tar: ");
        free(cut);
    }
}

/* Any change of a header's byte changes the sum. */
static void refuses_a_changed_header(void **state) {
    (void)state;
    for (size_t i = 0; i < BLOCK; i++) {
        struct archive archive = {0};
        unsigned char *header = add(&archive, "a", "", '0', "one", 3);
        finish(&archive);
        if (i >= 154 && i < 156) /* what follows the checksum's digits has no meaning */
            continue;
        header[i] ^= 4;
        expect_failure(&archive, "damaged");
    }
}

static void refuses_wrong_sizes(void **state) {
    (void)state;
    const struct {
        const char *size, *part;
    } cases[] = {
        {"77777777777", "promises 8589934591 bytes"},
        {"777777777777", "promises 68719476735 bytes"},
        {"00000003000", "promises 1536 bytes"},
        {"", "not octal"},
        {"12x", "not octal"},
        {"\x80", "not octal"},
        {"-1", "not octal"},
        {"            ", "not octal"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct archive archive = {0};
        unsigned char *header = add(&archive, "a", "", '0', "one", 3);
        finish(&archive);
        archive.count -= BLOCK;
        memset(header + 124, 0, 12);
        memcpy(header + 124, cases[i].size, strlen(cases[i].size));
        seal(header);
        expect_failure(&archive, cases[i].part);
    }
}

static void refuses_endless_names(void **state) {
    (void)state;
    char name[DATA_TAR_NAME_MAX];
    memset(name, 'n', sizeof name);
    struct archive archive = {0};
    add(&archive, "././@LongLink", "", 'L', name, sizeof name);
    add(&archive, "a", "", '0', "one", 3);
    finish(&archive);
    expect_failure(&archive, "name has 1024 characters");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_members_in_turn),
        cmocka_unit_test(finds_by_name),
        cmocka_unit_test(refuses_archives_cut_at_every_byte),
        cmocka_unit_test(refuses_a_changed_header),
        cmocka_unit_test(refuses_wrong_sizes),
        cmocka_unit_test(refuses_endless_names),
    };
    return cmocka_run_group_tests_name("tar", tests, NULL, NULL);
}
