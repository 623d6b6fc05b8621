/* points_reference.h - the kernels over sets of points in plain C (contracts: nn_point_kernels). */
#include <math.h>

#include "kernels.h"

static void add_difference(int count, float scale, const float *x, float origin_scale, const float *origin,
                           float *sum) {
    for (int k = 0; k < count; k++)
        sum[k] += scale * x[k] - origin_scale * origin[k];
}

enum { PANEL = 4 };

static double center(int count, float scale, const float *x, const float *mean, const float *next, float *out,
                     int step) {
    double squares = 0;
    (void)next;
    for (int k = 0; k < (count + NN_POINT_MULTIPLE - 1) / NN_POINT_MULTIPLE * NN_POINT_MULTIPLE; k++) {
        float centered = k < count ? scale * x[k] - mean[k] : 0;
        out[(size_t)(k / PANEL) * step + k % PANEL] = centered;
        squares += (double)centered * centered;
    }
    return squares;
}

static float in_panels(const float *x, int step, int point, int k) {
    return x[(size_t)(k / PANEL) * step + (size_t)point * PANEL + k % PANEL];
}

static void dots(int rows, int columns, int dims, const float *a, int a_step, const float *b, int b_step,
                 bool upper, bool accumulate, float *c, int c_ld) {
    for (int i = 0; i < rows; i++)
        for (int j = upper ? i + 1 : 0; j < columns; j++) {
            double sum = accumulate ? c[(size_t)i * c_ld + j] : 0;
            for (int k = 0; k < dims; k++)
                sum += (double)in_panels(a, a_step, i, k) * in_panels(b, b_step, j, k);
            c[(size_t)i * c_ld + j] = (float)sum;
        }
}

static double shorten(int dims, float scale, const float *x, int step, int16_t *q, double *square) {
    double off = 0;
    for (int k = 0; k < dims; k++) {
        double value = (double)scale * in_panels(x, step, 0, k);
        q[k] = (int16_t)lrint(value);
        *square += (double)q[k] * q[k];
        off += (value - q[k]) * (value - q[k]);
    }
    return off;
}

static void chosen_shorts(int count, const uint16_t *which, int dims, const int16_t *a, const int16_t *b,
                          bool accumulate, float *c) {
    for (int j = 0; j < count; j++) {
        int32_t sum = 0;
        for (int k = 0; k < dims; k++)
            sum += a[k] * b[(size_t)which[j] * (size_t)dims + (size_t)k];
        c[j] = (accumulate ? c[j] : 0) + (float)sum;
    }
}

static void combine(int rows, int columns, int inner, const float *w, int w_ld, const float *x, int step,
                    const float *scale, bool accumulate, float *const *y) {
    for (int i = 0; i < rows; i++)
        for (int k = 0; k < columns; k++) {
            double sum = 0;
            for (int j = 0; j < inner; j++)
                sum += (double)w[(size_t)j * w_ld + i] * in_panels(x, step, j, k);
            y[i][k] = (float)((accumulate ? y[i][k] : 0) + scale[i] * sum);
        }
}

static const nn_point_kernels point_kernels = {.panel = PANEL,
                                               .add_difference = add_difference,
                                               .center = center,
                                               .dots = dots,
                                               .shorten = shorten,
                                               .chosen_shorts = chosen_shorts,
                                               .combine = combine};
