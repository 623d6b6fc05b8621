/* gemm.c - matrix products: fixed slices of C, one single-threaded OpenBLAS call each. */
#include <cblas.h>

#include "kernels.h"

enum {
    SLICES = 16,           /* at most */
    SLICE_FLOPS = 1 << 20, /* multiply-adds of a slice, at least: less is not worth sharing out */
    SLICE_MULTIPLE = 16    /* rows or columns: OpenBLAS's own blocks stay whole */
};

/* Rows or columns of one slice when the longer side of C has `length`. */
static int slice_length(int length, int m, int n, int k) {
    double wanted = (double)m * n * k / SLICE_FLOPS;
    int slices = wanted < 1 ? 1 : wanted < SLICES ? (int)wanted : SLICES;
    int part = (length + slices - 1) / slices;
    return (part + SLICE_MULTIPLE - 1) / SLICE_MULTIPLE * SLICE_MULTIPLE;
}

void nn_gemm(bool transpose_a, bool transpose_b, int m, int n, int k, const float *a, int lda, const float *b,
             int ldb, bool accumulate, float *c, int ldc) {
    bool by_rows = m >= n;
    int length = by_rows ? m : n, part = slice_length(length, m, n, k), slices = (length + part - 1) / part;
    /* Elements from one row of op(A), or column of op(B), to the next. */
    size_t a_step = transpose_a ? 1 : (size_t)lda, b_step = transpose_b ? (size_t)ldb : 1;
    /* nn_threads has set OpenBLAS to one thread per caller */
#pragma omp parallel for schedule(dynamic) num_threads(nn_threads()) if (slices > 1)
    for (int i = 0; i < slices; i++) {
        size_t first = (size_t)i * (size_t)part;
        int count = length - (int)first < part ? length - (int)first : part;
        cblas_sgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans,
                    transpose_b ? CblasTrans : CblasNoTrans, by_rows ? count : m, by_rows ? n : count, k, 1,
                    a + (by_rows ? first * a_step : 0), lda, b + (by_rows ? 0 : first * b_step), ldb,
                    accumulate ? 1 : 0, c + first * (by_rows ? (size_t)ldc : 1), ldc);
    }
}
