/* The loss as one function on plain arrays, in single and in double precision, against its formula. */
#include <math.h>
#include <stdlib.h>

#include "framework/snnl/snnl.h"
#include "tests/support/snnl_oracle.h"

typedef struct measured {
    nn_snnl_result result;
    double *gradient; /* [count][dims]; freed with free() */
} measured;

static measured measure(const oracle_problem *p, bool wide, double temperature) {
    size_t n = (size_t)p->count * p->dims;
    measured m = {.gradient = test_bytes(n * sizeof *m.gradient)};
    nn_error error = {0};
    if (wide) {
        test_ok(nn_snnl_measure_doubles(p->x, p->labels, p->count, p->dims, p->distance, temperature,
                                        &m.result, m.gradient, &error),
                &error);
        return m;
    }
    float *narrow = test_zeros(n);
    test_ok(nn_snnl_measure_floats(p->x32, p->labels, p->count, p->dims, p->distance, temperature, &m.result,
                                   narrow, &error),
            &error);
    for (size_t k = 0; k < n; k++)
        m.gradient[k] = narrow[k];
    free(narrow);
    return m;
}

static void check_gradient(const oracle_problem *p, const measured *m, double tolerance) {
    size_t n = (size_t)p->count * p->dims;
    double *expected = oracle_gradient(p, m->result.temperature), largest = 0;
    for (size_t k = 0; k < n; k++)
        largest = fmax(largest, fabs(expected[k]));
    for (size_t k = 0; k < n; k++)
        assert_true(fabs(m->gradient[k] - expected[k]) <= tolerance * largest);
    free(expected);
}

static void value_and_gradient_match_the_formula(void **state) {
    (void)state;
    for (int distance = 0; distance < 2; distance++)
        for (int wide = 0; wide < 2; wide++) {
            oracle_problem p = oracle_make(90, 7, 4, 1, 2, (nn_distance)distance);
            p.labels[3] = 1000;
            measured m = measure(&p, wide, 0.8);
            oracle_compare("value", m.result.value, oracle_loss(&p, 0.8), wide ? 1e-6 : 1e-5);
            assert_true(m.result.temperature == 0.8);
            assert_int_equal(m.result.usable, 89);
            assert_int_equal(m.result.skipped, 1);
            check_gradient(&p, &m, wide ? 1e-6 : 2e-5);
            free(m.gradient);
            oracle_drop(&p);
        }
}

/* Temperature 0: the value is that at the temperature found, which no other one undercuts. */
static void optimal_temperature(void **state) {
    (void)state;
    for (int distance = 0; distance < 2; distance++)
        for (int wide = 0; wide < 2; wide++) {
            oracle_problem p = oracle_make(60, 5, 3, 1, 0, (nn_distance)distance);
            measured m = measure(&p, wide, 0);
            double found = m.result.temperature, value = m.result.value;
            assert_true(found > 0);
            oracle_compare("value", value, oracle_loss(&p, found), wide ? 1e-6 : 1e-5);
            for (double factor = 1.0 / 64; factor <= 64; factor *= 2)
                assert_true(value <= oracle_loss(&p, found * factor) * (1 + 1e-5));
            check_gradient(&p, &m, wide ? 1e-6 : 2e-5);
            free(m.gradient);
            oracle_drop(&p);
        }
}

static void a_gradient_need_not_be_asked_for(void **state) {
    (void)state;
    oracle_problem p = oracle_make(20, 3, 2, 1, 0, NN_EUCLIDEAN);
    nn_snnl_result result;
    nn_error error = {0};
    test_ok(nn_snnl_measure_floats(p.x32, p.labels, 20, 3, NN_EUCLIDEAN, 2, &result, NULL, &error), &error);
    oracle_compare("single", result.value, oracle_loss(&p, 2), 1e-5);
    test_ok(nn_snnl_measure_doubles(p.x, p.labels, 20, 3, NN_EUCLIDEAN, 2, &result, NULL, &error), &error);
    oracle_compare("double", result.value, oracle_loss(&p, 2), 1e-6);
    oracle_drop(&p);
}

static void bad_arguments_are_refused(void **state) {
    (void)state;
    const float x[2] = {0, 1}, nan[2] = {0, NAN};
    const double wide[2] = {0, INFINITY};
    const int32_t y[2] = {0, 0};
    nn_snnl_result result;
    nn_error error = {0};
    test_fails(nn_snnl_measure_floats(x, y, 0, 1, NN_EUCLIDEAN, 1, &result, NULL, &error), NN_ESHAPE, &error,
               "0 points of 1 dimensions");
    test_fails(nn_snnl_measure_floats(x, y, 2, 1, NN_EUCLIDEAN, -1, &result, NULL, &error), NN_EARGUMENT,
               &error, "temperature -1");
    test_fails(nn_snnl_measure_floats(nan, y, 2, 1, NN_EUCLIDEAN, 1, &result, NULL, &error), NN_ENUMERIC,
               &error, "a feature is NaN or infinite");
    test_fails(nn_snnl_measure_doubles(wide, y, 2, 1, NN_EUCLIDEAN, 1, &result, NULL, &error), NN_ENUMERIC,
               &error, "a feature is NaN or infinite");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(value_and_gradient_match_the_formula),
        cmocka_unit_test(optimal_temperature),
        cmocka_unit_test(a_gradient_need_not_be_asked_for),
        cmocka_unit_test(bad_arguments_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
