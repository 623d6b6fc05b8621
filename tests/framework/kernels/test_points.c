/* The kernels over sets of points of every table against the formulas in double precision, at sizes around
 * every tile's edges. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "framework/kernels/kernels.h"
#include "tests/support/support.h"

static const char *const names[] = {"avx512", "avx2", "generic", "reference"};
enum { NAMES = sizeof names / sizeof *names, POINTS = 40, DIMS = 600, LD = 640 };

static int multiple(int count) {
    return (count + NN_POINT_MULTIPLE - 1) / NN_POINT_MULTIPLE * NN_POINT_MULTIPLE;
}

static void assert_near(const char *table, const char *what, double actual, double expected,
                        double tolerance) {
    if (!(fabs(actual - expected) <= tolerance))
        fail_msg("%s, %s: %.9g, expected %.9g", table, what, actual, expected);
}

static void differences_are_added(void **state) {
    (void)state;
    float *x = test_normal(DIMS, "x"), *origin = test_normal(DIMS, "origin"), *sum = test_zeros(DIMS + 1);
    for (int n = 0; n < NAMES; n++) {
        const nn_kernels *table = nn_kernels_named(names[n]);
        for (int count = 0; table && count <= DIMS; count += count < 40 ? 1 : 37) {
            for (int k = 0; k <= DIMS; k++)
                sum[k] = (float)k;
            table->point->add_difference(count, 0.5f, x, 2, origin, sum);
            for (int k = 0; k <= DIMS; k++)
                assert_near(names[n], "sum", sum[k], k < count ? k + 0.5 * x[k] - 2 * (double)origin[k] : k,
                            1e-6 * (k + 8));
        }
    }
    free(x), free(origin), free(sum);
}

/* In panels near and far, with the zeros behind and nothing further. */
static void points_are_centred(void **state) {
    (void)state;
    enum { ROOM = 3 * LD };
    float *x = test_normal(DIMS, "x"), *mean = test_normal(DIMS, "mean"), *out = test_zeros(ROOM);
    for (int n = 0; n < NAMES; n++) {
        const nn_kernels *table = nn_kernels_named(names[n]);
        for (int count = 1; table && count <= DIMS; count += count < 70 ? 1 : 53)
            for (int apart = 1; apart <= 3; apart += 2) {
                int panel = table->point->panel, step = apart * panel;
                assert_int_equal(NN_POINT_MULTIPLE % panel, 0);
                for (int k = 0; k < ROOM; k++)
                    out[k] = 77;
                double expected = 0;
                double squares = table->point->center(count, 1.5f, x, mean, x, out, step);
                for (int k = 0; k < multiple(count); k++) {
                    double centered = k < count ? 1.5 * x[k] - mean[k] : 0;
                    float *place = out + (size_t)(k / panel) * step + k % panel;
                    assert_near(names[n], "centred", *place, centered, 1e-6);
                    expected += centered * centered;
                    *place = 77;
                }
                assert_near(names[n], "squares", squares, expected, 1e-6 * expected);
                for (int k = 0; k < ROOM; k++)
                    assert_true(out[k] == 77);
            }
    }
    free(x), free(mean), free(out);
}

/* POINTS points of LD floats in the table's panels, `step` floats apart; the caller frees them. */
static float *to_panels(const nn_kernels *table, const float *x, int step) {
    int panel = table->point->panel;
    float *panels = test_zeros((size_t)(LD / panel) * step);
    for (int i = 0; i < POINTS; i++)
        for (int k = 0; k < LD; k++)
            panels[(size_t)(k / panel) * step + i * panel + k % panel] = x[(size_t)i * LD + k];
    return panels;
}

static void check_dots(const char *name, const nn_kernels *table, int rows, int columns, int dims,
                       const float *a, const float *b, bool upper, bool accumulate) {
    enum { C_LD = POINTS + 3 };
    float c[POINTS * C_LD];
    int a_step = POINTS * table->point->panel, b_step = (POINTS + 1) * table->point->panel;
    float *a_panels = to_panels(table, a, a_step), *b_panels = to_panels(table, b, b_step);
    for (int k = 0; k < POINTS * C_LD; k++)
        c[k] = 3;
    table->point->dots(rows, columns, dims, a_panels, a_step, b_panels, b_step, upper, accumulate, c, C_LD);
    for (int i = 0; i < POINTS; i++)
        for (int j = 0; j < C_LD; j++) {
            double expected = i < rows && j < columns && !accumulate ? 0 : 3;
            for (int k = 0; i < rows && j < columns && k < dims; k++)
                expected += (double)a[(size_t)i * LD + k] * b[(size_t)j * LD + k];
            if (!upper || j > i || i >= rows || j >= columns)
                assert_near(name, "dot product", c[i * C_LD + j], expected, 1e-6 * (dims + 16));
        }
    free(a_panels), free(b_panels);
}

static void dot_products_match_the_formula(void **state) {
    (void)state;
    const int sizes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 25, POINTS};
    enum { SIZES = sizeof sizes / sizeof *sizes };
    float *a = test_normal((size_t)POINTS * LD, "a"), *b = test_normal((size_t)POINTS * LD, "b");
    for (int n = 0; n < NAMES; n++) {
        const nn_kernels *table = nn_kernels_named(names[n]);
        for (int r = 0; table && r < SIZES; r++)
            for (int c = 0; c < SIZES; c++) {
                int dims = NN_POINT_MULTIPLE * (1 + (r + c) % 3);
                check_dots(names[n], table, sizes[r], sizes[c], dims, a, b, false, c % 2);
                if (sizes[r] == sizes[c])
                    for (int accumulate = 0; accumulate < 2; accumulate++)
                        check_dots(names[n], table, sizes[r], sizes[c], dims, a, a, true, accumulate);
            }
    }
    free(a), free(b);
}

/* To the nearest integers, but for ties; sums of what they are off by in single precision. */
static void points_in_16_bits(void **state) {
    (void)state;
    float *x = test_normal((size_t)POINTS * LD, "x");
    int16_t q[LD + 1];
    for (int n = 0; n < NAMES; n++) {
        const nn_kernels *table = nn_kernels_named(names[n]);
        for (int dims = NN_POINT_MULTIPLE; table && dims <= LD; dims += NN_POINT_MULTIPLE) {
            int panel = table->point->panel, step = POINTS * panel, i = dims / 32 % POINTS;
            const float *point = x + (size_t)i * LD;
            float *panels = to_panels(table, x, step);
            double square = 5, off = 0, expected_square = 5, expected_off = 0;
            q[dims] = 77;
            off = table->point->shorten(dims, 0x1p10f, panels + (size_t)i * panel, step, q, &square);
            for (int k = 0; k < dims; k++) {
                double rest = 0x1p10 * point[k] - q[k];
                assert_true(fabs(rest) <= 0.5);
                expected_square += (double)q[k] * q[k];
                expected_off += rest * rest;
            }
            assert_true(q[dims] == 77 && square == expected_square);
            assert_near(names[n], "rests", off, expected_off, 1e-5 * expected_off);
            free(panels);
        }
    }
    free(x);
}

/* Integers up to the largest, whose sums are still in range; every third point, from the last on. */
static void chosen_products_of_shorts_are_exact(void **state) {
    (void)state;
    enum { MOST = 20 * NN_POINT_MULTIPLE };
    int16_t *a = test_bytes(MOST * sizeof *a), *b = test_bytes((size_t)POINTS * MOST * sizeof *b);
    nn_stream stream = nn_stream_named(1, "shorts");
    for (int k = 0; k < MOST; k++)
        a[k] = (int16_t)lrint(1200 * nn_random_normal(&stream));
    for (int k = 0; k < POINTS * MOST; k++)
        b[k] = (int16_t)(k % 331 ? lrint(500 * nn_random_normal(&stream)) : k % 2 ? INT16_MIN : INT16_MAX);
    for (int n = 0; n < NAMES; n++) {
        const nn_kernels *table = nn_kernels_named(names[n]);
        for (int count = 0; table && count <= POINTS; count++)
            for (int accumulate = 0; accumulate < 2; accumulate++) {
                int dims = NN_POINT_MULTIPLE * (1 + count % 20);
                float c[POINTS], expected[POINTS];
                uint16_t which[POINTS];
                for (int j = 0; j < POINTS; j++)
                    c[j] = expected[j] = 3;
                for (int j = 0; j < count; j++) {
                    int64_t sum = 0;
                    which[j] = (uint16_t)((POINTS * 3 - 1 - 3 * j) % POINTS);
                    for (int k = 0; k < dims; k++)
                        sum += (int64_t)a[k] * b[which[j] * dims + k];
                    expected[j] = (accumulate ? 3 : 0) + (float)sum;
                }
                table->point->chosen_shorts(count, which, dims, a, b, accumulate, c);
                test_same_bits(names[n], c, expected, sizeof c);
            }
    }
    free(a), free(b);
}

static void check_combination(const char *name, const nn_kernels *table, int rows, int columns, int inner,
                              const float *w, const float *x, bool accumulate) {
    enum { W_LD = POINTS + NN_POINT_STRIP };
    int panel = table->point->panel, step = inner * panel;
    float *panels = test_zeros((size_t)inner * LD), *y[POINTS], scale[POINTS];
    float *out = test_zeros((size_t)POINTS * LD);
    for (int j = 0; j < inner; j++)
        for (int k = 0; k < columns; k++)
            panels[(size_t)(k / panel) * step + j * panel + k % panel] = x[(size_t)j * LD + k];
    for (int i = 0; i < POINTS; i++) {
        y[i] = out + (size_t)((i * 7) % POINTS) * LD; /* rows in any order */
        scale[i] = 0.25f * (float)(i % 5 - 2);
        for (int k = 0; k < LD; k++)
            y[i][k] = 2;
    }
    table->point->combine(rows, columns, inner, w, W_LD, panels, step, scale, accumulate, y);
    for (int i = 0; i < POINTS; i++)
        for (int k = 0; k < LD; k++) {
            double expected = 0;
            bool inside = i < rows && k < columns;
            for (int j = 0; inside && j < inner; j++)
                expected += (double)w[(size_t)j * W_LD + i] * x[(size_t)j * LD + k];
            expected = (inside && !accumulate ? 0 : 2) + scale[i] * expected;
            assert_near(name, "combination", y[i][k], expected, inside ? 1e-6 * (inner + 8) : 0);
        }
    free(panels), free(out);
}

static void combinations_match_the_formula(void **state) {
    (void)state;
    const int rows[] = {1, 3, 5, 6, 7, 11, 12, 13, 24, POINTS},
              columns[] = {1, 7, 8, 9, 16, 31, 32, 33, 48, 65};
    const int inner[] = {1, 2, 17, NN_POINT_INNER};
    float *w = test_normal((size_t)NN_POINT_INNER * (POINTS + NN_POINT_STRIP), "w");
    float *x = test_normal((size_t)NN_POINT_INNER * LD, "x");
    for (int n = 0; n < NAMES; n++) {
        const nn_kernels *table = nn_kernels_named(names[n]);
        for (int r = 0; table && r < 10; r++)
            for (int c = 0; c < 10; c++)
                check_combination(names[n], table, rows[r], columns[c], inner[(r + c) % 4], w, x, c % 2);
    }
    free(w), free(x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(differences_are_added),
        cmocka_unit_test(points_are_centred),
        cmocka_unit_test(dot_products_match_the_formula),
        cmocka_unit_test(points_in_16_bits),
        cmocka_unit_test(chosen_products_of_shorts_are_exact),
        cmocka_unit_test(combinations_match_the_formula),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
