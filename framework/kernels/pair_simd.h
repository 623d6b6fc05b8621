/* pair_simd.h - the kernels of the soft nearest neighbor loss over `vec` (contracts: nn_pair_kernels). */
#include "kernels.h"
#include "simd.h"

/* Integers that may wrap around. */
typedef uint32_t unsigned_vec __attribute__((vector_size(LANES * 4), aligned(4), may_alias));

static const int32_t lane_numbers[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

static const float binary_logarithm_of_e = 1.44269504f;

/* 2^(d * rate) for d * rate <= 0: the power of two nearest goes to the exponent and 2^f, |f| <= 1/2, is a
 * minimax polynomial of degree 6 (1.6e-8) that is exactly 1 at 0. 0 below 2^-125; NaN stays NaN. */
INLINE vec exp2_of(vec d, vec rate) {
    const vec rounder = vec_all(12582912.0f); /* 1.5 * 2^23: adding it leaves the integer in the low bits */
    vec exponent = d * rate;
    vec shifted = exponent + rounder;
    vec f = d * rate - (shifted - rounder);
    vec p = vec_all(1.53533620e-4f);
    p = p * f + vec_all(1.33988750e-3f);
    p = p * f + vec_all(9.61843692e-3f);
    p = p * f + vec_all(5.55033237e-2f);
    p = p * f + vec_all(2.40226477e-1f);
    p = p * f + vec_all(6.93147182e-1f);
    p = p * f + vec_all(1.0f);
    vec power = (vec)((unsigned_vec)p + ((unsigned_vec)shifted << 23));
    return vec_select(exponent < vec_all(-125.0f), (vec){0}, power);
}

INLINE double lane_sum(vec v) {
    double sum = 0;
    for (int l = 0; l < LANES; l++)
        sum += v[l];
    return sum;
}

/* Sums in single precision within blocks, in double over the blocks. */
static void sums(int count, const float *d, float b, double sum[3]) {
    enum { BLOCK = 256 };
    const vec rate = vec_all(-b * binary_logarithm_of_e);
    sum[0] = sum[1] = sum[2] = 0;
    for (int start = 0; start < count; start += BLOCK) {
        int size = count - start < BLOCK ? count - start : BLOCK, j = 0;
        vec e_sum = {0}, ed_sum = {0}, edd_sum = {0};
        for (; j + LANES <= size; j += LANES) {
            vec x = vec_load(d + start + j);
            vec e = exp2_of(x, rate), ed = e * x;
            e_sum += e;
            ed_sum += ed;
            edd_sum += ed * x;
        }
        if (j < size) {
            vec x = vec_load_part(d + start + j, size - j);
            ivec present = *(const ivec *)lane_numbers < size - j - (ivec){0};
            vec e = vec_select(present, exp2_of(x, rate), (vec){0}), ed = e * x;
            e_sum += e;
            ed_sum += ed;
            edd_sum += ed * x;
        }
        sum[0] += lane_sum(e_sum);
        sum[1] += lane_sum(ed_sum);
        sum[2] += lane_sum(edd_sum);
    }
}

static void weights(int count, const float *d, float b, float scale, float *c) {
    const vec rate = vec_all(-b * binary_logarithm_of_e);
    int j = 0;
    for (; j + LANES <= count; j += LANES)
        vec_store(c + j, vec_all(scale) * exp2_of(vec_load(d + j), rate));
    if (j < count)
        vec_store_part(c + j, vec_all(scale) * exp2_of(vec_load_part(d + j, count - j), rate), count - j);
}

static double distance(int count, const float *x, const float *y, double ratio) {
    enum { HALF = LANES / 2, CHAINS = 4 };
    const double_vec ratios = ratio - (double_vec){0};
    double_vec chain[CHAINS] = {{0}};
    int j = 0;
    for (; j + CHAINS * HALF <= count; j += CHAINS * HALF)
        for (int c = 0; c < CHAINS; c++) {
            double_vec u = __builtin_convertvector(*(const half_vec *)(x + j + c * HALF), double_vec);
            double_vec v = __builtin_convertvector(*(const half_vec *)(y + j + c * HALF), double_vec);
            double_vec difference = u - v * ratios;
            chain[c] += difference * difference;
        }
    double_vec total = (chain[0] + chain[1]) + (chain[2] + chain[3]);
    double sum = 0;
    for (int l = 0; l < HALF; l++)
        sum += total[l];
    for (; j < count; j++) {
        double difference = x[j] - y[j] * ratio;
        sum += difference * difference;
    }
    return sum;
}

static const nn_pair_kernels pair_kernels = {.sums = sums, .weights = weights, .distance = distance};
