/* The elementwise nonlinearities against their formulas in double precision. */
#include <math.h>

#include "tests/support/op_check.h"

typedef struct activation {
    const char *name;
    nn_node *(*build)(const op_check *check, nn_node *const *inputs);
    double (*value)(double x);
    double (*slope)(double x);
} activation;

static const float leak = 0.2f;

static nn_node *build_relu(const op_check *check, nn_node *const *inputs) {
    (void)check;
    return nn_relu(inputs[0]);
}

static nn_node *build_leaky(const op_check *check, nn_node *const *inputs) {
    (void)check;
    return nn_leaky_relu(inputs[0], leak);
}

static nn_node *build_tanh(const op_check *check, nn_node *const *inputs) {
    (void)check;
    return nn_tanh(inputs[0]);
}

static nn_node *build_sigmoid(const op_check *check, nn_node *const *inputs) {
    (void)check;
    return nn_sigmoid(inputs[0]);
}

static double relu(double x) {
    return x > 0 ? x : 0;
}

static double relu_slope(double x) {
    return x > 0 ? 1 : 0;
}

static double leaky(double x) {
    return x > 0 ? x : leak * x;
}

static double leaky_slope(double x) {
    return x > 0 ? 1 : leak;
}

static double tanh_slope(double x) {
    return 1 / (cosh(x) * cosh(x));
}

static double sigmoid(double x) {
    return 0.5 + 0.5 * tanh(x / 2);
}

static double sigmoid_slope(double x) {
    return sigmoid(x) * sigmoid(-x);
}

static const activation activations[] = {{"relu", build_relu, relu, relu_slope},
                                         {"leaky relu", build_leaky, leaky, leaky_slope},
                                         {"tanh", build_tanh, tanh, tanh_slope},
                                         {"sigmoid", build_sigmoid, sigmoid, sigmoid_slope}};
enum { ACTIVATIONS = sizeof activations / sizeof *activations };

static size_t count_of(const op_check *check) {
    return (size_t)op_rows(check) * nn_shape_row(check->inputs[0]);
}

static void forward(const op_check *check, double *const *arguments, double *y) {
    const activation *a = check->detail;
    for (size_t i = 0; i < count_of(check); i++)
        y[i] = a->value(arguments[0][i]);
}

static void backward(const op_check *check, double *const *arguments, const double *dy,
                     double *const *gradients) {
    const activation *a = check->detail;
    for (size_t i = 0; i < count_of(check); i++)
        gradients[0][i] = dy[i] * a->slope(arguments[0][i]);
}

static op_check check_of(const activation *a, nn_shape shape, int rows) {
    return (op_check){.name = a->name,
                      .inputs = {shape},
                      .input_count = 1,
                      .rows = rows,
                      .detail = a,
                      .build = a->build,
                      .forward = forward,
                      .backward = backward};
}

static void test_values_and_gradients(void **state) {
    (void)state;
    const nn_shape shapes[] = {NN_SHAPE2(1, 1),  NN_SHAPE2(2, 1),        NN_SHAPE2(3, 5),
                               NN_SHAPE2(1, 15), NN_SHAPE2(2, 16),       NN_SHAPE2(1, 17),
                               NN_SHAPE2(3, 33), NN_SHAPE4(2, 3, 5, 16), NN_SHAPE2(5, 7001)};
    for (int a = 0; a < ACTIVATIONS; a++)
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
            op_check check = check_of(&activations[a], shapes[i], 0);
            op_check_run(&check);
        }
}

static void test_rows_below_batch(void **state) {
    (void)state;
    for (int a = 0; a < ACTIVATIONS; a++)
        for (int rows = 1; rows <= 5; rows += 2) {
            op_check check = check_of(&activations[a], NN_SHAPE2(6, 13), rows);
            op_check_run(&check);
        }
}

static float run_on(const activation *a, float value) {
    nn_store store;
    nn_store_begin(&store, 1);
    nn_graph *graph = nn_graph_new(&store);
    nn_node *x = nn_input(graph, "x", NN_SHAPE1(1)), *y = a->build(NULL, &x);
    nn_plan *plan;
    nn_error error = {0};
    test_ok(nn_plan_new(&plan, graph, (nn_plan_options){.keep = &y, .keep_count = 1}, &error), &error);
    *nn_plan_data(plan, x) = value;
    test_ok(nn_plan_forward(plan, (nn_run){.rows = 1}, &error), &error);
    float result = *nn_plan_data(plan, y);
    nn_plan_free(plan);
    nn_graph_free(graph);
    nn_store_free(&store);
    return result;
}

/* Far outside exp's range, and NaN, which must not be swallowed. */
static void test_extreme_values(void **state) {
    (void)state;
    for (int a = 0; a < ACTIVATIONS; a++) {
        const float values[] = {0, -0.0f, 200, -200, 1e30f, -1e30f, 1e-40f};
        for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
            double expected = activations[a].value(values[i]);
            if (!(fabs(run_on(&activations[a], values[i]) - expected) <= 1e-6 * fabs(expected)))
                fail_msg("%s of %g", activations[a].name, values[i]);
        }
        assert_true(isnan(run_on(&activations[a], NAN)));
    }
}

static nn_node *build_of_labels(const op_check *check, nn_node *const *inputs) {
    nn_node *labels = nn_labels(nn_node_graph(inputs[0]), "classes", 4, 3);
    return ((const activation *)check->detail)->build(check, &labels);
}

static nn_node *build_bad_slope(const op_check *check, nn_node *const *inputs) {
    return nn_leaky_relu(inputs[0], *(const float *)check->detail);
}

static void test_refusals(void **state) {
    (void)state;
    for (int a = 0; a < ACTIVATIONS; a++) {
        op_check check = check_of(&activations[a], NN_SHAPE2(4, 2), 0);
        check.build = build_of_labels;
        op_refused(&check, NN_ESHAPE, "'classes' holds class numbers");
    }
    const float slopes[] = {-0.1f, 1, NAN};
    for (int i = 0; i < 3; i++) {
        op_check check = check_of(&activations[1], NN_SHAPE2(4, 2), 0);
        check.build = build_bad_slope;
        check.detail = &slopes[i];
        op_refused(&check, NN_EARGUMENT, "leaky relu of 'first': the slope");
    }
    assert_null(nn_relu(NULL));
    assert_null(nn_leaky_relu(NULL, 2));
    assert_null(nn_tanh(NULL));
    assert_null(nn_sigmoid(NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_and_gradients),
        cmocka_unit_test(test_rows_below_batch),
        cmocka_unit_test(test_extreme_values),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
