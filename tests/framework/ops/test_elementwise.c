/* Sums, multiples and inner products of tensors. */
#include "tests/support/op_check.h"

static size_t count_of(const op_check *check) {
    return (size_t)op_rows(check) * nn_shape_row(check->inputs[0]);
}

static nn_node *build_add(const op_check *check, nn_node *const *inputs) {
    (void)check;
    return nn_add(inputs[0], inputs[1]);
}

static void add_forward(const op_check *check, double *const *arguments, double *y) {
    for (size_t i = 0; i < count_of(check); i++)
        y[i] = arguments[0][i] + arguments[1][i];
}

static void add_backward(const op_check *check, double *const *arguments, const double *dy,
                         double *const *gradients) {
    (void)arguments;
    for (size_t i = 0; i < count_of(check); i++)
        gradients[0][i] = gradients[1][i] = dy[i];
}

static nn_node *build_double(const op_check *check, nn_node *const *inputs) {
    (void)check;
    return nn_add(inputs[0], inputs[0]);
}

static nn_node *build_scale(const op_check *check, nn_node *const *inputs) {
    return nn_scale(inputs[0], *(const float *)check->detail);
}

static void scale_forward(const op_check *check, double *const *arguments, double *y) {
    for (size_t i = 0; i < count_of(check); i++)
        y[i] = *(const float *)check->detail * arguments[0][i];
}

static void scale_backward(const op_check *check, double *const *arguments, const double *dy,
                           double *const *gradients) {
    (void)arguments;
    for (size_t i = 0; i < count_of(check); i++)
        gradients[0][i] = *(const float *)check->detail * dy[i];
}

static const nn_shape shapes[] = {NN_SHAPE1(1),     NN_SHAPE1(7),           NN_SHAPE2(2, 1),
                                  NN_SHAPE2(1, 15), NN_SHAPE2(2, 16),       NN_SHAPE2(1, 17),
                                  NN_SHAPE2(3, 33), NN_SHAPE4(2, 3, 5, 16), NN_SHAPE2(5, 7001)};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static op_check add_check(nn_shape shape, int rows) {
    return (op_check){.name = "add",
                      .inputs = {shape, shape},
                      .input_count = 2,
                      .rows = rows,
                      .linear = true,
                      .build = build_add,
                      .forward = add_forward,
                      .backward = add_backward};
}

static op_check scale_check(nn_shape shape, int rows, const float *factor) {
    return (op_check){.name = "scale",
                      .inputs = {shape},
                      .input_count = 1,
                      .rows = rows,
                      .linear = true,
                      .detail = factor,
                      .build = build_scale,
                      .forward = scale_forward,
                      .backward = scale_backward};
}

static void test_add(void **state) {
    (void)state;
    for (int i = 0; i < SHAPES; i++) {
        op_check check = add_check(shapes[i], 0);
        op_check_run(&check);
    }
    op_check check = add_check(NN_SHAPE2(6, 13), 4);
    op_check_run(&check);
}

/* x + x is 2 x, and its gradient has to count both. */
static void test_add_to_itself(void **state) {
    (void)state;
    const float two = 2;
    for (int i = 0; i < SHAPES; i++) {
        op_check check = scale_check(shapes[i], 0, &two);
        check.name = "x + x";
        check.build = build_double;
        op_check_run(&check);
    }
}

static void test_scale(void **state) {
    (void)state;
    const float factors[] = {-1.75f, 0, 1};
    for (int f = 0; f < 3; f++)
        for (int i = 0; i < SHAPES; i++) {
            op_check check = scale_check(shapes[i], 0, &factors[f]);
            op_check_run(&check);
        }
    op_check check = scale_check(NN_SHAPE2(6, 13), 5, &factors[0]);
    op_check_run(&check);
}

static nn_node *build_dot(const op_check *check, nn_node *const *inputs) {
    (void)check;
    return nn_dot(inputs[0], inputs[1]);
}

static void dot_forward(const op_check *check, double *const *arguments, double *y) {
    for (size_t i = 0; i < count_of(check); i++)
        *y += arguments[0][i] * arguments[1][i];
}

static void dot_backward(const op_check *check, double *const *arguments, const double *dy,
                         double *const *gradients) {
    for (size_t i = 0; i < count_of(check); i++) {
        gradients[0][i] = *dy * arguments[1][i];
        gradients[1][i] = *dy * arguments[0][i];
    }
}

static op_check dot_check(nn_shape shape, int rows) {
    return (op_check){.name = "dot",
                      .inputs = {shape, shape},
                      .input_count = 2,
                      .rows = rows,
                      .build = build_dot,
                      .forward = dot_forward,
                      .backward = dot_backward};
}

static void test_dot(void **state) {
    (void)state;
    for (int i = 0; i < SHAPES; i++) {
        op_check check = dot_check(shapes[i], 0);
        op_check_run(&check);
    }
    op_check check = dot_check(NN_SHAPE2(6, 13), 4);
    op_check_run(&check);
}

static nn_node *build_square(const op_check *check, nn_node *const *inputs) {
    (void)check;
    return nn_dot(inputs[0], inputs[0]);
}

static void square_forward(const op_check *check, double *const *arguments, double *y) {
    for (size_t i = 0; i < count_of(check); i++)
        *y += arguments[0][i] * arguments[0][i];
}

static void square_backward(const op_check *check, double *const *arguments, const double *dy,
                            double *const *gradients) {
    for (size_t i = 0; i < count_of(check); i++)
        gradients[0][i] = 2 * *dy * arguments[0][i];
}

static void test_dot_with_itself(void **state) {
    (void)state;
    op_check check = dot_check(NN_SHAPE2(4, 33), 3);
    check.name = "dot(x, x)";
    check.input_count = 1;
    check.build = build_square;
    check.forward = square_forward;
    check.backward = square_backward;
    op_check_run(&check);
}

static nn_node *labels_of(nn_node *like) {
    return nn_labels(nn_node_graph(like), "classes", 4, 3);
}

static nn_node *build_add_of_labels(const op_check *check, nn_node *const *inputs) {
    (void)check;
    return nn_add(inputs[0], labels_of(inputs[0]));
}

static nn_node *build_scale_of_labels(const op_check *check, nn_node *const *inputs) {
    (void)check;
    return nn_scale(labels_of(inputs[0]), 2);
}

static void test_refusals(void **state) {
    (void)state;
    op_check check = add_check(NN_SHAPE2(4, 2), 0);
    check.inputs[1] = NN_SHAPE2(4, 3);
    op_refused(&check, NN_ESHAPE, "'first' is 4 x 2, 'second' is 4 x 3");
    check.inputs[1] = NN_SHAPE4(4, 1, 1, 2);
    op_refused(&check, NN_ESHAPE, "'first' is 4 x 2, 'second' is 4 x 1 x 1 x 2");
    check.build = build_dot;
    op_refused(&check, NN_ESHAPE, "'first' is 4 x 2, 'second' is 4 x 1 x 1 x 2");
    check = add_check(NN_SHAPE1(4), 0);
    check.build = build_add_of_labels;
    op_refused(&check, NN_ESHAPE, "'classes' is 4 class numbers");
    check.build = build_scale_of_labels;
    op_refused(&check, NN_ESHAPE, "'classes' holds class numbers");
    assert_null(nn_add(NULL, NULL));
    assert_null(nn_scale(NULL, 1));
    assert_null(nn_dot(NULL, NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_add), cmocka_unit_test(test_add_to_itself),   cmocka_unit_test(test_scale),
        cmocka_unit_test(test_dot), cmocka_unit_test(test_dot_with_itself), cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
