/* file.h - whole files in and out of memory. */
#ifndef NN_FILE_H
#define NN_FILE_H

#include <stddef.h>

#include "error.h"

NN_API_BEGIN

/* Reads a whole file into *bytes, which the caller frees; a gzip'd file (told by its first bytes, not its
 * name) is unpacked. `limit` is the most bytes taken, unpacked: a guard against files that unpack without
 * end. NN_EFILE where the system refuses, NN_EFORMAT for a damaged or cut-short gzip file and above the
 * limit. On failure *bytes is NULL and *count 0. */
nn_status nn_file_read(const char *path, size_t limit, unsigned char **bytes, size_t *count, nn_error *error);

/* Makes `bytes` the content of the file `path`, wholly or not at all: they go to a temporary file beside it,
 * which reaches the disk and then takes the name. On failure (NN_EFILE) a file that was there stays as it
 * was. What exists and is no regular file (a pipe, /dev/stdout) is written to in place. */
nn_status nn_file_write_atomic(const char *path, const void *bytes, size_t count, nn_error *error);

/* Gives a file a new name in the same folder, in place of a file that has it, and waits until that is on the disk. */
nn_status nn_file_rename(const char *from, const char *to, nn_error *error);

NN_API_END

#endif
