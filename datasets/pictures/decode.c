#include "decode.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "whole.h"

/* --- stb_image ------------------------------------------------------------------------------------------ */

/* The largest piece of memory that the picture at work may have, and whether the system refused a smaller one. */
static _Thread_local size_t allowance;
static _Thread_local bool starved;

static void *resize_piece(void *piece, size_t count) {
    void *grown = count <= allowance ? realloc(piece, count) : NULL;
    starved = starved || (count <= allowance && !grown);
    return grown;
}

/* Zeros, for a JPEG may use tables that it never gives: what it decodes to then does not depend on what was in memory
 * before, and stays inside the tables. */
static void *new_piece(size_t count) {
    void *piece = count <= allowance ? calloc(count, 1) : NULL;
    starved = starved || (count <= allowance && !piece);
    return piece;
}

#define STBI_MALLOC(count)         new_piece(count)
#define STBI_REALLOC(piece, count) resize_piece(piece, count)
#define STBI_FREE(piece)           free(piece)
#define STBI_ONLY_JPEG
#define STBI_ONLY_PNG
#define STBI_ONLY_BMP
#define STBI_NO_STDIO
#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#pragma GCC diagnostic ignored "-Wunused-function" /* of stb_image's, of which some are only declared */
#include <stb/stb_image.h>

/* --- pictures ------------------------------------------------------------------------------------------- */

/* stb_image tries one format after another, and gives the last one's reason. */
static nn_status fail_header(const unsigned char *bytes, size_t count, nn_error *error) {
    if (starved)
        return nn_fail_memory(error, "a picture");
    if (data_is_png(bytes, count) || data_is_jpeg(bytes, count) || data_is_bmp(bytes, count))
        return nn_fail(error, NN_EFORMAT,
                       "the header of this PNG, JPEG or BMP is damaged or claims too many pixels");
    return nn_fail(error, NN_EFORMAT, "no PNG, JPEG or BMP");
}

static nn_status fail_decoder(nn_error *error) {
    if (starved)
        return nn_fail_memory(error, "a picture");
    const char *reason = stbi_failure_reason();
    return nn_fail(error, NN_EFORMAT, "this PNG, JPEG or BMP cannot be decoded (%s)",
                   reason ? reason : "no reason given");
}

nn_status data_decode_header(const unsigned char *bytes, size_t count, data_pixels *pixels, nn_error *error) {
    *pixels = (data_pixels){0};
    if (count > DATA_PICTURE_BYTES_MAX)
        return nn_fail(error, NN_EFORMAT, "larger than %d MiB", DATA_PICTURE_BYTES_MAX >> 20);
    if (data_check_tables(bytes, count, error) != NN_OK)
        return error->status;
    allowance = 1 << 20;
    starved = false;
    if (!stbi_info_from_memory(bytes, (int)count, &pixels->extent.width, &pixels->extent.height,
                               &pixels->channels))
        return fail_header(bytes, count, error);
    /* Negative in a BMP whose rows go down. */
    pixels->extent.height = pixels->extent.height == INT_MIN ? INT_MAX : abs(pixels->extent.height);
    const int height = pixels->extent.height, width = pixels->extent.width;
    if (height < 1 || width < 1 || height > DATA_PICTURE_SIDE_MAX || width > DATA_PICTURE_SIDE_MAX ||
        (int64_t)height * width > DATA_PICTURE_PIXELS_MAX)
        return nn_fail(error, NN_EFORMAT,
                       "claims to have %d x %d pixels; at most %d a side and %d in all are read", width,
                       height, DATA_PICTURE_SIDE_MAX, DATA_PICTURE_PIXELS_MAX);
    return NN_OK;
}

nn_status data_decode(const unsigned char *bytes, size_t count, data_pixels *pixels, nn_error *error) {
    nn_status status = data_decode_header(bytes, count, pixels, error);
    if (status == NN_OK)
        status = data_check_whole(bytes, count, pixels->extent, error);
    if (status != NN_OK)
        return status;
    /* The dearest is a PNG of four channels of 16 bits, 8 bytes for a pixel, in a buffer that grows by doubling; a JPEG's
     * blocks reach beyond its sides. Compressed data is gathered by doubling, too. */
    allowance = 16 * ((size_t)pixels->extent.height + 64) * ((size_t)pixels->extent.width + 64) + 2 * count +
                (1 << 20);
    pixels->values = stbi_load_from_memory(bytes, (int)count, &pixels->extent.width, &pixels->extent.height,
                                           &pixels->channels, 0);
    return pixels->values ? NN_OK : fail_decoder(error);
}

void data_pixels_free(data_pixels *pixels) {
    free(pixels->values);
    pixels->values = NULL;
}
