/* archive.h - the files in a tar archive, gzip'd or not, or in a zip archive, one after the other and in memory.
 * Nothing is ever written to disk, and the paths inside are names and nothing else: no link is followed.
 *
 * By libarchive, which is given these two formats alone: of zip, only members that are stored or deflated. The gzip
 * layer is zlib's, which compares checksums, as libarchive does not. */
#ifndef DATA_ARCHIVE_H
#define DATA_ARCHIVE_H

#include "framework/framework.h"

/* Archives with more members are refused, and members with longer paths. */
enum { DATA_ARCHIVE_PATH_MAX = 1024, DATA_ARCHIVE_MEMBERS_MAX = 1 << 23 };

typedef enum data_member_kind {
    DATA_MEMBER_FILE,   /* a regular file with content of its own */
    DATA_MEMBER_FOLDER, /* has none */
    DATA_MEMBER_OTHER   /* a link of either kind, a device, a pipe: none either */
} data_member_kind;

typedef struct data_member {
    char path[DATA_ARCHIVE_PATH_MAX]; /* as it stands in the archive: may begin with '/' or hold ".." */
    data_member_kind kind;
} data_member;

typedef struct data_archive data_archive;

/* Whether a path ends as those of archives do: .tar, .tar.gz, .tgz, .zip, in capitals or not. */
bool data_archive_named(const char *path);

/* Opens an archive, at a path that must outlive it; which kind it is its first bytes tell. `limit`: the most bytes that may
 * come out of it. This machine's memory is another limit, and against archives that unpack without end there is nn_is_bomb
 * (framework/file.h). NN_EFILE where it cannot be read, NN_EFORMAT where it is none. On failure *archive is NULL. */
nn_status data_archive_open(data_archive **archive, const char *path, size_t limit, nn_error *error);
void data_archive_close(data_archive *archive); /* NULL is fine */

/* The next member. After the last one *end is set, once what follows has been checked: the end mark of a tar, which is
 * missing where it was cut short, and the checksum of a gzip file. NN_EFORMAT for an archive that is damaged,
 * encrypted, compressed by another method or beyond a limit. */
nn_status data_archive_next(data_archive *archive, data_member *member, bool *end, nn_error *error);

/* The content of the member that data_archive_next gave last, a DATA_MEMBER_FILE, into *bytes, the caller's to free.
 * Where this member alone is damaged or has more than `most` bytes, *bytes is NULL, the status NN_OK, and the archive
 * goes on behind it. NN_EFORMAT where it cannot. */
nn_status data_archive_read(data_archive *archive, size_t most, unsigned char **bytes, size_t *count,
                            nn_error *error);

#endif
