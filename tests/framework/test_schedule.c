/* Learning rates against values worked out by hand. */
#include <math.h>

#include "tests/support/support.h"

static void expect_rate(nn_schedule schedule, uint64_t step, double expected) {
    double actual = nn_schedule_rate(&schedule, step);
    if (!(fabs(actual - expected) <= 1e-12))
        fail_msg("kind %d, step %d: %.15g, expected %.15g", schedule.kind, (int)step, actual, expected);
}

static void test_constant(void **state) {
    (void)state;
    nn_schedule s = {.kind = NN_SCHEDULE_CONSTANT, .rate = 0.3, .steps = 10};
    for (uint64_t step = 0; step < 10; step++)
        expect_rate(s, step, 0.3);
}

static void test_step(void **state) {
    (void)state;
    nn_schedule s = {.kind = NN_SCHEDULE_STEP, .rate = 0.5, .steps = 8};
    const double expected[] = {0.5, 0.5, 0.5, 0.5, 0.05, 0.05, 0.005, 0.005};
    for (uint64_t step = 0; step < 8; step++)
        expect_rate(s, step, expected[step]);
}

static void test_cosine(void **state) {
    (void)state;
    nn_schedule s = {.kind = NN_SCHEDULE_COSINE, .rate = 2, .steps = 12};
    expect_rate(s, 0, 2);
    expect_rate(s, 2, 1 + sqrt(3) / 2);
    expect_rate(s, 3, 1 + sqrt(2) / 2);
    expect_rate(s, 4, 1.5);
    expect_rate(s, 6, 1);
    expect_rate(s, 8, 0.5);
    expect_rate(s, 12, 0);
    expect_rate(s, 100, 0);
}

static void test_exponential(void **state) {
    (void)state;
    nn_schedule s = {.kind = NN_SCHEDULE_EXPONENTIAL, .rate = 1, .steps = 30};
    expect_rate(s, 0, 1);
    expect_rate(s, 10, 0.1);
    expect_rate(s, 20, 0.01);
    expect_rate(s, 30, 0.001);
    for (uint64_t step = 1; step < 30; step++)
        expect_rate(s, step, nn_schedule_rate(&s, step - 1) * pow(10, -0.1));
}

/* The warm-up rises in equal parts; the curve spans what is left. */
static void test_warmup(void **state) {
    (void)state;
    for (int kind = NN_SCHEDULE_CONSTANT; kind <= NN_SCHEDULE_EXPONENTIAL; kind++) {
        nn_schedule with = {.kind = kind, .rate = 0.8, .steps = 24, .warmup = 4};
        nn_schedule without = {.kind = kind, .rate = 0.8, .steps = 20};
        for (uint64_t step = 0; step < 4; step++)
            expect_rate(with, step, 0.2 * (double)(step + 1));
        for (uint64_t step = 4; step < 24; step++)
            expect_rate(with, step, nn_schedule_rate(&without, step - 4));
    }
}

static void test_short_runs(void **state) {
    (void)state;
    for (int kind = NN_SCHEDULE_CONSTANT; kind <= NN_SCHEDULE_EXPONENTIAL; kind++) {
        expect_rate((nn_schedule){.kind = kind, .rate = 1, .steps = 1}, 0, 1);
        expect_rate((nn_schedule){.kind = kind, .rate = 1, .steps = 2, .warmup = 5}, 1, 0.4);
        assert_true(isfinite(nn_schedule_rate(&(nn_schedule){.kind = kind, .rate = 1}, 0)));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_constant),    cmocka_unit_test(test_step),   cmocka_unit_test(test_cosine),
        cmocka_unit_test(test_exponential), cmocka_unit_test(test_warmup), cmocka_unit_test(test_short_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
