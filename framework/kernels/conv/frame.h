/* frame.h - what the convolution's two drivers share: small arithmetic on sizes, and frames.
 *
 * A *frame* is how the micro-kernels see images: in place, or copied into rows that are wider by the zeros
 * that the kernel's columns reach. Rows above and below the image are not made: the drivers leave them out.
 */
#ifndef NN_FRAME_H
#define NN_FRAME_H

#include "framework/kernels/kernels.h"

enum { LINE = 16 }; /* floats in a cache line */

static inline int smaller(int a, int b) {
    return a < b ? a : b;
}

static inline int larger(int a, int b) {
    return a > b ? a : b;
}

static inline int divide_up(int a, int b) {
    return (a + b - 1) / b;
}

static inline size_t round_up(size_t n, size_t multiple) {
    return (n + multiple - 1) / multiple * multiple;
}

/* first .. first + count - 1 */
typedef struct range {
    int first, count;
} range;

/* The i in 0..count-1 for which origin + i * step lies in 0..size-1. */
range nn_conv_inside(int origin, int step, int count, int size);

typedef struct frame {
    bool copied;
    int width, left;   /* column 0 is the image's column -left */
    size_t row, image; /* floats from one row or image to the next */
} frame;

/* A frame in which no kernel column leaves the rows or, when `plain`, one as wide as the image. `copied`
 * forces a copy, whose last image may be read NN_VECTOR_MAX floats past its end. */
frame nn_conv_frame(const nn_conv_geometry *g, bool plain, bool copied);

/* Floats that copies of so many images take. */
size_t nn_conv_frame_floats(const frame *f, int images);

/* Row 0, column 0 of the first of the images at x as the frame presents them, after copying them if need be.
 */
const float *nn_conv_frame_read(const frame *f, const nn_conv_geometry *g, int images, const float *x,
                                float *copy);

#endif
