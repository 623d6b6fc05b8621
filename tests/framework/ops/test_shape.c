/* Flatten and reshape: the same numbers under another shape. */
#include "tests/support/op_check.h"

static nn_node *build(const op_check *check, nn_node *const *inputs) {
    (void)check;
    return nn_flatten(inputs[0]);
}

static size_t count_of(const op_check *check) {
    return (size_t)op_rows(check) * nn_shape_row(check->inputs[0]);
}

static void forward(const op_check *check, double *const *arguments, double *y) {
    for (size_t i = 0; i < count_of(check); i++)
        y[i] = arguments[0][i];
}

static void backward(const op_check *check, double *const *arguments, const double *dy,
                     double *const *gradients) {
    (void)arguments;
    for (size_t i = 0; i < count_of(check); i++)
        gradients[0][i] = dy[i];
}

static op_check check_of(nn_shape shape, int rows) {
    return (op_check){.name = "flatten",
                      .inputs = {shape},
                      .input_count = 1,
                      .rows = rows,
                      .linear = true,
                      .build = build,
                      .forward = forward,
                      .backward = backward};
}

static void test_values_and_gradients(void **state) {
    (void)state;
    const nn_shape shapes[] = {NN_SHAPE2(1, 1),       NN_SHAPE2(2, 5), NN_SHAPE4(1, 1, 1, 1),
                               NN_SHAPE4(3, 2, 5, 7), {3, {4, 3, 11}}, NN_SHAPE4(2, 16, 16, 33)};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        op_check check = check_of(shapes[i], 0);
        op_check_run(&check);
    }
    op_check check = check_of(NN_SHAPE4(6, 2, 2, 3), 4);
    op_check_run(&check);
}

static void test_shape_and_no_copy(void **state) {
    (void)state;
    nn_store store;
    nn_store_begin(&store, 1);
    nn_graph *graph = nn_graph_new(&store);
    nn_node *x = nn_input(graph, "x", NN_SHAPE4(2, 3, 4, 5)), *y = nn_flatten(x);
    nn_shape shape = nn_node_shape(y);
    assert_int_equal(shape.rank, 2);
    assert_int_equal(shape.dims[0], 2);
    assert_int_equal(shape.dims[1], 60);
    nn_plan *plan;
    nn_error error = {0};
    test_ok(nn_plan_new(&plan, graph, (nn_plan_options){.keep = &y, .keep_count = 1}, &error), &error);
    assert_ptr_equal(nn_plan_data(plan, x), nn_plan_data(plan, y));
    nn_plan_free(plan);
    nn_graph_free(graph);
    nn_store_free(&store);
}

static nn_node *build_of_labels(const op_check *check, nn_node *const *inputs) {
    (void)check;
    return nn_flatten(nn_labels(nn_node_graph(inputs[0]), "classes", 4, 3));
}

static void test_refusals(void **state) {
    (void)state;
    op_check check = check_of(NN_SHAPE1(4), 0);
    op_refused(&check, NN_ESHAPE, "'first' is not a batch of tensors");
    check.inputs[0] = NN_SHAPE4(1, 1 << 16, 1 << 15, 1);
    op_refused(&check, NN_ESHAPE, "'first' is not a batch of tensors");
    check.build = build_of_labels;
    op_refused(&check, NN_ESHAPE, "'classes' is not a batch of tensors");
    assert_null(nn_flatten(NULL));
}

/* --- reshape -------------------------------------------------------------------------------------------- */

static nn_node *build_reshape(const op_check *check, nn_node *const *inputs) {
    return nn_reshape(inputs[0], *(const nn_shape *)check->detail);
}

static op_check reshape_check(nn_shape from, const nn_shape *to, int rows) {
    op_check check = check_of(from, rows);
    check.name = "reshape";
    check.detail = to;
    check.build = build_reshape;
    return check;
}

static void test_reshape(void **state) {
    (void)state;
    const nn_shape pairs[][2] = {{NN_SHAPE2(1, 1), NN_SHAPE4(1, 1, 1, 1)},
                                 {NN_SHAPE2(3, 98), NN_SHAPE4(3, 7, 7, 2)},
                                 {NN_SHAPE4(2, 4, 6, 3), NN_SHAPE4(2, 2, 2, 18)},
                                 {NN_SHAPE4(5, 2, 2, 3), NN_SHAPE2(5, 12)}};
    for (int i = 0; i < 4; i++) {
        op_check check = reshape_check(pairs[i][0], &pairs[i][1], 0);
        op_check_run(&check);
    }
    op_check check = reshape_check(pairs[3][0], &pairs[3][1], 2);
    op_check_run(&check);
}

static nn_node *build_reshape_of_labels(const op_check *check, nn_node *const *inputs) {
    (void)check;
    return nn_reshape(nn_labels(nn_node_graph(inputs[0]), "classes", 4, 3), NN_SHAPE2(4, 1));
}

static void test_reshape_refusals(void **state) {
    (void)state;
    nn_shape to = NN_SHAPE4(4, 2, 2, 2);
    op_check check = reshape_check(NN_SHAPE2(4, 6), &to, 0);
    op_refused(&check, NN_ESHAPE, "'first' is 4 x 6 and cannot become 4 x 2 x 2 x 2");
    to = NN_SHAPE2(2, 12); /* as many numbers, but other examples */
    op_refused(&check, NN_ESHAPE, "'first' is 4 x 6 and cannot become 2 x 12");
    to = NN_SHAPE1(24);
    op_refused(&check, NN_ESHAPE, "cannot become 24");
    to = NN_SHAPE4(4, -2, -3, 1);
    op_refused(&check, NN_ESHAPE, "cannot become");
    to.rank = 9;
    op_refused(&check, NN_ESHAPE, "cannot become scalar");
    check.build = build_reshape_of_labels;
    op_refused(&check, NN_ESHAPE, "'classes' is 4 class numbers and cannot become 4 x 1");
    assert_null(nn_reshape(NULL, NN_SHAPE2(1, 1)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_and_gradients),
        cmocka_unit_test(test_shape_and_no_copy),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_reshape),
        cmocka_unit_test(test_reshape_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
