/* Shapes. */
#include <limits.h>

#include "tests/support/support.h"

static void test_counts(void **state) {
    (void)state;
    assert_int_equal(nn_shape_count(NN_SCALAR), 1);
    assert_int_equal(nn_shape_count(NN_SHAPE1(7)), 7);
    assert_int_equal(nn_shape_count(NN_SHAPE2(7, 3)), 21);
    assert_int_equal(nn_shape_count(NN_SHAPE4(2, 3, 5, 7)), 210);
    assert_int_equal(nn_shape_row(NN_SCALAR), 1);
    assert_int_equal(nn_shape_row(NN_SHAPE1(7)), 1);
    assert_int_equal(nn_shape_row(NN_SHAPE2(7, 3)), 3);
    assert_int_equal(nn_shape_row(NN_SHAPE4(2, 3, 5, 7)), 105);
}

static void test_impossible_counts(void **state) {
    (void)state;
    assert_int_equal(nn_shape_count(NN_SHAPE1(0)), 0);
    assert_int_equal(nn_shape_count(NN_SHAPE2(3, -1)), 0);
    assert_int_equal(nn_shape_count(NN_SHAPE2(-3, -1)), 0);
    assert_int_equal(nn_shape_count(NN_SHAPE4(2, 3, 0, 7)), 0);
    assert_int_equal(nn_shape_count(NN_SHAPE2(INT_MAX, INT_MAX)), 0);
    assert_int_equal(nn_shape_count(NN_SHAPE4(1 << 16, 1 << 16, 1 << 16, 1 << 16)), 0); /* 2^64: 0 mod 2^64 */
    assert_int_equal(nn_shape_count(NN_SHAPE4(INT_MAX, INT_MAX, INT_MAX, INT_MAX)), 0);
    assert_true(nn_shape_count(NN_SHAPE2(1 << 24, 1 << 24)) == (size_t)1 << 48);
    assert_int_equal(nn_shape_count(NN_SHAPE2(1 << 25, 1 << 24)), 0);
}

static void test_equal(void **state) {
    (void)state;
    assert_true(nn_shape_equal(NN_SCALAR, NN_SCALAR));
    assert_true(nn_shape_equal(NN_SHAPE2(2, 3), NN_SHAPE2(2, 3)));
    assert_false(nn_shape_equal(NN_SHAPE2(2, 3), NN_SHAPE2(3, 2)));
    assert_false(nn_shape_equal(NN_SHAPE2(2, 1), NN_SHAPE1(2)));
    assert_false(nn_shape_equal(NN_SHAPE4(1, 1, 1, 1), NN_SHAPE4(1, 1, 1, 2)));
    nn_shape left_over = {1, {5, 9, 9, 9}}; /* what is past the rank does not count */
    assert_true(nn_shape_equal(left_over, NN_SHAPE1(5)));
}

static void test_text(void **state) {
    (void)state;
    char text[NN_SHAPE_TEXT];
    assert_string_equal(nn_shape_text(NN_SCALAR, text), "scalar");
    assert_string_equal(nn_shape_text(NN_SHAPE1(5), text), "5");
    assert_string_equal(nn_shape_text(NN_SHAPE4(128, 32, 32, 16), text), "128 x 32 x 32 x 16");
    assert_string_equal(nn_shape_text(NN_SHAPE4(INT_MIN, INT_MIN, INT_MIN, INT_MIN), text),
                        "-2147483648 x -2147483648 x -2147483648 x -2147483648");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_impossible_counts),
        cmocka_unit_test(test_equal),
        cmocka_unit_test(test_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
