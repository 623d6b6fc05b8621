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

/* Distances from a minimum, in other units: exact but for one rounding of the difference. */
static void weights_count_from_the_minimum(void **state) {
    (void)state;
    float *d = distances("minimum"), *c = test_zeros(LONGEST);
    for (int j = 0; j < LONGEST; j++)
        d[j] = 1e30f * (1 + d[j]);
    for (int n = 0; n < NAMES; n++) {
        const nn_kernels *table = nn_kernels_named(names[n]);
        if (!table)
            continue;
        table->pair->weights(LONGEST, d, d[0], 0x1p-100f, 2, 3, c);
        assert_true(c[0] == 3);
        for (int j = 0; j < LONGEST; j++)
            assert_near(names[n], "weight", c[j], 3 * exp(-2 * ((double)d[j] - d[0]) * 0x1p-100), 1e-5);
    }
    free(d);
    free(c);
}

static void shift_takes_the_minimum_off(void **state) {
    (void)state;
    float *d = distances("shift"), *shifted = test_zeros(LONGEST + 1);
    d[0] = 3;
    for (int n = 0; n < NAMES; n++) {
        const nn_kernels *table = nn_kernels_named(names[n]);
        for (int k = 0; table && k < COUNTS; k++) {
            int count = counts[k];
            /* the least one in every place of the first vector, then further apart */
            for (int place = 0; place < count; place += place < 20 ? 1 : 61) {
                float before = d[place];
                d[place] = 0x1p-40f;
                shifted[count] = 77;
                assert_true(table->pair->shift(count, d, 0.25f, shifted) == 0x1p-40f);
                for (int j = 0; j < count; j++)
                    assert_true(shifted[j] == (d[j] - 0x1p-40f) * 0.25f);
                assert_true(shifted[count] == 77);
                d[place] = NAN;
                table->pair->shift(count, d, 0.25f, shifted);
                assert_true(isnan(shifted[place]));
                d[place] = before;
            }
        }
    }
    free(d);
    free(shifted);
}

static void gram_distances_match_the_formula(void **state) {
    (void)state;
    float *products = test_normal(LONGEST, "products"), *norms = distances("norms"),
          *d = test_zeros(LONGEST + 1);
    for (int j = 0; j < LONGEST; j++)
        norms[j] += 6; /* above twice any product: no distance is near 0 */
    for (int n = 0; n < NAMES; n++) {
        const nn_kernels *table = nn_kernels_named(names[n]);
        for (int k = 0; table && k < COUNTS; k++) {
            int count = counts[k];
            memcpy(d, products, LONGEST * sizeof *d);
            d[count] = 77;
            assert_false(table->pair->gram_distances(count, 5, norms, 1.0f / 32, 0.25f, d));
            for (int j = 0; j < count; j++)
                assert_near(names[n], "distance", d[j], 5.0 + norms[j] - 2.0 * products[j],
                            3e-7 * (5 + norms[j]));
            assert_true(d[count] == 77);
        }
    }
    free(products);
    free(norms);
    free(d);
}

/* One distance of otherwise 6, in every place of a row: just above and below 2.25, which is nearer than a ratio
 * (of 9) or than a bound; NaN is not near. */
static void near_distances_are_found(void **state) {
    (void)state;
    enum { LENGTH = 37 };
    static const struct {
        float distance, ratio, least;
        bool near;
    } cases[] = {{2.2f, 0.25f, 0, true},  {2.3f, 0.25f, 0, false}, {2.2f, 0, 2.25f, true},
                 {2.3f, 0, 2.25f, false}, {-1, 0, 0, true},        {NAN, 0.25f, 2.25f, false}};
    float norms[LENGTH], d[LENGTH];
    for (int j = 0; j < LENGTH; j++)
        norms[j] = 5;
    for (int n = 0; n < NAMES; n++) {
        const nn_kernels *table = nn_kernels_named(names[n]);
        for (size_t c = 0; table && c < sizeof cases / sizeof *cases; c++)
            for (int place = 0; place < LENGTH; place++) {
                for (int j = 0; j < LENGTH; j++)
                    d[j] = (9 - (j == place ? cases[c].distance : 6)) / 2;
                assert_true(table->pair->gram_distances(LENGTH, 4, norms, cases[c].ratio, cases[c].least,
                                                        d) == cases[c].near);
                assert_true(isnan(cases[c].distance) == isnan(d[place]));
            }
    }
}

/* Sizes of tiles around every square's side; rows lie LD apart. */
static const int sides[] = {1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 64, 65};
enum { SIDES = sizeof sides / sizeof *sides, LD = 80 };

/* Calls check for every table and every size of tile; for tiles on the diagonal too. */
typedef void check_tile(const char *name, const nn_pair_kernels *kernels, int rows, int columns,
                        bool diagonal);
static void for_all_tiles(check_tile *check) {
    for (int n = 0; n < NAMES; n++) {
        const nn_kernels *table = nn_kernels_named(names[n]);
        for (int r = 0; table && r < SIDES; r++) {
            for (int c = 0; c < SIDES; c++)
                check(names[n], table->pair, sides[r], sides[c], false);
            check(names[n], table->pair, sides[r], sides[r], true);
        }
    }
}

/* LD x LD, different numbers everywhere: what a kernel must leave alone as well. */
static float *tile(const char *name) {
    return test_normal(LD * LD, name);
}

static float *copy_of(const float *x) {
    float *copy = test_zeros(LD * LD);
    memcpy(copy, x, sizeof *x * LD * LD);
    return copy;
}

static void check_mirror(const char *name, const nn_pair_kernels *kernels, int rows, int columns,
                         bool diagonal) {
    float *a = tile("a"), *b = diagonal ? a : tile("b"), *was_a = copy_of(a), *was_b = copy_of(b);
    a[diagonal ? LD * (rows - 1) : 0] = NAN; /* below the diagonal: to be overwritten, unless it is copied */
    kernels->mirror(rows, columns, a, b, LD);
    for (int r = 0; r < LD; r++)
        for (int c = 0; c < LD; c++) {
            bool written = r < columns && c < rows && (!diagonal || c < r);
            float expected = written ? was_a[c * LD + r] : was_b[r * LD + c];
            float actual = b[r * LD + c];
            bool is_nan = (!diagonal && r + c == 0) || (diagonal && rows == 1 && r + c == 0);
            if (!(is_nan ? isnan(actual) : actual == expected))
                fail_msg("%s, %d x %d: %g at %d, %d, expected %g", name, rows, columns, actual, r, c,
                         expected);
        }
    free(a);
    free(was_a);
    free(was_b);
    if (!diagonal)
        free(b);
}

static void mirror_transposes(void **state) {
    (void)state;
    for_all_tiles(check_mirror);
}

/* Upper parts of tiles on the diagonal may be wider than high. */
static void mirror_keeps_to_the_triangle_of_a_wide_tile(void **state) {
    (void)state;
    for (int n = 0; n < NAMES; n++) {
        const nn_kernels *table = nn_kernels_named(names[n]);
        for (int k = 0; table && k < SIDES; k++)
            for (int wider = 0; wider < 15; wider += 7) {
                float *a = tile("a"), *before = copy_of(a);
                table->pair->mirror(sides[k], sides[k] + wider, a, a, LD);
                for (int r = 0; r < LD; r++)
                    for (int c = 0; c < LD; c++) {
                        bool written = r < sides[k] + wider && c < sides[k] && c < r;
                        assert_true(a[r * LD + c] == before[written ? c * LD + r : r * LD + c]);
                    }
                free(a);
                free(before);
            }
    }
}

static void check_symmetrize(const char *name, const nn_pair_kernels *kernels, int rows, int columns,
                             bool diagonal) {
    float *a = tile("a"), *b = diagonal ? a : tile("b");
    for (int i = 0; diagonal && i < rows; i++)
        a[i * LD + i] = 0;
    float *was_a = copy_of(a), *was_b = copy_of(b);
    double row_sums[LD], other_sums[LD], *column_sums = diagonal ? row_sums : other_sums;
    for (int i = 0; i < LD; i++)
        row_sums[i] = other_sums[i] = i;
    kernels->symmetrize(rows, columns, a, b, LD, row_sums, column_sums);
    for (int r = 0; r < LD; r++) {
        double row_sum = r, column_sum = r, size = 1;
        for (int c = 0; c < LD; c++) {
            float upper = was_a[r * LD + c], lower = was_b[r * LD + c];
            if (r < rows && c < columns) {
                upper += was_b[c * LD + r];
                row_sum += upper;
                size += fabs(upper);
            }
            if (c < rows && r < columns) {
                lower += was_a[c * LD + r];
                column_sum += lower;
                size += fabs(lower);
            }
            if (!(a[r * LD + c] == upper && b[r * LD + c] == lower))
                fail_msg("%s, %d x %d: wrong at %d, %d", name, rows, columns, r, c);
        }
        assert_near(name, "row sum", row_sums[r], row_sum, 5e-7 * size);
        assert_near(name, "column sum", column_sums[r], column_sum, 5e-7 * size);
    }
    free(a);
    free(was_a);
    free(was_b);
    if (!diagonal)
        free(b);
}

static void symmetrize_adds_the_mirror_image(void **state) {
    (void)state;
    for_all_tiles(check_symmetrize);
}

/* One NaN reaches both tiles and both points' sums, and no other ones. */
static void symmetrize_passes_nan_on(void **state) {
    (void)state;
    enum { SIDE = 37, R = 20, C = 33 };
    for (int n = 0; n < NAMES; n++) {
        const nn_kernels *table = nn_kernels_named(names[n]);
        for (int lower = 0; table && lower < 2; lower++) {
            float *a = test_zeros(LD * LD), *b = test_zeros(LD * LD);
            double row_sums[SIDE] = {0}, column_sums[SIDE] = {0};
            if (lower)
                b[C * LD + R] = NAN;
            else
                a[R * LD + C] = NAN;
            table->pair->symmetrize(SIDE, SIDE, a, b, LD, row_sums, column_sums);
            assert_true(isnan(a[R * LD + C]) && isnan(b[C * LD + R]));
            for (int i = 0; i < SIDE; i++) {
                assert_true(isnan(row_sums[i]) == (i == R));
                assert_true(isnan(column_sums[i]) == (i == C));
            }
            free(a);
            free(b);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_match_the_formula),
        cmocka_unit_test(weights_match_the_formula),
        cmocka_unit_test(weights_fill_exactly_their_row),
        cmocka_unit_test(extremes_are_exact),
        cmocka_unit_test(nan_is_not_hidden),
        cmocka_unit_test(distance_matches_the_formula),
        cmocka_unit_test(weights_count_from_the_minimum),
        cmocka_unit_test(shift_takes_the_minimum_off),
        cmocka_unit_test(gram_distances_match_the_formula),
        cmocka_unit_test(near_distances_are_found),
        cmocka_unit_test(mirror_transposes),
        cmocka_unit_test(mirror_keeps_to_the_triangle_of_a_wide_tile),
        cmocka_unit_test(symmetrize_adds_the_mirror_image),
        cmocka_unit_test(symmetrize_passes_nan_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
