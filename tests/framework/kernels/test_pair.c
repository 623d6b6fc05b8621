/* The pair kernels of every table against the C library's double-precision exponential. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "framework/kernels/kernels.h"
#include "tests/support/support.h"

static const char *const names[] = {"avx512", "avx2", "generic", "reference"};
enum { NAMES = sizeof names / sizeof *names };

/* Every length around every vector width, and around the blocks within which sums stay in single precision.
 */
static const int counts[] = {0,  1,  2,  3,  4,  5,   7,   8,   9,   15,  16,  17,  31,
                             32, 33, 63, 64, 65, 127, 255, 256, 257, 271, 511, 513, 1030};
enum { COUNTS = sizeof counts / sizeof *counts, LONGEST = 1030 };

static float *distances(const char *name) {
    float *d = test_normal(LONGEST, name);
    for (int j = 0; j < LONGEST; j++)
        d[j] = d[j] * d[j];
    d[0] = 0;
    return d;
}

static void assert_near(const char *table, const char *what, double actual, double expected,
                        double tolerance) {
    if (!(fabs(actual - expected) <= tolerance))
        fail_msg("%s, %s: %.9g, expected %.9g", table, what, actual, expected);
}

static void sums_match_the_formula(void **state) {
    (void)state;
    const float rates[] = {0, 1e-39f, 1e-6f, 0.1f, 1, 3, 20, 1e4f, 1e37f};
    float *d = distances("sums");
    for (int n = 0; n < NAMES; n++) {
        const nn_kernels *table = nn_kernels_named(names[n]);
        for (int k = 0; table && k < COUNTS; k++)
            for (size_t r = 0; r < sizeof rates / sizeof *rates; r++) {
                double expected[3] = {0}, actual[3] = {-1, -1, -1};
                for (int j = 0; j < counts[k]; j++)
                    for (int power = 0; power < 3; power++)
                        expected[power] += exp(-(double)rates[r] * d[j]) * pow(d[j], power);
                table->pair->sums(counts[k], d, rates[r], actual);
                for (int power = 0; power < 3; power++)
                    assert_near(names[n], "sum", actual[power], expected[power],
                                1e-6 * expected[power] + 1e-36);
            }
    }
    free(d);
}

/* One pair at a time: the exponential itself, over its whole range. The tolerance grows with the exponent
 * because the exponent's own rounding does. */
static void weights_match_the_formula(void **state) {
    (void)state;
    for (int n = 0; n < NAMES; n++) {
        const nn_kernels *table = nn_kernels_named(names[n]);
        for (double x = 0; table && x < 120; x += 0.0137) {
            float d = (float)x, c;
            double expected = exp(-2.0 * d);
            table->pair->weights(1, &d, 0, 1, 2, 1, &c);
            assert_near(names[n], "weight", c, expected, expected * (1.5e-7 + 1.5e-7 * x) + 3e-38);
        }
    }
}

static void weights_fill_exactly_their_row(void **state) {
    (void)state;
    float *d = distances("weights"), *c = test_zeros(LONGEST + 1);
    for (int n = 0; n < NAMES; n++) {
        const nn_kernels *table = nn_kernels_named(names[n]);
        for (int k = 0; table && k < COUNTS; k++) {
            int count = counts[k];
            memcpy(c, d, LONGEST * sizeof *c);
            c[count] = 77;
            table->pair->weights(count, c, 0, 1, 1.5f, -0.25f, c);
            for (int j = 0; j < count; j++)
                assert_near(names[n], "weight", c[j], -0.25 * exp(-1.5 * d[j]), 1e-6);
            assert_true(c[count] == 77);
        }
    }
    free(d);
    free(c);
}

static void extremes_are_exact(void **state) {
    (void)state;
    const float d[] = {0, 1e-30f, 1, 1e10f, 3e38f};
    for (int n = 0; n < NAMES; n++) {
        const nn_kernels *table = nn_kernels_named(names[n]);
        if (!table)
            continue;
        float c[5];
        double sum[3];
        table->pair->weights(5, d, 0, 1, 1e37f, 1, c);
        assert_true(c[0] == 1 && c[2] == 0 && c[3] == 0 && c[4] == 0);
        table->pair->sums(5, d, 1e5f, sum);
        assert_true(sum[0] == 2);
        assert_true(isfinite(sum[1]) && isfinite(sum[2]));
        table->pair->weights(5, d, 0, 1, 0, 1, c);
        for (int j = 0; j < 5; j++)
            assert_true(c[j] == 1);
    }
}

static void nan_is_not_hidden(void **state) {
    (void)state;
    float d[40] = {0};
    for (int n = 0; n < NAMES; n++) {
        const nn_kernels *table = nn_kernels_named(names[n]);
        for (int place = 0; table && place < 40; place += 13) {
            double sum[3];
            d[place] = NAN;
            table->pair->sums(40, d, 1, sum);
            assert_true(isnan(sum[0]));
            d[place] = 0;
        }
    }
}

static void distance_matches_the_formula(void **state) {
    (void)state;
    float *x = test_normal(LONGEST, "x"), *y = test_normal(LONGEST, "y");
    for (int j = 0; j < LONGEST; j++)
        y[j] = x[j] * 1.25f + 1e-5f * y[j]; /* near: single precision would lose the difference */
    for (int n = 0; n < NAMES; n++) {
        const nn_kernels *table = nn_kernels_named(names[n]);
        for (int k = 0; table && k < COUNTS; k++) {
            double expected = 0;
            for (int j = 0; j < counts[k]; j++)
                expected += ((double)x[j] - 0.8 * y[j]) * ((double)x[j] - 0.8 * y[j]);
            double actual = table->pair->distance(counts[k], x, y, 0.8);
            assert_near(names[n], "distance", actual, expected, 1e-9 * expected);
            assert_true(table->pair->distance(counts[k], x, x, 1) == 0);
        }
    }
    free(x);
    free(y);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_match_the_formula),
        cmocka_unit_test(weights_match_the_formula),
        cmocka_unit_test(weights_fill_exactly_their_row),
        cmocka_unit_test(extremes_are_exact),
        cmocka_unit_test(nan_is_not_hidden),
        cmocka_unit_test(distance_matches_the_formula),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
