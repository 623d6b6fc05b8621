/* float.c - the soft nearest neighbor loss of points in single precision: for training. */
#include <cblas.h>

#include "framework/kernels/kernels.h"
#include "snnl.h"

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

static double direct_distance(int dims, const float *a, const float *b, double ratio) {
    return nn_kernels_active()->pair->distance(dims, a, b, ratio);
}

static void symmetric_product(int rows, int dims, const float *a, int lda, float *c, int ldc) {
    cblas_ssyrk(CblasRowMajor, CblasUpper, CblasNoTrans, rows, dims, 1, a, lda, 0, c, ldc);
}

static void matrix_product(bool transpose_b, int rows, int columns, int inner, const float *a, int lda,
                           const float *b, int ldb, bool accumulate, float *c, int ldc) {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, transpose_b ? CblasTrans : CblasNoTrans, rows, columns, inner, 1,
                a, lda, b, ldb, accumulate ? 1 : 0, c, ldc);
}

#include "real.h"

const nn_snnl_arithmetic *const nn_snnl_float = &arithmetic;
