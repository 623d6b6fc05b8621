#include "mat_writer.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

void mat_raw(mat_bytes *to, const void *bytes, size_t count) {
    to->bytes = realloc(to->bytes, to->count + count + 1);
    assert_non_null(to->bytes);
    memcpy(to->bytes + to->count, bytes, count);
    to->count += count;
}

void mat_word(mat_bytes *to, uint32_t word) {
    const unsigned char bytes[] = {(unsigned char)word, (unsigned char)(word >> 8),
                                   (unsigned char)(word >> 16), (unsigned char)(word >> 24)};
    mat_raw(to, bytes, sizeof bytes);
}

void mat_header(mat_bytes *to) {
    unsigned char header[128];
    memset(header, ' ', sizeof header);
    memcpy(header, "MATLAB 5.0 MAT-file", 19);
    memcpy(header + 124, "\x00\x01IM", 4);
    mat_raw(to, header, sizeof header);
}

void mat_part(mat_bytes *to, uint32_t type, const void *bytes, size_t count) {
    const unsigned char zeros[8] = {0};
    mat_word(to, type);
    mat_word(to, (uint32_t)count);
    mat_raw(to, bytes, count);
    mat_raw(to, zeros, (8 - count % 8) % 8);
}

void mat_variable(mat_bytes *to, const char *name, uint32_t flags, int rank, const int32_t *dims,
                  uint32_t type, const void *numbers, size_t count) {
    mat_bytes content = {0}, words = {0};
    mat_word(&words, flags);
    mat_word(&words, 0);
    mat_part(&content, MAT_UINT32, words.bytes, words.count);
    words.count = 0;
    for (int i = 0; i < rank; i++)
        mat_word(&words, (uint32_t)dims[i]);
    mat_part(&content, MAT_INT32, words.bytes, words.count);
    mat_part(&content, MAT_INT8, name, strlen(name));
    mat_part(&content, type, numbers, count);
    mat_part(to, MAT_MATRIX, content.bytes, content.count);
    mat_drop(&content);
    mat_drop(&words);
}

void mat_packed(mat_bytes *to, const mat_bytes *content) {
    uLongf count = compressBound(content->count);
    unsigned char *packed = test_bytes(count);
    assert_int_equal(compress2(packed, &count, content->bytes, content->count, 9), Z_OK);
    mat_word(to, MAT_PACKED);
    mat_word(to, (uint32_t)count);
    mat_raw(to, packed, count);
    free(packed);
}

const char *mat_file(const char *name, mat_bytes *content) {
    mat_bytes whole = {0};
    mat_header(&whole);
    mat_raw(&whole, content->bytes, content->count);
    const char *path = test_file(name, whole.bytes, whole.count);
    mat_drop(&whole);
    mat_drop(content);
    return path;
}

void mat_drop(mat_bytes *to) {
    free(to->bytes);
    *to = (mat_bytes){0};
}
