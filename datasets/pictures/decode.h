/* decode.h - PNG, JPEG and BMP pictures in memory to pixels, by stb_image.
 *
 * The bytes may come from anyone. What a picture claims in its header is compared with the limits below before memory is
 * had, what decoding it takes stays in proportion to the pixels that it claims, and what stb_image would not notice is looked
 * for before (whole.h). */
#ifndef DATA_PICTURES_DECODE_H
#define DATA_PICTURES_DECODE_H

#include "resize.h"

enum {
    DATA_PICTURE_SIDE_MAX = 1 << 14,   /* pixels */
    DATA_PICTURE_PIXELS_MAX = 1 << 26, /* 64 Mi */
    DATA_PICTURE_BYTES_MAX = 1 << 27   /* of the file: 128 MiB */
};

/* As they are stored: 1 gray, 2 gray and alpha, 3 RGB, 4 RGBA; 16-bit values by their upper byte, palettes looked up, CMYK as
 * RGB. An orientation noted in EXIF is ignored. */
typedef struct data_pixels {
    data_extent extent;
    int channels;
    unsigned char *values; /* [height][width][channels], freed by data_pixels_free */
} data_pixels;

/* Only what the header says: values is NULL. `channels` may lack an alpha that comes later in the file. `count` may be less
 * than the whole file. NN_EFORMAT with the reason, which names no file. */
nn_status data_decode_header(const unsigned char *bytes, size_t count, data_pixels *pixels, nn_error *error);

/* NN_EFORMAT where it cannot be decoded, with the reason; NN_EMEMORY. On failure there is nothing to free. */
nn_status data_decode(const unsigned char *bytes, size_t count, data_pixels *pixels, nn_error *error);
void data_pixels_free(data_pixels *pixels);

#endif
