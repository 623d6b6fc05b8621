/* The gradient of the soft nearest neighbor loss against its formula, and that against finite differences. */
#include <math.h>
#include <stdlib.h>

#include "framework/snnl/snnl.h"
#include "tests/support/snnl_oracle.h"

/* --- gradients ------------------------------------------------------------------------------------------ */

/* Of the formula itself, so that the oracle of the other tests is right. */
static void the_oracle_matches_finite_differences(void **state) {
    (void)state;
    for (int distance = 0; distance < 2; distance++) {
        oracle_problem p = oracle_make(12, 3, 3, 1, 0.5, (nn_distance)distance);
        p.labels[5] = 1000;
        double temperature = distance == NN_EUCLIDEAN ? 2 : 0.2, *dx = oracle_gradient(&p, temperature);
        for (int k = 0; k < 12 * 3; k++) {
            double x = p.x[k], h = 1e-5;
            p.x[k] = x + h;
            double above = oracle_loss(&p, temperature);
            p.x[k] = x - h;
            double below = oracle_loss(&p, temperature);
            p.x[k] = x;
            assert_true(fabs(dx[k] - (above - below) / (2 * h)) < 1e-8);
        }
        free(dx);
        oracle_drop(&p);
    }
}

static void check_gradient(const oracle_problem *p, double temperature, double tolerance32) {
    size_t n = (size_t)p->count * p->dims;
    double *expected = oracle_gradient(p, temperature), *dx = test_bytes(n * sizeof *dx), largest = 0;
    for (size_t k = 0; k < n; k++)
        largest = fmax(largest, fabs(expected[k]));
    for (int wide = 0; wide < 2; wide++) {
        oracle_measure(p, wide, temperature, dx);
        for (size_t k = 0; k < n; k++) {
            double actual = wide ? dx[k] : ((float *)dx)[k];
            if (!(fabs(actual - expected[k]) <= (wide ? 1e-6 : tolerance32) * largest))
                fail_msg("gradient of %d x %d, T %g, %s: [%zu] is %.9g, expected %.9g", p->count, p->dims,
                         temperature, wide ? "double" : "single", k, actual, expected[k]);
        }
    }
    free(expected);
    free(dx);
}

static void gradients_match_the_formula(void **state) {
    (void)state;
    const int sizes[][3] = {{2, 1, 1},     {3, 2, 2},      {17, 2, 3},  {64, 5, 4},
                            {65, 300, 10}, {130, 513, 10}, {257, 16, 7}};
    const double temperatures[] = {0.3, 5, 1e4};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (int distance = 0; distance < 2; distance++)
            for (int t = 0; t < 3; t++) {
                oracle_problem p =
                    oracle_make(sizes[s][0], sizes[s][1], sizes[s][2], 1, 3, (nn_distance)distance);
                p.labels[0] = p.count > 2 ? 77 : p.labels[0];
                check_gradient(&p, temperatures[t], 2e-5);
                oracle_drop(&p);
            }
}

static void gradients_of_tiles_match_the_formula(void **state) {
    (void)state;
    for (int distance = 0; distance < 2; distance++) {
        oracle_problem p = oracle_make(2049, 3, 5, 1, 0, (nn_distance)distance);
        p.labels[1000] = 77;
        check_gradient(&p, distance == NN_EUCLIDEAN ? 0.7 : 0.1, 2e-5);
        oracle_drop(&p);
    }
    /* Longer than a slice of the columns. */
    oracle_problem p = oracle_make(2050, 514, 5, 1, 0, NN_EUCLIDEAN);
    check_gradient(&p, 500, 2e-5);
    oracle_drop(&p);
}

static void gradients_scale_and_accumulate(void **state) {
    (void)state;
    oracle_problem p = oracle_make(70, 20, 4, 1, 0, NN_EUCLIDEAN);
    nn_snnl_points points = oracle_points(&p, false);
    void *workspace = test_bytes(nn_snnl_workspace(70, 20, false));
    float *once = test_zeros(70 * 20), *twice = test_zeros(70 * 20);
    nn_snnl_result result = oracle_measure(&p, false, 3, once);
    for (int k = 0; k < 70 * 20; k++)
        twice[k] = 1;
    nn_snnl_begin(&points, workspace);
    nn_snnl_at(&points, workspace, 8); /* the gradient is the one at the result's temperature all the same */
    nn_snnl_gradient(&points, workspace, &result, -2.5, true, twice);
    for (int k = 0; k < 70 * 20; k++)
        assert_true(fabs(twice[k] - (1 - 2.5 * once[k])) < 1e-6);
    free(workspace);
    free(once);
    free(twice);
    oracle_drop(&p);
}

static void no_gradient_passes_through_zero_points(void **state) {
    (void)state;
    oracle_problem p = oracle_make(40, 6, 3, 1, 0, NN_COSINE);
    for (int i = 0; i < 40; i += 13)
        for (int k = 0; k < p.dims; k++)
            p.x32[i * p.dims + k] = 0, p.x[i * p.dims + k] = 0;
    check_gradient(&p, 0.3, 2e-5);
    oracle_drop(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_oracle_matches_finite_differences),
        cmocka_unit_test(gradients_match_the_formula),
        cmocka_unit_test(gradients_of_tiles_match_the_formula),
        cmocka_unit_test(gradients_scale_and_accumulate),
        cmocka_unit_test(no_gradient_passes_through_zero_points),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
