/* calibration.c against the formulas written out example by example and bin by bin, and on cases whose answer is
 * known. */
#include "experiments/common/calibration.h"
#include "tests/support/support.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

enum { BINS = EXP_CALIBRATION_BINS };

static void near(const char *what, double actual, double expected) {
    if (!(fabs(actual - expected) <= 1e-12))
        fail_msg("%s: %.17g, expected %.17g", what, actual, expected);
}

static void expect_bin(const exp_calibration *c, int bin, int count, double confidence, double accuracy) {
    exp_reliability point = exp_calibration_bin(c, bin);
    assert_int_equal(point.count, count);
    near("confidence of a bin", point.confidence, confidence);
    near("accuracy of a bin", point.accuracy, accuracy);
}

static void nothing_added(void **state) {
    (void)state;
    exp_calibration c = {0};
    near("ECE", exp_calibration_error(&c), 0);
    near("Brier", exp_calibration_brier(&c), 0);
    near("confidence", exp_calibration_confidence(&c), 0);
    for (int bin = 0; bin < BINS; bin++)
        expect_bin(&c, bin, 0, 0, 0);
}

/* As often right as confident, in two bins: 7 of 10 at 0.7 and 1 of 4 at 0.25. */
static void perfectly_calibrated(void **state) {
    (void)state;
    exp_calibration c = {0};
    for (int i = 0; i < 10; i++)
        exp_calibration_add(&c, 0.7, i < 7, 0.5);
    for (int i = 0; i < 4; i++)
        exp_calibration_add(&c, 0.25, i == 2, 1.2);
    near("ECE", exp_calibration_error(&c), 0);
    near("confidence", exp_calibration_confidence(&c), 8 / 14.0);
    near("Brier", exp_calibration_brier(&c), (10 * 0.5 + 4 * 1.2) / 14);
    expect_bin(&c, 10, 10, 0.7, 0.7); /* 10/15 < 0.7 <= 11/15 */
    expect_bin(&c, 3, 4, 0.25, 0.25);
}

static void always_wrong_and_sure(void **state) {
    (void)state;
    exp_calibration c = {0};
    const float logits[] = {-1000, 1000, 0};
    for (int i = 0; i < 5; i++)
        exp_calibration_add_logits(&c, logits, 3, i % 2 ? 0 : 2);
    near("ECE", exp_calibration_error(&c), 1);
    near("Brier", exp_calibration_brier(&c), 2);
    near("confidence", exp_calibration_confidence(&c), 1);
    expect_bin(&c, 14, 5, 1, 0);
}

static void always_right_and_sure(void **state) {
    (void)state;
    exp_calibration c = {0};
    const float logits[] = {FLT_MAX, -FLT_MAX, 0, 1};
    exp_calibration_add_logits(&c, logits, 4, 0);
    near("ECE", exp_calibration_error(&c), 0);
    near("Brier", exp_calibration_brier(&c), 0);
    expect_bin(&c, 14, 1, 1, 1);
}

/* Too sure of one example and not sure enough of another: in one bin these cancel, in two they add up. */
static void errors_cancel_within_a_bin_only(void **state) {
    (void)state;
    exp_calibration one = {0}, two = {0};
    exp_calibration_add(&one, 0.95, false, 0);
    exp_calibration_add(&one, 0.95, true, 0);
    near("one bin", exp_calibration_error(&one), 0.45);
    exp_calibration_add(&two, 0.95, false, 0);
    exp_calibration_add(&two, 0.55, true, 0);
    near("two bins", exp_calibration_error(&two), (0.95 + 0.45) / 2);
}

/* An edge belongs to the bin below it; 0 to the first, 1 to the last. */
static void edges(void **state) {
    (void)state;
    exp_calibration c = {0};
    exp_calibration_add(&c, 0, false, 0);
    exp_calibration_add(&c, 5e-324, false, 0);
    expect_bin(&c, 0, 2, 0, 0);
    c = (exp_calibration){0};
    exp_calibration_add(&c, 1, true, 0);
    expect_bin(&c, 14, 1, 1, 1);
    for (int m = 1; m < BINS; m++) {
        const double edge = m / (double)BINS;
        c = (exp_calibration){0};
        exp_calibration_add(&c, edge, true, 0);
        expect_bin(&c, m - 1, 1, edge, 1);
        exp_calibration_add(&c, nextafter(edge, 1), false, 0);
        expect_bin(&c, m, 1, edge, 0);
        expect_bin(&c, m - 1, 1, edge, 1);
    }
}

/* Of equal logits the first is the prediction, as for the accuracy; a third is an edge: 5/15. */
static void equal_logits(void **state) {
    (void)state;
    static const float logits[] = {-7, -7, -7};
    exp_calibration c = {0};
    exp_calibration_add_logits(&c, logits, 3, 0);
    exp_calibration_add_logits(&c, logits, 3, 1);
    expect_bin(&c, 4, 2, 1 / 3.0, 0.5);
    near("Brier", exp_calibration_brier(&c), (2 * 2 + 1 + 1) / 9.0);
    c = (exp_calibration){0};
    exp_calibration_add_logits(&c, logits, 1, 0); /* one class: nothing to be unsure of */
    expect_bin(&c, 14, 1, 1, 1);
}

/* The formulas as they stand, in long double and without the largest logit taken off. */
static void matches_the_formulas(void **state) {
    (void)state;
    enum { EXAMPLES = 500, CLASSES = 7 };
    float *logits = test_normal(EXAMPLES * CLASSES, "logits");
    nn_stream stream = nn_stream_named(3, "labels");
    exp_calibration c = {0};
    double confidence[EXAMPLES], right[EXAMPLES] = {0}, brier = 0, mean = 0, error = 0;
    for (int i = 0; i < EXAMPLES; i++) {
        float *z = logits + i * CLASSES;
        long double sum = 0, largest = 0;
        const int label = (int)nn_random_below(&stream, CLASSES);
        z[label] += 1;
        for (int k = 0; k < CLASSES; k++) {
            z[k] *= 2;
            sum += expl(z[k]);
        }
        for (int k = 0; k < CLASSES; k++) {
            const long double p = expl(z[k]) / sum;
            brier += (double)((p - (k == label)) * (p - (k == label))) / EXAMPLES;
            right[i] = p > largest ? k == label : right[i];
            largest = p > largest ? p : largest;
        }
        confidence[i] = (double)largest;
        mean += confidence[i] / EXAMPLES;
        exp_calibration_add_logits(&c, z, CLASSES, label);
    }
    for (int m = 1; m <= BINS; m++) {
        double n = 0, sure = 0, correct = 0;
        for (int i = 0; i < EXAMPLES; i++)
            if (confidence[i] > (m - 1) / 15.0 && confidence[i] <= m / 15.0) {
                n++;
                sure += confidence[i];
                correct += right[i];
            }
        expect_bin(&c, m - 1, (int)n, n > 0 ? sure / n : 0, n > 0 ? correct / n : 0);
        error += n > 0 ? n / EXAMPLES * fabs(correct / n - sure / n) : 0;
    }
    near("ECE", exp_calibration_error(&c), error);
    near("Brier", exp_calibration_brier(&c), brier);
    near("confidence", exp_calibration_confidence(&c), mean);
    assert_true(error > 0.01);
    free(logits);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_added),
        cmocka_unit_test(perfectly_calibrated),
        cmocka_unit_test(always_wrong_and_sure),
        cmocka_unit_test(always_right_and_sure),
        cmocka_unit_test(errors_cancel_within_a_bin_only),
        cmocka_unit_test(edges),
        cmocka_unit_test(equal_logits),
        cmocka_unit_test(matches_the_formulas),
    };
    return cmocka_run_group_tests_name("calibration", tests, NULL, NULL);
}
