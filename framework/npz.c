#include "npz.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"

enum { MEMBERS_MAX = 1 << 16, BLOCK = 1 << 16 };
static const size_t member_limit = (size_t)1 << 34;
static const char ending[] = ".npz";

static nn_status fail_archive(const char *path, struct archive *archive, nn_error *error) {
    const char *reason = archive_error_string(archive);
    if (archive_errno(archive) == ENOMEM)
        return nn_fail_memory(error, path);
    return nn_fail(error, NN_EFORMAT, "%s: not a whole .npz file: %s", path,
                   reason ? reason : "no reason given");
}

/* --- names ---------------------------------------------------------------------------------------------- */

/* Where FILE.npz ends in a path; NULL where there is none. */
static const char *end_of_file(const char *path) {
    const char *end = NULL;
    for (const char *at = path; (at = strstr(at, ending)); at++)
        if (at[4] == '\0' || at[4] == ':')
            end = at + 4;
    return end;
}

bool nn_npz_is(const char *path) {
    return end_of_file(path) != NULL;
}

/* The array's name, NAME.npy without its ending; false for a member that is no array. */
static bool name_of(struct archive_entry *member, char name[NAME_MAX]) {
    const char *path = archive_entry_pathname(member);
    size_t length = path ? strlen(path) : 0;
    if (length < 5 || length - 4 >= NAME_MAX || strcmp(path + length - 4, ".npy") != 0 ||
        archive_entry_filetype(member) != AE_IFREG)
        return false;
    memcpy(name, path, length - 4);
    name[length - 4] = '\0';
    return true;
}

/* --- reading -------------------------------------------------------------------------------------------- */

typedef struct search {
    const char *path, *wanted; /* NULL: the only one */
    char file[PATH_MAX], names[300];
    int arrays;
    unsigned char *bytes; /* of the array, when it was found */
    size_t count;
} search;

/* The buffer grows with what really comes out, whatever the archive says of the size. */
static nn_status read_member(search *s, struct archive *archive, nn_error *error) {
    size_t capacity = 0;
    for (;;) {
        if (capacity - s->count < BLOCK) {
            capacity += capacity / 2 + 2 * BLOCK;
            unsigned char *bytes = realloc(s->bytes, capacity);
            if (!bytes)
                return nn_fail_memory(error, s->path);
            s->bytes = bytes;
        }
        la_ssize_t got = archive_read_data(archive, s->bytes + s->count, BLOCK);
        if (got < 0)
            return fail_archive(s->path, archive, error);
        if (got == 0)
            return NN_OK;
        s->count += (size_t)got;
        if (s->count > member_limit)
            return nn_fail(error, NN_EFORMAT, "%s: an array of more than %zu GiB", s->path,
                           member_limit >> 30);
    }
}

/* One member: the wanted array, or the first one where none is named. */
static nn_status look_at(search *s, struct archive *archive, struct archive_entry *member, nn_error *error) {
    char name[NAME_MAX];
    if (!name_of(member, name))
        return NN_OK;
    s->arrays++;
    snprintf(s->names + strlen(s->names), sizeof s->names - strlen(s->names), "%s%s", s->names[0] ? ", " : "",
             name);
    if (s->bytes || (s->wanted && strcmp(name, s->wanted) != 0))
        return NN_OK;
    if (archive_entry_is_encrypted(member))
        return nn_fail(error, NN_EFORMAT, "%s: the array is encrypted", s->path);
    return read_member(s, archive, error);
}

static nn_status look_through(search *s, struct archive *archive, nn_error *error) {
    struct archive_entry *member;
    for (int members = 0;; members++) {
        int result = archive_read_next_header(archive, &member);
        if (result == ARCHIVE_EOF)
            return NN_OK;
        if (result != ARCHIVE_OK && result != ARCHIVE_WARN)
            return fail_archive(s->path, archive, error);
        if (members == MEMBERS_MAX)
            return nn_fail(error, NN_EFORMAT, "%s: more than %d members", s->path, MEMBERS_MAX);
        nn_status status = look_at(s, archive, member, error);
        if (status != NN_OK || (s->wanted && s->bytes))
            return status;
    }
}

static nn_status check_found(const search *s, nn_error *error) {
    if (s->arrays == 0)
        return nn_fail(error, NN_EFORMAT, "%s: it holds no arrays", s->path);
    if (s->wanted && !s->bytes)
        return nn_fail(error, NN_EARGUMENT, "%s: there is no such array; there are: %s", s->path, s->names);
    if (!s->wanted && s->arrays > 1)
        return nn_fail(error, NN_EARGUMENT, "%s holds several arrays: name one as %s:NAME; there are: %s",
                       s->path, s->path, s->names);
    return NN_OK;
}

static nn_status read_bytes(search *s, nn_error *error) {
    struct archive *archive = archive_read_new();
    if (!archive)
        return nn_fail_memory(error, s->path);
    nn_status status = NN_OK;
    archive_read_support_format_zip_seekable(archive);
    if (access(s->file, R_OK) != 0)
        status = nn_fail(error, NN_EFILE, "cannot open %s: %s", s->file, strerror(errno));
    else if (archive_read_open_filename(archive, s->file, BLOCK) != ARCHIVE_OK)
        status = fail_archive(s->path, archive, error);
    if (status == NN_OK)
        status = look_through(s, archive, error);
    archive_read_free(archive);
    return status == NN_OK ? check_found(s, error) : status;
}

nn_status nn_npz_read(const char *path, nn_npy *array, nn_error *error) {
    const char *end = end_of_file(path);
    search s = {.path = path, .wanted = *end ? end + 1 : NULL};
    *array = (nn_npy){0};
    if (end - path >= PATH_MAX)
        return nn_fail(error, NN_EARGUMENT, "%.100s...: the path is too long", path);
    memcpy(s.file, path, (size_t)(end - path));
    nn_status status = read_bytes(&s, error);
    if (status == NN_OK)
        return nn_npy_parse(path, s.bytes, s.count, array, error);
    free(s.bytes);
    return status;
}

/* --- writing -------------------------------------------------------------------------------------------- */

struct nn_npz {
    char path[PATH_MAX], temporary[PATH_MAX + 32];
    struct archive *archive;
    int file;
};

static nn_status fail_write(const nn_npz *z, const char *reason, nn_error *error) {
    return nn_fail(error, NN_EFILE, "cannot write %s: %s", z->path, reason ? reason : "no reason given");
}

nn_status nn_npz_begin(nn_npz **result, const char *path, nn_error *error) {
    nn_npz *z = *result = calloc(1, sizeof *z);
    if (!z)
        return nn_fail_memory(error, path);
    z->file = -1;
    if (snprintf(z->path, sizeof z->path, "%s", path) >= PATH_MAX)
        return nn_fail(error, NN_EARGUMENT, "%.100s...: the path is too long", path);
    snprintf(z->temporary, sizeof z->temporary, "%s.%ld.tmp", path, (long)getpid());
    z->file = open(z->temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (z->file < 0)
        return fail_write(z, strerror(errno), error);
    z->archive = archive_write_new();
    if (!z->archive)
        return nn_fail_memory(error, path);
    archive_write_set_format_zip(z->archive);
    archive_write_zip_set_compression_store(z->archive);
    if (archive_write_open_fd(z->archive, z->file) != ARCHIVE_OK)
        return fail_write(z, archive_error_string(z->archive), error);
    return NN_OK;
}

/* Takes the bytes of a .npy file, which are freed. */
static nn_status add(nn_npz *z, const char *name, unsigned char *bytes, size_t count, nn_error *error) {
    char path[NAME_MAX];
    struct archive_entry *member = archive_entry_new();
    nn_status status = member ? NN_OK : nn_fail_memory(error, z->path);
    if (member) {
        snprintf(path, sizeof path, "%s.npy", name);
        archive_entry_set_pathname(member, path);
        archive_entry_set_filetype(member, AE_IFREG);
        archive_entry_set_perm(member, 0644);
        archive_entry_set_size(member, (la_int64_t)count);
        if (archive_write_header(z->archive, member) != ARCHIVE_OK ||
            archive_write_data(z->archive, bytes, count) != (la_ssize_t)count)
            status = fail_write(z, archive_error_string(z->archive), error);
        archive_entry_free(member);
    }
    free(bytes);
    return status;
}

nn_status nn_npz_floats(nn_npz *z, const char *name, int rank, const size_t *dims, const float *elements,
                        nn_error *error) {
    size_t count = 0;
    unsigned char *bytes;
    nn_status status = nn_npy_make(name, rank, dims, elements, NULL, &bytes, &count, error);
    return status == NN_OK ? add(z, name, bytes, count, error) : status;
}

nn_status nn_npz_integers(nn_npz *z, const char *name, int rank, const size_t *dims, const int64_t *elements,
                          nn_error *error) {
    size_t count = 0;
    unsigned char *bytes;
    nn_status status = nn_npy_make(name, rank, dims, NULL, elements, &bytes, &count, error);
    return status == NN_OK ? add(z, name, bytes, count, error) : status;
}

nn_status nn_npz_end(nn_npz *z, bool whole, nn_error *error) {
    nn_status status = NN_OK;
    if (!z)
        return status;
    if (whole && archive_write_close(z->archive) != ARCHIVE_OK)
        status = fail_write(z, archive_error_string(z->archive), error);
    archive_write_free(z->archive);
    if (whole && status == NN_OK && fsync(z->file) != 0)
        status = fail_write(z, strerror(errno), error);
    if (z->file >= 0 && close(z->file) != 0 && whole && status == NN_OK)
        status = fail_write(z, strerror(errno), error);
    if (whole && status == NN_OK)
        status = nn_file_rename(z->temporary, z->path, error);
    if (z->file >= 0 && !(whole && status == NN_OK))
        unlink(z->temporary);
    free(z);
    return status;
}
