/* double.c - the soft nearest neighbor loss of points in double precision: for measuring. */
#include <cblas.h>

#include "snnl.h"

typedef double real;

/* A squared distance from the Gram matrix is wrong by about 1e-15 of the sum of both squared lengths. Pairs
 * nearer than 2^-16 of that sum, where it would exceed 1e-10 of the distance, are measured again directly. */
static const double near_ratio = 0x1p-16;

/* Points scaled to one length are rounded by about 1e-16: 1e-11 of a cosine distance of 2^-32. */
static const double near_cosine = 0x1p-32;

static const double *input(const nn_snnl_points *points) {
    return points->x64;
}

static double direct_distance(int dims, const double *a, const double *b, double ratio) {
    double sum = 0;
    for (int k = 0; k < dims; k++) {
        double difference = a[k] - ratio * b[k];
        sum += difference * difference;
    }
    return sum;
}

static void symmetric_product(int rows, int dims, const double *a, int lda, double *c, int ldc) {
    cblas_dsyrk(CblasRowMajor, CblasUpper, CblasNoTrans, rows, dims, 1, a, lda, 0, c, ldc);
}

static void matrix_product(bool transpose_b, int rows, int columns, int inner, const double *a, int lda,
                           const double *b, int ldb, bool accumulate, double *c, int ldc) {
    cblas_dgemm(CblasRowMajor, CblasNoTrans, transpose_b ? CblasTrans : CblasNoTrans, rows, columns, inner, 1,
                a, lda, b, ldb, accumulate ? 1 : 0, c, ldc);
}

#include "real.h"

const nn_snnl_arithmetic *const nn_snnl_double = &arithmetic;
