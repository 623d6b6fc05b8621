/* Upsampling: every pixel becomes a square. */
#include <limits.h>

#include "tests/support/op_check.h"

static int factor_of(const op_check *check) {
    return *(const int *)check->detail;
}

static nn_node *build(const op_check *check, nn_node *const *inputs) {
    return nn_upsample(inputs[0], factor_of(check));
}

static void forward(const op_check *check, double *const *arguments, double *y) {
    const int *dims = check->inputs[0].dims, f = factor_of(check);
    int i = 0;
    for (int b = 0; b < op_rows(check); b++)
        for (int p = 0; p < dims[1] * f; p++)
            for (int q = 0; q < dims[2] * f; q++)
                for (int c = 0; c < dims[3]; c++)
                    y[i++] = arguments[0][((b * dims[1] + p / f) * dims[2] + q / f) * dims[3] + c];
}

/* Sums the square of each pixel: walks over the input, where forward walks over the output. */
static void backward(const op_check *check, double *const *arguments, const double *dy,
                     double *const *gradients) {
    (void)arguments;
    const int *dims = check->inputs[0].dims, f = factor_of(check);
    for (int b = 0; b < op_rows(check); b++)
        for (int h = 0; h < dims[1]; h++)
            for (int w = 0; w < dims[2]; w++)
                for (int c = 0; c < dims[3]; c++) {
                    double sum = 0;
                    for (int p = h * f; p < (h + 1) * f; p++)
                        for (int q = w * f; q < (w + 1) * f; q++)
                            sum += dy[((b * dims[1] * f + p) * dims[2] * f + q) * dims[3] + c];
                    gradients[0][((b * dims[1] + h) * dims[2] + w) * dims[3] + c] = sum;
                }
}

static op_check check_of(nn_shape shape, int rows, const int *factor) {
    return (op_check){.name = "upsample",
                      .inputs = {shape},
                      .input_count = 1,
                      .rows = rows,
                      .linear = true,
                      .detail = factor,
                      .build = build,
                      .forward = forward,
                      .backward = backward};
}

static void test_values_and_gradients(void **state) {
    (void)state;
    const nn_shape shapes[] = {NN_SHAPE4(1, 1, 1, 1), NN_SHAPE4(2, 3, 5, 1), NN_SHAPE4(3, 4, 2, 17),
                               NN_SHAPE4(5, 7, 7, 16)};
    for (int factor = 1; factor <= 3; factor++)
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
            op_check check = check_of(shapes[i], 0, &factor);
            op_check_run(&check);
        }
    const int two = 2;
    op_check check = check_of(NN_SHAPE4(6, 3, 2, 5), 4, &two);
    op_check_run(&check);
}

static void test_refusals(void **state) {
    (void)state;
    int factor = 2;
    op_check check = check_of(NN_SHAPE2(4, 3), 0, &factor);
    op_refused(&check, NN_ESHAPE, "wants a tensor of 4 dimensions, 'first' is 4 x 3");
    check = check_of(NN_SHAPE4(1, INT_MAX / 2 + 1, 1, 1), 0, &factor);
    op_refused(&check, NN_ESHAPE, "the images of 'first' are too large");
    check = check_of(NN_SHAPE4(1, 2, 2, 1), 0, &factor);
    factor = 0;
    op_refused(&check, NN_EARGUMENT, "the factor 0 is not from 1 to 1024");
    factor = 1025;
    op_refused(&check, NN_EARGUMENT, "the factor 1025 is not from 1 to 1024");
    assert_null(nn_upsample(NULL, 2));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_and_gradients),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
