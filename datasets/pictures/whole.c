#include "whole.h"

#include <stdint.h>
#include <string.h>
#include <zlib.h>

static const unsigned char png_start[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

bool data_is_png(const unsigned char *bytes, size_t count) {
    return count >= sizeof png_start && memcmp(bytes, png_start, sizeof png_start) == 0;
}

/* Where what follows the first marker begins; 0: that is another than the one of a JPEG's start. */
static size_t jpeg_start(const unsigned char *bytes, size_t count) {
    enum { START = 0xd8 };
    size_t at = 0;
    while (at < count && bytes[at] == 0xff)
        at++;
    return at > 0 && at < count && bytes[at] == START ? at + 1 : 0;
}

bool data_is_jpeg(const unsigned char *bytes, size_t count) {
    return jpeg_start(bytes, count) > 0;
}

bool data_is_bmp(const unsigned char *bytes, size_t count) {
    return count >= 2 && memcmp(bytes, "BM", 2) == 0;
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
    bool data = false; /* any so far */
    for (size_t at = sizeof png_start; count - at >= FRAME;) {
        const size_t length = big_endian(bytes + at);
        const unsigned char *type = bytes + at + 4;
        if (length > count - at - FRAME)
            break;
        if (crc32(0, type, (uInt)(4 + length)) != big_endian(type + 4 + length))
            return nn_fail(error, NN_EFORMAT, "a PNG chunk whose checksum is wrong");
        if (memcmp(type, "IDAT", 4) == 0 && !data && length == 0)
            return nn_fail(error, NN_EFORMAT, "a PNG whose data begins with an empty chunk");
        data = data || memcmp(type, "IDAT", 4) == 0;
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

/* --- JPEG ----------------------------------------------------------------------------------------------- */

enum { START_OF_SCAN = 0xda, HUFFMAN_TABLES = 0xc4, RESTART_FIRST = 0xd0, RESTART_LAST = 0xd7, END = 0xd9 };

/* A table: its place, how many codes there are of each of 16 lengths, a byte for each code. The last one that begins in the
 * segment may reach beyond it, as far as there are bytes. */
static nn_status check_tables(const unsigned char *bytes, size_t segment, size_t count, nn_error *error) {
    enum { LENGTHS = 16, CODES_MAX = 256 };
    for (size_t at = 0; at < segment;) {
        size_t codes = 0;
        for (size_t i = 1; i <= LENGTHS && at + i < count; i++)
            codes += bytes[at + i];
        if (codes > CODES_MAX)
            return nn_fail(error, NN_EFORMAT, "a Huffman table of this JPEG has %zu codes, more than %d",
                           codes, CODES_MAX);
        at += 1 + LENGTHS + codes;
    }
    return NN_OK;
}

/* The next marker: the byte behind one or more 0xff. In what is coded a zero or a restart may stand behind that, which mean
 * none. Returns its place, or `count`. */
static size_t find_marker(const unsigned char *bytes, size_t count, size_t at, bool coded) {
    for (bool after = false; at < count; at++) {
        const unsigned char byte = bytes[at];
        const bool none = byte == 0 || (byte >= RESTART_FIRST && byte <= RESTART_LAST);
        if (after && byte != 0xff && !(coded && none))
            return at;
        after = byte == 0xff;
    }
    return count;
}

/* From marker to marker, each but START_OF_SCAN's data passed over by the length that it gives. */
static nn_status check_segments(const unsigned char *bytes, size_t count, nn_error *error) {
    bool coded = false;
    for (size_t at = jpeg_start(bytes, count); (at = find_marker(bytes, count, at, coded)) + 2 < count;) {
        const unsigned char marker = bytes[at];
        const size_t length = (size_t)bytes[at + 1] << 8 | bytes[at + 2], left = count - at - 1;
        if (marker == END || length < 2)
            return NN_OK; /* where the decoder ends, too */
        if (marker == HUFFMAN_TABLES && check_tables(bytes + at + 3, length - 2, left - 2, error) != NN_OK)
            return error->status;
        coded = marker == START_OF_SCAN;
        at += 1 + (length < left ? length : left);
    }
    return NN_OK;
}

nn_status data_check_tables(const unsigned char *bytes, size_t count, nn_error *error) {
    return data_is_jpeg(bytes, count) ? check_segments(bytes, count, error) : NN_OK;
}

nn_status data_check_whole(const unsigned char *bytes, size_t count, data_extent extent, nn_error *error) {
    if (data_is_png(bytes, count))
        return check_png(bytes, count, error);
    return data_is_bmp(bytes, count) ? check_bmp(bytes, count, extent, error) : NN_OK;
}
