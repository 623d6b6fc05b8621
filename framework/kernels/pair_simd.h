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

INLINE vec shifted_by(vec d, float minimum, float unit) {
    return (d - vec_all(minimum)) * vec_all(unit);
}

static void weights(int count, const float *d, float minimum, float unit, float b, float scale, float *c) {
    const vec rate = vec_all(-b * binary_logarithm_of_e);
    int j = 0;
    for (; j + LANES <= count; j += LANES) {
        vec x = shifted_by(vec_load(d + j), minimum, unit);
        vec_store(c + j, vec_all(scale) * exp2_of(x, rate));
    }
    if (j < count) {
        vec x = shifted_by(vec_load_part(d + j, count - j), minimum, unit);
        vec_store_part(c + j, vec_all(scale) * exp2_of(x, rate), count - j);
    }
}

INLINE vec vec_min(vec a, vec b) {
    return vec_select(a < b, a, b);
}

INLINE float lane_min(vec v) {
    float minimum = v[0];
    for (int l = 1; l < LANES; l++)
        minimum = v[l] < minimum ? v[l] : minimum;
    return minimum;
}

/* `count` lanes from memory, d[0] in the others. */
INLINE vec load_or_first(const float *d, int count) {
    ivec present = *(const ivec *)lane_numbers < count - (ivec){0};
    return vec_select(present, vec_load_part(d, (size_t)count), vec_all(d[0]));
}

static float shift(int count, const float *d, float unit, float *shifted) {
    enum { CHAINS = 4 };
    vec chain[CHAINS];
    UNROLL
    for (int c = 0; c < CHAINS; c++)
        chain[c] = vec_all(d[0]);
    int j = 0;
    for (; j + CHAINS * LANES <= count; j += CHAINS * LANES)
        UNROLL
    for (int c = 0; c < CHAINS; c++)
        chain[c] = vec_min(vec_load(d + j + c * LANES), chain[c]);
    for (; j < count; j += LANES)
        chain[0] = vec_min(count - j < LANES ? load_or_first(d + j, count - j) : vec_load(d + j), chain[0]);
    float minimum = lane_min(vec_min(vec_min(chain[0], chain[1]), vec_min(chain[2], chain[3])));
    for (j = 0; j + LANES <= count; j += LANES)
        vec_store(shifted + j, shifted_by(vec_load(d + j), minimum, unit));
    if (j < count)
        vec_store_part(shifted + j, shifted_by(vec_load_part(d + j, count - j), minimum, unit), count - j);
    return minimum;
}

/* y is the one that is far away, where one is: what comes 4 KiB later is asked for. */
static double distance(int count, const float *x, const float *y, double ratio) {
    enum { HALF = LANES / 2, CHAINS = 4, AHEAD = 1024 };
    const double_vec ratios = ratio - (double_vec){0};
    double_vec chain[CHAINS] = {{0}};
    int j = 0;
    for (; j + CHAINS * HALF <= count; j += CHAINS * HALF) {
        for (int k = 0; k < CHAINS * HALF; k += 64 / (int)sizeof *y)
            __builtin_prefetch(y + j + AHEAD + k);
        for (int c = 0; c < CHAINS; c++) {
            double_vec u = half_to_double(*(const half_vec *)(x + j + c * HALF));
            double_vec v = half_to_double(*(const half_vec *)(y + j + c * HALF));
            double_vec difference = u - v * ratios;
            chain[c] += difference * difference;
        }
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

INLINE ivec to_distances(vec norm, vec norms, vec ratio, vec least, vec *d) {
    vec both = norm + norms;
    *d = both - (*d + *d);
    return (*d < ratio * both) | (*d < least);
}

static bool gram_distances(int count, float norm, const float *norms, float ratio, float least, float *d) {
    ivec near = {0};
    int j = 0;
    for (; j + LANES <= count; j += LANES) {
        vec x = vec_load(d + j);
        near |= to_distances(vec_all(norm), vec_load(norms + j), vec_all(ratio), vec_all(least), &x);
        vec_store(d + j, x);
    }
    if (j < count) {
        vec x = vec_load_part(d + j, count - j), others = vec_load_part(norms + j, count - j);
        near |= to_distances(vec_all(norm), others, vec_all(ratio), vec_all(least), &x) &
                (*(const ivec *)lane_numbers < count - j - (ivec){0});
        vec_store_part(d + j, x, count - j);
    }
    int any = 0;
    for (int l = 0; l < LANES; l++)
        any |= near[l];
    return any != 0;
}

/* Tiles are passed through by squares of LANES x LANES, which are transposed in registers: rows a power of two
 * apart would otherwise evict each other. At the edges squares are filled up with zeros. */

INLINE void load_square(int rows, int columns, const float *p, size_t ld, vec v[LANES]) {
    UNROLL
    for (int r = 0; r < LANES; r++)
        v[r] = r < rows ? vec_load_part(p + (size_t)r * ld, (size_t)columns) : (vec){0};
}

INLINE void store_square(int rows, int columns, const vec v[LANES], float *p, size_t ld) {
    UNROLL
    for (int r = 0; r < LANES; r++)
        if (r < rows)
            vec_store_part(p + (size_t)r * ld, v[r], (size_t)columns);
}

/* Each of the 4 x 4 squares that four vectors are made of. */
INLINE void transpose_quarters(vec v[4]) {
    enum { A = 0, B = LANES };
    vec a = shuffle_quarters(v[0], v[1], A, B, A + 1, B + 1);
    vec b = shuffle_quarters(v[2], v[3], A, B, A + 1, B + 1);
    vec c = shuffle_quarters(v[0], v[1], A + 2, B + 2, A + 3, B + 3);
    vec d = shuffle_quarters(v[2], v[3], A + 2, B + 2, A + 3, B + 3);
    v[0] = shuffle_quarters(a, b, A, A + 1, B, B + 1);
    v[1] = shuffle_quarters(a, b, A + 2, A + 3, B + 2, B + 3);
    v[2] = shuffle_quarters(c, d, A, A + 1, B, B + 1);
    v[3] = shuffle_quarters(c, d, A + 2, A + 3, B + 2, B + 3);
}

/* The square of quarters that vectors 0, 4, 8 .. are made of. */
INLINE void transpose_far(vec v[LANES]) {
#if defined(__AVX512F__)
    vec a = shuffle_of_quarters(v[0], v[4], 0, 1, 0, 1), b = shuffle_of_quarters(v[8], v[12], 0, 1, 0, 1);
    vec c = shuffle_of_quarters(v[0], v[4], 2, 3, 2, 3), d = shuffle_of_quarters(v[8], v[12], 2, 3, 2, 3);
    v[0] = shuffle_of_quarters(a, b, 0, 2, 0, 2);
    v[4] = shuffle_of_quarters(a, b, 1, 3, 1, 3);
    v[8] = shuffle_of_quarters(c, d, 0, 2, 0, 2);
    v[12] = shuffle_of_quarters(c, d, 1, 3, 1, 3);
#elif defined(__AVX2__)
    vec a = shuffle_halves(v[0], v[4], 0);
    v[4] = shuffle_halves(v[0], v[4], 1);
    v[0] = a;
#else
    (void)v;
#endif
}

INLINE void transpose_square(vec v[LANES]) {
    UNROLL
    for (int r = 0; r < LANES; r += 4)
        transpose_quarters(v + r);
    UNROLL
    for (int k = 0; k < 4; k++)
        transpose_far(v + k);
}

INLINE void mirror_square(int rows, int columns, const float *a, float *b, int ld) {
    vec v[LANES];
    load_square(rows, columns, a, (size_t)ld, v);
    transpose_square(v);
    store_square(columns, rows, v, b, (size_t)ld);
}

static void mirror_part(int rows, int columns, const float *a, float *b, int ld) {
    mirror_square(rows, columns, a, b, ld);
}

/* Below the diagonal from above it. What else is in the square is kept: in a vector's row, the lanes from its
 * number on. */
static void mirror_diagonal(int rows, int columns, float *a, int ld) {
    vec v[LANES], transposed[LANES];
    load_square(rows, columns, a, (size_t)ld, v);
    memcpy(transposed, v, sizeof v);
    transpose_square(transposed);
    for (int r = 0; r < LANES; r++)
        v[r] = vec_select(*(const ivec *)lane_numbers < r - (ivec){0}, transposed[r], v[r]);
    store_square(columns, rows, v, a, (size_t)ld);
}

static void mirror(int rows, int columns, const float *a, float *b, int ld) {
    for (int r = 0; r < rows; r += LANES) {
        int c = 0, height = rows - r < LANES ? rows - r : LANES;
        if (a == b) {
            c = r + LANES;
            mirror_diagonal(height, columns - r < LANES ? columns - r : LANES, b + (size_t)r * ld + r, ld);
        }
        for (; c < columns; c += LANES) {
            const float *from = a + (size_t)r * ld + c;
            float *to = b + (size_t)c * ld + r;
            if (height == LANES && columns - c >= LANES)
                mirror_square(LANES, LANES, from, to, ld);
            else
                mirror_part(height, columns - c < LANES ? columns - c : LANES, from, to, ld);
        }
    }
}

/* Adds the sums over the square's rows, lane by lane. */
INLINE void add_rows(int columns, const vec v[LANES], double *sums) {
    enum { HALF = LANES / 2 };
    vec sum = v[0];
    UNROLL
    for (int r = 1; r < LANES; r++)
        sum += v[r];
    half_vec half[2];
    memcpy(half, &sum, sizeof sum);
    if (columns >= LANES) {
        UNROLL
        for (int h = 0; h < 2; h++)
            *(double_vec *)(sums + h * HALF) += half_to_double(half[h]);
        return;
    }
    for (int c = 0; c < columns; c++)
        sums[c] += sum[c];
}

INLINE void symmetrize_square(int rows, int columns, float *a, float *b, int ld, double *row_sums,
                              double *column_sums) {
    vec v[LANES], w[LANES];
    load_square(rows, columns, a, (size_t)ld, w);
    transpose_square(w);
    load_square(columns, rows, b, (size_t)ld, v);
    UNROLL
    for (int r = 0; r < LANES; r++)
        w[r] += v[r];
    store_square(columns, rows, w, b, (size_t)ld);
    add_rows(rows, w, row_sums);
    if (a == b)
        return;
    transpose_square(w);
    store_square(rows, columns, w, a, (size_t)ld);
    add_rows(columns, w, column_sums);
}

static void symmetrize_part(int rows, int columns, float *a, float *b, int ld, double *row_sums,
                            double *column_sums) {
    symmetrize_square(rows, columns, a, b, ld, row_sums, column_sums);
}

static void symmetrize(int rows, int columns, float *a, float *b, int ld, double *row_sums,
                       double *column_sums) {
    for (int r = 0; r < rows; r += LANES)
        for (int c = a == b ? r : 0; c < columns; c += LANES) {
            int height = rows - r, width = columns - c;
            float *upper = a + (size_t)r * ld + c, *lower = b + (size_t)c * ld + r;
            if (height >= LANES && width >= LANES)
                symmetrize_square(LANES, LANES, upper, lower, ld, row_sums + r, column_sums + c);
            else
                symmetrize_part(height < LANES ? height : LANES, width < LANES ? width : LANES, upper, lower,
                                ld, row_sums + r, column_sums + c);
        }
}

static const nn_pair_kernels pair_kernels = {.sums = sums,
                                             .weights = weights,
                                             .shift = shift,
                                             .distance = distance,
                                             .gram_distances = gram_distances,
                                             .mirror = mirror,
                                             .symmetrize = symmetrize};
