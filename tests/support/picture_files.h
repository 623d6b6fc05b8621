/* picture_files.h - pictures with known pixels, and folders and archives of them. */
#ifndef TEST_PICTURE_FILES_H
#define TEST_PICTURE_FILES_H

#include "support.h"

typedef enum picture_kind {
    PICTURE_FILE,
    PICTURE_FOLDER,
    PICTURE_SYMLINK,
    PICTURE_HARDLINK,
    PICTURE_PIPE
} picture_kind;

/* A file, or in an archive something else; `bytes` are freed by picture_list_free, and name the target of links. */
typedef struct picture_file {
    char path[160];
    picture_kind kind;
    unsigned char *bytes;
    size_t count;
} picture_file;

typedef struct picture_list {
    int count;
    picture_file files[512];
} picture_list;

/* A PNG of such pixels, [height][width][channels], 1 to 4 channels, of 8 bits; freed with free(). */
unsigned char *picture_png(int height, int width, int channels, const unsigned char *pixels, size_t *count);

/* A BMP of 24 bits from RGB pixels. */
unsigned char *picture_bmp(int height, int width, const unsigned char *pixels, size_t *count);

/* A PNG in which every pixel has this color. */
unsigned char *picture_plain(int height, int width, int red, int green, int blue, size_t *count);

/* Adds a file with a copy of the bytes. */
void picture_add(picture_list *list, const char *path, const void *bytes, size_t count);
void picture_add_kind(picture_list *list, picture_kind kind, const char *path, const char *target);

/* Adds `count` PNGs of 6 x 6 pixels, FOLDER/000.png, ..., whose color the class decides, and the number a little. */
void picture_add_class(picture_list *list, const char *folder, int class, int count);
void picture_list_free(picture_list *list);

/* Writes the files into a new folder of this process's temporary one; links are made, too. Returns its path. */
const char *picture_folder(const char *name, const picture_list *list);

/* Makes an archive, by libarchive: its kind is by the name's ending, .tar, .tar.gz or .zip. Returns its path. */
const char *picture_archive(const char *name, const picture_list *list);

#endif
