/* winograd_reference.h - the transforms of Winograd's convolution in plain C: products with the matrices
 * themselves. */
#include "kernels.h"

enum { WINOGRAD_SIDE = 6 };

/* Powers of the finite interpolation points, in their order. */
static double winograd_power(int point, int exponent) {
    static const double points[] = {0, 0.75, -0.75, 1.5, -1.5};
    double power = 1;
    for (int i = 0; i < exponent; i++)
        power *= points[point];
    return power;
}

/* The product of (p - q) over the other finite points q. */
static double winograd_divisor(int point) {
    double product = 1;
    for (int q = 0; q < 5; q++)
        if (q != point)
            product *= winograd_power(point, 1) - winograd_power(q, 1);
    return product;
}

/* Element of the 4 x 6 matrix that evaluates the result's polynomial, transposed. */
static double output_matrix(int row, int column) {
    return column == 5 ? row == 3 : winograd_power(column, row);
}

static double gradient_matrix(int row, int column) {
    return output_matrix(column, row);
}

/* Of the 6 x 3 matrix that evaluates the weights' polynomial. */
static double weights_matrix(int row, int column) {
    return row == 5 ? column == 2 : winograd_power(row, column) / winograd_divisor(row);
}

static double weight_gradient_matrix(int row, int column) {
    return weights_matrix(column, row);
}

/* Of the 6 x 6 matrix of the polynomials that vanish at all finite points but one, or at all of them. */
static double input_matrix(int row, int column) {
    double coefficients[WINOGRAD_SIDE] = {1};
    for (int q = 0, degree = 0; q < 5; q++)
        if (q != row) {
            degree++;
            for (int i = degree; i >= 0; i--)
                coefficients[i] = (i > 0 ? coefficients[i - 1] : 0) - winograd_power(q, 1) * coefficients[i];
        }
    return coefficients[column];
}

/* Which grid is part of an image. */
enum { IMAGE_NONE, IMAGE_X, IMAGE_Y };

static bool inside(const nn_winograd_grid *g, int row, int column) {
    return row >= g->top && row < g->bottom && column >= g->left && column < g->right;
}

static void transform_channels(int from, int to, double (*matrix)(int row, int column), int image,
                               const nn_winograd_grid *g, const float *bias, bool accumulate) {
    double l[WINOGRAD_SIDE][WINOGRAD_SIDE];
    for (int r = 0; r < to; r++)
        for (int s = 0; s < from; s++)
            l[r][s] = matrix(r, s);
    for (size_t i = 0; i < g->channels; i++)
        for (int r = 0; r < to; r++)
            for (int s = 0; s < to; s++) {
                if (image == IMAGE_Y && !inside(g, r, s))
                    continue;
                double sum = bias ? bias[i] : 0;
                for (int h = 0; h < from; h++)
                    for (int v = 0; v < from; v++)
                        if (image != IMAGE_X || inside(g, h, v))
                            sum +=
                                l[r][h] * l[s][v] * g->x[(size_t)h * g->x_row + (size_t)v * g->x_pixel + i];
                float *y = g->y + (size_t)r * g->y_row + (size_t)s * g->y_pixel + i;
                *y = (float)(accumulate ? *y + sum : sum);
            }
}

static void winograd_input(const nn_winograd_grid *g) {
    transform_channels(6, 6, input_matrix, IMAGE_X, g, NULL, false);
}

static void winograd_output(const nn_winograd_grid *g, const float *bias, bool accumulate) {
    transform_channels(6, 4, output_matrix, IMAGE_Y, g, bias, accumulate);
}

static void winograd_gradient(const nn_winograd_grid *g) {
    transform_channels(4, 6, gradient_matrix, IMAGE_X, g, NULL, false);
}

static void winograd_weights(const nn_winograd_grid *g) {
    transform_channels(3, 6, weights_matrix, IMAGE_NONE, g, NULL, false);
}

static void winograd_weight_gradient(const nn_winograd_grid *g, bool accumulate) {
    transform_channels(6, 3, weight_gradient_matrix, IMAGE_NONE, g, NULL, accumulate);
}

static const nn_winograd_kernels winograd_kernels = {.input = winograd_input,
                                                     .output = winograd_output,
                                                     .gradient = winograd_gradient,
                                                     .weights = winograd_weights,
                                                     .weight_gradient = winograd_weight_gradient};
