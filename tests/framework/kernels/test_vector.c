/* test_vector.c - whole-array and per-channel kernels, on every table of this machine, against their formulas
 * in double precision. */
#include "tests/support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "framework/kernels/kernels.h"

enum { GUARD = 20, LONGEST = 70 };
static const float guard_value = 12345.5f;
static const double tolerance = 1e-6;

/* Every table that this machine has runs every check: `kernels` is the one in turn. */
static const nn_vector_kernels *kernels;

static void each_table(void (*check)(void)) {
    static const char *const names[] = {"avx512", "avx2", "generic", "reference"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const nn_kernels *table = nn_kernels_named(names[i]);
        if (!table)
            continue;
        kernels = table->vector;
        check();
    }
}

/* An array of n normal numbers between guards, misaligned. */
static float *array_new(size_t n, const char *name) {
    float *normal = test_normal(n + 1, name), *a = test_zeros(n + 2 * GUARD);
    for (size_t i = 0; i < n + 2 * GUARD; i++)
        a[i] = i > GUARD && i <= GUARD + n ? normal[i - GUARD - 1] : guard_value;
    free(normal);
    return a + GUARD + 1;
}

static void array_free(float *a, size_t n) {
    for (size_t i = 1; i < GUARD; i++)
        if (a[-(ptrdiff_t)i] != guard_value || a[n + i - 1] != guard_value)
            fail_msg("written %zu floats outside an array of %zu", i, n);
    free(a - GUARD - 1);
}

static void check_relu(void) {
    for (size_t n = 0; n < LONGEST; n++)
        for (int s = 0; s < 2; s++) {
            float slope = s ? 0.25f : 0, *x = array_new(n, "x"), *y = array_new(n, "y"),
                  *dy = array_new(n, "dy"), *dx = array_new(n, "dx");
            double expected[LONGEST], gradient[LONGEST], added[LONGEST];
            for (size_t i = 0; i < n; i++) {
                if (i % 7 == 3)
                    x[i] = 0;
                expected[i] = x[i] > 0 ? x[i] : (double)slope * x[i];
                gradient[i] = x[i] > 0 ? dy[i] : (double)slope * dy[i];
                added[i] = gradient[i] + dx[i];
            }
            kernels->relu(n, x, slope, y);
            test_close("relu", y, expected, n, tolerance);
            kernels->relu(n, x, slope, x);
            test_close("relu in place", x, expected, n, tolerance);
            kernels->relu_backward(n, y, dy, slope, true, dx);
            test_close("relu_backward, accumulating", dx, added, n, tolerance);
            kernels->relu_backward(n, y, dy, slope, false, dx);
            test_close("relu_backward", dx, gradient, n, tolerance);
            kernels->relu_backward(n, y, dy, slope, false, dy);
            test_close("relu_backward in place", dy, gradient, n, tolerance);
            array_free(x, n), array_free(y, n), array_free(dy, n), array_free(dx, n);
        }
}

static void check_add_and_scale(void) {
    for (size_t n = 0; n < LONGEST; n++) {
        float *a = array_new(n, "a"), *b = array_new(n, "b"), *y = array_new(n, "y");
        double sum[LONGEST], scaled[LONGEST], added[LONGEST];
        for (size_t i = 0; i < n; i++) {
            sum[i] = (double)a[i] + b[i];
            scaled[i] = -1.75 * a[i];
            added[i] = scaled[i] + y[i];
        }
        kernels->scale(n, -1.75f, a, true, y);
        test_close("scale, accumulating", y, added, n, tolerance);
        kernels->scale(n, -1.75f, a, false, y);
        test_close("scale", y, scaled, n, tolerance);
        kernels->add(n, a, b, y);
        test_close("add", y, sum, n, tolerance);
        kernels->add(n, a, b, b);
        test_close("add in place", b, sum, n, tolerance);
        kernels->scale(n, -1.75f, a, false, a);
        test_close("scale in place", a, scaled, n, tolerance);
        array_free(a, n), array_free(b, n), array_free(y, n);
    }
}

/* Shapes of per-channel arrays: every remainder of rows and of channels. */
static const int channel_counts[] = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64, 100};
static const int row_counts[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 33, 257};
enum {
    CHANNEL_COUNTS = sizeof channel_counts / sizeof *channel_counts,
    ROW_COUNTS = sizeof row_counts / sizeof *row_counts,
    MOST_CHANNELS = 100
};

static void each_shape(void (*check)(int rows, int channels)) {
    for (int r = 0; r < ROW_COUNTS; r++)
        for (int c = 0; c < CHANNEL_COUNTS; c++)
            check(row_counts[r], channel_counts[c]);
}

static void check_moments_of(int rows, int channels) {
    size_t n = (size_t)(rows * channels), few = (size_t)channels;
    float *x = array_new(n, "x"), *first = array_new(few, "first"), *second = array_new(few, "second");
    double mean[MOST_CHANNELS] = {0}, m2[MOST_CHANNELS] = {0};
    for (size_t i = 0; i < n; i++) {
        x[i] += 100; /* a mean far from 0 shows sums of squares that cancel */
        mean[i % few] += x[i] / (double)rows;
    }
    for (size_t i = 0; i < n; i++)
        m2[i % few] += (x[i] - mean[i % few]) * (x[i] - mean[i % few]);
    kernels->moments(rows, channels, x, first, second);
    test_close("mean", first, mean, few, tolerance);
    test_close("m2", second, m2, few, 1e-5);
    array_free(x, n), array_free(first, few), array_free(second, few);
}

/* Means and variances of 4096 rows, each channel for itself: far from 0, with a first row unlike the others, and
 * with a level that changes halfway. */
static void check_moments_far(void) {
    enum { ROWS = 4096, CHANNELS = 3 };
    float *x = array_new(ROWS * CHANNELS, "x"), mean[CHANNELS], m2[CHANNELS];
    for (int r = 0; r < ROWS; r++) {
        x[r * CHANNELS] += 1000;
        x[r * CHANNELS + 1] += r == 0 ? 1000 : 0;
        x[r * CHANNELS + 2] += r < ROWS / 2 ? -500 : 1500;
    }
    kernels->moments(ROWS, CHANNELS, x, mean, m2);
    for (int c = 0; c < CHANNELS; c++) {
        double expected = 0, squares = 0;
        for (int r = 0; r < ROWS; r++)
            expected += (double)x[r * CHANNELS + c] / ROWS;
        for (int r = 0; r < ROWS; r++)
            squares += (x[r * CHANNELS + c] - expected) * (x[r * CHANNELS + c] - expected);
        double deviation = sqrt(squares / ROWS);
        if (!(fabs(mean[c] - expected) <= 1e-3 * deviation) || !(fabs(m2[c] - squares) <= 1e-5 * squares))
            fail_msg("channel %d: mean %.9g, not %.9g; m2 %.9g, not %.9g", c, mean[c], expected, m2[c],
                     squares);
    }
    array_free(x, ROWS * CHANNELS);
}

/* The arrays of one call of the kernels around nn_affine, and what they should give. */
typedef struct affine_case {
    size_t n, few;
    nn_affine f;
    bool with_residual;
    float *x, *residual, *y, *dy, *dx, *dresidual;         /* n */
    float *factor, *offset, *mean, *a, *b, *k, *sum, *dot; /* few */
    double *forward, *slope;                               /* n: y, and f' there */
} affine_case;

static affine_case affine_case_new(int rows, int channels, float slope, bool with_residual) {
    size_t n = (size_t)(rows * channels), few = (size_t)channels;
    affine_case t = {.n = n, .few = few, .with_residual = with_residual};
    float **long_arrays[] = {&t.x, &t.residual, &t.y, &t.dy, &t.dx, &t.dresidual};
    float **short_arrays[] = {&t.factor, &t.offset, &t.mean, &t.a, &t.b, &t.k, &t.sum, &t.dot};
    const char *const names[] = {"1", "2", "3", "4", "5", "6", "7", "8"};
    for (size_t i = 0; i < sizeof long_arrays / sizeof *long_arrays; i++)
        *long_arrays[i] = array_new(n, names[i]);
    for (size_t i = 0; i < sizeof short_arrays / sizeof *short_arrays; i++)
        *short_arrays[i] = array_new(few, names[i]);
    t.f = (nn_affine){rows, channels, t.factor, t.offset, slope};
    t.forward = test_bytes(n * sizeof(double));
    t.slope = test_bytes(n * sizeof(double));
    for (size_t i = 0, c = 0; i < n; i++, c = i % few) {
        double v = (double)t.x[i] * t.factor[c] + t.offset[c] + (with_residual ? t.residual[i] : 0);
        t.slope[i] = v > 0 ? 1 : slope;
        t.forward[i] = v * t.slope[i];
    }
    return t;
}

static void affine_case_free(affine_case *t) {
    float *long_arrays[] = {t->x, t->residual, t->y, t->dy, t->dx, t->dresidual};
    float *short_arrays[] = {t->factor, t->offset, t->mean, t->a, t->b, t->k, t->sum, t->dot};
    for (size_t i = 0; i < sizeof long_arrays / sizeof *long_arrays; i++)
        array_free(long_arrays[i], t->n);
    for (size_t i = 0; i < sizeof short_arrays / sizeof *short_arrays; i++)
        array_free(short_arrays[i], t->few);
    free(t->forward), free(t->slope);
}

static float *copy_of(const float *x, size_t n) {
    return memcpy(test_bytes(n * sizeof *x), x, n * sizeof *x);
}

static void check_forward(affine_case *t) {
    const float *residual = t->with_residual ? t->residual : NULL;
    float *before = copy_of(t->x, t->n);
    kernels->affine(&t->f, t->x, residual, t->y);
    test_close("affine", t->y, t->forward, t->n, tolerance);
    kernels->affine(&t->f, t->x, residual, t->x);
    test_close("affine in place", t->x, t->forward, t->n, tolerance);
    memcpy(t->x, before, t->n * sizeof *before);
    free(before);
    if (!residual)
        return;
    before = copy_of(t->residual, t->n);
    kernels->affine(&t->f, t->x, residual, t->residual);
    test_close("affine over the residual", t->residual, t->forward, t->n, tolerance);
    memcpy(t->residual, before, t->n * sizeof *before);
    free(before);
}

static void check_sums(affine_case *t, const float *y) {
    double sum[MOST_CHANNELS] = {0}, dot[MOST_CHANNELS] = {0};
    double *g = test_bytes(t->n * sizeof *g), *added = test_bytes(t->n * sizeof *added);
    float *before = copy_of(t->dy, t->n);
    for (size_t i = 0, c = 0; i < t->n; i++, c = i % t->few) {
        g[i] = t->dy[i] * t->slope[i];
        added[i] = t->dresidual[i] + g[i];
        sum[c] += g[i];
        dot[c] += g[i] * (t->x[i] - (double)t->mean[c]);
    }
    for (int way = 0; way < 4; way++) {
        float *to = way == 0 ? NULL : way < 3 ? t->dresidual : t->dy;
        kernels->gradient_sums(&t->f, t->x, y, t->mean, t->dy, way == 1, to, t->sum, t->dot);
        test_close("sum", t->sum, sum, t->few, 1e-5);
        test_close("dot", t->dot, dot, t->few, 1e-5);
        if (to)
            test_close("residual's gradient", to, way == 1 ? added : g, t->n, tolerance);
    }
    memcpy(t->dy, before, t->n * sizeof *before);
    free(g), free(added), free(before);
}

static void check_backward(affine_case *t, const float *y) {
    double *expected = test_bytes(t->n * sizeof *expected), *added = test_bytes(t->n * sizeof *added);
    float *before = copy_of(t->dy, t->n);
    for (size_t i = 0, c = 0; i < t->n; i++, c = i % t->few) {
        expected[i] = t->dy[i] * t->slope[i] * t->a[c] + (double)t->x[i] * t->b[c] + t->k[c];
        added[i] = t->dx[i] + expected[i];
    }
    for (int way = 0; way < 3; way++) {
        float *to = way < 2 ? t->dx : t->dy;
        kernels->affine_backward(&t->f, t->x, y, t->dy, t->a, t->b, t->k, way == 0, to);
        test_close("affine_backward", to, way == 0 ? added : expected, t->n, tolerance);
    }
    memcpy(t->dy, before, t->n * sizeof *before);
    free(expected), free(added), free(before);
}

static void check_affine_of(int rows, int channels) {
    static const float slopes[] = {0, 0.25f, 1};
    for (int way = 0; way < 6; way++) {
        affine_case t = affine_case_new(rows, channels, slopes[way / 2], way % 2);
        check_forward(&t);
        check_sums(&t, t.y);
        check_backward(&t, t.y);
        if (!t.with_residual) { /* the sign is that of x * factor + offset */
            check_sums(&t, NULL);
            check_backward(&t, NULL);
        }
        affine_case_free(&t);
    }
}

static void check_moments(void) {
    each_shape(check_moments_of);
    check_moments_far();
}

static void check_affine(void) {
    each_shape(check_affine_of);
}

/* SGD as in PyTorch (torch.optim.SGD, dampening 0), several steps with the same gradient. */
static void check_sgd_of(size_t n, bool nesterov) {
    const float rate = 0.125f, momentum = 0.875f, decay = 0.03125f;
    float *gradient = array_new(n, "gradient"), *velocity = array_new(n, "v"), *parameter = array_new(n, "p");
    double v[LONGEST], p[LONGEST];
    for (size_t i = 0; i < n; i++) {
        v[i] = velocity[i];
        p[i] = parameter[i];
    }
    for (int step = 0; step < 3; step++) {
        kernels->sgd(n, rate, momentum, nesterov, decay, gradient, velocity, parameter);
        for (size_t i = 0; i < n; i++) {
            double g = gradient[i] + decay * p[i];
            v[i] = momentum * v[i] + g;
            p[i] -= rate * (nesterov ? g + momentum * v[i] : v[i]);
        }
    }
    test_close("velocity", velocity, v, n, tolerance);
    test_close("parameter", parameter, p, n, tolerance);
    array_free(gradient, n), array_free(velocity, n), array_free(parameter, n);
}

/* Adam as in PyTorch (torch.optim.Adam), three steps from the start. */
static void check_adam_of(size_t n) {
    const float rate = 0.125f, beta1 = 0.875f, beta2 = 0.9375f, epsilon = 0.0078125f, decay = 0.03125f;
    float *gradient = array_new(n, "gradient"), *m = array_new(n, "m"), *v = array_new(n, "v"),
          *parameter = array_new(n, "p");
    double first[LONGEST] = {0}, second[LONGEST] = {0}, p[LONGEST];
    for (size_t i = 0; i < n; i++) {
        m[i] = v[i] = 0;
        p[i] = parameter[i];
    }
    for (int step = 1; step <= 3; step++) {
        double correction1 = 1 - pow(beta1, step), correction2 = 1 - pow(beta2, step);
        kernels->adam(n, rate, beta1, beta2, epsilon, (float)correction1, (float)correction2, decay, gradient,
                      m, v, parameter);
        for (size_t i = 0; i < n; i++) {
            double g = gradient[i] + decay * p[i];
            first[i] = beta1 * first[i] + (1 - beta1) * g;
            second[i] = beta2 * second[i] + (1 - beta2) * g * g;
            p[i] -= rate * (first[i] / correction1) / (sqrt(second[i] / correction2) + epsilon);
        }
    }
    test_close("m", m, first, n, tolerance);
    test_close("v", v, second, n, tolerance);
    test_close("parameter", parameter, p, n, 5e-6);
    array_free(gradient, n), array_free(m, n), array_free(v, n), array_free(parameter, n);
}

static void check_updates(void) {
    for (size_t n = 0; n < LONGEST; n++) {
        check_sgd_of(n, false);
        check_sgd_of(n, true);
        check_adam_of(n);
    }
}

/* Bit patterns at the borders between finite numbers, infinities and NaNs, at every place of the array. */
static void check_finite(void) {
    static const uint32_t good[] = {0, 0x80000000, 1, 0x807fffff, 0x7f7fffff, 0xff7fffff};
    static const uint32_t bad[] = {0x7f800000, 0xff800000, 0x7f800001, 0x7fc00000, 0xffffffff, 0xffbfffff};
    for (size_t n = 0; n < LONGEST; n++) {
        float *x = array_new(n, "x");
        x[n] = NAN; /* not of the array */
        for (size_t i = 0; i < n; i++) {
            float before = x[i];
            for (size_t b = 0; b < sizeof good / sizeof *good; b++) {
                memcpy(&x[i], &good[b], sizeof *x);
                assert_true(kernels->finite(n, x));
                memcpy(&x[i], &bad[b], sizeof *x);
                assert_false(kernels->finite(n, x));
            }
            x[i] = before;
        }
        assert_true(kernels->finite(n, x));
        x[n] = guard_value;
        array_free(x, n);
    }
}

static void test_relu(void **state) {
    (void)state;
    each_table(check_relu);
}

static void test_add_and_scale(void **state) {
    (void)state;
    each_table(check_add_and_scale);
}

static void test_moments(void **state) {
    (void)state;
    each_table(check_moments);
}

static void test_affine(void **state) {
    (void)state;
    each_table(check_affine);
}

static void test_updates(void **state) {
    (void)state;
    each_table(check_updates);
}

static void test_finite(void **state) {
    (void)state;
    each_table(check_finite);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_relu),   cmocka_unit_test(test_add_and_scale), cmocka_unit_test(test_moments),
        cmocka_unit_test(test_affine), cmocka_unit_test(test_updates),       cmocka_unit_test(test_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
