/* Training as a user of the library writes it: a step in one call, scalars to watch, trainings side by side. */
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/small_network.h"

enum { STEPS = 5 };

static void begin(small_network *f, nn_optimizer *optimizer) {
    small_network_plan(f, (nn_plan_options){.training = true, .loss = f->loss});
    nn_optimizer_options options = {.kind = NN_ADAM};
    test_ok(nn_optimizer_begin(optimizer, &f->store, options, &f->error), &f->error);
}

static void end(small_network *f, nn_optimizer *optimizer) {
    nn_optimizer_free(optimizer);
    void *state = f;
    small_network_end(&state);
}

static small_network *trained(nn_optimizer *optimizer) {
    void *state;
    small_network_begin(&state);
    small_network *f = state;
    begin(f, optimizer);
    for (uint64_t step = 0; step < STEPS; step++)
        test_ok(nn_optimizer_train(optimizer, f->plan, (nn_run){.rows = 4, .step = step}, 0.01f, &f->error),
                &f->error);
    return f;
}

static void a_step_is_forward_backward_update(void **state) {
    small_network *f = *state;
    nn_optimizer optimizer, other;
    begin(f, &optimizer);
    for (uint64_t step = 0; step < STEPS; step++) {
        test_ok(small_network_step(f, (nn_run){.rows = 4, .step = step}), &f->error);
        nn_optimizer_step(&optimizer, 0.01f);
    }
    small_network *same = trained(&other);
    test_same_bits("parameters", f->store.parameters, same->store.parameters,
                   f->store.parameter_count * sizeof(float));
    end(same, &other);
    nn_optimizer_free(&optimizer);
}

static void a_failed_step_updates_nothing(void **state) {
    small_network *f = *state;
    nn_optimizer optimizer, other;
    begin(f, &optimizer);
    size_t bytes = f->store.parameter_count * sizeof(float);
    float *before = memcpy(test_zeros(f->store.parameter_count), f->store.parameters, bytes);
    nn_plan_data(f->plan, f->image)[7] = NAN;
    test_fails(nn_optimizer_train(&optimizer, f->plan, (nn_run){.rows = 4}, 0.01f, &f->error), NN_ENUMERIC,
               &f->error, "NaN");
    small_network *another = trained(&other);
    test_fails(nn_optimizer_train(&optimizer, another->plan, (nn_run){.rows = 4}, 0.01f, &f->error),
               NN_EARGUMENT, &f->error, "another store");
    test_same_bits("parameters", f->store.parameters, before, bytes);
    assert_int_equal(optimizer.steps, 0);
    end(another, &other);
    free(before);
    nn_optimizer_free(&optimizer);
}

static void scalars_are_readable(void **state) {
    small_network *f = *state;
    nn_node *accuracy = nn_accuracy(f->logits, f->labels), *half = nn_scale(f->loss, 0.5f);
    small_network_plan(f, (nn_plan_options){.loss = half});
    test_ok(small_network_step(f, (nn_run){.rows = 4}), &f->error);
    float value = nn_plan_scalar(f->plan, f->loss);
    assert_true(value > 0 && nn_plan_scalar(f->plan, half) == 0.5f * value);
    assert_true(isnan(nn_plan_scalar(f->plan, accuracy))); /* computed by no run */
    assert_null(nn_plan_data(f->plan, f->logits));
}

static void *train_apart(void *context) {
    small_network **f = context;
    nn_optimizer optimizer;
    *f = trained(&optimizer);
    nn_optimizer_free(&optimizer);
    return NULL;
}

/* What two threads of the user train at the same time is what one trains. */
static void trainings_side_by_side(void **state) {
    (void)state;
    pthread_t threads[2];
    small_network *nets[3];
    nn_threads_set(2);
    train_apart(&nets[0]);
    for (int t = 0; t < 2; t++)
        assert_int_equal(pthread_create(&threads[t], NULL, train_apart, &nets[1 + t]), 0);
    for (int t = 0; t < 2; t++)
        assert_int_equal(pthread_join(threads[t], NULL), 0);
    for (int t = 1; t < 3; t++)
        test_same_bits("parameters", nets[t]->store.parameters, nets[0]->store.parameters,
                       nets[0]->store.parameter_count * sizeof(float));
    for (int t = 0; t < 3; t++) {
        void *net = nets[t];
        small_network_end(&net);
    }
    nn_threads_set(0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        small_network_test(a_step_is_forward_backward_update),
        small_network_test(a_failed_step_updates_nothing),
        small_network_test(scalars_are_readable),
        cmocka_unit_test(trainings_side_by_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
