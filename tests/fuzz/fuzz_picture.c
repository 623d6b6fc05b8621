/* A picture, PNG, JPEG or BMP, as it is and, of a PNG, with every chunk's checksum put right. */
#include "datasets/pictures/picture.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "fuzz.h"

enum { HEIGHT = 5, WIDTH = 7 };

/* Pictures of more pixels take longer than fuzzing has time for. */
enum { PIXELS_MOST = 1 << 20 };

static void make(const unsigned char *bytes, size_t count) {
    static unsigned char image[HEIGHT * WIDTH * 3];
    data_pixels header, pixels;
    nn_error error = {0};
    nn_status status = data_decode_header(bytes, count, &header, &error);
    fuzz_require_reason(status, &error, NULL);
    if (status == NN_OK && (long)header.extent.height * header.extent.width > PIXELS_MOST)
        return;
    error = (nn_error){0};
    nn_status decoded = data_decode(bytes, count, &pixels, &error);
    fuzz_require_reason(decoded, &error, NULL);
    fuzz_require(status == NN_OK || decoded != NN_OK, "what has no header is not decoded");
    if (decoded == NN_OK) {
        fuzz_require(pixels.extent.height == header.extent.height &&
                         pixels.extent.width == header.extent.width,
                     "the picture has the size of its header");
        fuzz_require(pixels.channels >= 1 && pixels.channels <= 4, "one to four channels");
        fuzz_read(pixels.values,
                  (size_t)pixels.extent.height * (size_t)pixels.extent.width * (size_t)pixels.channels);
        data_pixels_free(&pixels);
    }
    for (int channels = 1; channels <= 3; channels += 2) {
        error = (nn_error){0};
        status = data_picture_make(bytes, count, (data_extent){HEIGHT, WIDTH}, channels, image, &error);
        fuzz_require(status == decoded, "what is decoded becomes an image");
    }
}

/* Goes from chunk to chunk by the lengths that they give. */
static void put_checksums(unsigned char *bytes, size_t count) {
    for (size_t at = 8; at < count && count - at >= 12;) {
        const size_t length = (size_t)bytes[at] << 24 | (size_t)bytes[at + 1] << 16 |
                              (size_t)bytes[at + 2] << 8 | bytes[at + 3];
        if (length > count - at - 12)
            return;
        const unsigned long sum = crc32(0, bytes + at + 4, (unsigned)length + 4);
        for (int i = 0; i < 4; i++)
            bytes[at + 8 + length + (size_t)i] = (unsigned char)(sum >> (24 - 8 * i));
        at += 12 + length;
    }
}

FUZZ_TARGET(picture) {
    unsigned char *copy = malloc(count ? count : 1);
    fuzz_require(copy != NULL, "there is memory");
    make(bytes, count);
    if (count > 0 && bytes[0] == 0x89) {
        memcpy(copy, bytes, count);
        put_checksums(copy, count);
        make(copy, count);
    }
    free(copy);
}
