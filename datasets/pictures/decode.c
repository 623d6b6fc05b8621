#include "decode.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* --- stb_image ------------------------------------------------------------------------------------------ */

/* The largest piece of memory that the picture at work may have, and whether the system refused a smaller one. */
static _Thread_local size_t allowance;
static _Thread_local bool starved;

static void *resize_piece(void *piece, size_t count) {
    void *grown = count <= allowance ? realloc(piece, count) : NULL;
    starved = starved || (count <= allowance && !grown);
    return grown;
}

#define STBI_MALLOC(count)         resize_piece(NULL, count)
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

/* --- what stb_image does not look at -------------------------------------------------------------------- */

static const unsigned char png_start[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

static bool is_png(const unsigned char *bytes, size_t count) {
    return count >= sizeof png_start && memcmp(bytes, png_start, sizeof png_start) == 0;
}

static uint32_t big_endian(const unsigned char *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static uint32_t little_endian(const unsigned char *bytes) {
    return (uint32_t)bytes[3] << 24 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[1] << 8 | bytes[0];
}

/* The chunks of a PNG: length, type, data and the checksum of type and data, to IEND. */
static nn_status check_png(const unsigned char *bytes, size_t count, nn_error *error) {
    enum { FRAME = 12 };
    for (size_t at = sizeof png_start; count - at >= FRAME;) {
        const size_t length = big_endian(bytes + at);
        const unsigned char *type = bytes + at + 4;
        if (length > count - at - FRAME)
            break;
        if (crc32(0, type, (uInt)(4 + length)) != big_endian(type + 4 + length))
            return nn_fail(error, NN_EFORMAT, "a PNG chunk whose checksum is wrong");
        if (memcmp(type, "IEND", 4) == 0)
            return NN_OK;
        at += FRAME + length;
    }
    return nn_fail(error, NN_EFORMAT, "the PNG is cut short");
}

/* The rows of a BMP, each padded to four bytes, must be there; only uncompressed ones are decoded. */
static nn_status check_bmp(const unsigned char *bytes, size_t count, data_extent extent, nn_error *error) {
    enum { OFFSET_AT = 10, HEADER_AT = 14, OLD_HEADER = 12, OLD_BITS_AT = 24, BITS_AT = 28 };
    if (count < BITS_AT + 2)
        return nn_fail(error, NN_EFORMAT, "the BMP is cut short");
    const unsigned char *bits =
        bytes + (little_endian(bytes + HEADER_AT) == OLD_HEADER ? OLD_BITS_AT : BITS_AT);
    const uint64_t line = ((uint64_t)extent.width * (unsigned)(bits[0] | bits[1] << 8) + 7) / 8,
                   rows = (line + 3) / 4 * 4 * (uint64_t)(extent.height - 1) + line;
    if (little_endian(bytes + OFFSET_AT) + rows > count)
        return nn_fail(error, NN_EFORMAT, "the BMP is cut short");
    return NN_OK;
}

static nn_status check_whole(const unsigned char *bytes, size_t count, data_extent extent, nn_error *error) {
    if (is_png(bytes, count))
        return check_png(bytes, count, error);
    return count >= 2 && memcmp(bytes, "BM", 2) == 0 ? check_bmp(bytes, count, extent, error) : NN_OK;
}

/* --- pictures ------------------------------------------------------------------------------------------- */

/* stb_image tries one format after another, and gives the last one's reason. */
static nn_status fail_header(const unsigned char *bytes, size_t count, nn_error *error) {
    static const unsigned char jpeg_start[] = {0xff, 0xd8};
    if (starved)
        return nn_fail_memory(error, "a picture");
    if ((count >= 2 && (memcmp(bytes, "BM", 2) == 0 || memcmp(bytes, jpeg_start, 2) == 0)) ||
        is_png(bytes, count))
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
        status = check_whole(bytes, count, pixels->extent, error);
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
