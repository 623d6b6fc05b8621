/* The plane kernels of every table against the formula, for every length around every vector width. */
#include <math.h>
#include <stdlib.h>

#include "framework/kernels/kernels.h"
#include "tests/support/support.h"

static const char *const names[] = {"avx512", "avx2", "generic", "reference"};
enum { NAMES = sizeof names / sizeof *names, LONGEST = 70 };

typedef struct points {
    double x[LONGEST], y[LONGEST], mass[LONGEST];
    float p[LONGEST];
} points;

static points make_points(double spread) {
    points made;
    float *values = test_normal(4 * LONGEST, "plane");
    for (int j = 0; j < LONGEST; j++) {
        made.x[j] = spread * values[j];
        made.y[j] = spread * values[LONGEST + j];
        made.mass[j] = floor(10 * fabsf(values[2 * LONGEST + j])) + 1;
        made.p[j] = fabsf(values[3 * LONGEST + j]);
    }
    free(values);
    return made;
}

/* The sums of the contract; with `masses` those of `masses`, and the last two are left out. */
static void expect_sums(const points *s, int count, const double own[2], bool masses, double sum[5]) {
    for (int k = 0; k < 5; k++)
        sum[k] = 0;
    for (int j = 0; j < count; j++) {
        double u = own[0] - s->x[j], v = own[1] - s->y[j], w = 1 / (1 + u * u + v * v);
        double mass = masses ? s->mass[j] : 1;
        const double terms[5] = {mass * w, mass * w * w * u, mass * w * w * v, s->p[j] * w * u,
                                 s->p[j] * w * v};
        for (int k = 0; k < 5; k++)
            sum[k] += terms[k];
    }
}

static void assert_sums(const char *table, int count, int terms, const double *actual,
                        const double *expected) {
    for (int k = 0; k < terms; k++)
        if (!(fabs(actual[k] - expected[k]) <= 1e-12 * (1 + count)))
            fail_msg("%s, %d points, sum %d: %.17g, expected %.17g", table, count, k, actual[k], expected[k]);
}

static void sums_match_the_formula(void **state) {
    (void)state;
    static const double spreads[] = {1e-4, 1, 30};
    for (int n = 0; n < NAMES; n++) {
        const nn_kernels *table = nn_kernels_named(names[n]);
        for (int s = 0; table && s < 3; s++) {
            points at = make_points(spreads[s]);
            double own[2] = {at.x[3], at.y[3]};
            for (int count = 0; count <= LONGEST; count++) {
                double expected[5], actual[5];
                expect_sums(&at, count, own, false, expected);
                table->plane->pairs(count, own, at.x, at.y, at.p, actual);
                assert_sums(names[n], count, 5, actual, expected);
                expect_sums(&at, count, own, true, expected);
                table->plane->masses(count, own, at.x, at.y, at.mass, actual);
                assert_sums(names[n], 20 * count, 3, actual, expected);
            }
        }
    }
}

/* A point that is seen from its own place: w is exactly 1, and it neither pulls nor pushes. */
static void a_point_does_not_move_itself(void **state) {
    (void)state;
    points at = make_points(1e5);
    for (int n = 0; n < NAMES; n++) {
        const nn_kernels *table = nn_kernels_named(names[n]);
        if (!table)
            continue;
        double own[2] = {at.x[0], at.y[0]}, sum[5];
        table->plane->pairs(1, own, at.x, at.y, at.p, sum);
        for (int k = 0; k < 5; k++)
            assert_true(sum[k] == (k == 0));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_match_the_formula),
        cmocka_unit_test(a_point_does_not_move_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
