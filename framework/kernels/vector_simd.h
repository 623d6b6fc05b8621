/* vector_simd.h - whole-array and per-channel loops over `vec` (contracts: nn_vector_kernels).
 *
 * One loop serves whole and partial vectors: the branch in vec_load_part costs nothing beside the memory. */
#include "kernels.h"
#include "simd.h"

static void vector_relu(size_t n, const float *x, float slope, float *y) {
    for (size_t i = 0; i < n; i += LANES) {
        vec v = vec_load_part(x + i, n - i);
        vec_store_part(y + i, vec_select(v > (vec){0}, v, slope * v), n - i);
    }
}

static void vector_relu_backward(size_t n, const float *y, const float *dy, float slope, bool accumulate,
                                 float *dx) {
    for (size_t i = 0; i < n; i += LANES) {
        vec gradient = vec_load_part(dy + i, n - i);
        gradient = vec_select(vec_load_part(y + i, n - i) > (vec){0}, gradient, slope * gradient);
        if (accumulate)
            gradient += vec_load_part(dx + i, n - i);
        vec_store_part(dx + i, gradient, n - i);
    }
}

static void vector_add(size_t n, const float *a, const float *b, float *y) {
    for (size_t i = 0; i < n; i += LANES)
        vec_store_part(y + i, vec_load_part(a + i, n - i) + vec_load_part(b + i, n - i), n - i);
}

static void vector_scale(size_t n, float a, const float *x, bool accumulate, float *y) {
    for (size_t i = 0; i < n; i += LANES) {
        vec v = a * vec_load_part(x + i, n - i);
        if (accumulate)
            v += vec_load_part(y + i, n - i);
        vec_store_part(y + i, v, n - i);
    }
}

/* Per-channel sums keep CHAINS partial sums of interleaved rows: additions need not wait for each other. */
enum { CHAINS = 4 };

INLINE vec chains_total(const vec chain[CHAINS]) {
    return (chain[0] + chain[1]) + (chain[2] + chain[3]);
}

/* Sum over the rows of x - shift, or of its square, for up to LANES channels. */
INLINE vec column_sum(const bool square, int rows, size_t stride, size_t count, const float *x, vec shift) {
    vec chain[CHAINS] = {{0}};
    for (int r = 0; r < rows; r += CHAINS) {
        UNROLL
        for (int i = 0; i < CHAINS; i++)
            if (r + i < rows) {
                vec v = vec_load_part(x + (size_t)(r + i) * stride, count) - shift;
                if (square)
                    v *= v;
                chain[i] += v;
            }
    }
    return chains_total(chain);
}

static void vector_moments(int rows, int channels, const float *x, float *mean, float *m2) {
    size_t stride = (size_t)channels;
    for (size_t c = 0; c < stride; c += LANES) {
        size_t count = stride - c;
        vec average = column_sum(false, rows, stride, count, x + c, (vec){0}) / (float)rows;
        vec_store_part(mean + c, average, count);
        vec_store_part(m2 + c, column_sum(true, rows, stride, count, x + c, average), count);
    }
}

static void vector_affine(int rows, int channels, const float *x, const float *a, const float *b, float *y) {
    size_t stride = (size_t)channels;
    for (int r = 0; r < rows; r++, x += stride, y += stride)
        for (size_t c = 0; c < stride; c += LANES) {
            size_t count = stride - c;
            vec v = vec_load_part(x + c, count) * vec_load_part(a + c, count) + vec_load_part(b + c, count);
            vec_store_part(y + c, v, count);
        }
}

static void vector_gradient_sums(int rows, int channels, const float *x, const float *mean, const float *dy,
                                 float *sum, float *dot) {
    size_t stride = (size_t)channels;
    for (size_t c = 0; c < stride; c += LANES) {
        size_t count = stride - c;
        vec shift = vec_load_part(mean + c, count), sums[CHAINS] = {{0}}, dots[CHAINS] = {{0}};
        for (int r = 0; r < rows; r += CHAINS) {
            UNROLL
            for (int i = 0; i < CHAINS; i++)
                if (r + i < rows) {
                    size_t at = (size_t)(r + i) * stride + c;
                    vec g = vec_load_part(dy + at, count);
                    sums[i] += g;
                    dots[i] += g * (vec_load_part(x + at, count) - shift);
                }
        }
        vec_store_part(sum + c, chains_total(sums), count);
        vec_store_part(dot + c, chains_total(dots), count);
    }
}

static void vector_affine_backward(int rows, int channels, const float *x, const float *dy, const float *a,
                                   const float *b, const float *k, bool accumulate, float *dx) {
    size_t stride = (size_t)channels;
    for (int r = 0; r < rows; r++, x += stride, dy += stride, dx += stride)
        for (size_t c = 0; c < stride; c += LANES) {
            size_t count = stride - c;
            vec v = vec_load_part(dy + c, count) * vec_load_part(a + c, count) +
                    (vec_load_part(x + c, count) * vec_load_part(b + c, count) + vec_load_part(k + c, count));
            if (accumulate)
                v += vec_load_part(dx + c, count);
            vec_store_part(dx + c, v, count);
        }
}

static void vector_sgd(size_t n, float rate, float momentum, bool nesterov, float decay,
                       const float *gradient, float *velocity, float *parameter) {
    for (size_t i = 0; i < n; i += LANES) {
        vec p = vec_load_part(parameter + i, n - i);
        vec g = vec_load_part(gradient + i, n - i) + decay * p;
        vec v = momentum * vec_load_part(velocity + i, n - i) + g;
        vec_store_part(velocity + i, v, n - i);
        if (nesterov)
            v = g + momentum * v;
        vec_store_part(parameter + i, p - rate * v, n - i);
    }
}

INLINE vec square_root(vec v) {
    for (int i = 0; i < LANES; i++)
        v[i] = __builtin_sqrtf(v[i]);
    return v;
}

static void vector_adam(size_t n, float rate, float beta1, float beta2, float epsilon, float correction1,
                        float correction2, float decay, const float *gradient, float *m, float *v,
                        float *parameter) {
    for (size_t i = 0; i < n; i += LANES) {
        vec p = vec_load_part(parameter + i, n - i);
        vec g = vec_load_part(gradient + i, n - i) + decay * p;
        vec first = beta1 * vec_load_part(m + i, n - i) + (1 - beta1) * g;
        vec second = beta2 * vec_load_part(v + i, n - i) + (1 - beta2) * (g * g);
        vec_store_part(m + i, first, n - i);
        vec_store_part(v + i, second, n - i);
        vec step = first / correction1 / (square_root(second / correction2) + epsilon);
        vec_store_part(parameter + i, p - rate * step, n - i);
    }
}

/* The exponent's bits are all ones in infinities and NaNs, and only there. */
static bool vector_finite(size_t n, const float *x) {
    const ivec exponent = 0x7f800000 - (ivec){0};
    ivec bad = {0};
    for (size_t i = 0; i < n; i += LANES)
        bad |= ((ivec)vec_load_part(x + i, n - i) & exponent) == exponent;
    for (int i = 0; i < LANES; i++)
        if (bad[i])
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
