/* mat_writer.h - little-endian MATLAB 5 files, element by element, right ones and wrong ones. */
#ifndef TEST_MAT_WRITER_H
#define TEST_MAT_WRITER_H

#include "support.h"

enum { MAT_CLASS_DOUBLE = 6, MAT_CLASS_UINT8 = 9, MAT_COMPLEX = 0x800 };
enum {
    MAT_INT8 = 1,
    MAT_UINT8 = 2,
    MAT_INT32 = 5,
    MAT_UINT32 = 6,
    MAT_DOUBLE = 9,
    MAT_MATRIX = 14,
    MAT_PACKED = 15
};

/* Bytes that grow; zeroed to start, freed with mat_drop. */
typedef struct mat_bytes {
    unsigned char *bytes;
    size_t count;
} mat_bytes;
void mat_drop(mat_bytes *to);

void mat_raw(mat_bytes *to, const void *bytes, size_t count);
void mat_word(mat_bytes *to, uint32_t word);
void mat_header(mat_bytes *to);

/* A tag, the bytes and zeros up to a multiple of 8. */
void mat_part(mat_bytes *to, uint32_t type, const void *bytes, size_t count);

/* A variable, whose flags hold its class: its numbers are `count` bytes of type `type`. */
void mat_variable(mat_bytes *to, const char *name, uint32_t flags, int rank, const int32_t *dims,
                  uint32_t type, const void *numbers, size_t count);

/* The same packed: an element of type COMPRESSED around `content`. */
void mat_packed(mat_bytes *to, const mat_bytes *content);

/* Writes header and elements to a file in the temporary folder, frees them, and returns the path. */
const char *mat_file(const char *name, mat_bytes *content);

#endif
