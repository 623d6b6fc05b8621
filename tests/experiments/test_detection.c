/* detection.c against its definitions by counting all pairs and all thresholds, against scikit-learn, and on cases whose
 * answer is known. */
#include "experiments/outliers/detection.h"
#include "tests/support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 600 };

static void near(const char *what, double actual, double expected) {
    if (!(fabs(actual - expected) <= 1e-12))
        fail_msg("%s: %.17g, expected %.17g", what, actual, expected);
}

static exp_detection detect(const double *in, int ins, const double *out, int outs) {
    exp_detection d;
    nn_error error = {0};
    test_ok(exp_detect(in, ins, out, outs, &d, NULL, NULL, &error), &error);
    assert_true(d.in == ins && d.out == outs);
    return d;
}

/* --- by counting ---------------------------------------------------------------------------------------- */

static double pairs_in_order(const double *in, int ins, const double *out, int outs) {
    double sum = 0;
    for (int i = 0; i < ins; i++)
        for (int j = 0; j < outs; j++)
            sum += in[i] > out[j] ? 1 : in[i] == out[j] ? 0.5 : 0;
    return sum / ins / outs;
}

static int at_least(const double *scores, int count, double threshold, double sign) {
    int found = 0;
    for (int i = 0; i < count; i++)
        found += sign * scores[i] >= threshold;
    return found;
}

static int ascending(const void *a, const void *b) {
    return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}

/* The mean over the positives of the precision at their own score, which is what average precision comes to. */
static double precision_of_positives(const double *positive, int positives, const double *other, int others,
                                     double sign) {
    double sum = 0;
    for (int i = 0; i < positives; i++) {
        double threshold = sign * positive[i];
        int right = at_least(positive, positives, threshold, sign),
            wrong = at_least(other, others, threshold, sign);
        sum += right / (double)(right + wrong);
    }
    return sum / positives;
}

/* The threshold that lets as many of the lowest pass by as is allowed. */
static double fpr_at_95(const double *in, int ins, const double *out, int outs) {
    double sorted[MOST];
    memcpy(sorted, in, (size_t)ins * sizeof *sorted);
    qsort(sorted, (size_t)ins, sizeof *sorted, ascending);
    return at_least(out, outs, sorted[ins / 20], 1) / (double)outs;
}

static void compare(const double *in, int ins, const double *out, int outs) {
    exp_detection d = detect(in, ins, out, outs);
    near("AUROC", d.auroc, pairs_in_order(in, ins, out, outs));
    near("AUPR in", d.aupr_in, precision_of_positives(in, ins, out, outs, 1));
    near("AUPR out", d.aupr_out, precision_of_positives(out, outs, in, ins, -1));
    near("FPR95", d.fpr95, fpr_at_95(in, ins, out, outs));
}

/* Rounded more and more coarsely, down to a few distinct scores. */
static void as_by_counting(void **state) {
    (void)state;
    float *x = test_normal(2 * MOST, "scores");
    static const int counts[][2] = {{1, 1},   {1, 40},  {40, 1},     {19, 21},
                                    {20, 20}, {21, 19}, {MOST, 333}, {100, MOST}};
    for (size_t k = 0; k < sizeof counts / sizeof *counts; k++)
        for (double step = 0.001; step < 10; step *= 8) {
            double in[MOST], out[MOST];
            for (int i = 0; i < MOST; i++) {
                in[i] = step * round((x[i] + 0.7) / step);
                out[i] = step * round(1.3 * x[MOST + i] / step);
            }
            compare(in, counts[k][0], out, counts[k][1]);
        }
    free(x);
}

/* --- by hand -------------------------------------------------------------------------------------------- */

static void apart(void **state) {
    (void)state;
    const double in[] = {5, 9, 7}, out[] = {1, -INFINITY, 2, 4};
    exp_detection d = detect(in, 3, out, 4);
    assert_true(d.auroc == 1 && d.aupr_in == 1 && d.aupr_out == 1 && d.fpr95 == 0);
    d = detect(out, 4, in, 3); /* the wrong way round */
    assert_true(d.auroc == 0 && d.fpr95 == 1);
    near("AUPR in", d.aupr_in, (1 / 4.0 + 2 / 5.0 + 3 / 6.0 + 4 / 7.0) / 4);
    near("AUPR out", d.aupr_out, (1 / 5.0 + 2 / 6.0 + 3 / 7.0) / 3);
}

static void all_equal(void **state) {
    (void)state;
    const double in[] = {INFINITY, INFINITY, INFINITY}, out[] = {INFINITY};
    exp_detection d = detect(in, 3, out, 1);
    assert_true(d.auroc == 0.5 && d.aupr_in == 0.75 && d.aupr_out == 0.25 && d.fpr95 == 1);
}

/* From high to low: in, tie of one each, out, in. */
static void mixed(void **state) {
    (void)state;
    const double in[] = {3, 2, 0}, out[] = {2, 1};
    exp_detection d = detect(in, 3, out, 2);
    near("AUROC", d.auroc, (2 + 1.5 + 0) / 6);
    near("AUPR in", d.aupr_in, (1 + 2 / 3.0 + 3 / 5.0) / 3);
    near("AUPR out", d.aupr_out, (1 / 2.0 + 2 / 4.0) / 2);
    near("FPR95", d.fpr95, 1);
}

/* Exactly 95% is enough, one example less is not. */
static void just_95_percent(void **state) {
    (void)state;
    double in[40], out[2] = {1.5, 2.5};
    for (int i = 0; i < 40; i++)
        in[i] = i < 2 ? 1 : i < 3 ? 2 : 3;
    near("38 of 40", detect(in, 40, out, 2).fpr95, 0.5);
    in[2] = 1;
    near("37 of 40", detect(in, 40, out, 2).fpr95, 1);
}

static void the_curve(void **state) {
    (void)state;
    const double in[] = {3, 2, 0}, out[] = {2, 1};
    static const exp_roc_point expected[] = {{0, 0}, {0, 1 / 3.0}, {0.5, 2 / 3.0}, {1, 2 / 3.0}, {1, 1}};
    exp_roc_point roc[6];
    exp_detection d;
    int points;
    nn_error error = {0};
    test_ok(exp_detect(in, 3, out, 2, &d, roc, &points, &error), &error);
    assert_int_equal(points, 5);
    double area = 0;
    for (int k = 0; k < points; k++) {
        near("FPR", roc[k].fpr, expected[k].fpr);
        near("TPR", roc[k].tpr, expected[k].tpr);
        if (k > 0)
            area += (roc[k].fpr - roc[k - 1].fpr) * (roc[k].tpr + roc[k - 1].tpr) / 2;
    }
    near("area", area, d.auroc);
}

/* --- scikit-learn --------------------------------------------------------------------------------------- */

static double next_number(char **rest) {
    char *word = strtok_r(NULL, ",", rest);
    assert_non_null(word);
    return strtod(word, NULL);
}

static void compare_line(char *line) {
    char *rest = NULL;
    double in[MOST], out[MOST], expected[4];
    int ins = atoi(strtok_r(line, ",", &rest)), outs = (int)next_number(&rest);
    assert_true(ins > 0 && ins <= MOST && outs > 0 && outs <= MOST);
    for (int k = 0; k < 4; k++)
        expected[k] = next_number(&rest);
    for (int i = 0; i < ins; i++)
        in[i] = next_number(&rest);
    for (int i = 0; i < outs; i++)
        out[i] = next_number(&rest);
    exp_detection d = detect(in, ins, out, outs);
    near("AUROC", d.auroc, expected[0]);
    near("AUPR in", d.aupr_in, expected[1]);
    near("AUPR out", d.aupr_out, expected[2]);
    near("FPR95", d.fpr95, expected[3]);
}

static void as_scikit_learn(void **state) {
    (void)state;
    unsigned char *bytes;
    size_t size;
    int cases = 0;
    nn_error error = {0};
    test_ok(nn_file_read("tests/golden/sklearn_detection.csv", 1 << 16, &bytes, &size, &error), &error);
    char *text = test_bytes(size + 1), *rest = NULL;
    memcpy(text, bytes, size);
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        if (line[0] >= '0' && line[0] <= '9') {
            compare_line(line);
            cases++;
        }
    assert_int_equal(cases, 8);
    free(bytes);
    free(text);
}

/* --- mistakes ------------------------------------------------------------------------------------------- */

static void refused(void **state) {
    (void)state;
    const double in[] = {3, 2}, out[] = {2, NAN};
    exp_detection d;
    nn_error error = {0};
    test_fails(exp_detect(in, 2, out, 2, &d, NULL, NULL, &error), NN_ENUMERIC, &error,
               "the score of out-of-distribution example 1 is NaN");
    test_fails(exp_detect(in, 0, out, 1, &d, NULL, NULL, &error), NN_EARGUMENT, &error,
               "there are no scores of in-distribution examples");
    test_fails(exp_detect(in, 2, out, 0, &d, NULL, NULL, &error), NN_EARGUMENT, &error,
               "there are no scores of out-of-distribution examples");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_by_counting),  cmocka_unit_test(apart),           cmocka_unit_test(all_equal),
        cmocka_unit_test(mixed),           cmocka_unit_test(just_95_percent), cmocka_unit_test(the_curve),
        cmocka_unit_test(as_scikit_learn), cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
