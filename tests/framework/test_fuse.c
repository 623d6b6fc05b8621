/* Which nodes of a graph are computed together, and that it makes no difference. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "framework/op.h"
#include "tests/support/random_network.h"
#include "tests/support/test_ops.h"

/* --- which ---------------------------------------------------------------------------------------------- */

/* Two batch norms of images; a test puts something behind them. */
typedef struct fixture {
    nn_store store;
    nn_graph *graph;
    nn_node *x, *y, *norm, *other;
} fixture;

static int fixture_begin(void **state) {
    fixture *f = *state = test_bytes(sizeof *f);
    nn_store_begin(&f->store, 1);
    f->graph = nn_graph_new(&f->store);
    f->x = nn_input(f->graph, "x", NN_SHAPE4(2, 3, 3, 4));
    f->y = nn_input(f->graph, "y", NN_SHAPE4(2, 3, 3, 4));
    f->norm = nn_batch_norm(f->x, "norm", (nn_batch_norm_options){0});
    f->other = nn_batch_norm(f->y, "other", (nn_batch_norm_options){0});
    return 0;
}

static int fixture_end(void **state) {
    fixture *f = *state;
    nn_graph_free(f->graph);
    nn_store_free(&f->store);
    free(f);
    return 0;
}

/* The ops of the plan's steps behind the inputs, in their order, separated by blanks. */
static const char *ops_of(fixture *f, nn_plan_options options) {
    static char ops[400];
    nn_plan *plan;
    nn_error error = {0};
    test_ok(nn_plan_new(&plan, f->graph, options, &error), &error);
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    nn_plan_print(plan, file);
    fclose(file);
    ops[0] = 0;
    for (char *rest = text, *line; (line = strsep(&rest, "\n"));) {
        char op[40];
        if (sscanf(line, " %*d %39s", op) == 1 && strcmp(op, "input") != 0)
            strcat(strcat(ops, *ops ? " " : ""), op);
    }
    free(text);
    nn_plan_free(plan);
    return ops;
}

static void test_relu(void **state) {
    fixture *f = *state;
    nn_plan_options options = {.loss = test_square_sum(nn_relu(f->norm), "loss")};
    assert_string_equal(ops_of(f, options), "batch_norm+relu square_sum");
    options.training = true;
    assert_string_equal(ops_of(f, options), "batch_norm+relu square_sum");
    options.unfused = true;
    assert_string_equal(ops_of(f, options), "batch_norm relu square_sum");
    options = (nn_plan_options){.loss = test_square_sum(nn_leaky_relu(f->other, 0.5f), "leaky loss")};
    assert_string_equal(ops_of(f, options), "batch_norm+relu square_sum");
}

/* Of a sum of two, the first takes it in. */
static void test_residual(void **state) {
    fixture *f = *state;
    nn_node *sum = nn_add(f->norm, f->other), *out = nn_relu(sum);
    nn_node *plain = nn_relu(nn_add(f->y, nn_batch_norm(f->x, "third", (nn_batch_norm_options){0})));
    assert_string_equal(ops_of(f, (nn_plan_options){.keep = &out, .keep_count = 1}),
                        "batch_norm batch_norm+add+relu");
    assert_string_equal(ops_of(f, (nn_plan_options){.keep = &plain, .keep_count = 1}), "batch_norm+add+relu");
    assert_string_equal(ops_of(f, (nn_plan_options){.keep = &sum, .keep_count = 1}),
                        "batch_norm batch_norm+add");
    nn_node *kept[] = {sum, out};
    assert_string_equal(ops_of(f, (nn_plan_options){.keep = kept, .keep_count = 2}),
                        "batch_norm batch_norm+add relu");
}

/* Whatever somebody wants to see of the values between. */
static void test_values_that_are_seen(void **state) {
    fixture *f = *state;
    nn_node *out = nn_relu(f->norm), *loss = test_square_sum(out, "loss");
    nn_node *tap_loss = test_square_sum(f->norm, "tap loss");
    const char *apart = "batch_norm relu square_sum";
    assert_string_equal(ops_of(f, (nn_plan_options){.loss = loss, .keep = &f->norm, .keep_count = 1}), apart);
    assert_string_equal(
        ops_of(f, (nn_plan_options){.loss = loss, .gradients = &f->norm, .gradients_count = 1}), apart);
    assert_string_equal(ops_of(f, (nn_plan_options){.loss = loss, .metrics = &tap_loss, .metrics_count = 1}),
                        "batch_norm square_sum relu square_sum");
    nn_node *wanted[] = {f->x, out};
    assert_string_equal(ops_of(f, (nn_plan_options){.loss = loss, .gradients = wanted, .gradients_count = 2}),
                        "batch_norm+relu square_sum");
}

static void test_left_alone(void **state) {
    fixture *f = *state;
    nn_node *own = nn_relu(nn_add(f->norm, f->x)), *twice = nn_add(f->other, f->other);
    nn_node *smooth = nn_tanh(nn_batch_norm(f->x, "third", (nn_batch_norm_options){0}));
    assert_string_equal(ops_of(f, (nn_plan_options){.keep = &own, .keep_count = 1}), "batch_norm add relu");
    assert_string_equal(ops_of(f, (nn_plan_options){.keep = &twice, .keep_count = 1}), "batch_norm add");
    assert_string_equal(ops_of(f, (nn_plan_options){.keep = &smooth, .keep_count = 1}), "batch_norm tanh");
}

/* Of two with the same running statistics, the first recorded moves them first. */
static void test_shared_statistics(void **state) {
    fixture *f = *state;
    nn_node *again = nn_batch_norm(f->y, "norm", (nn_batch_norm_options){0});
    nn_node *both[] = {nn_relu(f->norm), nn_relu(again)};
    assert_string_equal(ops_of(f, (nn_plan_options){.keep = both, .keep_count = 2}),
                        "batch_norm batch_norm relu relu");
    assert_string_equal(ops_of(f, (nn_plan_options){.keep = both, .keep_count = 1}), "batch_norm+relu");
}

/* --- with the same results ------------------------------------------------------------------------------ */

typedef struct results {
    double values[1 << 14];
    size_t count;
} results;

static void collect(results *r, const float *values, size_t count) {
    assert_true(r->count + count <= sizeof r->values / sizeof *r->values);
    for (size_t i = 0; i < count && values; i++)
        r->values[r->count++] = values[i];
}

/* Everything that can be read after a step. */
static void step(uint64_t seed, nn_plan_options options, results *r) {
    network n;
    nn_error error = {0};
    nn_run run = {.rows = NETWORK_BATCH, .metrics = true};
    network_begin(&n, seed, false);
    nn_plan *plan = network_plan(&n, options);
    test_ok(nn_plan_forward(plan, run, &error), &error);
    test_ok(nn_plan_backward(plan, run, &error), &error);
    r->count = 0;
    collect(r, nn_plan_data(plan, n.loss), 1);
    const network_list *lists[] = {&n.keep, &n.metrics, &n.gradients};
    for (int l = 0; l < 3; l++)
        for (int i = 0; i < lists[l]->count; i++) {
            const nn_node *node = lists[l]->nodes[i];
            const float *values = l == 2 ? nn_plan_gradient(plan, node) : nn_plan_data(plan, node);
            collect(r, values, nn_shape_count(nn_node_shape(node)));
        }
    collect(r, n.store.gradients, n.store.parameter_count);
    collect(r, n.store.statistics, n.store.statistic_count);
    nn_plan_free(plan);
    network_end(&n);
}

static void test_random_networks(void **state) {
    (void)state;
    results *fused = test_bytes(sizeof *fused), *unfused = test_bytes(sizeof *unfused);
    float *values = test_zeros(sizeof fused->values / sizeof *fused->values);
    for (uint64_t seed = 2000; seed < 2250; seed++) {
        nn_plan_options options = {.training = seed % 4 != 0};
        char what[40];
        snprintf(what, sizeof what, "network %d", (int)seed);
        step(seed, options, fused);
        options.unfused = true;
        step(seed, options, unfused);
        assert_int_equal(fused->count, unfused->count);
        for (size_t i = 0; i < fused->count; i++)
            values[i] = (float)fused->values[i];
        test_close(what, values, unfused->values, fused->count, 1e-5);
    }
    free(fused), free(unfused), free(values);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_relu, fixture_begin, fixture_end),
        cmocka_unit_test_setup_teardown(test_residual, fixture_begin, fixture_end),
        cmocka_unit_test_setup_teardown(test_values_that_are_seen, fixture_begin, fixture_end),
        cmocka_unit_test_setup_teardown(test_left_alone, fixture_begin, fixture_end),
        cmocka_unit_test_setup_teardown(test_shared_statistics, fixture_begin, fixture_end),
        cmocka_unit_test(test_random_networks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
