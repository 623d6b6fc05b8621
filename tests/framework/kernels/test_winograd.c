/* test_winograd.c - the transforms of Winograd's convolution on every kernel table of this machine: together they
 * are a convolution, the gradients' are the adjoints of the others, and they stay inside their arrays. */
#include "tests/support/support.h"

#include <math.h>
#include <stdlib.h>

#include "framework/kernels/kernels.h"

enum { CHANNELS = 2 * NN_VECTOR_MAX, PAD = 8 }; /* PAD: floats between pixels that belong to no channel */
enum { PIXEL = CHANNELS + PAD, SIDE = 6, GRID = SIDE * SIDE * PIXEL };

static const float untouched = 12345.5f;
static const char *const table_names[] = {"avx512", "avx2", "generic", "reference"};
enum { TABLES = sizeof table_names / sizeof *table_names };

/* Grids have rows of SIDE pixels, whatever their size. */
static size_t at(int row, int column, int channel) {
    return ((size_t)row * SIDE + (size_t)column) * PIXEL + (size_t)channel;
}

/* `side`: of the grid that is part of an image. */
static nn_winograd_grid grid(const float *x, float *y, int side) {
    return (nn_winograd_grid){.channels = CHANNELS,
                              .x = x,
                              .x_row = SIDE * PIXEL,
                              .x_pixel = PIXEL,
                              .y = y,
                              .y_row = SIDE * PIXEL,
                              .y_pixel = PIXEL,
                              .bottom = side,
                              .right = side};
}

static float *filled(float value) {
    float *x = test_zeros(GRID);
    for (size_t i = 0; i < GRID; i++)
        x[i] = value;
    return x;
}

static void check_outside(const char *what, const float *y, int side) {
    for (int r = 0; r < SIDE; r++)
        for (int s = 0; s < SIDE; s++)
            for (int c = 0; c < PIXEL; c++)
                if ((r >= side || s >= side || c >= CHANNELS) && y[at(r, s, c)] != untouched)
                    fail_msg("%s: wrote outside its %d x %d grid", what, side, side);
}

static double dot(const float *a, const float *b, int side) {
    double sum = 0;
    for (int r = 0; r < side; r++)
        for (int s = 0; s < side; s++)
            for (int c = 0; c < CHANNELS; c++)
                sum += (double)a[at(r, s, c)] * b[at(r, s, c)];
    return sum;
}

/* y = bias + what was there + the correlation of each channel of x with that of w. */
static void check_convolution(const nn_winograd_kernels *k, const char *table, bool accumulate) {
    float *x = test_normal(GRID, "x"), *w = test_normal(GRID, "w"), *bias = test_normal(CHANNELS, "bias");
    float *points = filled(untouched), *weights = filled(untouched), *y = filled(untouched);
    nn_winograd_grid inputs = grid(x, points, 6), taps = grid(w, weights, 0), outputs = grid(points, y, 4);
    k->input(&inputs);
    k->weights(&taps);
    check_outside(table, points, 6);
    check_outside(table, weights, 6);
    for (size_t i = 0; i < GRID; i++)
        points[i] *= weights[i];
    k->output(&outputs, bias, accumulate);
    check_outside(table, y, 4);
    for (int p = 0; p < 4; p++)
        for (int q = 0; q < 4; q++)
            for (int c = 0; c < CHANNELS; c++) {
                double expected = bias[c] + (accumulate ? (double)untouched : 0);
                for (int r = 0; r < 3; r++)
                    for (int s = 0; s < 3; s++)
                        expected += (double)x[at(p + r, q + s, c)] * w[at(r, s, c)];
                double tolerance = accumulate ? 2e-3 : 2e-5; /* single precision's near `untouched` is 1e-3 */
                if (!(fabs(y[at(p, q, c)] - expected) <= tolerance))
                    fail_msg("%s: output %d,%d of channel %d is %.9g, expected %.9g", table, p, q, c,
                             y[at(p, q, c)], expected);
            }
    free(x), free(w), free(bias), free(points), free(weights), free(y);
}

static void test_convolution(void **state) {
    (void)state;
    for (int t = 0; t < TABLES; t++) {
        const nn_kernels *table = nn_kernels_named(table_names[t]);
        if (!table)
            continue;
        check_convolution(table->winograd, table->name, false);
        check_convolution(table->winograd, table->name, true);
    }
}

static void check_adjoint(const char *what, const char *table, double a, double b) {
    if (!(fabs(a - b) <= 1e-5 * (1 + fabs(a))))
        fail_msg("%s, %s: <L x, y> = %.9g, <x, L' y> = %.9g", table, what, a, b);
}

/* <A' x A, y> = <x, A y A'> and <G x G', y> = <x, G' y G>. */
static void test_adjoints(void **state) {
    (void)state;
    for (int t = 0; t < TABLES; t++) {
        const nn_kernels *table = nn_kernels_named(table_names[t]);
        if (!table)
            continue;
        const nn_winograd_kernels *k = table->winograd;
        float *x = test_normal(GRID, "x"), *y = test_normal(GRID, "y");
        float *there = filled(untouched), *back = filled(untouched);
        nn_winograd_grid forward = grid(x, there, 4), backward = grid(y, back, 4);
        k->output(&forward, NULL, false);
        k->gradient(&backward);
        check_outside(table->name, back, 6);
        check_adjoint("output and gradient", table->name, dot(there, y, 4), dot(x, back, 6));

        for (size_t i = 0; i < GRID; i++)
            there[i] = back[i] = untouched;
        k->weights(&forward);
        k->weight_gradient(&backward, false);
        check_outside(table->name, back, 3);
        check_adjoint("weights and weight_gradient", table->name, dot(there, y, 6), dot(x, back, 3));
        float first = back[at(1, 2, 5)];
        k->weight_gradient(&backward, true);
        if (fabsf(back[at(1, 2, 5)] - 2 * first) > 1e-6f * fabsf(first))
            fail_msg("%s: weight_gradient does not accumulate", table->name);
        free(x), free(y), free(there), free(back);
    }
}

static void check_near(const char *table, const float *actual, const float *expected) {
    for (size_t i = 0; i < GRID; i++)
        if (!(fabsf(actual[i] - expected[i]) <= 1e-5f))
            fail_msg("%s: float %zu of the clipped grid is %g, expected %g", table, i, actual[i],
                     expected[i]);
}

/* A grid that is partly outside its image is one with zeros there: neither read (NaN) nor written. */
static void check_clipped(const nn_winograd_kernels *k, const char *table, int top, int bottom, int left,
                          int right) {
    float *clipped = test_normal(GRID, "x"), *zeros = test_normal(GRID, "x");
    for (int r = 0; r < SIDE; r++)
        for (int s = 0; s < SIDE; s++)
            for (int c = 0; c < CHANNELS && (r < top || r >= bottom || s < left || s >= right); c++) {
                clipped[at(r, s, c)] = NAN;
                zeros[at(r, s, c)] = 0;
            }
    float *actual = filled(untouched), *expected = filled(untouched);
    nn_winograd_grid part = grid(clipped, actual, 0), whole = grid(zeros, expected, 6);
    part.top = top, part.bottom = bottom, part.left = left, part.right = right;
    k->input(&part);
    k->input(&whole);
    check_near(table, actual, expected);
    whole.bottom = whole.right = 4;
    k->gradient(&part);
    k->gradient(&whole);
    check_near(table, actual, expected);

    part.x = zeros;
    for (size_t i = 0; i < GRID; i++)
        actual[i] = expected[i] = untouched;
    k->output(&part, NULL, false);
    k->output(&whole, NULL, false);
    for (int r = 0; r < 4; r++)
        for (int s = 0; s < 4; s++)
            for (int c = 0; c < CHANNELS; c++) {
                bool inside = r >= top && r < bottom && s >= left && s < right;
                float wanted = inside ? expected[at(r, s, c)] : untouched;
                if (!(fabsf(actual[at(r, s, c)] - wanted) <= (inside ? 1e-5f : 0)))
                    fail_msg("%s: clipped output %d,%d is %g, expected %g", table, r, s, actual[at(r, s, c)],
                             wanted);
            }
    check_outside(table, actual, 4);
    free(clipped), free(zeros), free(actual), free(expected);
}

static void test_clipped(void **state) {
    (void)state;
    for (int t = 0; t < TABLES; t++) {
        const nn_kernels *table = nn_kernels_named(table_names[t]);
        for (int edges = 0; table && edges < 16; edges++)
            check_clipped(table->winograd, table->name, edges & 1, edges & 2 ? 3 : 6, edges & 4 ? 2 : 0,
                          edges & 8 ? 3 : 6);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_convolution),
        cmocka_unit_test(test_adjoints),
        cmocka_unit_test(test_clipped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
