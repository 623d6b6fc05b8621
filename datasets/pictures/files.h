/* files.h - the pictures in a folder or an archive, by their names: .png, .jpg, .jpeg or .bmp, in capitals or not.
 *
 * What is hidden (a name that begins with a dot, __MACOSX) is left out, with all that is in it, and so is what has another
 * name. Of a folder, links to files and folders are followed, as its owner made them; of an archive none is, and a path that
 * holds ".." is left out. All of these are counted. */
#ifndef DATA_PICTURES_FILES_H
#define DATA_PICTURES_FILES_H

#include "framework/framework.h"

/* The most pictures of a source, and the most bytes that an archive may unpack to: 16 GiB. */
enum { DATA_PICTURES_MAX = 1 << 23 };
extern const size_t data_pictures_unpacked_max;

typedef struct data_picture_file {
    char *path; /* below the source: "train/cat/1.png" */
    /* Of an archive the content; NULL: damaged there, or more than DATA_PICTURE_BYTES_MAX. Of a folder always NULL. */
    unsigned char *bytes;
    size_t count;
    size_t place; /* in the order in which the source has them */
} data_picture_file;

typedef struct data_picture_files {
    const char *source;
    bool archive;
    size_t count, capacity;
    data_picture_file
        *list; /* by path, bytewise; of several of one path, which an archive may have, the last */
    size_t hidden, others, links, outside; /* left out: hidden, of another kind, links, paths with ".." */
    char other[64];                        /* the name of one of those of another kind */
} data_picture_files;

/* Lists the pictures of a folder, or reads those of an archive. `source` must outlive *files. Released with
 * data_picture_files_free, also after a failure. */
nn_status data_picture_files_read(data_picture_files *files, const char *source, nn_error *error);
void data_picture_files_free(data_picture_files *files);

/* The content of a picture: of at most `most` bytes its first ones, of a folder's. *owned is to be freed. NN_EFORMAT, NN_EFILE
 * where it cannot be read, with a reason that names no file. */
nn_status data_picture_file_bytes(const data_picture_files *files, size_t index, size_t most,
                                  const unsigned char **bytes, size_t *count, unsigned char **owned,
                                  nn_error *error);

#endif
