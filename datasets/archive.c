#define _GNU_SOURCE /* newlocale */
#include "archive.h"

/* NOLINTNEXTLINE(readability-duplicate-include): libarchive's, not ours */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "framework/file.h"

enum { BLOCK = 512, ROOM = 1 << 16 };

struct data_archive {
    const char *path;
    struct archive *reader;
    struct archive_entry *member;
    bool zip;
    gzFile stream; /* of a tar */
    size_t limit, taken, members;
    size_t size; /* of the file */
    unsigned char room[ROOM];
    unsigned char last[BLOCK]; /* the last bytes of the stream so far */
    nn_error failed;           /* in the stream */
};

bool data_archive_named(const char *path) {
    static const char *const endings[] = {".tar", ".tar.gz", ".tgz", ".zip"};
    size_t length = strlen(path);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t ending = strlen(endings[i]);
        if (length > ending && strcasecmp(path + length - ending, endings[i]) == 0)
            return true;
    }
    return false;
}

/* Counts bytes that came out, of `packed` ones that went in so far. */
static nn_status count_unpacked(data_archive *a, size_t count, size_t packed, nn_error *error) {
    if (count > a->limit - a->taken)
        return nn_fail(error, NN_EFORMAT, "%s: unpacks to more than the %zu bytes expected at most", a->path,
                       a->limit);
    a->taken += count;
    if (nn_is_bomb(packed, a->taken))
        return nn_fail(error, NN_EFORMAT,
                       "%s: unpacks to more than %d MiB and %d times its size, as data hardly does; if it is "
                       "right, give it unpacked",
                       a->path, NN_UNPACKED_MIB, NN_UNPACKED_RATIO);
    return NN_OK;
}

/* --- the stream of a tar -------------------------------------------------------------------------------- */

static nn_status fail_stream(data_archive *a) {
    int code;
    const char *reason = gzerror(a->stream, &code);
    if (code == Z_ERRNO)
        return nn_fail(&a->failed, NN_EFILE, "cannot read %s: %s", a->path, strerror(errno));
    if (code == Z_MEM_ERROR)
        return nn_fail_memory(&a->failed, a->path);
    if (code == Z_BUF_ERROR)
        return nn_fail(&a->failed, NN_EFORMAT, "%s: the gzip file is cut short; fetch it again", a->path);
    return nn_fail(&a->failed, NN_EFORMAT, "%s: the gzip file is damaged (%s); fetch it again", a->path,
                   reason);
}

static void keep_last(data_archive *a, size_t count) {
    size_t kept = count < BLOCK ? BLOCK - count : 0;
    memmove(a->last, a->last + BLOCK - kept, kept);
    memcpy(a->last + kept, a->room + count - (BLOCK - kept), BLOCK - kept);
}

/* libarchive's reader of bytes. */
static la_ssize_t read_stream(struct archive *reader, void *context, const void **bytes) {
    data_archive *a = context;
    int got = gzread(a->stream, a->room, ROOM), code;
    /* A file cut short shows only in the error: gzread just returns less. */
    gzerror(a->stream, &code);
    if (got < 0 || (code != Z_OK && code != Z_STREAM_END))
        fail_stream(a);
    else
        count_unpacked(a, (size_t)got, gzdirect(a->stream) ? a->size : (size_t)gzoffset(a->stream),
                       &a->failed);
    if (a->failed.status != NN_OK) {
        archive_set_error(reader, EIO, "%s", a->failed.message);
        return ARCHIVE_FATAL;
    }
    keep_last(a, (size_t)got);
    *bytes = a->room;
    return got;
}

/* Behind the last member: to the end of the stream, so that its checksum is compared. An archive that is whole ends with
 * zeros. */
static nn_status check_end(data_archive *a, nn_error *error) {
    static const unsigned char zeros[BLOCK];
    const void *bytes;
    la_ssize_t got = 1;
    while (got > 0)
        got = read_stream(a->reader, a, &bytes);
    if (got < 0)
        return nn_fail(error, a->failed.status, "%s", a->failed.message);
    if (memcmp(a->last, zeros, BLOCK) != 0)
        return nn_fail(error, NN_EFORMAT, "%s: the archive is cut short: no end mark after byte %zu", a->path,
                       a->taken);
    return NN_OK;
}

/* --- opening -------------------------------------------------------------------------------------------- */

/* The file's size, and whether it begins as a zip archive does. */
static nn_status look(data_archive *a, nn_error *error) {
    unsigned char start[2] = {0};
    struct stat information;
    if (stat(a->path, &information) != 0)
        return nn_fail(error, nn_system_status(errno), "cannot open %s: %s", a->path, strerror(errno));
    if (!S_ISREG(information.st_mode))
        return nn_fail(error, NN_EFILE, "cannot read %s: it is no regular file", a->path);
    int file = open(a->path, O_RDONLY | O_CLOEXEC);
    ssize_t got = file < 0 ? -1 : read(file, start, sizeof start);
    if (got < 0)
        nn_fail(error, nn_system_status(errno), "cannot read %s: %s", a->path, strerror(errno));
    if (file >= 0)
        close(file);
    a->size = (size_t)information.st_size;
    a->zip = got == 2 && memcmp(start, "PK", 2) == 0;
    return got < 0 ? error->status : NN_OK;
}

/* What libarchive says, for a call that failed. */
static nn_status fail_reader(const data_archive *a, nn_error *error) {
    const char *reason = archive_error_string(a->reader);
    if (a->failed.status != NN_OK)
        return nn_fail(error, a->failed.status, "%s", a->failed.message);
    if (archive_errno(a->reader) == ENOMEM)
        return nn_fail_memory(error, a->path);
    if (!reason)
        reason = "no reason given";
    if (a->members == 0)
        return nn_fail(error, NN_EFORMAT, "%s: no tar, gzip'd tar or zip archive, or a damaged one (%s)",
                       a->path, reason);
    return nn_fail(error, NN_EFORMAT, "%s: the archive is damaged behind member %zu (%s); fetch it again",
                   a->path, a->members, reason);
}

static nn_status open_reader(data_archive *a, nn_error *error) {
    if (a->zip) {
        archive_read_support_format_zip_seekable(a->reader);
        return archive_read_open_filename(a->reader, a->path, ROOM) == ARCHIVE_OK ? NN_OK
                                                                                  : fail_reader(a, error);
    }
    a->stream = gzopen(a->path, "rbe");
    if (!a->stream)
        return nn_fail(error, nn_system_status(errno), "cannot open %s: %s", a->path, strerror(errno));
    gzbuffer(a->stream, 2 * ROOM);
    archive_read_support_format_tar(a->reader);
    return archive_read_open(a->reader, a, NULL, read_stream, NULL) == ARCHIVE_OK ? NN_OK
                                                                                  : fail_reader(a, error);
}

nn_status data_archive_open(data_archive **archive, const char *path, size_t limit, nn_error *error) {
    data_archive *a = *archive = calloc(1, sizeof *a);
    if (!a)
        return nn_fail_memory(error, path);
    a->path = path;
    a->limit = limit < nn_machine_memory() ? limit : nn_machine_memory();
    a->reader = archive_read_new();
    nn_status status = a->reader ? look(a, error) : nn_fail_memory(error, path);
    if (status == NN_OK)
        status = open_reader(a, error);
    if (status != NN_OK) {
        data_archive_close(a);
        *archive = NULL;
    }
    return status;
}

void data_archive_close(data_archive *a) {
    if (!a)
        return;
    if (a->reader)
        archive_read_free(a->reader);
    if (a->stream)
        gzclose_r(a->stream);
    free(a);
}

/* --- members -------------------------------------------------------------------------------------------- */

static locale_t utf8; /* made once, and kept */

static void make_utf8(void) {
    utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

/* libarchive takes names apart by the locale's character set. As UTF-8 they are taken, and as they are where they are not:
 * in the C locale, which programs start with, others than ASCII would be lost. Returns what to go back to; 0: nothing. */
static locale_t use_utf8(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_utf8);
    return utf8 ? uselocale(utf8) : (locale_t)0;
}

static void go_back(locale_t before) {
    if (before)
        uselocale(before);
}

static int read_header(data_archive *a) {
    locale_t before = use_utf8();
    int code = archive_read_next_header(a->reader, &a->member);
    go_back(before);
    return code;
}

static nn_status take_path(const data_archive *a, data_member *member, nn_error *error) {
    locale_t before = use_utf8();
    const char *path = archive_entry_pathname(a->member);
    go_back(before);
    if (!path)
        return nn_fail(error, NN_EFORMAT, "%s: member %zu has no name", a->path, a->members);
    if (strlen(path) >= sizeof member->path)
        return nn_fail(error, NN_EFORMAT, "%s: the name of member %zu has %zu characters", a->path,
                       a->members, strlen(path));
    strcpy(member->path, path);
    return NN_OK;
}

static nn_status check_member(const data_archive *a, nn_error *error) {
    const char *format = archive_format_name(a->reader);
    if (archive_entry_is_encrypted(a->member))
        return nn_fail(error, NN_EFORMAT, "%s: the archive is encrypted; give it unpacked", a->path);
    if (a->zip && !strstr(format, "(deflation)") && !strstr(format, "(uncompressed)"))
        return nn_fail(
            error, NN_EFORMAT,
            "%s: a member is compressed by another method than zip's usual one (%s); unpack the archive",
            a->path, format);
    return NN_OK;
}

nn_status data_archive_next(data_archive *a, data_member *member, bool *end, nn_error *error) {
    int code = read_header(a);
    *end = code == ARCHIVE_EOF;
    if (*end)
        return a->zip ? NN_OK : check_end(a, error);
    if (code != ARCHIVE_OK && code != ARCHIVE_WARN)
        return fail_reader(a, error);
    if (++a->members > DATA_ARCHIVE_MEMBERS_MAX)
        return nn_fail(error, NN_EFORMAT, "%s: the archive has more than %d members", a->path,
                       DATA_ARCHIVE_MEMBERS_MAX);
    const mode_t type = archive_entry_filetype(a->member);
    member->kind = type == AE_IFDIR ? DATA_MEMBER_FOLDER : DATA_MEMBER_OTHER;
    if (type == AE_IFREG && !archive_entry_hardlink(a->member))
        member->kind = DATA_MEMBER_FILE;
    nn_status status = take_path(a, member, error);
    return status == NN_OK && member->kind == DATA_MEMBER_FILE ? check_member(a, error) : status;
}

/* Whether the member can be left for the next one after this answer. */
static bool is_local(int code) {
    return code == ARCHIVE_FAILED || code == ARCHIVE_WARN || code == ARCHIVE_RETRY;
}

/* Reads to the member's end, or to more than `most` bytes, into *bytes, which grows. Gives libarchive's code. A size that
 * is known leaves one byte to see the end by. */
static int read_member(data_archive *a, size_t most, unsigned char **bytes, size_t *count) {
    const bool sized = archive_entry_size_is_set(a->member);
    for (size_t capacity = sized ? (size_t)archive_entry_size(a->member) + 1 : ROOM;; capacity *= 2) {
        unsigned char *grown = realloc(*bytes, capacity);
        if (!grown) {
            archive_set_error(a->reader, ENOMEM, "no memory");
            return ARCHIVE_FATAL;
        }
        *bytes = grown;
        while (*count < capacity) {
            la_ssize_t got = archive_read_data(a->reader, grown + *count, capacity - *count);
            if (got <= 0)
                return (int)got;
            *count += (size_t)got;
        }
        if (*count > most)
            return ARCHIVE_FAILED;
    }
}

nn_status data_archive_read(data_archive *a, size_t most, unsigned char **bytes, size_t *count,
                            nn_error *error) {
    *bytes = NULL;
    *count = 0;
    if (archive_entry_size_is_set(a->member) && (uint64_t)archive_entry_size(a->member) > most)
        return NN_OK;
    const int code = read_member(a, most, bytes, count);
    nn_status status = a->zip ? count_unpacked(a, *count, a->size, error) : NN_OK;
    if (status == NN_OK && code != ARCHIVE_OK && !is_local(code))
        status = fail_reader(a, error);
    if (status != NN_OK || code != ARCHIVE_OK || *count > most) {
        free(*bytes);
        *bytes = NULL;
        *count = 0;
    }
    return status;
}
