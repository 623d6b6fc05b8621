/* test_gemm.c - matrix products against the formula in double precision. */
#include "tests/support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "framework/kernels/kernels.h"

static const float untouched = 12345.5f;

/* Stored matrices are wider than they need be by these. */
enum { EXTRA_A = 3, EXTRA_B = 1, EXTRA_C = 2 };

/* One product with its oracle in C's place; entries past column n are `untouched`. */
typedef struct product {
    bool transpose_a, transpose_b;
    int m, n, k, lda, ldb, ldc;
    float *a, *b;
    double *expected;
} product;

static product product_of(bool transpose_a, bool transpose_b, int m, int n, int k) {
    product p = {transpose_a, transpose_b, m, n, k, .ldc = n + EXTRA_C};
    p.lda = (transpose_a ? m : k) + EXTRA_A;
    p.ldb = (transpose_b ? k : n) + EXTRA_B;
    p.a = test_normal((size_t)((transpose_a ? k : m) * p.lda), "a");
    p.b = test_normal((size_t)((transpose_b ? n : k) * p.ldb), "b");
    p.expected = test_bytes((size_t)(m * p.ldc) * sizeof(double));
    for (int i = 0; i < m; i++)
        for (int j = 0; j < p.ldc; j++) {
            double sum = 0;
            for (int l = 0; l < k && j < n; l++)
                sum += (double)p.a[transpose_a ? l * p.lda + i : i * p.lda + l] *
                       p.b[transpose_b ? j * p.ldb + l : l * p.ldb + j];
            p.expected[i * p.ldc + j] = j < n ? sum : untouched;
        }
    return p;
}

/* C of the product, added to ones or written over NaN. */
static float *result_of(const product *p, bool accumulate) {
    float *c = test_zeros((size_t)(p->m * p->ldc));
    for (int i = 0; i < p->m * p->ldc; i++)
        c[i] = i % p->ldc >= p->n ? untouched : accumulate ? 1 : NAN;
    nn_gemm(p->transpose_a, p->transpose_b, p->m, p->n, p->k, p->a, p->lda, p->b, p->ldb, accumulate, c,
            p->ldc);
    return c;
}

static void check(bool transpose_a, bool transpose_b, int m, int n, int k) {
    product p = product_of(transpose_a, transpose_b, m, n, k);
    char what[96];
    for (int accumulate = 0; accumulate < 2; accumulate++) {
        snprintf(what, sizeof what, "%dx%dx%d%s%s%s", m, n, k, transpose_a ? " A'" : "",
                 transpose_b ? " B'" : "", accumulate ? " accumulating" : "");
        float *c = result_of(&p, accumulate);
        for (int i = 0; i < m; i++)
            for (int j = 0; j < n; j++)
                c[i * p.ldc + j] -= (float)accumulate;
        for (int i = 0; i < m; i++) {
            test_close(what, c + i * p.ldc, p.expected + i * p.ldc, (size_t)n, 1e-5);
            for (int j = n; j < p.ldc; j++)
                if (c[i * p.ldc + j] != untouched)
                    fail_msg("%s: written past column %d of row %d", what, n, i);
        }
        free(c);
    }
    free(p.a), free(p.b), free(p.expected);
}

static void test_sizes(void **state) {
    (void)state;
    static const int sizes[][3] = {{1, 1, 1},      {1, 10, 7},     {10, 1, 7},      {3, 5, 17},
                                   {16, 16, 16},   {33, 31, 65},   {128, 10, 64},   {10, 128, 64},
                                   {257, 129, 40}, {129, 257, 40}, {300, 300, 100}, {64, 1000, 70},
                                   {1000, 64, 70}, {17, 15, 3000}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int transposed = 0; transposed < 4; transposed++)
            check(transposed & 1, transposed & 2, sizes[i][0], sizes[i][1], sizes[i][2]);
}

static void test_threads(void **state) {
    (void)state;
    static const int teams[] = {2, 3, 7};
    for (int transposed = 0; transposed < 4; transposed++) {
        product p = product_of(transposed & 1, transposed & 2, 250, 330, 150);
        nn_threads_set(1);
        float *first = result_of(&p, true);
        for (size_t i = 0; i < sizeof teams / sizeof *teams; i++) {
            nn_threads_set(teams[i]);
            float *c = result_of(&p, true);
            test_same_bits("C", c, first, (size_t)(p.m * p.ldc) * sizeof *c);
            free(c);
        }
        free(p.a), free(p.b), free(p.expected), free(first);
    }
    nn_threads_set(0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sizes), cmocka_unit_test(test_threads)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
