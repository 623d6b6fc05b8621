/* The matrix product with a bias. */
#include <string.h>

#include "tests/support/op_check.h"

enum { X, WEIGHT, BIAS };

static int units_of(const op_check *check) {
    return *(const int *)check->detail;
}

static nn_node *build(const op_check *check, nn_node *const *inputs) {
    return nn_dense(inputs[0], "layer", (nn_dense_options){.units = units_of(check)});
}

static void forward(const op_check *check, double *const *arguments, double *y) {
    int rows = op_rows(check), units = units_of(check), in = (int)nn_shape_row(check->inputs[0]);
    for (int b = 0; b < rows; b++)
        for (int k = 0; k < units; k++) {
            double sum = arguments[BIAS][k];
            for (int i = 0; i < in; i++)
                sum += arguments[WEIGHT][k * in + i] * arguments[X][b * in + i];
            y[b * units + k] = sum;
        }
}

static void backward(const op_check *check, double *const *arguments, const double *dy,
                     double *const *gradients) {
    int rows = op_rows(check), units = units_of(check), in = (int)nn_shape_row(check->inputs[0]);
    for (int b = 0; b < rows; b++)
        for (int k = 0; k < units; k++) {
            gradients[BIAS][k] += dy[b * units + k];
            for (int i = 0; i < in; i++) {
                gradients[WEIGHT][k * in + i] += dy[b * units + k] * arguments[X][b * in + i];
                gradients[X][b * in + i] += dy[b * units + k] * arguments[WEIGHT][k * in + i];
            }
        }
}

static op_check check_of(nn_shape shape, int rows, const int *units) {
    return (op_check){.name = "dense",
                      .inputs = {shape},
                      .input_count = 1,
                      .rows = rows,
                      .linear = true,
                      .detail = units,
                      .build = build,
                      .forward = forward,
                      .backward = backward};
}

static void test_values_and_gradients(void **state) {
    (void)state;
    const struct {
        nn_shape shape;
        int units, rows;
    } cases[] = {{NN_SHAPE2(1, 1), 1, 0},     {NN_SHAPE2(2, 3), 1, 0},        {NN_SHAPE2(3, 15), 17, 0},
                 {NN_SHAPE2(16, 16), 16, 0},  {NN_SHAPE2(5, 33), 31, 0},      {NN_SHAPE2(17, 64), 10, 0},
                 {NN_SHAPE2(7, 9), 5, 4},     {NN_SHAPE4(3, 2, 5, 7), 11, 0}, {{3, {4, 3, 5}}, 6, 1},
                 {NN_SHAPE2(40, 300), 260, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        op_check check = check_of(cases[i].shape, cases[i].rows, &cases[i].units);
        op_check_run(&check);
    }
}

/* Behind a flatten the weights keep the image's shape, so that they can be exported channels first. */
static void test_weight_shapes(void **state) {
    (void)state;
    nn_store store;
    nn_store_begin(&store, 1);
    nn_graph *graph = nn_graph_new(&store);
    nn_node *image = nn_input(graph, "image", NN_SHAPE4(2, 3, 4, 5));
    nn_node *hidden = nn_dense(nn_dropout(nn_relu(nn_flatten(image)), NULL, 0.5f), "behind",
                               (nn_dense_options){.units = 7});
    nn_dense(image, "direct", (nn_dense_options){.units = 7});
    nn_dense(hidden, "after", (nn_dense_options){.units = 2});
    assert_int_equal(nn_graph_error(graph)->status, NN_OK);
    char text[NN_SHAPE_TEXT];
    assert_string_equal(nn_shape_text(nn_store_find(&store, "behind.weight")->shape, text), "7 x 3 x 4 x 5");
    assert_string_equal(nn_shape_text(nn_store_find(&store, "direct.weight")->shape, text), "7 x 3 x 4 x 5");
    assert_string_equal(nn_shape_text(nn_store_find(&store, "after.weight")->shape, text), "2 x 7");
    const nn_entry *weight = nn_store_find(&store, "behind.weight"),
                   *bias = nn_store_find(&store, "behind.bias");
    assert_true(weight->flat && weight->decay);
    assert_int_equal(weight->init.kind, NN_INIT_HE);
    assert_int_equal(weight->init.fan_in, 60);
    assert_int_equal(weight->init.fan_out, 7);
    assert_int_equal(bias->init.kind, NN_INIT_CONSTANT);
    assert_true(bias->init.value == 0);
    nn_graph_free(graph);
    nn_store_free(&store);
}

static nn_node *build_of_labels(const op_check *check, nn_node *const *inputs) {
    (void)check;
    return nn_dense(nn_labels(nn_node_graph(inputs[0]), "classes", 4, 3), "layer",
                    (nn_dense_options){.units = 2});
}

static nn_node *build_two_widths(const op_check *check, nn_node *const *inputs) {
    (void)check;
    nn_node *first = nn_dense(inputs[0], "layer", (nn_dense_options){.units = 2});
    return nn_dense(first, "layer", (nn_dense_options){.units = 2});
}

static nn_node *build_long_name(const op_check *check, nn_node *const *inputs) {
    (void)check;
    char name[NN_NAME_MAX];
    memset(name, 'n', sizeof name);
    name[NN_NAME_MAX - 1] = 0; /* fits alone, but not with ".weight" */
    return nn_dense(inputs[0], name, (nn_dense_options){.units = 2});
}

static void test_refusals(void **state) {
    (void)state;
    const int none = 0, two = 2;
    op_check check = check_of(NN_SHAPE2(4, 3), 0, &none);
    op_refused(&check, NN_ESHAPE, "dense 'layer': cannot make 0 units of 'first', which is 4 x 3");
    check = check_of(NN_SHAPE1(4), 0, &two);
    op_refused(&check, NN_ESHAPE, "cannot make 2 units of 'first', which is 4");
    check = check_of(NN_SHAPE4(1, 1 << 16, 1 << 15, 1), 0, &two);
    op_refused(&check, NN_ESHAPE, "cannot make 2 units of 'first'");
    check = check_of(NN_SHAPE2(4, 3), 0, &two);
    check.build = build_of_labels;
    op_refused(&check, NN_ESHAPE, "cannot make 2 units of 'classes'");
    check.build = build_two_widths;
    op_refused(&check, NN_ESHAPE, "'layer.weight' is declared twice, as 2 x 3 and as 2 x 2");
    check.build = build_long_name;
    op_refused(&check, NN_EARGUMENT, "is too long");
    assert_null(nn_dense(NULL, "layer", (nn_dense_options){.units = 2}));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_and_gradients),
        cmocka_unit_test(test_weight_shapes),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
