/* Points in 16 bits: never farther apart than the points, and hardly nearer. */
#include <math.h>
#include <stdlib.h>

#include "experiments/knn/shorts.h"
#include "framework/kernels/kernels.h"
#include "tests/support/support.h"

enum { COUNT = 70, DIMS = 1300, GROUP = 32 };

static double distance(const float *x, const float *y) {
    double sum = 0;
    for (int k = 0; k < DIMS; k++)
        sum += ((double)x[k] - y[k]) * ((double)x[k] - y[k]);
    return sqrt(sum);
}

static void make(const float *x, int made_for, exp_shorts *shorts) {
    exp_panels points;
    double *mean = test_bytes(DIMS * sizeof *mean);
    for (int k = 0; k < DIMS; k++)
        mean[k] = 0;
    assert_true(exp_panels_new(&points, COUNT, DIMS, GROUP));
    exp_panels_center(&points, COUNT, DIMS, x, mean, 1);
    assert_true(exp_shorts_new(shorts, COUNT, &points));
    shorts->unit = exp_shorts_unit(&points, made_for);
    assert_true(frexp(shorts->unit, &(int){0}) == 0.5);
    exp_shorts_make(shorts, &points, COUNT);
    exp_panels_free(&points);
    free(mean);
}

/* The bound of points i and j's distance. */
static double bound(const exp_shorts *s, int i, int j) {
    const uint16_t which = (uint16_t)(j % GROUP);
    float product;
    for (int slice = 0; slice < s->dims; slice += EXP_SHORTS_SLICE)
        exp_shorts_multiply(s, i, s, j / GROUP * GROUP, 1, &which, slice, &product);
    double a = s->norm[i], b = s->norm[j],
           lost = exp_shorts_error(s->dims) * a * b + 0x1p-22 * (a * a + b * b);
    double apart = sqrt(fmax(0, a * a + b * b - 2 * (double)product - 2 * lost));
    return s->unit * (apart - s->slack[i] - s->slack[j]);
}

/* The least share of the distances that the bounds tell; they must not tell more. */
static double least_share(const float *x, const exp_shorts *s) {
    double least = INFINITY;
    for (int i = 0; i < COUNT; i++)
        for (int j = 0; j < COUNT; j++) {
            double own = distance(x + (size_t)i * DIMS, x + (size_t)j * DIMS), told = bound(s, i, j);
            if (told > own)
                fail_msg("points %d and %d are %.9g apart, and not %.9g at least", i, j, own, told);
            if (own > 0)
                least = fmin(least, told / own);
        }
    return least;
}

static void bounds_are_close(void **state) {
    (void)state;
    static const float scales[] = {1, 1e-12f, 1e12f};
    for (int k = 0; k < 3; k++) {
        float *x = test_normal(COUNT * DIMS, "points");
        for (int i = 0; i < COUNT * DIMS; i++)
            x[i] *= scales[k];
        exp_shorts shorts;
        make(x, COUNT, &shorts);
        double share = least_share(x, &shorts);
        if (!(share > 0.995))
            fail_msg("the bounds are %.5f of the distances", share);
        exp_shorts_free(&shorts);
        free(x);
    }
}

/* The unit is that of a few short points; zeros, a long coordinate, and many middling ones are among the others. */
static void long_points_bound_nothing(void **state) {
    (void)state;
    float *x = test_normal(COUNT * DIMS, "points");
    for (int k = 0; k < DIMS; k++) {
        x[5 * DIMS + k] = 0;
        x[50 * DIMS + k] = k == 999 ? 1e6f : 0;
        x[51 * DIMS + k] *= 1e6f;
    }
    exp_shorts shorts;
    make(x, 10, &shorts);
    assert_true(shorts.norm[5] == 0 && shorts.slack[5] == 0);
    for (int i = 50; i < 52; i++)
        assert_true(shorts.norm[i] == 0 && shorts.slack[i] > 1e4f);
    assert_true(least_share(x, &shorts) <= 0);
    exp_shorts_free(&shorts);
    free(x);
}

static void zeros_have_a_unit(void **state) {
    (void)state;
    float *x = test_zeros(COUNT * DIMS);
    exp_shorts shorts;
    make(x, COUNT, &shorts);
    assert_true(shorts.unit > 0 && isinf(least_share(x, &shorts)));
    exp_shorts_free(&shorts);
    free(x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_are_close),
        cmocka_unit_test(long_points_bound_nothing),
        cmocka_unit_test(zeros_have_a_unit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
