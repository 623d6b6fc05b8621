/* test_stages.c - which phases slices of the batch pass through together, what memory that needs, and that it makes
 * no difference to the results. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "framework/framework.h"
#include "framework/kernels/kernels.h"
#include "framework/plan_internal.h"
#include "tests/support/support.h"
#include "tests/support/test_ops.h"

enum { BATCH = 37, SIDE = 8, CLASSES = 5 };

/* A small residual network: the middle of a real one. */
typedef struct fixture {
    nn_store store;
    nn_graph *graph;
    nn_node *images, *labels, *first, *h, *block, *logits, *loss;
} fixture;

static nn_node *conv(nn_node *x, const char *name, int filters, int stride) {
    return nn_conv(x, name,
                   (nn_conv_options){.filters = filters, .kernel = 3, .stride = stride, .padding = 1});
}

static nn_node *norm(nn_node *x, const char *name) {
    return nn_batch_norm(x, name, (nn_batch_norm_options){0});
}

static int fixture_begin(void **state) {
    fixture *f = *state = test_bytes(sizeof *f);
    nn_store_begin(&f->store, 1);
    f->graph = nn_graph_new(&f->store);
    f->images = nn_input(f->graph, "images", NN_SHAPE4(BATCH, SIDE, SIDE, 3));
    f->labels = nn_labels(f->graph, "labels", BATCH, CLASSES);
    f->first = nn_relu(norm(conv(f->images, "stem", 16, 1), "norm"));
    f->h = nn_relu(norm(conv(f->first, "conv1", 16, 1), "norm1"));
    f->block = nn_relu(nn_add(norm(conv(f->h, "conv2", 16, 1), "norm2"), f->first));
    nn_node *wide = nn_relu(norm(conv(f->block, "wide", 64, 2), "wide norm"));
    wide = nn_relu(norm(conv(wide, "wide2", 64, 1), "wide norm2"));
    f->logits = nn_dense(nn_global_average_pool(wide), "logits", (nn_dense_options){.units = CLASSES});
    f->loss = nn_cross_entropy(f->logits, f->labels);
    return 0;
}

static int fixture_end(void **state) {
    fixture *f = *state;
    nn_graph_free(f->graph);
    nn_store_free(&f->store);
    free(f);
    return 0;
}

static nn_plan *plan_new(fixture *f, nn_plan_options options) {
    nn_plan *plan;
    nn_error error = {0};
    test_ok(nn_plan_new(&plan, f->graph, options, &error), &error);
    size_t pixels = (size_t)BATCH * SIDE * SIDE * 3;
    float *images = test_normal(pixels, "images");
    memcpy(nn_plan_data(plan, f->images), images, pixels * sizeof *images);
    free(images);
    for (int i = 0; i < BATCH && nn_plan_labels(plan, f->labels); i++)
        nn_plan_labels(plan, f->labels)[i] = i * 7 % CLASSES;
    return plan;
}

/* The stage that computes a node, forward or backward; NULL when none does. */
static const nn_stage *stage_of(const nn_plan *plan, const nn_node *node, bool backward) {
    int step = plan->step_of[node->index];
    for (int i = 0; i < plan->stage_count; i++)
        for (int t = 0; t < plan->stages[i].turn_count; t++) {
            const nn_turn *turn = &plan->stages[i].turns[t];
            if (turn->step == step && turn->backward == backward && !turn->repeated)
                return &plan->stages[i];
        }
    return NULL;
}

static const nn_buffer *output_of(const nn_plan *plan, const nn_node *node) {
    int output = plan->steps[plan->step_of[node->index]].output;
    return &plan->buffers[nn_buffer_root(plan, output)];
}

/* Without batch statistics slices pass through everything up to a change of the images' size. */
static void test_evaluation(void **state) {
    fixture *f = *state;
    nn_plan *plan = plan_new(f, (nn_plan_options){.keep = &f->logits, .keep_count = 1});
    assert_ptr_equal(stage_of(plan, f->first, false), stage_of(plan, f->block, false));
    assert_true(stage_of(plan, f->logits, false)->whole);
    assert_true(output_of(plan, f->first)->local);
    assert_true(output_of(plan, f->h)->local);
    assert_false(output_of(plan, f->logits)->local);
    nn_plan_free(plan);
}

/* Batch norm waits for the whole batch between its two phases; relu's output is computed again for conv2. */
static void test_training(void **state) {
    fixture *f = *state;
    nn_plan *plan = plan_new(f, (nn_plan_options){.training = true, .loss = f->loss});
    for (int i = 0; i < plan->stage_count; i++)
        for (int t = 1; t < plan->stages[i].turn_count; t++) {
            const nn_turn *turn = &plan->stages[i].turns[t];
            assert_false(turn[-1].step == turn->step && turn[-1].backward == turn->backward);
        }
    assert_true(output_of(plan, f->h)->local);
    assert_true(plan->steps[plan->step_of[f->h->index]].repeated >= 0);
    assert_false(output_of(plan, f->first)->local); /* two readers */
    assert_int_equal(plan->steps[plan->step_of[f->first->index]].repeated, -1);
    nn_plan_free(plan);
}

/* A stage's units and slices cover every example once, and depend on sizes only. */
static void test_slices(void **state) {
    fixture *f = *state;
    nn_plan *plan = plan_new(f, (nn_plan_options){.training = true, .loss = f->loss});
    for (int i = 0; i < plan->stage_count; i++) {
        const nn_stage *stage = &plan->stages[i];
        if (stage->whole)
            continue;
        assert_in_range(stage->slice, 1, nn_slice_limit(BATCH));
        assert_int_equal(stage->unit % stage->slice, 0);
        assert_in_range((BATCH + stage->unit - 1) / stage->unit, 1, NN_UNITS);
    }
    nn_plan_free(plan);
}

/* A training step: losses and gradients. */
typedef struct outcome {
    float loss;
    float *gradients, *statistics;
} outcome;

static outcome train(fixture *f, nn_plan_options options, int rows) {
    nn_error error = {0};
    options.training = true;
    options.loss = f->loss;
    options.poison = true;
    nn_plan *plan = plan_new(f, options);
    nn_run run = {.rows = rows};
    memset(f->store.statistics, 0, f->store.statistic_count * sizeof *f->store.statistics);
    test_ok(nn_plan_forward(plan, run, &error), &error);
    test_ok(nn_plan_backward(plan, run, &error), &error);
    outcome o = {.loss = nn_plan_scalar(plan, f->loss),
                 .gradients = test_bytes(f->store.parameter_count * sizeof(float)),
                 .statistics = test_bytes(f->store.statistic_count * sizeof(float))};
    memcpy(o.gradients, f->store.gradients, f->store.parameter_count * sizeof(float));
    memcpy(o.statistics, f->store.statistics, f->store.statistic_count * sizeof(float));
    nn_plan_free(plan);
    return o;
}

static void compare(const fixture *f, const char *what, outcome a, outcome b) {
    test_same_bits(what, &a.loss, &b.loss, sizeof a.loss);
    test_same_bits(what, a.gradients, b.gradients, f->store.parameter_count * sizeof(float));
    test_same_bits(what, a.statistics, b.statistics, f->store.statistic_count * sizeof(float));
}

static void outcome_free(outcome o) {
    free(o.gradients), free(o.statistics);
}

/* Memory of one slice, outputs computed again, threads: nothing of it changes a bit. */
static void test_same_results(void **state) {
    fixture *f = *state;
    static const int rows[] = {BATCH, 20, 1}, threads[] = {2, 3};
    for (int r = 0; r < 3; r++) {
        outcome separate = train(f, (nn_plan_options){.separate = true}, rows[r]);
        outcome staged = train(f, (nn_plan_options){0}, rows[r]);
        compare(f, "stages", separate, staged);
        outcome_free(staged);
        outcome_free(separate);
    }
    outcome one = train(f, (nn_plan_options){0}, BATCH);
    for (int t = 0; t < 2; t++) {
        fixture *g;
        nn_threads_set(threads[t]);
        fixture_begin((void **)&g);
        outcome many = train(g, (nn_plan_options){0}, BATCH);
        compare(f, "threads", one, many);
        outcome_free(many);
        fixture_end((void **)&g);
        nn_threads_set(1);
    }
    outcome_free(one);
}

/* In the middle of a stage too, the first layer with an infinity is named. */
static void test_infinity_in_a_stage(void **state) {
    fixture *f = *state;
    nn_error error = {0};
    nn_node *large = nn_scale(f->first, 1e30f), *infinite = nn_scale(large, 1e30f);
    nn_node *loss = test_square_sum(nn_scale(infinite, 0.5f), "square loss");
    nn_plan *plan = plan_new(f, (nn_plan_options){.loss = loss});
    assert_ptr_equal(stage_of(plan, large, false), stage_of(plan, infinite, false));
    assert_int_equal(nn_plan_forward(plan, (nn_run){.rows = BATCH}, &error), NN_ENUMERIC);
    if (!strstr(error.message, nn_node_name(infinite)))
        fail_msg("'%s' does not name '%s'", error.message, nn_node_name(infinite));
    nn_plan_free(plan);
}

int main(void) {
    nn_threads_set(1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_evaluation, fixture_begin, fixture_end),
        cmocka_unit_test_setup_teardown(test_training, fixture_begin, fixture_end),
        cmocka_unit_test_setup_teardown(test_slices, fixture_begin, fixture_end),
        cmocka_unit_test_setup_teardown(test_same_results, fixture_begin, fixture_end),
        cmocka_unit_test_setup_teardown(test_infinity_in_a_stage, fixture_begin, fixture_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
