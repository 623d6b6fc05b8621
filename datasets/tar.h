/* tar.h - the members of a tar archive that lies in memory. Nothing is written to disk.
 *
 * Understands the ustar format (IEEE Std 1003.1) and GNU's long names; of pax headers nothing is used. */
#ifndef DATA_TAR_H
#define DATA_TAR_H

#include "framework/framework.h"

enum { DATA_TAR_NAME_MAX = 1024 };

typedef struct data_tar {
    const char *path; /* of the archive, for messages */
    const unsigned char *bytes;
    size_t count;
    size_t position; /* of the next header; 0 to start */
} data_tar;

typedef struct data_tar_member {
    char name[DATA_TAR_NAME_MAX];
    char type;                  /* '0': a regular file; '5': a folder; others as in the standard */
    const unsigned char *bytes; /* content, within the archive */
    size_t count;
} data_tar_member;

/* Reads the next member of any type. At the archive's end mark *end is set and *member left alone. NN_EFORMAT
 * for a header that is damaged or promises more than there is, and where the end mark is missing. */
nn_status data_tar_next(data_tar *tar, data_tar_member *member, bool *end, nn_error *error);

/* Finds the regular file `name` (with or without a leading "./"), searching from the start. *found says
 * whether it is there. */
nn_status data_tar_find(data_tar tar, const char *name, data_tar_member *member, bool *found,
                        nn_error *error);

#endif
