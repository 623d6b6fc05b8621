/* winograd_simd.h - the transforms of Winograd's convolution for one vector width.
 *
 * Each is Y = L X L' for a small matrix L, on grids whose elements are vectors of channels. The products with
 * L are written out; with the interpolation points 0, +-A, +-B and infinity (kernels.h) its rows come in pairs
 * that share their even and odd halves. All coefficients but those of `weights` are exact in single precision. */
#include "kernels.h"
#include "simd.h"

enum { WINOGRAD_SIDE = 6 }; /* the largest grid's */

static const float A = 0.75f, A2 = 0.5625f, A3 = 0.421875f;
static const float B = 1.5f, B2 = 2.25f, B3 = 3.375f;

/* The product of one column with L: `from` elements to `to` elements. */
typedef void winograd_line(const vec *x, vec *y);

INLINE void input_line(const vec *x, vec *y) {
    vec even_a = x[4] - B2 * x[2], odd_a = A * (x[3] - B2 * x[1]);
    vec even_b = x[4] - A2 * x[2], odd_b = B * (x[3] - A2 * x[1]);
    y[0] = A2 * B2 * x[0] - (A2 + B2) * x[2] + x[4];
    y[1] = even_a + odd_a;
    y[2] = even_a - odd_a;
    y[3] = even_b + odd_b;
    y[4] = even_b - odd_b;
    y[5] = A2 * B2 * x[1] - (A2 + B2) * x[3] + x[5];
}

INLINE void output_line(const vec *x, vec *y) {
    vec sum_a = x[1] + x[2], difference_a = x[1] - x[2];
    vec sum_b = x[3] + x[4], difference_b = x[3] - x[4];
    y[0] = x[0] + sum_a + sum_b;
    y[1] = A * difference_a + B * difference_b;
    y[2] = A2 * sum_a + B2 * sum_b;
    y[3] = A3 * difference_a + (B3 * difference_b + x[5]);
}

/* Transposed output_line. */
INLINE void gradient_line(const vec *x, vec *y) {
    vec even_a = x[0] + A2 * x[2], odd_a = A * x[1] + A3 * x[3];
    vec even_b = x[0] + B2 * x[2], odd_b = B * x[1] + B3 * x[3];
    y[0] = x[0];
    y[1] = even_a + odd_a;
    y[2] = even_a - odd_a;
    y[3] = even_b + odd_b;
    y[4] = even_b - odd_b;
    y[5] = x[3];
}

INLINE void weights_line(const vec *x, vec *y) {
    const float at_a = 1 / (2 * A2 * (A2 - B2)), at_b = 1 / (2 * B2 * (B2 - A2));
    vec even_a = at_a * x[0] + at_a * A2 * x[2], odd_a = at_a * A * x[1];
    vec even_b = at_b * x[0] + at_b * B2 * x[2], odd_b = at_b * B * x[1];
    y[0] = 1 / (A2 * B2) * x[0];
    y[1] = even_a + odd_a;
    y[2] = even_a - odd_a;
    y[3] = even_b + odd_b;
    y[4] = even_b - odd_b;
    y[5] = x[2];
}

/* Transposed weights_line. */
INLINE void weight_gradient_line(const vec *x, vec *y) {
    const float at_a = 1 / (2 * A2 * (A2 - B2)), at_b = 1 / (2 * B2 * (B2 - A2));
    vec sum_a = x[1] + x[2], sum_b = x[3] + x[4];
    y[0] = 1 / (A2 * B2) * x[0] + at_a * sum_a + at_b * sum_b;
    y[1] = at_a * A * (x[1] - x[2]) + at_b * B * (x[3] - x[4]);
    y[2] = at_a * A2 * sum_a + (at_b * B2 * sum_b + x[5]);
}

/* Which grid is part of an image. */
enum { IMAGE_NONE, IMAGE_X, IMAGE_Y };

INLINE bool inside(int i, int first, int end) {
    return i >= first && i < end;
}

/* The columns of x times L. Rows outside the image are read from a line of zeros. */
INLINE void transform_columns(const int from, const int to, winograd_line *line, const bool clipped,
                              const nn_winograd_grid *g, size_t channel,
                              vec half[WINOGRAD_SIDE][WINOGRAD_SIDE]) {
    static const float zeros[LANES] = {0};
    const float *row[WINOGRAD_SIDE];
    size_t pixel[WINOGRAD_SIDE];
    UNROLL
    for (int r = 0; r < from; r++) {
        bool read = !clipped || inside(r, g->top, g->bottom);
        row[r] = read ? g->x + (size_t)r * g->x_row + channel : zeros;
        pixel[r] = read ? g->x_pixel : 0;
    }
    UNROLL
    for (int s = 0; s < from; s++) {
        vec in[WINOGRAD_SIDE] = {0}, out[WINOGRAD_SIDE];
        if (!clipped || inside(s, g->left, g->right)) {
            UNROLL
            for (int r = 0; r < from; r++)
                in[r] = vec_load(row[r] + (size_t)s * pixel[r]);
        }
        line(in, out);
        UNROLL
        for (int r = 0; r < to; r++)
            half[r][s] = out[r];
    }
}

/* One vector of channels. `from`, `to`, `line` and `clipped`, the grid with pixels outside the image, are
 * constants. */
INLINE void transform(const int from, const int to, winograd_line *line, const int clipped,
                      const nn_winograd_grid *g, size_t channel, const float *bias, bool accumulate) {
    vec half[WINOGRAD_SIDE][WINOGRAD_SIDE];
    transform_columns(from, to, line, clipped == IMAGE_X, g, channel, half);
    UNROLL
    for (int r = 0; r < to; r++) {
        vec out[WINOGRAD_SIDE];
        line(half[r], out);
        UNROLL
        for (int s = 0; s < to; s++) {
            if (clipped == IMAGE_Y && !(inside(r, g->top, g->bottom) && inside(s, g->left, g->right)))
                continue;
            float *y = g->y + (size_t)r * g->y_row + (size_t)s * g->y_pixel + channel;
            if (bias)
                out[s] += vec_load(bias + channel);
            if (accumulate)
                out[s] += vec_load(y);
            vec_store(y, out[s]);
        }
    }
}

/* All channels; `image` is a constant too. */
INLINE void transform_channels(const int from, const int to, winograd_line *line, const int image,
                               const nn_winograd_grid *g, const float *bias, bool accumulate) {
    int side = image == IMAGE_X ? from : to;
    bool whole =
        image == IMAGE_NONE || (g->top == 0 && g->bottom == side && g->left == 0 && g->right == side);
    for (size_t i = 0; i < g->channels; i += LANES)
        if (whole)
            transform(from, to, line, IMAGE_NONE, g, i, bias, accumulate);
        else
            transform(from, to, line, image, g, i, bias, accumulate);
}

static void winograd_input(const nn_winograd_grid *g) {
    transform_channels(6, 6, input_line, IMAGE_X, g, NULL, false);
}

static void winograd_output(const nn_winograd_grid *g, const float *bias, bool accumulate) {
    transform_channels(6, 4, output_line, IMAGE_Y, g, bias, accumulate);
}

static void winograd_gradient(const nn_winograd_grid *g) {
    transform_channels(4, 6, gradient_line, IMAGE_X, g, NULL, false);
}

static void winograd_weights(const nn_winograd_grid *g) {
    transform_channels(3, 6, weights_line, IMAGE_NONE, g, NULL, false);
}

static void winograd_weight_gradient(const nn_winograd_grid *g, bool accumulate) {
    transform_channels(6, 3, weight_gradient_line, IMAGE_NONE, g, NULL, accumulate);
}

static const nn_winograd_kernels winograd_kernels = {.input = winograd_input,
                                                     .output = winograd_output,
                                                     .gradient = winograd_gradient,
                                                     .weights = winograd_weights,
                                                     .weight_gradient = winograd_weight_gradient};
