/* Dropout: what it keeps is scaled, what it drops gets no gradient, and in evaluation it is not there. */
#include <math.h>
#include <string.h>

#include "tests/support/op_check.h"

static float rate_of(const op_check *check) {
    return *(const float *)check->detail;
}

static nn_node *build(const op_check *check, nn_node *const *inputs) {
    return nn_dropout(inputs[0], "drop", rate_of(check));
}

static op_check check_of(nn_shape shape, int rows, const float *rate) {
    return (op_check){
        .name = "dropout", .inputs = {shape}, .input_count = 1, .rows = rows, .detail = rate, .build = build};
}

static const float rates[] = {0, 0.1f, 0.5f, 0.9f};
enum { RATES = sizeof rates / sizeof *rates };

/* Each element is 0 in output and gradient, or scaled by 1 / (1 - rate) in both: the same mask. */
static void test_values_and_gradients(void **state) {
    (void)state;
    const nn_shape shapes[] = {NN_SHAPE2(1, 1),  NN_SHAPE2(1, 3),       NN_SHAPE2(2, 16),
                               NN_SHAPE2(3, 17), NN_SHAPE4(2, 5, 5, 3), NN_SHAPE2(5, 7001)};
    for (int s = 0; s < 6; s++)
        for (int k = 0; k < RATES; k++) {
            op_check check = check_of(shapes[s], 0, &rates[k]);
            op_result r = op_run(&check, (op_mode){0});
            float scale = 1 / (1 - rates[k]);
            for (size_t i = 0; i < r.count; i++) {
                bool dropped = r.output[i] == 0;
                assert_true(rates[k] > 0 || !dropped);
                assert_true(dropped || r.output[i] == r.arguments[0][i] * scale);
                assert_true(r.gradients[0][i] == (dropped ? 0 : r.weights[i] * scale));
            }
            op_result_free(&r);
        }
}

static size_t dropped(const float *y, size_t count) {
    size_t zeros = 0;
    for (size_t i = 0; i < count; i++)
        zeros += y[i] == 0;
    return zeros;
}

/* Within five standard deviations of the binomial distribution, over all and over each column. */
static void test_rate(void **state) {
    (void)state;
    enum { ROWS = 4000, COLUMNS = 13 };
    for (int k = 1; k < RATES; k++) {
        op_check check = check_of(NN_SHAPE2(ROWS, COLUMNS), 0, &rates[k]);
        op_result r = op_run(&check, (op_mode){0});
        double p = rates[k], all = (double)r.count;
        assert_true(fabs((double)dropped(r.output, r.count) - all * p) < 5 * sqrt(all * p * (1 - p)));
        for (int c = 0; c < COLUMNS; c++) {
            double zeros = 0;
            for (int b = 0; b < ROWS; b++)
                zeros += r.output[b * COLUMNS + c] == 0;
            assert_true(fabs(zeros - ROWS * p) < 5 * sqrt(ROWS * p * (1 - p)));
        }
        op_result_free(&r);
    }
}

static void expect_same(const op_check *check, op_mode mode, const op_result *r) {
    op_result other = op_run(check, mode);
    test_same_bits("output", other.output, r->output, r->count * sizeof(float));
    test_same_bits("gradient", other.gradients[0], r->gradients[0], r->count * sizeof(float));
    op_result_free(&other);
}

static void test_same_for_threads_and_memory(void **state) {
    (void)state;
    op_check check = check_of(NN_SHAPE2(5, 7001), 4, &rates[2]);
    op_result r = op_run(&check, (op_mode){.first_step = 9});
    expect_same(&check, (op_mode){.first_step = 9, .threads = 1}, &r);
    expect_same(&check, (op_mode){.first_step = 9, .threads = 7}, &r);
    expect_same(&check, (op_mode){.first_step = 9, .poison = true}, &r);
    expect_same(&check, (op_mode){.first_step = 9, .separate = true}, &r);
    expect_same(&check, (op_mode){.first_step = 7, .steps = 3}, &r); /* only the step's number counts */
    op_result twice = op_run(&check, (op_mode){.first_step = 9, .twice = true});
    for (size_t i = 0; i < r.count; i++)
        assert_true(twice.gradients[0][i] == 2 * r.gradients[0][i]);
    op_result_free(&twice);
    op_result_free(&r);
}

/* Half of the masks' elements agree by chance, at rate 1/2: five standard deviations around it. */
static void expect_independent(const op_result *a, const op_result *b) {
    double n = (double)a->count, agree = 0;
    for (size_t i = 0; i < a->count; i++)
        agree += (a->output[i] == 0) == (b->output[i] == 0);
    assert_true(fabs(agree - n / 2) < 5 * sqrt(n) / 2);
}

static nn_node *build_other(const op_check *check, nn_node *const *inputs) {
    return nn_dropout(inputs[0], "other", rate_of(check));
}

/* Steps that differ in the low and in the high half of their number, and another layer. */
static void test_masks_differ(void **state) {
    (void)state;
    op_check check = check_of(NN_SHAPE2(50, 100), 0, &rates[2]);
    op_result first = op_run(&check, (op_mode){0});
    const uint64_t steps[] = {1, 2, (uint64_t)1 << 32};
    for (int i = 0; i < 3; i++) {
        op_result next = op_run(&check, (op_mode){.first_step = steps[i]});
        expect_independent(&first, &next);
        op_result_free(&next);
    }
    check.build = build_other;
    op_result other = op_run(&check, (op_mode){0});
    expect_independent(&first, &other);
    op_result_free(&other);
    op_result_free(&first);
}

static void test_evaluation(void **state) {
    (void)state;
    for (int rows = 0; rows <= 3; rows += 3)
        for (int k = 0; k < RATES; k++) {
            op_check check = check_of(NN_SHAPE2(5, 17), rows, &rates[k]);
            check.evaluation = true;
            for (int separate = 0; separate < 2; separate++) {
                op_result r = op_run(&check, (op_mode){.separate = separate, .poison = true});
                test_same_bits("output", r.output, r.arguments[0], r.count * sizeof(float));
                test_same_bits("gradient", r.gradients[0], r.weights, r.count * sizeof(float));
                op_result_free(&r);
            }
            op_result twice = op_run(&check, (op_mode){.twice = true});
            for (size_t i = 0; i < twice.count; i++)
                assert_true(twice.gradients[0][i] == 2 * twice.weights[i]);
            op_result_free(&twice);
        }
}

static nn_node *build_of_labels(const op_check *check, nn_node *const *inputs) {
    return nn_dropout(nn_labels(nn_node_graph(inputs[0]), "classes", 4, 3), "drop", rate_of(check));
}

static nn_node *build_long_name(const op_check *check, nn_node *const *inputs) {
    char name[NN_NAME_MAX + 1];
    memset(name, 'n', sizeof name);
    name[NN_NAME_MAX] = 0;
    return nn_dropout(inputs[0], name, rate_of(check));
}

static void test_refusals(void **state) {
    (void)state;
    const float bad[] = {-0.1f, 1, 1.5f, NAN};
    for (int i = 0; i < 4; i++) {
        op_check check = check_of(NN_SHAPE2(4, 3), 0, &bad[i]);
        op_refused(&check, NN_EARGUMENT, "dropout 'drop': the rate");
    }
    op_check check = check_of(NN_SHAPE2(4, 3), 0, &rates[1]);
    check.build = build_of_labels;
    op_refused(&check, NN_EARGUMENT, "its input is not floats");
    check.build = build_long_name;
    op_refused(&check, NN_EARGUMENT, "is longer than 63 characters");
    assert_null(nn_dropout(NULL, "drop", 0.5f));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_and_gradients),
        cmocka_unit_test(test_rate),
        cmocka_unit_test(test_same_for_threads_and_memory),
        cmocka_unit_test(test_masks_differ),
        cmocka_unit_test(test_evaluation),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
