#include "fuzz.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

fuzz_target *fuzz_targets;

void fuzz_add(fuzz_target *target) {
    target->next = fuzz_targets;
    fuzz_targets = target;
}

void fuzz_require(bool holds, const char *what) {
    if (holds)
        return;
    fprintf(stderr, "does not hold: %s\n", what);
    abort();
}

void fuzz_require_reason(nn_status status, const nn_error *error, const char *file) {
    if (status == NN_OK) {
        fuzz_require(error->status == NN_OK, "no error is recorded where all went well");
        return;
    }
    fuzz_require(error->status == status && error->message[0], "a failure comes with its reason");
    for (const char *byte = error->message; *byte; byte++)
        fuzz_require((unsigned char)*byte >= ' ' && *byte != 0x7f, "a message holds no control bytes");
    if (file && !strstr(error->message, file)) {
        fprintf(stderr, "%s\n", error->message);
        fuzz_require(false, "the message names the file");
    }
}

void fuzz_read(const void *bytes, size_t count) {
    static volatile unsigned char sum;
    unsigned char all = 0;
    for (size_t i = 0; i < count; i++)
        all ^= ((const unsigned char *)bytes)[i];
    sum = all;
    (void)sum;
}

/* --- files ---------------------------------------------------------------------------------------------- */

enum { PATHS = 8, PATH_SIZE = 256 };

static char folder[64];

static void remove_folder(void) {
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    if (system(command) != 0)
        fprintf(stderr, "could not remove %s\n", folder);
}

/* $FUZZ_FOLDER holds the folders of processes that may be killed, for scripts/fuzz to remove. */
static void make_folder(void) {
    const char *parent = getenv("FUZZ_FOLDER");
    if (!parent)
        parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(folder, sizeof folder, "%.40s/entangle-fuzz-XXXXXX", parent);
    fuzz_require(mkdtemp(folder) != NULL, "there is a place for a temporary folder");
    atexit(remove_folder);
}

const char *fuzz_path(const char *name) {
    static char paths[PATHS][PATH_SIZE];
    static int next;
    if (!folder[0])
        make_folder();
    char *path = paths[next++ % PATHS];
    snprintf(path, PATH_SIZE, "%s/%s", folder, name);
    return path;
}

static void make_folders_of(const char *path) {
    char part[PATH_SIZE];
    for (const char *slash = strchr(path + strlen(folder) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        snprintf(part, sizeof part, "%.*s", (int)(slash - path), path);
        fuzz_require(mkdir(part, 0700) == 0 || errno == EEXIST, "a folder can be made");
    }
}

const char *fuzz_file(const char *name, const void *bytes, size_t count) {
    const char *path = fuzz_path(name);
    FILE *file = fopen(path, "wb");
    if (!file) {
        make_folders_of(path);
        file = fopen(path, "wb");
    }
    fuzz_require(file != NULL, "a file can be made");
    bool written = fwrite(bytes, 1, count, file) == count;
    written = fclose(file) == 0 && written;
    fuzz_require(written, "a file can be written");
    return path;
}

void fuzz_no_file(const char *name) {
    const char *path = fuzz_path(name);
    fuzz_require(unlink(path) == 0 || errno == ENOENT, "a file can be removed");
}

void fuzz_cut(const unsigned char *bytes, size_t size, fuzz_part *parts, int count) {
    for (int i = 0; i < count; i++) {
        const bool last = i == count - 1;
        const size_t lead = last || size < 2 ? 0 : 2, left = size - lead;
        size_t length = last ? left : lead ? (size_t)(bytes[0] | bytes[1] << 8) : 0;
        length = length < left ? length : left;
        parts[i] = (fuzz_part){bytes + lead, length};
        bytes += lead + length;
        size -= lead + length;
    }
}
