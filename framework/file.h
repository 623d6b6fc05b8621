/* file.h - whole files in and out of memory. */
#ifndef NN_FILE_H
#define NN_FILE_H

#include <stddef.h>

#include "error.h"

enum { NN_UNPACKED_MIB = 64, NN_UNPACKED_RATIO = 200, NN_STREAM_MIB = 512 };

NN_API_BEGIN

/* Reads a whole file into *bytes, which the caller frees; a gzip'd file (told by its first bytes, not its
 * name) is unpacked. A zero byte follows the last, so that text needs no copy. On failure *bytes is NULL and *count 0.
 *
 * NN_EFILE where the system refuses, NN_EFORMAT for a damaged or cut-short gzip file, and for one that is too large:
 * - of more than `limit` bytes, unpacked;
 * - of more than this machine's memory (NN_EMEMORY);
 * - of more than NN_STREAM_MIB from what is no regular file and may never end: a pipe, /dev/zero;
 * - a decompression bomb: a gzip'd file may give NN_UNPACKED_MIB in any case, but beyond that no more than
 *   NN_UNPACKED_RATIO times the packed bytes that it took. Zeros are packed 1000 to 1, images hardly 10 to 1; data that is
 *   so after all is unpacked with gunzip beforehand, as a plain file may have any size up to the limit. */
nn_status nn_file_read(const char *path, size_t limit, unsigned char **bytes, size_t *count, nn_error *error);

/* Whether so much out of so many packed bytes is a decompression bomb, as above. */
bool nn_is_bomb(size_t packed, size_t unpacked);

/* Bytes of memory that this machine has. */
size_t nn_machine_memory(void);

/* Makes `bytes` the content of the file `path`, wholly or not at all: they go to a temporary file beside it,
 * which reaches the disk and then takes the name. On failure (NN_EFILE) a file that was there stays as it
 * was. What exists and is no regular file (a pipe, /dev/stdout) is written to in place. */
nn_status nn_file_write_atomic(const char *path, const void *bytes, size_t count, nn_error *error);

/* Gives a file a new name in the same folder, in place of a file that has it, and waits until that is on the disk. */
nn_status nn_file_rename(const char *from, const char *to, nn_error *error);

NN_API_END

#endif
