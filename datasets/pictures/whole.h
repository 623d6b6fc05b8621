/* whole.h - what is wrong with a picture's file that stb_image (of 2022: 2.27) does not notice, or not in time. */
#ifndef DATA_PICTURES_WHOLE_H
#define DATA_PICTURES_WHOLE_H

#include "resize.h"

/* Before stb_image sees any of the bytes, which may be a file's first ones. NN_EFORMAT, with the reason, for a JPEG with a
 * Huffman table of more codes than stb_image has room for. */
nn_status data_check_tables(const unsigned char *bytes, size_t count, nn_error *error);

/* Once the size is known. NN_EFORMAT, with the reason, for
 * - a PNG that is cut short or whose chunks have other checksums than they say;
 * - a PNG whose data begins with an empty chunk, which stb_image copies to no memory;
 * - a BMP without all its rows. */
nn_status data_check_whole(const unsigned char *bytes, size_t count, data_extent extent, nn_error *error);

/* Whether the bytes begin as those of one of the formats do. */
bool data_is_png(const unsigned char *bytes, size_t count);
bool data_is_jpeg(const unsigned char *bytes, size_t count);
bool data_is_bmp(const unsigned char *bytes, size_t count);

#endif
