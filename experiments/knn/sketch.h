/* sketch.h - short images of points, whose distances are lower bounds of the points' own.
 *
 * With orthonormal rows Q the map a -> (Q a, sqrt(|a|^2 - |Q a|^2)) lengthens no distance: what of a - b is not among
 * Q's rows is at least the difference of the rests' lengths. Q's rows span about the same as the leading principal
 * components of a sample of the points, so that little is lost where the points are near to few dimensions. The images
 * are computed in single precision; how much too far apart they may be for that is known. */
#ifndef EXP_KNN_SKETCH_H
#define EXP_KNN_SKETCH_H

#include "panels.h"

enum {
    EXP_SKETCH_RANK = 352, /* rows of Q; the rest's length is the next dimension */
    EXP_SKETCH_DIMS = 384, /* of an image, with zeros at its end */
    EXP_SKETCH_SAMPLE = 1024,
    EXP_SKETCH_CHUNK = 128 /* points whose images are made together: groups of points are multiples of it */
};

typedef struct exp_sketch {
    exp_panels basis; /* Q's rows; fewer of them where the sample spans less, and zeros then */
} exp_sketch;

/* Chooses Q by a sample of the `count` points. False: not enough memory. To be freed in either case. */
bool exp_sketch_new(exp_sketch *sketch, const exp_panels *points, int count);
void exp_sketch_free(exp_sketch *sketch);

/* Images of the first `count` points, [EXP_SKETCH_DIMS], and slack, [count]: with d the true distance of images as
 * computed, |a_i - a_j| >= d - slack[i] - slack[j]. Runs on all threads. */
void exp_sketch_make(const exp_sketch *sketch, const exp_panels *points, int count, exp_panels *images,
                     float *slack);

#endif
