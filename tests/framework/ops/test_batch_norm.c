/* Normalisation per channel, in training by the batch's statistics and in evaluation by the running ones; alone and
 * as the planner fuses it with what follows. */
#include <math.h>
#include <stdlib.h>

#include "tests/support/op_check.h"

enum { X, SCALE, SHIFT, RUNNING_MEAN, RUNNING_VARIANCE };

static const nn_batch_norm_options defaults;

static int channels_of(const op_check *check) {
    return check->inputs[0].dims[check->inputs[0].rank - 1];
}

static int pixels_of(const op_check *check) {
    return op_rows(check) * (int)nn_shape_row(check->inputs[0]) / channels_of(check);
}

static double epsilon_of(const op_check *check) {
    const nn_batch_norm_options *o = check->detail;
    return o->epsilon > 0 ? o->epsilon : 1e-5f;
}

/* Mean and population variance of a channel, as the mode has them. */
static void statistics_of(const op_check *check, double *const *arguments, int c, double *mean,
                          double *variance) {
    int channels = channels_of(check), pixels = pixels_of(check);
    if (check->evaluation) {
        *mean = arguments[RUNNING_MEAN][c];
        *variance = arguments[RUNNING_VARIANCE][c];
        return;
    }
    *mean = *variance = 0;
    for (int i = 0; i < pixels; i++)
        *mean += arguments[X][i * channels + c] / pixels;
    for (int i = 0; i < pixels; i++) {
        double deviation = arguments[X][i * channels + c] - *mean;
        *variance += deviation * deviation / pixels;
    }
}

static nn_node *build(const op_check *check, nn_node *const *inputs) {
    return nn_batch_norm(inputs[0], "layer", *(const nn_batch_norm_options *)check->detail);
}

static void forward(const op_check *check, double *const *arguments, double *y) {
    int channels = channels_of(check);
    for (int c = 0; c < channels; c++) {
        double mean, variance;
        statistics_of(check, arguments, c, &mean, &variance);
        for (int i = c; i < pixels_of(check) * channels; i += channels)
            y[i] = arguments[SCALE][c] * (arguments[X][i] - mean) / sqrt(variance + epsilon_of(check)) +
                   arguments[SHIFT][c];
    }
}

static void backward(const op_check *check, double *const *arguments, const double *dy,
                     double *const *gradients) {
    int channels = channels_of(check), n = pixels_of(check);
    for (int c = 0; c < channels; c++) {
        double mean, variance;
        statistics_of(check, arguments, c, &mean, &variance);
        double deviation = sqrt(variance + epsilon_of(check));
        for (int i = c; i < n * channels; i += channels) {
            gradients[SHIFT][c] += dy[i];
            gradients[SCALE][c] += dy[i] * (arguments[X][i] - mean) / deviation;
        }
        for (int i = c; i < n * channels; i += channels) {
            double batch =
                (gradients[SHIFT][c] + gradients[SCALE][c] * (arguments[X][i] - mean) / deviation) / n;
            gradients[X][i] = arguments[SCALE][c] / deviation * (dy[i] - (check->evaluation ? 0 : batch));
        }
    }
}

static op_check check_of(nn_shape shape, int rows, bool evaluation, const nn_batch_norm_options *options) {
    return (op_check){.name = evaluation ? "batch_norm, evaluation" : "batch_norm, training",
                      .inputs = {shape},
                      .input_count = 1,
                      .rows = rows,
                      .evaluation = evaluation,
                      .detail = options,
                      .tolerance = 2e-5,
                      .build = build,
                      .forward = forward,
                      .backward = backward};
}

/* The last shapes have more pixels than one slice of work. */
static void test_values_and_gradients(void **state) {
    (void)state;
    const nn_shape shapes[] = {NN_SHAPE2(5, 1),        NN_SHAPE2(7, 3),          NN_SHAPE2(6, 15),
                               NN_SHAPE2(9, 16),       NN_SHAPE2(8, 17),         NN_SHAPE4(2, 3, 5, 33),
                               NN_SHAPE4(3, 4, 4, 32), NN_SHAPE4(4, 33, 31, 11), {3, {260, 11, 13}}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (int evaluation = 0; evaluation < 2; evaluation++)
            for (int missing = 0; missing < 2; missing++) {
                op_check check = check_of(shapes[i], shapes[i].dims[0] - missing, evaluation, &defaults);
                op_check_run(&check);
            }
    op_check check = check_of(NN_SHAPE2(6, 4), 0, false, &(nn_batch_norm_options){.epsilon = 0.3f});
    op_check_run(&check);
}

/* --- with what the planner fuses with it ---------------------------------------------------------------- */

/* y = f(batch_norm(x) + second), as a network has it. `again`: y + x + second, so that the gradients of x and of
 * second are there when those of the layer are added. */
typedef struct fused_case {
    float slope; /* 1: no activation */
    bool add, second_first, again;
} fused_case;

static nn_node *build_fused(const op_check *check, nn_node *const *inputs) {
    const fused_case *f = check->detail;
    nn_node *y = nn_batch_norm(inputs[0], "layer", defaults);
    if (f->add)
        y = f->second_first ? nn_add(inputs[1], y) : nn_add(y, inputs[1]);
    if (f->slope < 1)
        y = nn_leaky_relu(y, f->slope);
    return f->again ? nn_add(nn_add(y, inputs[1]), inputs[0]) : y;
}

/* The arguments of the layer among those of the case. */
static void layer_arguments(double *const *all, double **layer) {
    layer[X] = all[0];
    for (int i = SCALE; i <= RUNNING_VARIANCE; i++)
        layer[i] = all[i + 1];
}

static op_check layer_check(const op_check *check) {
    op_check layer = *check;
    layer.detail = &defaults;
    return layer;
}

/* What f is applied to. */
static void before_activation(const op_check *check, double *const *arguments, double *v) {
    const fused_case *f = check->detail;
    double *layer[OP_ARGUMENTS];
    op_check alone = layer_check(check);
    layer_arguments(arguments, layer);
    forward(&alone, layer, v);
    for (int i = 0; i < pixels_of(check) * channels_of(check) && f->add; i++)
        v[i] += arguments[1][i];
}

static void forward_fused(const op_check *check, double *const *arguments, double *y) {
    const fused_case *f = check->detail;
    before_activation(check, arguments, y);
    for (int i = 0; i < pixels_of(check) * channels_of(check); i++) {
        y[i] *= y[i] > 0 ? 1 : f->slope;
        if (f->again)
            y[i] += arguments[0][i] + arguments[1][i];
    }
}

static void backward_fused(const op_check *check, double *const *arguments, const double *dy,
                           double *const *gradients) {
    const fused_case *f = check->detail;
    int count = pixels_of(check) * channels_of(check);
    double *layer[OP_ARGUMENTS], *layer_gradients[OP_ARGUMENTS], *g = test_bytes((size_t)count * sizeof *g);
    op_check alone = layer_check(check);
    layer_arguments(arguments, layer);
    layer_arguments(gradients, layer_gradients);
    before_activation(check, arguments, g);
    for (int i = 0; i < count; i++)
        g[i] = dy[i] * (g[i] > 0 ? 1 : f->slope);
    backward(&alone, layer, g, layer_gradients);
    for (int i = 0; i < count; i++) {
        gradients[0][i] += f->again ? dy[i] : 0;
        gradients[1][i] += (f->add ? g[i] : 0) + (f->again ? dy[i] : 0);
    }
    free(g);
}

static void test_fused(void **state) {
    (void)state;
    const fused_case cases[] = {
        {.slope = 0, .again = true},   {.slope = 0.25f, .again = true},
        {.slope = 1, .add = true},     {.slope = 1, .add = true, .again = true},
        {.slope = 0, .add = true},     {.slope = 0, .add = true, .second_first = true},
        {.slope = 0.25f, .add = true}, {.slope = 0, .add = true, .again = true}};
    const nn_shape shapes[] = {NN_SHAPE2(7, 3), NN_SHAPE4(2, 3, 5, 33), NN_SHAPE4(4, 33, 31, 11)};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
            for (int evaluation = 0; evaluation < 2; evaluation++) {
                op_check check = check_of(shapes[s], shapes[s].dims[0] - evaluation, evaluation, NULL);
                check.inputs[1] = shapes[s];
                check.input_count = 2;
                check.detail = &cases[i];
                check.build = build_fused;
                check.forward = forward_fused;
                check.backward = backward_fused;
                op_check_run(&check);
            }
}

/* After k steps on one batch running = batch + (1 - momentum)^k (start - batch), the variance being the
 * sample's. */
static void check_running(nn_shape shape, int rows, nn_batch_norm_options options, int steps) {
    op_check check = check_of(shape, rows, false, &options);
    op_result r = op_run(&check, (op_mode){.steps = steps});
    int channels = channels_of(&check), n = pixels_of(&check);
    double momentum = options.momentum > 0 ? options.momentum : 0.1, left = pow(1 - momentum, steps);
    double *arguments[OP_ARGUMENTS], *expected = test_bytes(2 * (size_t)channels * sizeof *expected);
    for (int a = 0; a < r.argument_count; a++) {
        arguments[a] = test_bytes(r.counts[a] * sizeof(double));
        for (size_t i = 0; i < r.counts[a]; i++)
            arguments[a][i] = r.arguments[a][i];
    }
    for (int c = 0; c < channels; c++) {
        double mean, variance;
        statistics_of(&check, arguments, c, &mean, &variance);
        variance = n > 1 ? variance * n / (n - 1) : 0;
        expected[c] = mean + left * (arguments[RUNNING_MEAN][c] - mean);
        expected[channels + c] = variance + left * (arguments[RUNNING_VARIANCE][c] - variance);
    }
    test_close("running statistics", r.statistics, expected, 2 * (size_t)channels, 1e-5);
    for (int a = 0; a < r.argument_count; a++)
        free(arguments[a]);
    free(expected);
    op_result_free(&r);
}

static void test_running_statistics(void **state) {
    (void)state;
    for (int steps = 1; steps <= 5; steps += 2) {
        check_running(NN_SHAPE2(7, 3), 0, defaults, steps);
        check_running(NN_SHAPE4(5, 4, 3, 17), 3, (nn_batch_norm_options){.momentum = 0.25f}, steps);
        check_running(NN_SHAPE4(4, 33, 31, 11), 0, (nn_batch_norm_options){.momentum = 1}, steps);
        check_running(NN_SHAPE2(1, 2), 0, defaults, steps);
    }
}

static void test_evaluation_leaves_statistics(void **state) {
    (void)state;
    op_check check = check_of(NN_SHAPE2(7, 3), 0, true, &defaults);
    op_result r = op_run(&check, (op_mode){.steps = 3});
    test_same_bits("mean", r.statistics, r.arguments[RUNNING_MEAN], 3 * sizeof(float));
    test_same_bits("variance", r.statistics + 3, r.arguments[RUNNING_VARIANCE], 3 * sizeof(float));
    op_result_free(&r);
}

/* A variance by the difference of two sums would be lost. */
static void test_large_mean(void **state) {
    (void)state;
    nn_store store;
    nn_store_begin(&store, 1);
    nn_graph *graph = nn_graph_new(&store);
    nn_node *x = nn_input(graph, "x", NN_SHAPE2(4, 1)), *y = nn_batch_norm(x, "layer", defaults);
    nn_plan *plan;
    nn_error error = {0};
    nn_plan_options options = {.training = true, .keep = &y, .keep_count = 1};
    test_ok(nn_plan_new(&plan, graph, options, &error), &error);
    for (int i = 0; i < 4; i++)
        nn_plan_data(plan, x)[i] = 8192 + (float)(i % 2);
    test_ok(nn_plan_forward(plan, (nn_run){.rows = 4}, &error), &error);
    double s = 0.5 / sqrt(0.25 + 1e-5), expected[] = {-s, s, -s, s};
    test_close("normalised", nn_plan_data(plan, y), expected, 4, 2e-3);
    nn_plan_free(plan);
    nn_graph_free(graph);
    nn_store_free(&store);
}

static void test_entries(void **state) {
    (void)state;
    nn_store store;
    nn_store_begin(&store, 1);
    nn_graph *graph = nn_graph_new(&store);
    assert_non_null(nn_batch_norm(nn_input(graph, "x", NN_SHAPE4(2, 3, 3, 5)), "layer", defaults));
    const char *names[] = {"layer.weight", "layer.bias", "layer.running_mean", "layer.running_var"};
    for (int i = 0; i < 4; i++) {
        const nn_entry *entry = nn_store_find(&store, names[i]);
        assert_non_null(entry);
        assert_int_equal(entry->count, 5);
        assert_int_equal(entry->kind, i < 2 ? NN_PARAMETER : NN_STATISTIC);
        assert_true(entry->init.kind == NN_INIT_CONSTANT && entry->init.value == (float)(i % 3 == 0));
        assert_false(entry->decay || entry->internal);
    }
    nn_graph_free(graph);
    nn_store_free(&store);
}

static nn_node *build_of_labels(const op_check *check, nn_node *const *inputs) {
    (void)check;
    return nn_batch_norm(nn_labels(nn_node_graph(inputs[0]), "classes", 4, 3), "layer", defaults);
}

static void test_refusals(void **state) {
    (void)state;
    op_check check = check_of(NN_SHAPE1(4), 0, false, &defaults);
    op_refused(&check, NN_ESHAPE, "batch_norm 'layer': 'first' has no channels");
    check.build = build_of_labels;
    op_refused(&check, NN_ESHAPE, "batch_norm 'layer': 'classes' has no channels");
    const nn_batch_norm_options bad[] = {
        {.momentum = -0.1f}, {.momentum = 1.5f}, {.momentum = NAN}, {.epsilon = -1e-5f}, {.epsilon = NAN}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        check = check_of(NN_SHAPE2(4, 3), 0, false, &bad[i]);
        op_refused(&check, NN_EARGUMENT, "is out of range");
    }
    assert_null(nn_batch_norm(NULL, "layer", defaults));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_and_gradients),
        cmocka_unit_test(test_fused),
        cmocka_unit_test(test_running_statistics),
        cmocka_unit_test(test_evaluation_leaves_statistics),
        cmocka_unit_test(test_large_mean),
        cmocka_unit_test(test_entries),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
