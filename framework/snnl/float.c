/* float.c - the soft nearest neighbor loss of points in single precision: for training. */
#include "framework/kernels/kernels.h"
#include "work.h"

typedef float real;

/* A squared distance from a single-precision Gram matrix is wrong by about 3e-7 of the sum of both squared
 * lengths. Pairs nearer than 1/32 of that sum would be wrong by more than 1e-5: they are measured again
 * directly. */
static const float near_ratio = 1.0f / 32;

/* Points scaled to one length are rounded by about 4e-8: 1e-6 of a cosine distance of 1/256, more of a
 * smaller one. */
static const float near_cosine = 1.0f / 256;

static const float *input(const nn_snnl_points *points) {
    return points->x32;
}

static void add_difference(int count, float scale, const float *x, float origin_scale, const float *origin,
                           float *sum) {
    nn_kernels_active()->point->add_difference(count, scale, x, origin_scale, origin, sum);
}

/* Floats between the panels of a block of points: an odd number of points, so that panels do not evict each other
 * from the cache. */
static int panel_step(int points) {
    return (points | 1) * nn_kernels_active()->point->panel;
}

static double center_row(const nn_snnl_work *work, int count, float scale, const float *x, const float *mean,
                         const float *next, void *block, int rows, int row) {
    const nn_point_kernels *kernels = nn_kernels_active()->point;
    (void)work;
    return kernels->center(count, scale, x, mean, next, (float *)block + (size_t)row * kernels->panel,
                           panel_step(rows));
}

static double direct_distance(int dims, const float *a, const float *b, double ratio) {
    return nn_kernels_active()->pair->distance(dims, a, b, ratio);
}

static void dots(const nn_snnl_work *work, int rows, int columns, int count, const void *a, const void *b,
                 bool accumulate, void *gram, int gram_ld) {
    int padded = (count + NN_POINT_MULTIPLE - 1) / NN_POINT_MULTIPLE * NN_POINT_MULTIPLE;
    (void)work;
    nn_kernels_active()->point->dots(rows, columns, padded, a, panel_step(rows), b, panel_step(columns),
                                     a == b, accumulate, gram, gram_ld);
}

static void combine(const nn_snnl_work *work, int i0, int rows, int inner, const void *w, int w_ld,
                    const void *block, int first, int count, double coefficient, bool accumulate, void *dx,
                    void *product) {
    (void)product;
    float scale[NN_SNNL_PULLED], *y[NN_SNNL_PULLED];
    for (int r = 0; r < rows; r++) {
        scale[r] = (float)(coefficient * work->factor[i0 + r]);
        y[r] = (float *)dx + (size_t)work->order[i0 + r] * work->dims + first;
    }
    nn_kernels_active()->point->combine(rows, count, inner, w, w_ld, block, panel_step(inner), scale,
                                        accumulate, y);
}

static bool gram_distances(int count, float norm, const float *norms, float least, float *d) {
    return nn_kernels_active()->pair->gram_distances(count, norm, norms, near_ratio, least, d);
}

static void mirror(int rows, int columns, const void *a, void *b, int ld) {
    nn_kernels_active()->pair->mirror(rows, columns, a, b, ld);
}

static double shift(int count, const void *d, double unit, float *shifted) {
    return nn_kernels_active()->pair->shift(count, d, (float)unit, shifted) * unit;
}

static void weigh(int count, const void *d, double unit, double minimum, float b, float scale, float *c) {
    float lowest = (float)(minimum / unit); /* exact: unit is a power of two */
    nn_kernels_active()->pair->weights(count, d, lowest, (float)unit, b, scale, c);
}

static void symmetrize(int rows, int columns, void *a, void *b, int ld, double *row_sums,
                       double *column_sums) {
    nn_kernels_active()->pair->symmetrize(rows, columns, a, b, ld, row_sums, column_sums);
}

#include "real.h"

const nn_snnl_arithmetic *const nn_snnl_float = &arithmetic;
