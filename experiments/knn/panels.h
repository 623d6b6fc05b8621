/* panels.h - points as the kernels multiply them, and their products. */
#ifndef EXP_KNN_PANELS_H
#define EXP_KNN_PANELS_H

#include "framework/framework.h"

/* Dimensions that are gone through at once: they stay in a processor's own cache. */
enum { EXP_PANELS_SLICE = 256 };

/* Groups of points, each [dims / panel][group][panel]. */
typedef struct exp_panels {
    int dims;  /* a multiple of NN_POINT_MULTIPLE; those past the points' own are 0 */
    int group; /* points that lie together */
    float *values;
    float *norm; /* lengths */
} exp_panels;

/* Memory for `count` points, zeroed: what is behind the last one may be multiplied too. NN_EMEMORY is left to the
 * caller to tell: false. To be freed in either case. */
bool exp_panels_new(exp_panels *panels, int count, int dims, int group);
void exp_panels_free(exp_panels *panels);

/* The first panel of point i, and how many floats after it the point's next one lies. */
float *exp_panels_point(const exp_panels *panels, int i);
size_t exp_panels_step(const exp_panels *panels);

/* Fills the first `count` points with (x - mean) * scale, of x [count][dims]; runs on all threads. */
void exp_panels_center(exp_panels *panels, int count, int dims, const float *x, const double *mean,
                       double scale);

/* products[i][j] (+)= the part that dimensions `slice` .. slice + EXP_PANELS_SLICE - 1 have in the product of a's
 * point a_first + i with b's point b_first + j. The points lie in one group each. */
void exp_panels_multiply(const exp_panels *a, int a_first, int rows, const exp_panels *b, int b_first,
                         int columns, int slice, float *products, int stride);

/* What such a product, summed up, of |a| |b| at most is off by, relative to |a| |b|: the bound for sums in whatever order. */
double exp_panels_error(int dims);

#endif
