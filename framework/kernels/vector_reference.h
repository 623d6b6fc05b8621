/* vector_reference.h - whole-array and per-channel loops in plain C (contracts: nn_vector_kernels). */
#include <math.h>

#include "kernels.h"

static void vector_relu(size_t n, const float *x, float slope, float *y) {
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] > 0 ? x[i] : slope * x[i];
}

static void vector_relu_backward(size_t n, const float *y, const float *dy, float slope, bool accumulate,
                                 float *dx) {
    for (size_t i = 0; i < n; i++) {
        float gradient = y[i] > 0 ? dy[i] : slope * dy[i];
        dx[i] = accumulate ? dx[i] + gradient : gradient;
    }
}

static void vector_add(size_t n, const float *a, const float *b, float *y) {
    for (size_t i = 0; i < n; i++)
        y[i] = a[i] + b[i];
}

static void vector_scale(size_t n, float a, const float *x, bool accumulate, float *y) {
    for (size_t i = 0; i < n; i++)
        y[i] = accumulate ? y[i] + a * x[i] : a * x[i];
}

static void vector_moments(int rows, int channels, const float *x, float *mean, float *m2) {
    for (int c = 0; c < channels; c++) {
        double sum = 0, squares = 0;
        for (int r = 0; r < rows; r++)
            sum += x[(size_t)r * (size_t)channels + (size_t)c];
        mean[c] = (float)(sum / rows);
        for (int r = 0; r < rows; r++) {
            double deviation = x[(size_t)r * (size_t)channels + (size_t)c] - mean[c];
            squares += deviation * deviation;
        }
        m2[c] = (float)squares;
    }
}

static void vector_affine(const nn_affine *t, const float *x, const float *residual, float *y) {
    for (size_t r = 0, i = 0; r < (size_t)t->rows; r++)
        for (int c = 0; c < t->channels; c++, i++) {
            float v = x[i] * t->factor[c] + t->offset[c];
            if (residual)
                v += residual[i];
            y[i] = v > 0 ? v : t->slope * v;
        }
}

/* dy[i] times the slope of f there; c is the channel of i */
static float through_slope(const nn_affine *t, const float *x, const float *y, const float *dy, size_t i,
                           int c) {
    float sign = y ? y[i] : x[i] * t->factor[c] + t->offset[c];
    return sign > 0 ? dy[i] : t->slope * dy[i];
}

static void vector_gradient_sums(const nn_affine *t, const float *x, const float *y, const float *mean,
                                 const float *dy, bool accumulate, float *dresidual, float *sum, float *dot) {
    for (int c = 0; c < t->channels; c++) {
        double sums = 0, dots = 0;
        for (int r = 0; r < t->rows; r++) {
            size_t i = (size_t)r * (size_t)t->channels + (size_t)c;
            float gradient = through_slope(t, x, y, dy, i, c);
            sums += gradient;
            dots += (double)gradient * (x[i] - mean[c]);
            if (dresidual)
                dresidual[i] = accumulate ? dresidual[i] + gradient : gradient;
        }
        sum[c] = (float)sums;
        dot[c] = (float)dots;
    }
}

static void vector_affine_backward(const nn_affine *t, const float *x, const float *y, const float *dy,
                                   const float *a, const float *b, const float *k, bool accumulate,
                                   float *dx) {
    for (size_t r = 0, i = 0; r < (size_t)t->rows; r++)
        for (int c = 0; c < t->channels; c++, i++) {
            float gradient = through_slope(t, x, y, dy, i, c) * a[c] + x[i] * b[c] + k[c];
            dx[i] = accumulate ? dx[i] + gradient : gradient;
        }
}

static void vector_sgd(size_t n, float rate, float momentum, bool nesterov, float decay,
                       const float *gradient, float *velocity, float *parameter) {
    for (size_t i = 0; i < n; i++) {
        float g = gradient[i] + decay * parameter[i];
        velocity[i] = momentum * velocity[i] + g;
        parameter[i] -= rate * (nesterov ? g + momentum * velocity[i] : velocity[i]);
    }
}

static void vector_adam(size_t n, float rate, float beta1, float beta2, float epsilon, float correction1,
                        float correction2, float decay, const float *gradient, float *m, float *v,
                        float *parameter) {
    for (size_t i = 0; i < n; i++) {
        float g = gradient[i] + decay * parameter[i];
        m[i] = beta1 * m[i] + (1 - beta1) * g;
        v[i] = beta2 * v[i] + (1 - beta2) * g * g;
        parameter[i] -= rate * (m[i] / correction1) / (sqrtf(v[i] / correction2) + epsilon);
    }
}

static bool vector_finite(size_t n, const float *x) {
    for (size_t i = 0; i < n; i++)
        if (!isfinite(x[i]))
            return false;
    return true;
}

static const nn_vector_kernels vector_kernels = {
    .relu = vector_relu,
    .relu_backward = vector_relu_backward,
    .add = vector_add,
    .scale = vector_scale,
    .moments = vector_moments,
    .affine = vector_affine,
    .gradient_sums = vector_gradient_sums,
    .affine_backward = vector_affine_backward,
    .sgd = vector_sgd,
    .adam = vector_adam,
    .finite = vector_finite,
};
