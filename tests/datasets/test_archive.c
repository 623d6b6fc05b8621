/* archive.c on archives made by libarchive's writer, by tar(1) and byte by byte. */
#include "tests/support/picture_files.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "datasets/archive.h"

enum { MEMBERS_MAX = 16, BLOCK = 512 };

static const size_t plenty = (size_t)1 << 30;
static const char *const endings[] = {"tar", "tar.gz", "zip"};

typedef struct content {
    int count;
    data_member members[MEMBERS_MAX];
    unsigned char *bytes[MEMBERS_MAX]; /* NULL: damaged, too large, or no file */
    size_t sizes[MEMBERS_MAX];
} content;

static void content_free(content *c) {
    for (int i = 0; i < c->count; i++)
        free(c->bytes[i]);
    c->count = 0;
}

static nn_status read_all(const char *path, size_t limit, size_t most, content *c, nn_error *error) {
    data_archive *archive;
    nn_status status = data_archive_open(&archive, path, limit, error);
    memset(c, 0, sizeof *c);
    for (bool end = false; status == NN_OK;) {
        data_member *member = &c->members[c->count];
        status = data_archive_next(archive, member, &end, error);
        if (status != NN_OK || end)
            break;
        assert_true(c->count < MEMBERS_MAX - 1);
        if (member->kind == DATA_MEMBER_FILE)
            status = data_archive_read(archive, most, &c->bytes[c->count], &c->sizes[c->count], error);
        c->count++;
    }
    data_archive_close(archive);
    return status;
}

static void expect_failure(const char *path, size_t limit, nn_status status, const char *part) {
    static content c;
    nn_error error = {0};
    test_fails(read_all(path, limit, plenty, &c, &error), status, &error, part);
    content_free(&c);
}

static void expect_member(const content *c, int i, const char *path, data_member_kind kind,
                          const char *bytes) {
    assert_true(i < c->count);
    assert_string_equal(c->members[i].path, path);
    assert_int_equal(c->members[i].kind, kind);
    if (!bytes) {
        assert_null(c->bytes[i]);
        return;
    }
    assert_non_null(c->bytes[i]);
    assert_int_equal(c->sizes[i], strlen(bytes));
    assert_memory_equal(c->bytes[i], bytes, strlen(bytes));
}

static char long_name[600];

static void reads_every_kind_alike(void **state) {
    (void)state;
    static picture_list list;
    static content c;
    nn_error error = {0};
    memset(long_name, 'n', 150);
    memcpy(long_name, "deep/", 5);
    picture_add_kind(&list, PICTURE_FOLDER, "folder/", "");
    picture_add(&list, "folder/one", "first", 5);
    picture_add(&list, "folder/empty", "", 0);
    picture_add(&list, long_name, "third", 5);
    picture_add(&list, "кошки/ä.png", "names of others", 15);
    picture_add(&list, "../up", "a name", 6);
    picture_add(&list, "/etc/passwd", "a name", 6);
    picture_add_kind(&list, PICTURE_SYMLINK, "link", "/etc/passwd");
    for (int k = 0; k < 3; k++) {
        char name[32];
        snprintf(name, sizeof name, "alike.%s", endings[k]);
        test_ok(read_all(picture_archive(name, &list), plenty, plenty, &c, &error), &error);
        assert_int_equal(c.count, list.count);
        expect_member(&c, 0, "folder/", DATA_MEMBER_FOLDER, NULL);
        expect_member(&c, 1, "folder/one", DATA_MEMBER_FILE, "first");
        expect_member(&c, 2, "folder/empty", DATA_MEMBER_FILE, "");
        expect_member(&c, 3, long_name, DATA_MEMBER_FILE, "third");
        expect_member(&c, 4, "кошки/ä.png", DATA_MEMBER_FILE, "names of others");
        expect_member(&c, 5, "../up", DATA_MEMBER_FILE, "a name");
        expect_member(&c, 6, "/etc/passwd", DATA_MEMBER_FILE, "a name");
        expect_member(&c, 7, "link", DATA_MEMBER_OTHER, NULL);
        content_free(&c);
    }
    picture_list_free(&list);
}

static void follows_no_links(void **state) {
    (void)state;
    static picture_list list;
    static content c;
    nn_error error = {0};
    picture_add(&list, "file", "content", 7);
    picture_add_kind(&list, PICTURE_HARDLINK, "hard", "file");
    picture_add_kind(&list, PICTURE_SYMLINK, "soft", "file");
    picture_add_kind(&list, PICTURE_PIPE, "pipe", "");
    test_ok(read_all(picture_archive("links.tar", &list), plenty, plenty, &c, &error), &error);
    expect_member(&c, 0, "file", DATA_MEMBER_FILE, "content");
    for (int i = 1; i < 4; i++)
        assert_int_equal(c.members[i].kind, DATA_MEMBER_OTHER);
    content_free(&c);
    picture_list_free(&list);
}

/* Every format that tar(1) writes, with names longer than the oldest one's field. */
static void reads_what_tar_writes(void **state) {
    (void)state;
    static const char *const formats[] = {"v7", "ustar", "gnu", "pax"};
    static picture_list list;
    static content c;
    nn_error error = {0};
    char folder[256], path[256], command[1024], name[161] = "";
    memset(name, 'n', 90);
    memcpy(name, "a/", 2);
    picture_add(&list, name, "short", 5);
    memset(name + 90, 'n', 50);
    name[95] = '/';
    picture_add(&list, name, "long", 4);
    snprintf(folder, sizeof folder, "%s", picture_folder("for-tar", &list));
    for (int f = 0; f < 4; f++) {
        snprintf(path, sizeof path, "%s", test_path("by-tar.tgz"));
        snprintf(command, sizeof command, "tar --format=%s -czf %s -C %s --no-recursion ./%s %s", formats[f],
                 path, folder, list.files[0].path, f ? list.files[1].path : "");
        assert_int_equal(system(command), 0);
        test_ok(read_all(path, plenty, plenty, &c, &error), &error);
        assert_int_equal(c.count, f ? 2 : 1);
        assert_string_equal(c.members[0].path + 2, list.files[0].path);
        if (f)
            expect_member(&c, 1, list.files[1].path, DATA_MEMBER_FILE, "long");
        content_free(&c);
    }
    picture_list_free(&list);
}

static void goes_by_the_first_bytes(void **state) {
    (void)state;
    static picture_list list;
    static content c;
    nn_error error = {0};
    char path[256], other[256];
    picture_add(&list, "file", "content", 7);
    snprintf(path, sizeof path, "%s", picture_archive("right.zip", &list));
    snprintf(other, sizeof other, "%s", test_path("called-otherwise.tar"));
    assert_int_equal(rename(path, other), 0);
    test_ok(read_all(other, plenty, plenty, &c, &error), &error);
    expect_member(&c, 0, "file", DATA_MEMBER_FILE, "content");
    content_free(&c);
    picture_list_free(&list);

    assert_true(data_archive_named("a/b.tar") && data_archive_named("b.TAR.GZ") &&
                data_archive_named("b.tgz") && data_archive_named("b.Zip"));
    assert_false(data_archive_named(".zip") || data_archive_named("tar") || data_archive_named("b.zip/c") ||
                 data_archive_named("b.gz"));
}

static void refuses_what_is_no_archive(void **state) {
    (void)state;
    expect_failure("/nowhere/a.tar", plenty, NN_EFILE, "cannot open /nowhere/a.tar");
    expect_failure(test_file("text.tar", "text", 4), plenty, NN_EFORMAT,
                   "text.tar: no tar, gzip'd tar or zip archive");
    expect_failure(test_file("none.tar", "", 0), plenty, NN_EFORMAT, "none.tar");
    expect_failure(test_file("text.zip", "PK text", 7), plenty, NN_EFORMAT,
                   "text.zip: no tar, gzip'd tar or zip archive");
    expect_failure(test_path("."), plenty, NN_EFILE, "cannot read");
}

/* Whatever is missing at the end, but for bytes of the zeros that fill up a tar. */
static void refuses_cut_archives(void **state) {
    (void)state;
    static picture_list list;
    char path[256];
    struct stat information;
    picture_add(&list, "a", "one", 3);
    picture_add(&list, "b", "two", 3);
    for (int k = 0; k < 3; k++) {
        char name[32];
        snprintf(name, sizeof name, "cut.%s", endings[k]);
        snprintf(path, sizeof path, "%s", picture_archive(name, &list));
        assert_int_equal(stat(path, &information), 0);
        const long end = k == 0 ? 4 * BLOCK : information.st_size - 1;
        for (long size = end; size >= 0; size -= k == 0 ? 37 : 1) {
            assert_int_equal(truncate(path, size), 0);
            expect_failure(path, plenty, NN_EFORMAT, "cut.");
        }
    }
    picture_list_free(&list);
}

static void refuses_a_wrong_checksum(void **state) {
    (void)state;
    static picture_list list;
    char path[256];
    picture_add(&list, "a", "one", 3);
    snprintf(path, sizeof path, "%s", picture_archive("sum.tar.gz", &list));
    FILE *file = fopen(path, "r+b");
    fseek(file, -8, SEEK_END);
    putc(0, file);
    putc(0, file);
    fclose(file);
    expect_failure(path, plenty, NN_EFORMAT, "sum.tar.gz: the gzip file is damaged");
    picture_list_free(&list);
}

/* Of a zip one member can be damaged, and the others not. */
static void leaves_out_a_damaged_member(void **state) {
    (void)state;
    static picture_list list;
    static content c;
    nn_error error = {0};
    char path[256], bytes[4096], wanted[3000];
    for (size_t i = 0; i < sizeof wanted - 1; i++)
        wanted[i] = (char)('a' + i * i % 23);
    wanted[sizeof wanted - 1] = '\0';
    picture_add(&list, "a", "one", 3);
    picture_add(&list, "b", "two", 3);
    picture_add(&list, "c", wanted, strlen(wanted));
    snprintf(path, sizeof path, "%s", picture_archive("damaged.zip", &list));
    FILE *file = fopen(path, "r+b");
    size_t count = fread(bytes, 1, sizeof bytes, file);
    assert_true(count > 100);
    for (size_t i = 30; i < 80; i++) /* what is packed behind the first member's header */
        if (memcmp(bytes + i, "PK\3\4", 4) == 0 || memcmp(bytes + i, "PK\7\10", 4) == 0) {
            fseek(file, (long)i - 3, SEEK_SET);
            putc(bytes[i - 3] ^ 0x10, file);
            break;
        }
    fclose(file);
    test_ok(read_all(path, plenty, plenty, &c, &error), &error);
    assert_int_equal(c.count, 3);
    assert_null(c.bytes[0]);
    expect_member(&c, 1, "b", DATA_MEMBER_FILE, "two");
    expect_member(&c, 2, "c", DATA_MEMBER_FILE, wanted);
    content_free(&c);

    /* Or too large, of any archive. */
    for (int k = 0; k < 3; k++) {
        char name[32];
        snprintf(name, sizeof name, "large.%s", endings[k]);
        test_ok(read_all(picture_archive(name, &list), plenty, 3, &c, &error), &error);
        expect_member(&c, 1, "b", DATA_MEMBER_FILE, "two");
        expect_member(&c, 2, "c", DATA_MEMBER_FILE, NULL);
        content_free(&c);
    }
    picture_list_free(&list);
}

static void refuses_encrypted_archives(void **state) {
    (void)state;
    struct archive *archive = archive_write_new();
    struct archive_entry *entry = archive_entry_new();
    char path[256];
    snprintf(path, sizeof path, "%s", test_path("secret.zip"));
    archive_write_set_format_zip(archive);
    if (archive_write_set_options(archive, "zip:encryption=traditional") != ARCHIVE_OK) {
        archive_write_free(archive);
        archive_entry_free(entry);
        skip();
    }
    archive_write_set_passphrase(archive, "word");
    assert_int_equal(archive_write_open_filename(archive, path), ARCHIVE_OK);
    archive_entry_set_pathname(entry, "file");
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_size(entry, 5);
    assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
    assert_int_equal(archive_write_data(archive, "bytes", 5), 5);
    assert_int_equal(archive_write_close(archive), ARCHIVE_OK);
    archive_entry_free(entry);
    archive_write_free(archive);
    expect_failure(path, plenty, NN_EFORMAT, "secret.zip: the archive is encrypted");
}

static void stops_at_limits(void **state) {
    (void)state;
    static picture_list list;
    static unsigned char content_bytes[20000];
    char name[1200];
    picture_add(&list, "a", content_bytes, sizeof content_bytes);
    for (int k = 0; k < 3; k++) {
        snprintf(name, sizeof name, "limit.%s", endings[k]);
        expect_failure(picture_archive(name, &list), 10000, NN_EFORMAT,
                       "unpacks to more than the 10000 bytes");
    }
    picture_list_free(&list);
}

/* A gzip'd tar of little more than zeros. */
static void stops_bombs(void **state) {
    (void)state;
    enum { PIECE = 1 << 20, PIECES = 80 };
    char path[256], header[BLOCK] = "zeros";
    unsigned sum = 0;
    snprintf(path, sizeof path, "%s", test_path("bomb.tar.gz"));
    snprintf(header + 124, 12, "%011o", (unsigned)PIECES * PIECE);
    header[156] = '0';
    memset(header + 148, ' ', 8);
    for (int i = 0; i < BLOCK; i++)
        sum += (unsigned char)header[i];
    snprintf(header + 148, 8, "%06o", sum);
    gzFile file = gzopen(path, "wb9");
    char *zeros = calloc(PIECE, 1);
    gzwrite(file, header, BLOCK);
    for (int i = 0; i < PIECES; i++)
        assert_int_equal(gzwrite(file, zeros, PIECE), PIECE);
    gzwrite(file, zeros, 2 * BLOCK);
    gzclose(file);
    free(zeros);
    expect_failure(path, plenty, NN_EFORMAT,
                   "bomb.tar.gz: unpacks to more than 64 MiB and 200 times its size");
}

static void refuses_endless_names(void **state) {
    (void)state;
    struct archive *archive = archive_write_new();
    struct archive_entry *entry = archive_entry_new();
    char path[256], name[1100];
    snprintf(path, sizeof path, "%s", test_path("names.tar"));
    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = '\0';
    archive_write_set_format_gnutar(archive);
    assert_int_equal(archive_write_open_filename(archive, path), ARCHIVE_OK);
    archive_entry_set_pathname(entry, name);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_size(entry, 0);
    assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
    assert_int_equal(archive_write_close(archive), ARCHIVE_OK);
    archive_entry_free(entry);
    archive_write_free(archive);
    expect_failure(path, plenty, NN_EFORMAT, "the name of member 1 has 1099 characters");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_kind_alike),
        cmocka_unit_test(follows_no_links),
        cmocka_unit_test(reads_what_tar_writes),
        cmocka_unit_test(goes_by_the_first_bytes),
        cmocka_unit_test(refuses_what_is_no_archive),
        cmocka_unit_test(refuses_cut_archives),
        cmocka_unit_test(refuses_a_wrong_checksum),
        cmocka_unit_test(leaves_out_a_damaged_member),
        cmocka_unit_test(refuses_encrypted_archives),
        cmocka_unit_test(stops_at_limits),
        cmocka_unit_test(stops_bombs),
        cmocka_unit_test(refuses_endless_names),
    };
    return cmocka_run_group_tests_name("archive", tests, NULL, NULL);
}
