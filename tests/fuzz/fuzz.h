/* fuzz.h - what fuzz targets are made of: hostile bytes for the project's readers of files.
 *
 * A target is one file, tests/fuzz/fuzz_NAME.c, that defines FUZZ_TARGET(NAME), and a folder of seeds, tests/fuzz/corpus/NAME.
 * `make fuzz` and the test of all corpora (test_corpora.c) find both; there is no list. A target reads the bytes as a
 * program would and says what must hold of the result, by fuzz_require; memory errors are the sanitizers' to find. It must
 * do the same for the same bytes. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>

#include "framework/error.h"

typedef void fuzz_run(const unsigned char *bytes, size_t count);

typedef struct fuzz_target {
    const char *name;
    fuzz_run *run;
    struct fuzz_target *next;
} fuzz_target;

/* The targets linked into this program. */
extern fuzz_target *fuzz_targets;
void fuzz_add(fuzz_target *target);

/* FUZZ_TARGET(idx) { ... uses bytes and count ... } */
#define FUZZ_TARGET(NAME)                                                                                    \
    static fuzz_run run;                                                                                     \
    __attribute__((constructor)) static void add_##NAME(void) {                                              \
        static fuzz_target target = {.name = #NAME, .run = run};                                             \
        fuzz_add(&target);                                                                                   \
    }                                                                                                        \
    static void run(const unsigned char *bytes, size_t count)

/* Ends the program with `what` unless it holds. */
void fuzz_require(bool holds, const char *what);

/* What must hold of every failure: a message, and in it the name of the file, unless that is NULL. */
void fuzz_require_reason(nn_status status, const nn_error *error, const char *file);

/* Reads every byte, so that memory which is not there is noticed. NULL is fine where count is 0. */
void fuzz_read(const void *bytes, size_t count);

/* Makes the bytes a file in this process's temporary folder, which is in memory where the system has /dev/shm, and which
 * is gone at the end. `name` may have folders in front. The path is valid until the next eight calls. */
const char *fuzz_file(const char *name, const void *bytes, size_t count);

/* The path of a name in that folder, without making anything. */
const char *fuzz_path(const char *name);

/* The file of the last input goes. */
void fuzz_no_file(const char *name);

/* Cuts an input into `count` parts for targets that read several files: two bytes, little-endian, are the length of the
 * part behind them; the last part has no length and takes the rest. What is not there is empty. */
typedef struct fuzz_part {
    const unsigned char *bytes;
    size_t count;
} fuzz_part;
void fuzz_cut(const unsigned char *bytes, size_t size, fuzz_part *parts, int count);

#endif
