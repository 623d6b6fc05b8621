/* winograd.h - tiles of images for Winograd's algorithm, as the forward pass and the gradients see them. */
#ifndef NN_WINOGRAD_H
#define NN_WINOGRAD_H

#include "frame.h"

enum {
    WINOGRAD_TILE = 4,       /* outputs on a side of a tile */
    WINOGRAD_REACH = 6,      /* inputs on a side of what a tile reads */
    WINOGRAD_POINTS = 6 * 6, /* products for each tile, channel and filter */
    WINOGRAD_TAPS = 3 * 3,
};

/* Whether Winograd's algorithm computes a convolution of this geometry: channels and filters in full vectors,
 * outputs that tiles cover without much waste, and 3 x 3 kernels of stride 1 or, in general, kernels of 3 *
 * stride. With a stride, the pixels (h, w) with equal remainders by it are one *phase* of the image and meet the
 * taps of one phase of the kernel: the convolution is a 3 x 3 one of stride 1 on images with the channels of all
 * stride * stride phases. */
bool nn_winograd_suits(const nn_conv_geometry *g);

/* Channels of all phases, phase by phase. */
size_t nn_winograd_channels(const nn_conv_geometry *g);

/* Tiles are numbered through the images, row by row. */
int nn_winograd_tiles(const nn_conv_geometry *g); /* of one image */

typedef struct winograd_tile {
    int image, row, column; /* the first output's */
    int rows, columns;      /* outputs inside the image, at most WINOGRAD_TILE */
} winograd_tile;

winograd_tile nn_winograd_tile(const nn_conv_geometry *g, int number);

/* Floats from one point's values of a block of tiles to the next one's. */
size_t nn_winograd_point(int tiles, size_t channels);

/* A square of pixels of one image, every stride-th one from (top, left) on, as the x of a transform. */
nn_winograd_grid nn_winograd_square(int height, int width, size_t channels, const float *image, int top,
                                    int left, int stride, int side);

/* values[point][tile][channel] = the transformed inputs of tiles first .. first + count - 1. */
void nn_winograd_inputs(const nn_conv_geometry *g, const float *x, int first, int count, float *values,
                        size_t point);

#endif
