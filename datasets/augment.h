/* augment.h - from bytes to normalized floats, by way of a random crop and flip. */
#ifndef DATA_AUGMENT_H
#define DATA_AUGMENT_H

#include "datasets.h"

/* The images' size and what each byte becomes: (byte / 255 - mean) / deviation of its channel. */
typedef struct data_normalizer {
    int height, width, channels;
    float values[DATA_CHANNELS_MAX][256];
} data_normalizer;

data_normalizer data_normalizer_new(const data_set *set, const float *mean, const float *deviation);

/* Which part of an image is taken: output (y, x) is input (y + top, x + left), and zero, the mean color,
 * where that is outside; then mirrored left to right if `flip`. All zero: the image as it is. */
typedef struct data_view {
    int top, left;
    bool flip;
} data_view;

/* A view of an image padded by `pad` on all sides: each of the (2 pad + 1)^2 places, flipped or not, is
 * equally likely. */
data_view data_view_random(int pad, nn_stream *stream);

/* Numbers that data_view_random takes from a stream, but for rejections (see nn_random_below). */
enum { DATA_VIEW_NUMBERS = 3 };

/* Writes the view of one image, [height][width][channels] in both. */
void data_view_apply(const data_normalizer *normalizer, data_view view, const unsigned char *image,
                     float *output);

#endif
