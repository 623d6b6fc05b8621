/* Plans: whatever memory is shared and whatever works in place, results are those of a plan where every
 * buffer has memory of its own. And what a plan refuses and shows. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "framework/op.h"
#include "tests/support/random_network.h"
#include "tests/support/small_network.h"
#include "tests/support/test_ops.h"

/* --- random networks ------------------------------------------------------------------------------------ */

static uint64_t digest_of(uint64_t hash, const network *n, const nn_plan *plan, nn_run run) {
    const network_list *lists[] = {&n->keep, &n->metrics, &n->gradients};
    hash = nn_hash(hash, nn_plan_data(plan, n->loss), sizeof(float));
    for (int l = 0; l < 3; l++)
        for (int i = 0; i < lists[l]->count; i++) {
            const nn_node *node = lists[l]->nodes[i];
            const float *values = l == 2 ? nn_plan_gradient(plan, node) : nn_plan_data(plan, node);
            nn_call call = {.rows = run.rows};
            if (values && (l != 1 || run.metrics)) /* NULL: the gradient of what the loss does not need */
                hash = nn_hash(hash, values, nn_call_count(&call, node) * sizeof *values);
        }
    hash = nn_hash(hash, n->store.gradients, n->store.parameter_count * sizeof(float));
    return nn_hash(hash, n->store.statistics, n->store.statistic_count * sizeof(float));
}

/* Three steps, the middle one with a row less and without metrics; a digest of all that can be read. */
static uint64_t digest_steps(uint64_t seed, nn_plan_options options, size_t *bytes) {
    network n;
    nn_error error = {0};
    network_begin(&n, seed, false);
    nn_plan *plan = network_plan(&n, options);
    uint64_t hash = nn_hash_start;
    for (int step = 0; step < 3; step++) {
        nn_run run = {.rows = NETWORK_BATCH - (step == 1), .metrics = step != 1, .step = (uint64_t)step};
        test_ok(nn_plan_forward(plan, run, &error), &error);
        test_ok(nn_plan_backward(plan, run, &error), &error);
        hash = digest_of(hash, &n, plan, run);
        for (size_t i = 0; i < n.store.parameter_count; i++)
            n.store.parameters[i] -= 1e-3f * n.store.gradients[i];
    }
    *bytes = nn_plan_bytes(plan);
    nn_plan_free(plan);
    network_end(&n);
    return hash;
}

static void test_planned_is_separate(void **state) {
    (void)state;
    size_t planned_sum = 0, separate_sum = 0;
    for (uint64_t seed = 0; seed < 250; seed++) {
        size_t planned, separate, poisoned;
        nn_plan_options alone = {.training = seed % 4 != 0, .separate = true},
                        shared = {.training = alone.training},
                        poison = {.training = alone.training, .poison = true};
        uint64_t expected = digest_steps(seed, alone, &separate);
        if (digest_steps(seed, shared, &planned) != expected)
            fail_msg("network %d: shared memory changes the results", (int)seed);
        if (digest_steps(seed, poison, &poisoned) != expected)
            fail_msg("network %d: something is read before it is written", (int)seed);
        assert_true(planned <= separate && planned == poisoned);
        planned_sum += planned;
        separate_sum += separate;
    }
    assert_true(planned_sum < 0.8 * (double)separate_sum);
}

static float loss_at(network *n, nn_plan *plan, const float *start, const float *direction, float distance) {
    nn_error error = {0};
    for (size_t i = 0; i < n->store.parameter_count; i++)
        n->store.parameters[i] = start[i] + distance * direction[i];
    test_ok(nn_plan_forward(plan, (nn_run){.rows = NETWORK_BATCH}, &error), &error);
    return nn_plan_scalar(plan, n->loss);
}

/* Along the gradient the loss rises by its length: no contribution is left out or counted twice. */
static void test_gradient_is_slope(void **state) {
    (void)state;
    for (uint64_t seed = 1000; seed < 1100; seed++) {
        network n;
        nn_error error = {0};
        nn_run run = {.rows = NETWORK_BATCH};
        network_begin(&n, seed, true);
        nn_plan *plan = network_plan(&n, (nn_plan_options){.training = true});
        size_t count = n.store.parameter_count;
        test_ok(nn_plan_forward(plan, run, &error), &error);
        test_ok(nn_plan_backward(plan, run, &error), &error);
        float *direction = test_zeros(count), *start = test_zeros(count);
        double length = 0;
        for (size_t i = 0; i < count; i++)
            length += (double)n.store.gradients[i] * n.store.gradients[i];
        length = sqrt(length);
        for (size_t i = 0; i < count; i++)
            direction[i] = (float)(n.store.gradients[i] / length);
        memcpy(start, n.store.parameters, count * sizeof *start);
        const float h = 2e-3f;
        double slope =
            ((double)loss_at(&n, plan, start, direction, h) - loss_at(&n, plan, start, direction, -h)) /
            (2 * h);
        if (!(fabs(slope - length) <= 0.01 * length))
            fail_msg("network %d: the slope is %g, the gradient %g", (int)seed, slope, length);
        free(direction);
        free(start);
        nn_plan_free(plan);
        network_end(&n);
    }
}

/* A digest of the wanted gradients and of the loss after one step. Where an all-zero gradient is added a zero's sign
 * depends on it: zeros count as one. */
static uint64_t digest_gradients(uint64_t seed, nn_plan_options options, size_t *bytes) {
    network n;
    nn_error error = {0};
    nn_run run = {.rows = NETWORK_BATCH};
    network_begin(&n, seed, false);
    nn_plan *plan = network_plan(&n, options);
    for (size_t i = 0; i < n.store.parameter_count; i++)
        n.store.gradients[i] = NAN;
    test_ok(nn_plan_forward(plan, run, &error), &error);
    test_ok(nn_plan_backward(plan, run, &error), &error);
    for (size_t i = 0; i < n.store.parameter_count; i++)
        assert_true(isnan(n.store.gradients[i]) == options.fixed);
    uint64_t hash = nn_hash(nn_hash_start, nn_plan_data(plan, n.loss), sizeof(float));
    for (int g = 0; g < n.gradients.count; g++) {
        const float *gradient = nn_plan_gradient(plan, n.gradients.nodes[g]);
        for (size_t i = 0; gradient && i < nn_shape_count(nn_node_shape(n.gradients.nodes[g])); i++)
            hash = nn_hash(hash, &(float){gradient[i] + 0.0f}, sizeof(float));
    }
    *bytes = nn_plan_bytes(plan);
    nn_plan_free(plan);
    network_end(&n);
    return hash;
}

/* With fixed parameters the other gradients are the same, and nothing is written for the parameters. */
static void test_fixed_parameters(void **state) {
    (void)state;
    size_t all_sum = 0, fixed_sum = 0;
    for (uint64_t seed = 2000; seed < 2150; seed++) {
        size_t all, fixed, poisoned;
        nn_plan_options options = {.training = seed % 2}, poison = {.training = seed % 2, .poison = true};
        uint64_t expected = digest_gradients(seed, options, &all);
        options.fixed = poison.fixed = true;
        if (digest_gradients(seed, options, &fixed) != expected)
            fail_msg("network %d: fixed parameters change the results", (int)seed);
        if (digest_gradients(seed, poison, &poisoned) != expected)
            fail_msg("network %d: something is read before it is written", (int)seed);
        all_sum += all;
        fixed_sum += fixed;
    }
    assert_true(fixed_sum < all_sum);
}

/* --- several plans, several graphs ---------------------------------------------------------------------- */

/* Training moves what the evaluation graph, of another batch size, computes with. */
static void test_two_graphs_one_store(void **state) {
    small_network *f = *state, other = {0};
    other.graph = nn_graph_new(&f->store);
    other.logits = small_network_layers(other.graph, &other.image, &other.labels, 7);
    assert_int_equal(f->store.entry_count, 10);
    small_network_plan(f, (nn_plan_options){.training = true, .loss = f->loss});
    nn_plan *here, *there;
    nn_plan_options keep = {.keep = &f->logits, .keep_count = 1};
    test_ok(nn_plan_new(&here, f->graph, keep, &f->error), &f->error);
    keep.keep = &other.logits;
    test_ok(nn_plan_new(&there, other.graph, keep, &f->error), &f->error);
    small_network_fill(here, f->image);
    small_network_fill(there, other.image); /* begins with the same numbers */
    for (int i = 0; i < 3; i++) {
        double expected[12];
        test_ok(nn_plan_forward(here, (nn_run){.rows = 4}, &f->error), &f->error);
        test_ok(nn_plan_forward(there, (nn_run){.rows = 7}, &f->error), &f->error);
        for (int k = 0; k < 12; k++)
            expected[k] = nn_plan_data(here, f->logits)[k];
        test_close("logits", nn_plan_data(there, other.logits), expected, 12, 1e-6);
        test_ok(small_network_step(f, (nn_run){.rows = 4}), &f->error);
        for (size_t k = 0; k < f->store.parameter_count; k++)
            f->store.parameters[k] -= 0.1f * f->store.gradients[k];
        test_ok(nn_plan_forward(here, (nn_run){.rows = 4}, &f->error), &f->error);
        assert_true(nn_plan_data(here, f->logits)[0] != (float)expected[0]);
    }
    nn_plan_free(here);
    nn_plan_free(there);
    nn_graph_free(other.graph);
}

/* What the loss does not depend on has gradient 0, whatever another plan left there. */
static void test_other_parameters_have_no_gradient(void **state) {
    small_network *f = *state;
    nn_dense(f->logits, "after", (nn_dense_options){.units = 2});
    small_network_plan(f, (nn_plan_options){.training = true, .loss = f->loss});
    for (size_t i = 0; i < f->store.parameter_count; i++)
        f->store.gradients[i] = NAN;
    test_ok(small_network_step(f, (nn_run){.rows = 4}), &f->error);
    const nn_entry *after = nn_store_find(&f->store, "after.weight");
    for (size_t i = 0; i < after->count; i++)
        assert_true(f->store.gradients[after->offset + i] == 0);
}

/* A loss that depends on no parameter: nothing to differentiate, and no mistake. */
static void test_loss_of_inputs(void **state) {
    small_network *f = *state;
    small_network_plan(f, (nn_plan_options){.loss = test_square_sum(f->image, "constant")});
    test_ok(small_network_step(f, (nn_run){.rows = 4}), &f->error);
    for (size_t i = 0; i < f->store.parameter_count; i++)
        assert_true(f->store.gradients[i] == 0);
}

/* --- refusals ------------------------------------------------------------------------------------------- */

static void refuse(small_network *f, nn_plan_options options, nn_status status, const char *part) {
    nn_plan *plan = (void *)f;
    test_fails(nn_plan_new(&plan, f->graph, options, &f->error), status, &f->error, part);
    assert_null(plan);
}

static void test_refused_plans(void **state) {
    small_network *f = *state;
    nn_graph *graph = nn_graph_new(&f->store);
    nn_node *foreign[] = {f->logits, nn_input(graph, "foreign", NN_SHAPE1(1))},
            *missing[] = {f->logits, NULL};
    refuse(f, (nn_plan_options){0}, NN_EARGUMENT, "a plan needs a loss, or nodes to keep");
    refuse(f, (nn_plan_options){.loss = f->logits}, NN_ESHAPE, "the loss 'logits' is not a scalar");
    refuse(f, (nn_plan_options){.keep = missing, .keep_count = 2}, NN_EARGUMENT, "node 1 of keep, 'NULL'");
    refuse(f, (nn_plan_options){.keep = foreign, .keep_count = 2}, NN_EARGUMENT, "node 1 of keep, 'foreign'");
    refuse(f, (nn_plan_options){.metrics = foreign, .metrics_count = 2}, NN_EARGUMENT,
           "of metrics, 'foreign'");
    refuse(f, (nn_plan_options){.loss = f->loss, .gradients = foreign, .gradients_count = 2}, NN_EARGUMENT,
           "of gradients, 'foreign'");
    refuse(f, (nn_plan_options){.loss = f->loss, .gradients = &f->labels, .gradients_count = 1}, NN_EARGUMENT,
           "'labels' holds class numbers");
    nn_conv(f->image, "wrong", (nn_conv_options){0});
    refuse(f, (nn_plan_options){.loss = f->loss}, NN_EARGUMENT, "conv 'wrong'");
    nn_graph_free(graph);
}

static void test_late_parameters(void **state) {
    small_network *f = *state;
    small_network_plan(f, (nn_plan_options){.loss = f->loss});
    nn_graph *graph = nn_graph_new(&f->store);
    assert_null(nn_dense(nn_input(graph, "x", NN_SHAPE2(1, 2)), "late", (nn_dense_options){.units = 2}));
    nn_error error = *nn_graph_error(graph);
    test_fails(error.status, NN_EARGUMENT, &error,
               "'late.weight' is new, but the store's memory is laid out");
    nn_graph_free(graph);
}

/* No gradient passes the barrier: refused where there are parameters behind it, fine elsewhere. */
static void test_barriers(void **state) {
    small_network *f = *state;
    nn_node *blocked = nn_cross_entropy(test_barrier(f->logits), f->labels),
            *accuracy = nn_accuracy(f->logits, f->labels);
    nn_node *open = nn_dense(test_barrier(f->image), "open", (nn_dense_options){.units = 3});
    refuse(f, (nn_plan_options){.loss = blocked}, NN_EARGUMENT,
           "passes no gradient and cannot be part of the loss");
    refuse(f, (nn_plan_options){.loss = accuracy}, NN_EARGUMENT, "accuracy 'accuracy' passes no gradient");
    refuse(f, (nn_plan_options){.loss = nn_add(f->loss, blocked)}, NN_EARGUMENT, "barrier 'barrier");
    small_network_plan(f, (nn_plan_options){.loss = nn_cross_entropy(open, f->labels),
                                            .metrics = &blocked,
                                            .metrics_count = 1});
    test_ok(small_network_step(f, (nn_run){.rows = 4, .metrics = true}), &f->error);
}

/* --- reading -------------------------------------------------------------------------------------------- */

/* In a plan without gradients each link of the chain takes the memory of the one before, up to an input or a
 * kept node; what can be read is what was asked for, also where memory is shared with it. */
static void test_chain_in_place(void **state) {
    small_network *f = *state;
    nn_node *x = nn_input(f->graph, "x", NN_SHAPE2(4, 16)), *chain[10]; /* 256 bytes */
    for (int i = 0; i < 10; i++)
        chain[i] = i % 2 ? nn_scale(i ? chain[i - 1] : x, 2) : nn_relu(i ? chain[i - 1] : x);
    nn_node *kept[] = {chain[9], chain[4]};
    test_ok(nn_plan_new(&f->plan, f->graph, (nn_plan_options){.keep = kept, .keep_count = 1}, &f->error),
            &f->error);
    assert_int_equal(nn_plan_bytes(f->plan), 2 * 256);
    for (int i = 0; i < 9; i++)
        assert_null(nn_plan_data(f->plan, chain[i]));
    nn_plan_data(f->plan, x)[5] = 3;
    test_ok(nn_plan_forward(f->plan, (nn_run){.rows = 4}, &f->error), &f->error);
    assert_true(nn_plan_data(f->plan, chain[9])[5] == 96);
    assert_true(nn_plan_data(f->plan, x)[5] == 3);
    nn_plan_free(f->plan);
    test_ok(nn_plan_new(&f->plan, f->graph, (nn_plan_options){.keep = kept, .keep_count = 2}, &f->error),
            &f->error);
    assert_int_equal(nn_plan_bytes(f->plan), 3 * 256);
}

static void test_reading(void **state) {
    small_network *f = *state;
    nn_node *unused = nn_relu(f->logits);
    small_network_plan(f, (nn_plan_options){.loss = f->loss, .gradients = &f->image, .gradients_count = 1});
    test_ok(small_network_step(f, (nn_run){.rows = 4}), &f->error);
    assert_true(nn_plan_scalar(f->plan, f->loss) == *nn_plan_data(f->plan, f->loss));
    assert_non_null(nn_plan_gradient(f->plan, f->image));
    assert_null(nn_plan_gradient(f->plan, f->logits));
    assert_null(nn_plan_data(f->plan, f->logits));
    assert_null(nn_plan_data(f->plan, unused));
    assert_null(nn_plan_data(f->plan, NULL));
    assert_null(nn_plan_report(f->plan, f->loss));
    assert_null(nn_plan_report(f->plan, unused));
    nn_plan_free(NULL);
}

static void test_print(void **state) {
    small_network *f = *state;
    small_network_plan(f, (nn_plan_options){.loss = f->loss});
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    nn_plan_print(f->plan, file);
    fclose(file);
    const char *parts[] = {"image",  "conv1",         "batch_norm+relu", "norm1", "conv2",
                           "logits", "cross_entropy", "in place",        "slab: "};
    for (int i = 0; i < 9; i++)
        if (!strstr(text, parts[i]))
            fail_msg("no '%s' in:\n%s", parts[i], text);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_planned_is_separate),
        cmocka_unit_test(test_gradient_is_slope),
        cmocka_unit_test(test_fixed_parameters),
        small_network_test(test_two_graphs_one_store),
        small_network_test(test_other_parameters_have_no_gradient),
        small_network_test(test_loss_of_inputs),
        small_network_test(test_refused_plans),
        small_network_test(test_late_parameters),
        small_network_test(test_barriers),
        small_network_test(test_chain_in_place),
        small_network_test(test_reading),
        small_network_test(test_print),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
