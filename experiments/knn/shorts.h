/* shorts.h - points in 16-bit integers, whose distances are lower bounds of the points' own.
 *
 * A point a becomes the integers q nearest to a / unit; |a - b| >= unit * (|q_a - q_b| - slack_a - slack_b), where slack_a =
 * |a / unit - q_a| is known. Their products are exact, and take half the memory of those in single precision. */
#ifndef EXP_KNN_SHORTS_H
#define EXP_KNN_SHORTS_H

#include "panels.h"

/* Dimensions that are gone through at once: they stay in a processor's own cache. */
enum { EXP_SHORTS_SLICE = 1024 };

/* Groups of points, each [slices][group][dimensions of the slice]. */
typedef struct exp_shorts {
    int dims, group; /* as the panels' that they are made of */
    double unit;     /* a power of two */
    int16_t *values;
    float *norm, *slack; /* |q| and slack, [count] */
} exp_shorts;

/* As exp_panels_new. */
bool exp_shorts_new(exp_shorts *shorts, int count, const exp_panels *points);
void exp_shorts_free(exp_shorts *shorts);

/* The unit that suits the first `count` points. */
double exp_shorts_unit(const exp_panels *points, int count);

/* Integers of the first `count` points. One too long for the unit becomes zero, with a slack of its own length. Runs on all
 * threads. */
void exp_shorts_make(exp_shorts *shorts, const exp_panels *points, int count);

/* products[j] (+)= the part that dimensions `slice` .. slice + EXP_SHORTS_SLICE - 1 have in the product of a's point i
 * with b's point b_first + which[j], j < count: of a group's points. */
void exp_shorts_multiply(const exp_shorts *a, int i, const exp_shorts *b, int b_first, int count,
                         const uint16_t *which, int slice, float *products);

/* What such a product, summed up, is off by, relative to |q_a| |q_b|. */
double exp_shorts_error(int dims);

#endif
