/* double.c - the soft nearest neighbor loss of points in double precision: for measuring. */
#include <cblas.h>

#include "work.h"

typedef double real;

/* A squared distance from the Gram matrix is wrong by about 1e-15 of the sum of both squared lengths. Pairs
 * nearer than 2^-16 of that sum, where it would exceed 1e-10 of the distance, are measured again directly. */
static const double near_ratio = 0x1p-16;

/* Points scaled to one length are rounded by about 1e-16: 1e-11 of a cosine distance of 2^-32. */
static const double near_cosine = 0x1p-32;

static const double *input(const nn_snnl_points *points) {
    return points->x64;
}

static void add_difference(int count, double scale, const double *x, double origin_scale,
                           const double *origin, double *sum) {
    for (int k = 0; k < count; k++)
        sum[k] += scale * x[k] - origin_scale * origin[k];
}

static double center_row(const nn_snnl_work *work, int count, double scale, const double *x,
                         const double *mean, const double *next, void *block, int rows, int row) {
    (void)next, (void)rows;
    double *out = (double *)block + (size_t)row * work->block_ld;
    double squares = 0;
    for (int k = 0; k < count; k++) {
        out[k] = scale * x[k] - mean[k];
        squares += out[k] * out[k];
    }
    return squares;
}

static double direct_distance(int dims, const double *a, const double *b, double ratio) {
    double sum = 0;
    for (int k = 0; k < dims; k++) {
        double difference = a[k] - ratio * b[k];
        sum += difference * difference;
    }
    return sum;
}

static void dots(const nn_snnl_work *work, int rows, int columns, int count, const void *a, const void *b,
                 bool accumulate, void *gram, int gram_ld) {
    double beta = accumulate ? 1 : 0;
    if (a == b)
        cblas_dsyrk(CblasRowMajor, CblasUpper, CblasNoTrans, rows, count, 1, a, work->block_ld, beta, gram,
                    gram_ld);
    else
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, columns, count, 1, a, work->block_ld, b,
                    work->block_ld, beta, gram, gram_ld);
}

static void combine(const nn_snnl_work *work, int i0, int rows, int inner, const void *w, int w_ld,
                    const void *block, int first, int count, double coefficient, bool accumulate, void *dx,
                    void *product) {
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, rows, count, inner, 1, w, w_ld, block,
                work->block_ld, 0, product, work->block_ld);
    for (int r = 0; r < rows; r++) {
        double scale = coefficient * work->factor[i0 + r];
        const double *sum = (const double *)product + (size_t)r * work->block_ld;
        double *y = (double *)dx + (size_t)work->order[i0 + r] * work->dims + first;
        for (int k = 0; k < count; k++)
            y[k] = (accumulate ? y[k] : 0) + scale * sum[k];
    }
}

#include "real.h"

const nn_snnl_arithmetic *const nn_snnl_double = &arithmetic;
