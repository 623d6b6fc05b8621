/* Runs of a plan: what they compute, what they refuse, and who is named when a number is none. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "framework/kernels/kernels.h"
#include "framework/op.h"
#include "tests/support/small_network.h"
#include "tests/support/test_ops.h"

static float *values_of(small_network *f, const char *name) {
    return nn_store_values(&f->store, nn_store_find(&f->store, name));
}

static void test_nan_names_the_parameter(void **state) {
    small_network *f = *state;
    small_network_plan(f, (nn_plan_options){.training = true, .loss = f->loss});
    const char *names[] = {"conv1.weight", "norm1.bias", "conv2.bias", "logits.weight"};
    test_ok(small_network_step(f, (nn_run){.rows = 4}), &f->error);
    for (int i = 0; i < 4; i++) {
        char part[64];
        snprintf(part, sizeof part, "parameter '%s' has values that are NaN", names[i]);
        float *value = values_of(f, names[i]), before = *value;
        *value = NAN;
        test_fails(small_network_step(f, (nn_run){.rows = 4}), NN_ENUMERIC, &f->error, part);
        *value = before;
    }
}

static void test_infinity_names_the_layer(void **state) {
    small_network *f = *state;
    small_network_plan(f, (nn_plan_options){.loss = f->loss});
    float *weights = values_of(f, "conv2.weight");
    for (int i = 0; i < 4 * 9 * 4; i++)
        weights[i] = 3e38f;
    test_fails(small_network_step(f, (nn_run){.rows = 4}), NN_ENUMERIC, &f->error,
               "conv 'conv2' is the first layer whose output is NaN or infinite");
}

static void test_nan_input_is_named(void **state) {
    small_network *f = *state;
    small_network_plan(f, (nn_plan_options){.training = true, .loss = f->loss});
    float *image = nn_plan_data(f->plan, f->image);
    image[3 * 50] = NAN; /* of the fourth example */
    test_ok(small_network_step(f, (nn_run){.rows = 3}), &f->error);
    test_fails(small_network_step(f, (nn_run){.rows = 4}), NN_ENUMERIC, &f->error,
               "input 'image' is the first layer whose output is NaN or infinite");
}

/* The loss is 1e20, but its slope 1e50. */
static void test_infinite_gradient_is_named(void **state) {
    small_network *f = *state;
    nn_store store;
    nn_store_begin(&store, 1);
    nn_graph *graph = nn_graph_new(&store);
    nn_node *x = nn_input(graph, "x", NN_SHAPE2(1, 1));
    nn_node *y = nn_dense(x, "steep", (nn_dense_options){.units = 1});
    nn_plan_options options = {.loss = test_weighted_sum(nn_scale(y, 1e20f), "loss")};
    nn_plan *plan;
    test_ok(nn_plan_new(&plan, graph, options, &f->error), &f->error);
    *nn_plan_data(plan, x) = 1e30f;
    *nn_store_values(&store, nn_store_find(&store, "steep.weight")) = 1e-30f;
    test_ok(nn_plan_forward(plan, (nn_run){.rows = 1}, &f->error), &f->error);
    test_fails(nn_plan_backward(plan, (nn_run){.rows = 1}, &f->error), NN_ENUMERIC, &f->error,
               "the gradient of 'steep.weight' has values that are NaN or infinite");
    nn_plan_free(plan);
    nn_graph_free(graph);
    nn_store_free(&store);
}

/* --- metrics -------------------------------------------------------------------------------------------- */

static int counted;

static nn_status counter_shape(nn_node *node, nn_error *error) {
    (void)error;
    node->shape = NN_SCALAR;
    return NN_OK;
}

static void counter_forward(const nn_call *call) {
    *call->output = call->input[0][0];
    counted++;
}

static const nn_op op_counter = {
    .name = "counter", .shape = counter_shape, .forward = {{.whole = counter_forward}}, .early = true};

static void test_metrics_only_when_asked(void **state) {
    small_network *f = *state;
    nn_node *metric = nn_record(&op_counter, "counter", NULL, 0, 1, &f->logits);
    small_network_plan(f, (nn_plan_options){.loss = f->loss, .metrics = &metric, .metrics_count = 1});
    counted = 0;
    for (int i = 1; i <= 3; i++) {
        test_ok(small_network_step(f, (nn_run){.rows = 4}), &f->error);
        assert_int_equal(counted, i - 1);
        test_ok(small_network_step(f, (nn_run){.rows = 4, .metrics = true}), &f->error);
        assert_int_equal(counted, i);
    }
}

/* A metric that is no number fails the run that asks for it, and no other. */
static void test_metric_of_nan(void **state) {
    small_network *f = *state;
    nn_node *extra = nn_input(f->graph, "extra", NN_SHAPE2(4, 2));
    nn_node *metric = test_square_sum(extra, "metric");
    small_network_plan(f, (nn_plan_options){.loss = f->loss, .metrics = &metric, .metrics_count = 1});
    nn_plan_data(f->plan, extra)[0] = INFINITY;
    test_ok(small_network_step(f, (nn_run){.rows = 4}), &f->error);
    test_fails(small_network_step(f, (nn_run){.rows = 4, .metrics = true}), NN_ENUMERIC, &f->error,
               "input 'extra'");
}

static void test_refused_runs(void **state) {
    small_network *f = *state;
    small_network_plan(f, (nn_plan_options){.keep = &f->logits, .keep_count = 1});
    const int rows[] = {-1, 0, 5};
    for (int i = 0; i < 3; i++)
        test_fails(nn_plan_forward(f->plan, (nn_run){.rows = rows[i]}, &f->error), NN_EARGUMENT, &f->error,
                   "'image' has room for 1 to 4");
    test_fails(nn_plan_backward(f->plan, (nn_run){.rows = 4}, &f->error), NN_EARGUMENT, &f->error,
               "without a loss");
    int threads = nn_threads();
    nn_threads_set(threads + 1);
    test_fails(nn_plan_forward(f->plan, (nn_run){.rows = 4}, &f->error), NN_EARGUMENT, &f->error,
               "set their number first");
    nn_threads_set(1); /* fewer are fine */
    test_ok(nn_plan_forward(f->plan, (nn_run){.rows = 4}, &f->error), &f->error);
    nn_threads_set(threads);
}

/* --- allocations ---------------------------------------------------------------------------------------- */

/* The sanitizer's malloc cannot be replaced, and clang's OpenMP allocates for every team. */
#if defined(__GLIBC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define COUNTS_ALLOCATIONS

static long allocations;

extern void *__libc_malloc(size_t bytes);
extern void *__libc_calloc(size_t count, size_t bytes);
extern void *__libc_realloc(void *memory, size_t bytes);
extern void *__libc_memalign(size_t alignment, size_t bytes);

void *malloc(size_t bytes) {
    __atomic_add_fetch(&allocations, 1, __ATOMIC_RELAXED);
    return __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes) {
    __atomic_add_fetch(&allocations, 1, __ATOMIC_RELAXED);
    return __libc_calloc(count, bytes);
}

void *realloc(void *memory, size_t bytes) {
    __atomic_add_fetch(&allocations, 1, __ATOMIC_RELAXED);
    return __libc_realloc(memory, bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes) {
    __atomic_add_fetch(&allocations, 1, __ATOMIC_RELAXED);
    return __libc_memalign(alignment, bytes);
}

/* With one thread, since OpenMP's own teams are allocated anew when their size changes. */
static void test_no_allocation_in_a_step(void **state) {
    small_network *f = *state;
    long before = allocations;
    nn_threads_set(1);
    small_network_plan(f, (nn_plan_options){.training = true, .loss = f->loss});
    assert_true(allocations > before); /* they are counted */
    for (int i = 0; i < 3; i++) {
        before = allocations;
        test_ok(small_network_step(f, (nn_run){.rows = 4}), &f->error);
        assert_true(i == 0 || allocations == before); /* OpenMP and OpenBLAS set themselves up at first */
    }
    nn_threads_set(0);
}
#endif

int main(void) {
    const struct CMUnitTest tests[] = {
#ifdef COUNTS_ALLOCATIONS
        small_network_test(test_no_allocation_in_a_step),
#endif
        small_network_test(test_nan_names_the_parameter),
        small_network_test(test_infinity_names_the_layer),
        small_network_test(test_nan_input_is_named),
        small_network_test(test_infinite_gradient_is_named),
        small_network_test(test_metrics_only_when_asked),
        small_network_test(test_metric_of_nan),
        small_network_test(test_refused_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
