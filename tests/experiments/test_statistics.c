/* Means and spreads by hand, Student's t as tables and closed forms have it, and a published paired test. */
#include "experiments/study/statistics.h"

#include <math.h>

#include "tests/support/support.h"

static void near_to(const char *what, double actual, double expected, double tolerance) {
    if (!(fabs(actual - expected) <= tolerance))
        fail_msg("%s is %.12g, expected %.12g", what, actual, expected);
}

/* --- samples -------------------------------------------------------------------------------------------- */

static void samples(void **state) {
    (void)state;
    const double x[] = {2, NAN, 4, 4, 4, 5, 5, NAN, 7, 9};
    assert_int_equal(exp_known(x, 10), 8);
    near_to("the mean", exp_mean(x, 10), 5, 0);
    near_to("the deviation", exp_deviation(x, 10), sqrt(32 / 7.0), 1e-15);
    near_to("the median of 8", exp_median(x, 10), 4.5, 0);
    near_to("the median of 5", exp_median(x, 6), 4, 0);
    near_to("the median of ties", exp_median((const double[]){3, 1, 3, 3}, 4), 3, 0);
    near_to("the median of two", exp_median((const double[]){-1, 2}, 2), 0.5, 0);
}

static void samples_too_small(void **state) {
    (void)state;
    const double one[] = {NAN, 3}, none[] = {NAN, NAN};
    assert_true(exp_mean(one, 2) == 3 && exp_median(one, 2) == 3 && isnan(exp_deviation(one, 2)));
    assert_int_equal(exp_known(none, 2), 0);
    assert_true(isnan(exp_mean(none, 2)) && isnan(exp_median(none, 2)) && isnan(exp_deviation(none, 2)));
    assert_true(isnan(exp_mean(none, 0)) && isnan(exp_median(none, 0)) && isnan(exp_deviation(none, 0)));
}

/* A large mean does not cost the spread its digits. */
static void a_large_mean(void **state) {
    (void)state;
    const double x[] = {1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16};
    near_to("the deviation", exp_deviation(x, 4), sqrt(30), 1e-12);
}

/* --- Student's t ---------------------------------------------------------------------------------------- */

/* As in any printed table: the quantiles of 0.95, 0.975 and 0.995, to three decimals. */
static const struct {
    int freedom;
    double quantiles[3];
} printed[] = {
    {1, {6.314, 12.706, 63.657}}, {2, {2.920, 4.303, 9.925}},  {3, {2.353, 3.182, 5.841}},
    {4, {2.132, 2.776, 4.604}},   {5, {2.015, 2.571, 4.032}},  {6, {1.943, 2.447, 3.707}},
    {7, {1.895, 2.365, 3.499}},   {8, {1.860, 2.306, 3.355}},  {9, {1.833, 2.262, 3.250}},
    {10, {1.812, 2.228, 3.169}},  {11, {1.796, 2.201, 3.106}}, {12, {1.782, 2.179, 3.055}},
    {13, {1.771, 2.160, 3.012}},  {14, {1.761, 2.145, 2.977}}, {15, {1.753, 2.131, 2.947}},
    {16, {1.746, 2.120, 2.921}},  {17, {1.740, 2.110, 2.898}}, {18, {1.734, 2.101, 2.878}},
    {19, {1.729, 2.093, 2.861}},  {20, {1.725, 2.086, 2.845}}, {21, {1.721, 2.080, 2.831}},
    {22, {1.717, 2.074, 2.819}},  {23, {1.714, 2.069, 2.807}}, {24, {1.711, 2.064, 2.797}},
    {25, {1.708, 2.060, 2.787}},  {26, {1.706, 2.056, 2.779}}, {27, {1.703, 2.052, 2.771}},
    {28, {1.701, 2.048, 2.763}},  {29, {1.699, 2.045, 2.756}}, {30, {1.697, 2.042, 2.750}},
    {100, {1.660, 1.984, 2.626}},
};

static void quantiles_are_those_of_printed_tables(void **state) {
    (void)state;
    static const double probabilities[] = {0.95, 0.975, 0.995};
    for (size_t i = 0; i < sizeof printed / sizeof *printed; i++)
        for (int k = 0; k < 3; k++) {
            char what[64];
            snprintf(what, sizeof what, "the %g quantile of %d degrees", probabilities[k],
                     printed[i].freedom);
            near_to(what, exp_t_quantile(probabilities[k], printed[i].freedom), printed[i].quantiles[k],
                    0.00051);
            near_to(what, exp_t_quantile(1 - probabilities[k], printed[i].freedom), -printed[i].quantiles[k],
                    0.00051);
        }
}

/* For 1, 2 and 4 degrees of freedom the distribution has a closed form. */
static void closed_forms(void **state) {
    (void)state;
    for (int i = 1; i < 200; i++) {
        double p = i / 200.0, t = (i - 100) / 7.0;
        double four = t * (t * t + 6) / (2 * pow(t * t + 4, 1.5)) + 0.5;
        double one = tan(acos(-1) * (p - 0.5)), two = (2 * p - 1) / sqrt(2 * p * (1 - p));
        near_to("a quantile of 1 degree", exp_t_quantile(p, 1), one, 1e-9 * (1 + fabs(one)));
        near_to("a quantile of 2 degrees", exp_t_quantile(p, 2), two, 1e-11 * (1 + fabs(two)));
        near_to("a probability of 4 degrees", exp_t_probability(t, 4), four, 1e-13);
    }
}

/* With many degrees of freedom it is the normal distribution. */
static void many_degrees(void **state) {
    (void)state;
    near_to("the 0.975 quantile", exp_t_quantile(0.975, 1e8), 1.959963985, 1e-7);
    near_to("the middle", exp_t_quantile(0.5, 30), 0, 1e-15);
    near_to("a probability", exp_t_probability(1, 1e8), 0.841344746, 1e-8);
}

/* --- pairs ---------------------------------------------------------------------------------------------- */

/* "Student" (1908), additional hours of sleep under two drugs; the interval as R's t.test(paired = TRUE) prints it. */
static void students_own_example(void **state) {
    (void)state;
    const double first[] = {0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0, 2};
    const double second[] = {1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4};
    exp_difference d = exp_paired_difference(first, second, 10);
    assert_int_equal(d.pairs, 10);
    near_to("the mean difference", d.mean, -1.58, 1e-12);
    near_to("the lower end", d.low, -2.4598858, 5e-8);
    near_to("the upper end", d.high, -0.7001142, 5e-8);
}

static void pairs_without_a_partner(void **state) {
    (void)state;
    const double a[] = {1, 2, NAN, 4}, b[] = {0, NAN, 5, 1};
    exp_difference d = exp_paired_difference(a, b, 4); /* 1 and 3: deviation sqrt(2), half width 12.706 */
    assert_int_equal(d.pairs, 2);
    near_to("the mean of two", d.mean, 2, 1e-15);
    near_to("the lower end of two", d.low, 2 - 12.706205, 1e-6);
    near_to("the upper end of two", d.high, 2 + 12.706205, 1e-6);
    d = exp_paired_difference(a, b, 1);
    assert_true(d.pairs == 1 && d.mean == 1 && isnan(d.low) && isnan(d.high));
    d = exp_paired_difference(a + 1, b + 1, 2);
    assert_true(d.pairs == 0 && isnan(d.mean) && isnan(d.low) && isnan(d.high));
}

/* Rounded numbers, as accuracies are, may differ by the same in all pairs by chance: that is no certainty. */
static void pairs_of_the_same_difference(void **state) {
    (void)state;
    const double a[] = {0.75, 0.5, 1}, b[] = {0.5, 0.25, 0.75};
    exp_difference d = exp_paired_difference(a, b, 3);
    assert_true(d.pairs == 3 && d.mean == 0.25 && isnan(d.low) && isnan(d.high));
    d = exp_paired_difference(a, a, 3);
    assert_true(d.pairs == 3 && d.mean == 0 && isnan(d.low) && isnan(d.high));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples),
        cmocka_unit_test(samples_too_small),
        cmocka_unit_test(a_large_mean),
        cmocka_unit_test(quantiles_are_those_of_printed_tables),
        cmocka_unit_test(closed_forms),
        cmocka_unit_test(many_degrees),
        cmocka_unit_test(students_own_example),
        cmocka_unit_test(pairs_without_a_partner),
        cmocka_unit_test(pairs_of_the_same_difference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
