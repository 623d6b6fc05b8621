#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

static nn_status fail_system(nn_error *error, const char *action, const char *path) {
    return nn_fail(error, nn_system_status(errno), "cannot %s %s: %s", action, path, strerror(errno));
}

/* What went wrong in zlib, NN_OK if nothing. A file cut short shows only here: gzread just returns less. */
static nn_status stream_status(gzFile stream, const char *path, nn_error *error) {
    int code;
    const char *reason = gzerror(stream, &code);
    switch (code) {
    case Z_OK:
    case Z_STREAM_END:
        return NN_OK;
    case Z_ERRNO:
        return fail_system(error, "read", path);
    case Z_MEM_ERROR:
        return nn_fail_memory(error, path);
    case Z_BUF_ERROR:
        return nn_fail(error, NN_EFORMAT, "%s: the gzip file is cut short; fetch it again", path);
    default:
        return nn_fail(error, NN_EFORMAT, "%s: the gzip file is damaged (%s); fetch it again", path, reason);
    }
}

size_t nn_machine_memory(void) {
    return (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE);
}

static nn_status fail_limit(const char *path, size_t limit, nn_error *error) {
    if (limit >= nn_machine_memory())
        return nn_fail(error, NN_EMEMORY, "%s: holds more than the %zu bytes that this machine's memory has",
                       path, limit);
    return nn_fail(error, NN_EFORMAT, "%s: holds more than the %zu bytes expected at most", path, limit);
}

bool nn_is_bomb(size_t packed, size_t unpacked) {
    return unpacked >= (size_t)NN_UNPACKED_MIB << 20 && unpacked / NN_UNPACKED_RATIO > packed;
}

/* Whether `count` bytes are more than the packed ones taken for them can mean. */
static bool is_bomb(gzFile stream, size_t count) {
    const z_off_t packed = gzoffset(stream); /* -1 of a pipe */
    return !gzdirect(stream) && nn_is_bomb(packed > 0 ? (size_t)packed : 0, count);
}

/* *size is 0 of what is no regular file, of which no more than a part of the limit is taken. */
static void measure(int file, size_t *size, size_t *limit) {
    struct stat information;
    const size_t most = (size_t)NN_STREAM_MIB << 20;
    const bool regular = fstat(file, &information) == 0 && S_ISREG(information.st_mode);
    *size = regular ? (size_t)information.st_size : 0;
    if (!regular && *limit > most)
        *limit = most;
    if (*limit > nn_machine_memory())
        *limit = nn_machine_memory();
}

/* Reads to the end into *bytes, which grows from `capacity` bytes. */
static nn_status read_stream(gzFile stream, const char *path, size_t limit, size_t capacity,
                             unsigned char **bytes, size_t *count, nn_error *error) {
    for (;;) {
        unsigned char *grown = realloc(*bytes, capacity);
        if (!grown)
            return nn_fail_memory(error, path);
        *bytes = grown;
        while (*count < capacity) {
            size_t want = capacity - *count;
            int got = gzread(stream, *bytes + *count, want < 1 << 30 ? (unsigned)want : 1u << 30);
            if (got <= 0)
                return stream_status(stream, path, error);
            *count += (size_t)got;
        }
        if (capacity > limit)
            return fail_limit(path, limit, error);
        if (is_bomb(stream, capacity))
            return nn_fail(
                error, NN_EFORMAT,
                "%s: unpacks to more than %d MiB and %d times its size, as data hardly does; if it "
                "is right, unpack it with gunzip",
                path, NN_UNPACKED_MIB, NN_UNPACKED_RATIO);
        capacity = capacity < limit / 2 ? 2 * capacity : limit + 1;
    }
}

nn_status nn_file_read(const char *path, size_t limit, unsigned char **bytes, size_t *count,
                       nn_error *error) {
    *bytes = NULL;
    *count = 0;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return fail_system(error, "open", path);
    gzFile stream = gzdopen(file, "rb");
    if (!stream) {
        close(file);
        return nn_fail_memory(error, path);
    }

    /* One byte more than a plain file holds, so that its end is seen without growing. */
    const size_t least = 1 << 16;
    size_t size;
    measure(file, &size, &limit);
    size_t capacity = size < least ? least : size + 1;
    gzbuffer(stream, size < least ? 1 << 13 : 1 << 17);
    if (capacity > limit)
        capacity = limit + 1;
    nn_status status = size > limit && gzdirect(stream)
                           ? fail_limit(path, limit, error)
                           : read_stream(stream, path, limit, capacity, bytes, count, error);
    gzclose_r(stream);

    if (status != NN_OK) {
        free(*bytes);
        *bytes = NULL;
        *count = 0;
        return status;
    }
    unsigned char *trimmed = realloc(*bytes, *count + 1);
    if (trimmed)
        *bytes = trimmed;
    (*bytes)[*count] = '\0';
    return NN_OK;
}

static bool write_all(int file, const unsigned char *bytes, size_t count) {
    while (count > 0) {
        ssize_t written = write(file, bytes, count);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        bytes += written;
        count -= (size_t)written;
    }
    return true;
}

/* Writes and, for a regular file, waits until the bytes are on the disk. errno tells of a failure. */
static bool write_file(const char *path, int flags, bool sync, const void *bytes, size_t count) {
    int file = open(path, O_WRONLY | O_CLOEXEC | flags, 0666);
    if (file < 0)
        return false;
    bool written = write_all(file, bytes, count) && (!sync || fsync(file) == 0);
    int reason = errno;
    bool closed = close(file) == 0;
    if (!written)
        errno = reason;
    return written && closed;
}

/* Makes a rename last: the folder's entry has to reach the disk too. */
static bool sync_folder(const char *path) {
    char copy[PATH_MAX];
    snprintf(copy, sizeof copy, "%s", path);
    int folder = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return false;
    bool synced = fsync(folder) == 0 || errno == EINVAL; /* some file systems have nothing to sync there */
    int reason = errno;
    close(folder);
    errno = reason;
    return synced;
}

nn_status nn_file_write_atomic(const char *path, const void *bytes, size_t count, nn_error *error) {
    struct stat information;
    bool exists = stat(path, &information) == 0;
    if (exists && !S_ISREG(information.st_mode))
        return write_file(path, 0, false, bytes, count) ? NN_OK : fail_system(error, "write", path);

    /* Through a symbolic link, the file it names is replaced and the link stays. */
    char target[PATH_MAX], temporary[PATH_MAX];
    if (!exists || !realpath(path, target))
        snprintf(target, sizeof target, "%s", path);
    int length = snprintf(temporary, sizeof temporary, "%s.%ld.tmp", target, (long)getpid());
    if (strlen(path) >= sizeof target || length >= (int)sizeof temporary) {
        errno = ENAMETOOLONG;
        return fail_system(error, "write", path);
    }
    if (!write_file(temporary, O_CREAT | O_TRUNC, true, bytes, count) || rename(temporary, target) != 0) {
        nn_status status = fail_system(error, "write", path);
        unlink(temporary);
        return status;
    }
    return sync_folder(target) ? NN_OK : fail_system(error, "sync the folder of", path);
}

nn_status nn_file_rename(const char *from, const char *to, nn_error *error) {
    if (rename(from, to) != 0)
        return fail_system(error, "rename", from);
    return sync_folder(to) ? NN_OK : fail_system(error, "sync the folder of", to);
}
