/* picture.h - one picture, of any size, to an image of a given form. */
#ifndef DATA_PICTURES_PICTURE_H
#define DATA_PICTURES_PICTURE_H

#include "decode.h"

/* Decodes the bytes and makes them an image, [to.height][to.width][channels], channels 1 or 3: transparent pictures on white,
 * then cropped and resized (resize.h), then gray from color by 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601), color from gray by
 * three times the same. NN_EFORMAT where it cannot be decoded; NN_EMEMORY. */
nn_status data_picture_make(const unsigned char *bytes, size_t count, data_extent to, int channels,
                            unsigned char *image, nn_error *error);

#endif
