/* Cross entropy, of classes and binary, and accuracy. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "framework/kernels/kernels.h"
#include "tests/support/op_check.h"

typedef struct classifier {
    nn_store store;
    nn_graph *graph;
    nn_node *logits, *labels, *loss, *accuracy;
    nn_plan *plan;
} classifier;

/* copies: the loss is the sum of so many cross entropies. */
static void begin(classifier *c, int batch, int classes, int copies, bool separate) {
    nn_store_begin(&c->store, 1);
    c->graph = nn_graph_new(&c->store);
    c->logits = nn_input(c->graph, "logits", NN_SHAPE2(batch, classes));
    c->labels = nn_labels(c->graph, "labels", batch, classes);
    c->loss = nn_cross_entropy(c->logits, c->labels);
    for (int i = 1; i < copies; i++)
        c->loss = nn_add(c->loss, nn_cross_entropy(c->logits, c->labels));
    c->accuracy = nn_accuracy(c->logits, c->labels);
    nn_error error = {0};
    nn_plan_options options = {.training = true,
                               .loss = c->loss,
                               .metrics = &c->accuracy,
                               .metrics_count = 1,
                               .gradients = &c->logits,
                               .gradients_count = 1,
                               .separate = separate,
                               .poison = true};
    test_ok(nn_plan_new(&c->plan, c->graph, options, &error), &error);
}

static void end(classifier *c) {
    nn_plan_free(c->plan);
    nn_graph_free(c->graph);
    nn_store_free(&c->store);
}

static void fill(classifier *c, int batch, int classes, float size) {
    float *z = test_normal((size_t)batch * classes, "logits");
    for (int i = 0; i < batch * classes; i++)
        nn_plan_data(c->plan, c->logits)[i] = size * z[i];
    nn_stream stream = nn_stream_named(3, "labels");
    for (int b = 0; b < batch; b++)
        nn_plan_labels(c->plan, c->labels)[b] = (int32_t)nn_random_below(&stream, (uint32_t)classes);
    free(z);
}

static void run(classifier *c, int rows) {
    nn_error error = {0};
    nn_run run = {.rows = rows, .metrics = true};
    test_ok(nn_plan_forward(c->plan, run, &error), &error);
    test_ok(nn_plan_backward(c->plan, run, &error), &error);
}

/* -log of the label's probability, as -log(1 / sum_k exp(z_k - z_label)). */
static double oracle_loss(const double *z, const int32_t *labels, int rows, int classes) {
    double loss = 0;
    for (int b = 0; b < rows; b++) {
        double sum = 0;
        for (int k = 0; k < classes; k++)
            sum += exp(z[b * classes + k] - z[b * classes + labels[b]]);
        loss += log(sum) / rows;
    }
    return loss;
}

static void check_case(int batch, int classes, int rows, float size) {
    classifier c;
    begin(&c, batch, classes, 1, false);
    fill(&c, batch, classes, size);
    run(&c, rows);
    size_t count = (size_t)rows * classes;
    const int32_t *labels = nn_plan_labels(c.plan, c.labels);
    double *z = test_bytes(count * sizeof *z), *slope = test_bytes(count * sizeof *slope);
    for (size_t i = 0; i < count; i++)
        z[i] = nn_plan_data(c.plan, c.logits)[i];
    double loss = oracle_loss(z, labels, rows, classes);
    float actual = nn_plan_scalar(c.plan, c.loss);
    test_close("loss", &actual, &loss, 1, 1e-6);
    for (size_t i = 0; i < count; i++) {
        double at = z[i], h = 1e-5;
        z[i] = at + h;
        slope[i] = oracle_loss(z, labels, rows, classes) / (2 * h);
        z[i] = at - h;
        slope[i] -= oracle_loss(z, labels, rows, classes) / (2 * h);
        z[i] = at;
    }
    test_close("gradient by differences", nn_plan_gradient(c.plan, c.logits), slope, count, 1e-6);
    for (int b = 0; b < rows; b++)
        for (int k = 0; k < classes; k++) {
            double sum = 0;
            for (int other = 0; other < classes; other++)
                sum += exp(z[b * classes + other] - z[b * classes + k]);
            slope[b * classes + k] = (1 / sum - (k == labels[b])) / rows;
        }
    test_close("gradient", nn_plan_gradient(c.plan, c.logits), slope, count, 1e-7);
    free(z);
    free(slope);
    end(&c);
}

static void test_values_and_gradients(void **state) {
    (void)state;
    check_case(1, 1, 1, 1);
    check_case(1, 2, 1, 1);
    check_case(5, 10, 5, 1);
    check_case(16, 17, 16, 1);
    check_case(33, 3, 33, 10);
    check_case(8, 100, 8, 0.01f);
    check_case(9, 4, 5, 1);
    check_case(9, 4, 1, 1);
}

/* Two losses over the same logits: the gradient doubles, whatever the memory. */
static void test_accumulates(void **state) {
    (void)state;
    classifier one;
    begin(&one, 6, 5, 1, false);
    fill(&one, 6, 5, 1);
    run(&one, 6);
    for (int separate = 0; separate < 2; separate++) {
        classifier two;
        begin(&two, 6, 5, 2, separate);
        fill(&two, 6, 5, 1);
        run(&two, 6);
        for (int i = 0; i < 30; i++)
            assert_true(nn_plan_gradient(two.plan, two.logits)[i] ==
                        2 * nn_plan_gradient(one.plan, one.logits)[i]);
        end(&two);
    }
    end(&one);
}

static void test_same_for_threads(void **state) {
    (void)state;
    classifier first;
    nn_threads_set(1);
    begin(&first, 64, 40, 1, false);
    fill(&first, 64, 40, 1);
    run(&first, 64);
    for (int threads = 2; threads <= 7; threads += 5) {
        nn_threads_set(threads);
        classifier other;
        begin(&other, 64, 40, 1, false);
        fill(&other, 64, 40, 1);
        run(&other, 64);
        assert_true(nn_plan_scalar(other.plan, other.loss) == nn_plan_scalar(first.plan, first.loss));
        test_same_bits("gradient", nn_plan_gradient(other.plan, other.logits),
                       nn_plan_gradient(first.plan, first.logits), 64 * 40 * sizeof(float));
        end(&other);
    }
    nn_threads_set(1);
    end(&first);
    nn_threads_set(0);
}

/* Logits far beyond exp's range: finite, and exact. */
static void test_large_logits(void **state) {
    (void)state;
    classifier c;
    begin(&c, 2, 2, 1, false);
    const float z[] = {1e4f, -1e4f, 3e38f, -1e38f};
    memcpy(nn_plan_data(c.plan, c.logits), z, sizeof z);
    nn_plan_labels(c.plan, c.labels)[0] = 1;
    nn_plan_labels(c.plan, c.labels)[1] = 0;
    run(&c, 2);
    assert_true(nn_plan_scalar(c.plan, c.loss) == 1e4f); /* the mean of 20,000 and 0 */
    const float gradient[] = {0.5f, -0.5f, 0, 0};
    for (int i = 0; i < 4; i++)
        assert_true(nn_plan_gradient(c.plan, c.logits)[i] == gradient[i]);
    end(&c);
}

/* Rows: right, wrong, a tie that the first wins, the same tie with the other label. */
static void test_accuracy(void **state) {
    (void)state;
    classifier c;
    begin(&c, 4, 3, 1, false);
    const float z[] = {1, 3, 2, 1, 3, 2, 5, 0, 5, 5, 0, 5};
    const int32_t labels[] = {1, 2, 0, 2};
    memcpy(nn_plan_data(c.plan, c.logits), z, sizeof z);
    memcpy(nn_plan_labels(c.plan, c.labels), labels, sizeof labels);
    const float expected[] = {1, 0.5f, 2.0f / 3, 0.5f};
    for (int rows = 1; rows <= 4; rows++) {
        run(&c, rows);
        assert_true(nn_plan_scalar(c.plan, c.accuracy) == expected[rows - 1]);
    }
    end(&c);
}

typedef nn_node *build_loss(nn_node *logits, nn_node *labels);

static void refuse(build_loss *build, nn_shape logits, bool integer, nn_status status, const char *part) {
    nn_store store;
    nn_store_begin(&store, 1);
    nn_graph *graph = nn_graph_new(&store);
    nn_node *z = nn_input(graph, "logits", logits);
    assert_null(
        build(z, integer ? nn_labels(graph, "labels", 4, 3) : nn_input(graph, "labels", NN_SHAPE1(4))));
    nn_error error = *nn_graph_error(graph);
    test_fails(error.status, status, &error, part);
    nn_graph_free(graph);
    nn_store_free(&store);
}

static void test_refusals(void **state) {
    (void)state;
    build_loss *builds[] = {nn_cross_entropy, nn_accuracy};
    for (int i = 0; i < 2; i++) {
        refuse(builds[i], NN_SHAPE4(4, 1, 1, 3), true, NN_ESHAPE,
               "wants a tensor of 2 dimensions, 'logits' is 4 x 1 x 1 x 3");
        refuse(builds[i], NN_SHAPE2(4, 3), false, NN_ESHAPE,
               "wants class numbers (nn_labels), 'labels' holds floats");
        refuse(builds[i], NN_SHAPE2(5, 3), true, NN_ESHAPE, "5 examples, but 'labels' has 4 labels");
        refuse(builds[i], NN_SHAPE2(4, 2), true, NN_ESHAPE, "'logits' has 2 outputs for 3 classes");
        assert_null(builds[i](NULL, NULL));
    }
}

/* --- binary --------------------------------------------------------------------------------------------- */

static nn_node *build_binary(const op_check *check, nn_node *const *inputs) {
    (void)check;
    return nn_binary_cross_entropy(inputs[0], inputs[1]);
}

static size_t count_of(const op_check *check) {
    return (size_t)op_rows(check) * nn_shape_row(check->inputs[0]);
}

static double sigmoid(double z) {
    return 1 / (1 + exp(-z));
}

/* As the definition has it, by probabilities. */
static void binary_forward(const op_check *check, double *const *arguments, double *y) {
    for (size_t i = 0; i < count_of(check); i++) {
        double p = sigmoid(arguments[0][i]), t = arguments[1][i];
        *y -= (t * log(p) + (1 - t) * log(1 - p)) / (double)count_of(check);
    }
}

static void binary_backward(const op_check *check, double *const *arguments, const double *dy,
                            double *const *gradients) {
    for (size_t i = 0; i < count_of(check); i++) {
        double p = sigmoid(arguments[0][i]), share = *dy / (double)count_of(check);
        gradients[0][i] = share * (p - arguments[1][i]);
        gradients[1][i] = share * (log(1 - p) - log(p));
    }
}

static op_check binary_check(nn_shape shape, int rows) {
    return (op_check){.name = "binary_cross_entropy",
                      .inputs = {shape, shape},
                      .input_count = 2,
                      .rows = rows,
                      .build = build_binary,
                      .forward = binary_forward,
                      .backward = binary_backward};
}

static void test_binary(void **state) {
    (void)state;
    const nn_shape shapes[] = {NN_SHAPE1(1), NN_SHAPE1(9), NN_SHAPE2(16, 1), NN_SHAPE2(5, 33),
                               NN_SHAPE4(2, 3, 5, 7)};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        op_check check = binary_check(shapes[i], 0);
        op_check_run(&check);
    }
    op_check check = binary_check(NN_SHAPE2(8, 3), 5);
    op_check_run(&check);
}

/* Where 1 - sigmoid is 0 in floating point, and exp overflows: exact values and gradients. */
static void test_binary_of_large_logits(void **state) {
    (void)state;
    nn_store store;
    nn_store_begin(&store, 1);
    nn_graph *graph = nn_graph_new(&store);
    nn_node *z = nn_input(graph, "logits", NN_SHAPE2(4, 1)), *t = nn_input(graph, "targets", NN_SHAPE2(4, 1));
    nn_node *loss = nn_binary_cross_entropy(z, t);
    nn_plan *plan;
    nn_error error = {0};
    nn_plan_options options = {.loss = loss, .gradients = &z, .gradients_count = 1};
    test_ok(nn_plan_new(&plan, graph, options, &error), &error);
    memcpy(nn_plan_data(plan, z), (float[]){1e6f, 1e6f, -1e6f, -1e6f}, 4 * sizeof(float));
    memcpy(nn_plan_data(plan, t), (float[]){1, 0, 0, 1}, 4 * sizeof(float));
    test_ok(nn_plan_forward(plan, (nn_run){.rows = 4}, &error), &error);
    test_ok(nn_plan_backward(plan, (nn_run){.rows = 4}, &error), &error);
    assert_true(nn_plan_scalar(plan, loss) == 5e5f); /* the mean of 0, 1e6, 0, 1e6 */
    test_same_bits("gradient", nn_plan_gradient(plan, z), (float[]){0, 0.25f, 0, -0.25f}, 4 * sizeof(float));
    nn_plan_free(plan);
    nn_graph_free(graph);
    nn_store_free(&store);
}

static void test_binary_refusals(void **state) {
    (void)state;
    op_check check = binary_check(NN_SHAPE2(4, 2), 0);
    check.inputs[1] = NN_SHAPE2(4, 1);
    op_refused(&check, NN_ESHAPE, "'first' is 4 x 2, its targets 'second' are 4 x 1");
    refuse(nn_binary_cross_entropy, NN_SHAPE1(4), true, NN_ESHAPE,
           "its targets 'labels' are 4 class numbers");
    assert_null(nn_binary_cross_entropy(NULL, NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_and_gradients),
        cmocka_unit_test(test_accumulates),
        cmocka_unit_test(test_same_for_threads),
        cmocka_unit_test(test_large_logits),
        cmocka_unit_test(test_accuracy),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_binary),
        cmocka_unit_test(test_binary_of_large_logits),
        cmocka_unit_test(test_binary_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
