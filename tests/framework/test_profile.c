/* Profiles of plans: the runs and the work that they count, by hand, and times that add up. */
#include <math.h>
#include <string.h>
#include <time.h>

#include "framework/profile.h"
#include "tests/support/small_network.h"

enum { STEPS = 3 };

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void run_steps(small_network *f, int rows) {
    for (int i = 0; i < STEPS; i++)
        test_ok(small_network_step(f, (nn_run){.rows = rows}), &f->error);
}

static void profile(small_network *f, bool training) {
    small_network_plan(f, (nn_plan_options){.training = training, .loss = f->loss});
    test_ok(nn_plan_profile(f->plan, &f->error), &f->error);
}

/* The runs and flop of a layer in one direction, over all of its lines. */
static uint64_t work_of(const nn_plan *plan, const char *layer, bool backward, double *flop) {
    uint64_t runs = 0;
    *flop = 0;
    for (int i = 0; i < nn_profile_count(plan); i++) {
        nn_profile_line line = nn_profile_line_at(plan, i);
        if (strcmp(line.layer, layer) != 0 || line.backward != backward)
            continue;
        runs = line.runs > runs ? line.runs : runs;
        *flop += line.flop;
    }
    return runs;
}

/* conv1: 5 x 5 places, 4 filters, 3 x 3 x 2 weights; its input needs no gradient. conv2: 3 x 3 x 4 weights. The
 * dense layer: 2 x 2 x 4 (after pooling 5 to 2) to 3. */
static void work_is_counted_as_by_hand(void **state) {
    small_network *f = *state;
    const struct {
        const char *layer;
        double products; /* of one example, forward */
        int backward;    /* as many times that: weights' gradient and, past the input, data's */
    } layers[] = {{"conv1", 25 * 4 * 18, 1}, {"conv2", 25 * 4 * 36, 2}, {"logits", 16 * 3, 2}};
    profile(f, true);
    run_steps(f, 4);
    run_steps(f, 2);
    for (int i = 0; i < 3; i++) {
        double examples = STEPS * (4 + 2), flop;
        assert_int_equal(work_of(f->plan, layers[i].layer, false, &flop), 2 * STEPS);
        if (fabs(flop - 2 * layers[i].products * examples) >= 1e-6 * flop)
            fail_msg("%s: %g forward, expected %g", layers[i].layer, flop, 2 * layers[i].products * examples);
        assert_int_equal(work_of(f->plan, layers[i].layer, true, &flop), 2 * STEPS);
        assert_true(fabs(flop - 2 * layers[i].products * examples * layers[i].backward) < 1e-6 * flop);
    }
}

/* Of the same network's gradient with respect to the image: no weight's. */
static void fixed_parameters_are_no_work(void **state) {
    small_network *f = *state;
    double forward, backward;
    small_network_plan(
        f, (nn_plan_options){.loss = f->loss, .gradients = &f->image, .gradients_count = 1, .fixed = true});
    test_ok(nn_plan_profile(f->plan, &f->error), &f->error);
    run_steps(f, 4);
    for (int i = 0; i < 3; i++) {
        const char *layer = (const char *[]){"conv1", "conv2", "logits"}[i];
        work_of(f->plan, layer, false, &forward);
        work_of(f->plan, layer, true, &backward);
        assert_true(forward > 0 && fabs(forward - backward) < 1e-6 * forward);
    }
}

static void times_add_up(void **state) {
    small_network *f = *state;
    profile(f, true);
    double start = seconds();
    run_steps(f, 4);
    double all = seconds() - start, sum = nn_profile_waiting(f->plan);
    for (int i = 0; i < nn_profile_count(f->plan); i++) {
        nn_profile_line line = nn_profile_line_at(f->plan, i);
        assert_true(line.seconds >= 0 && (line.runs == 0 || line.bytes > 0));
        sum += line.seconds;
    }
    assert_true(nn_profile_waiting(f->plan) >= 0);
    assert_true(nn_profile_seconds(f->plan) > 0 && nn_profile_seconds(f->plan) <= all);
    assert_true(fabs(sum - nn_profile_seconds(f->plan)) <= 1e-9 * STEPS + 1e-6 * sum);
}

static void evaluation_runs_nothing_backward(void **state) {
    small_network *f = *state;
    profile(f, false);
    test_ok(nn_plan_forward(f->plan, (nn_run){.rows = 4}, &f->error), &f->error);
    assert_true(nn_profile_count(f->plan) > 0);
    for (int i = 0; i < nn_profile_count(f->plan); i++)
        assert_true(!nn_profile_line_at(f->plan, i).backward || nn_profile_line_at(f->plan, i).runs == 0);
}

static void a_profile_changes_no_result(void **state) {
    small_network *f = *state;
    small_network_plan(f, (nn_plan_options){.loss = f->loss});
    test_ok(nn_plan_forward(f->plan, (nn_run){.rows = 4}, &f->error), &f->error);
    float loss = nn_plan_scalar(f->plan, f->loss);
    assert_int_equal(nn_profile_count(f->plan), 0);
    test_ok(nn_plan_profile(f->plan, &f->error), &f->error);
    test_ok(nn_plan_forward(f->plan, (nn_run){.rows = 4}, &f->error), &f->error);
    assert_true(nn_plan_scalar(f->plan, f->loss) == loss);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        small_network_test(work_is_counted_as_by_hand),
        small_network_test(fixed_parameters_are_no_work),
        small_network_test(times_add_up),
        small_network_test(evaluation_runs_nothing_backward),
        small_network_test(a_profile_changes_no_result),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
