/* resize.h - pictures of any size to images of one.
 *
 * The largest part in the picture's middle that has the image's proportions is scaled to it; the rest is cut off, the
 * same on both sides. Shrunk, a pixel of the image is the mean of the area that it covers, fractions of pixels by their
 * fraction, so that nothing is skipped; enlarged, it is interpolated linearly between the centres of pixels. The mean is
 * of the stored values, in double precision, rounded to the nearest.
 *
 * Not by a library: what a picture becomes is part of the data set's checksum, by which a run knows its data, and must
 * not change with a library's version. */
#ifndef DATA_PICTURES_RESIZE_H
#define DATA_PICTURES_RESIZE_H

#include "framework/error.h"

typedef struct data_extent {
    int height, width;
} data_extent;

/* in: [from.height][from.width][channels], out: [to.height][to.width][channels]; sizes from 1 on. NN_EMEMORY. */
nn_status data_resize(const unsigned char *in, data_extent from, int channels, unsigned char *out,
                      data_extent to, nn_error *error);

#endif
