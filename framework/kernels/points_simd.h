/* points_simd.h - the kernels over sets of points, on `vec` (contracts: nn_point_kernels).
 *
 * Both products keep a tile of results in registers. A tile of dot products has vectors along the dimensions,
 * so that points are read as they lie, and is summed over its lanes once for all dimensions. A tile of
 * combinations has vectors along the dimensions too, and takes the weights one by one. */
#include "kernels.h"
#include "simd.h"

enum {
    DOT_ROWS = REGISTERS == 32 ? 6 : 3,
    DOT_COLUMNS = 4,
    STRIP = REGISTERS == 32 ? 12 : 6, /* points of a tile of combinations (at most NN_POINT_STRIP), */
    WIDTH = 2,                        /* and vectors: */
    PANEL = WIDTH * LANES
};

typedef float quarter_vec __attribute__((vector_size(16), aligned(4), may_alias));

/* Sums of groups of four lanes. */
INLINE quarter_vec fold(vec v) {
    quarter_vec part[LANES / 4];
    memcpy(part, &v, sizeof v);
    UNROLL
    for (int half = LANES / 8; half > 0; half /= 2)
        UNROLL
    for (int i = 0; i < half; i++)
        part[i] += part[i + half];
    return part[0];
}

INLINE float vec_sum(vec v) {
    quarter_vec q = fold(v);
    return (q[0] + q[2]) + (q[1] + q[3]);
}

/* The sums over the lanes of four vectors. */
INLINE quarter_vec four_sums(const vec v[4]) {
    enum { A = 0, B = LANES };
    vec first = shuffle_quarters(v[0], v[1], A, B, A + 1, B + 1) +
                shuffle_quarters(v[0], v[1], A + 2, B + 2, A + 3, B + 3);
    vec last = shuffle_quarters(v[2], v[3], A, B, A + 1, B + 1) +
               shuffle_quarters(v[2], v[3], A + 2, B + 2, A + 3, B + 3);
    return fold(shuffle_quarters(first, last, A, A + 1, B, B + 1) +
                shuffle_quarters(first, last, A + 2, A + 3, B + 2, B + 3));
}

static void add_difference(int count, float scale, const float *x, float origin_scale, const float *origin,
                           float *sum) {
    int k = 0;
    for (; k + LANES <= count; k += LANES)
        vec_store(sum + k,
                  vec_load(sum + k) + (scale * vec_load(x + k) - origin_scale * vec_load(origin + k)));
    for (; k < count; k++)
        sum[k] += scale * x[k] - origin_scale * origin[k];
}

/* Squares are summed in single precision within blocks, in double over the blocks. */
static double center(int count, float scale, const float *x, const float *mean, const float *next, float *out,
                     int step) {
    enum { BLOCK = 256 };
    double total = 0;
    for (int start = 0; start < count; start += BLOCK) {
        int end = count - start < BLOCK ? count : start + BLOCK;
        vec squares = {0};
        for (int k = start; k < end; k += PANEL) {
            float *panel = out + (size_t)(k / PANEL) * step;
            __builtin_prefetch(next + k);
            UNROLL
            for (int v = 0; v < PANEL; v += LANES) {
                vec centered = {0};
                if (k + v + LANES <= end)
                    centered = scale * vec_load(x + k + v) - vec_load(mean + k + v);
                else if (k + v < end)
                    centered = scale * vec_load_part(x + k + v, (size_t)(end - k - v)) -
                               vec_load_part(mean + k + v, (size_t)(end - k - v));
                vec_store(panel + v, centered);
                squares += centered * centered;
            }
        }
        total += vec_sum(squares);
    }
    if (count % NN_POINT_MULTIPLE && count % NN_POINT_MULTIPLE <= NN_POINT_MULTIPLE - PANEL)
        for (int k = (count + PANEL - 1) / PANEL * PANEL; k % NN_POINT_MULTIPLE; k += PANEL)
            for (int v = 0; v < PANEL; v++)
                out[(size_t)(k / PANEL) * step + v] = 0;
    return total;
}

/* Rows and columns past the last repeat it, and their results are dropped. */
INLINE void dot_tile(int rows, int columns, int panels, const float *a, size_t a_step, const float *b,
                     size_t b_step, bool accumulate, float *c, int c_ld) {
    vec sum[DOT_ROWS][DOT_COLUMNS];
    UNROLL
    for (int i = 0; i < DOT_ROWS; i++)
        UNROLL
    for (int j = 0; j < DOT_COLUMNS; j++)
        sum[i][j] = (vec){0};
    for (int p = 0; p < panels; p++, a += a_step, b += b_step)
        UNROLL
    for (int v = 0; v < PANEL; v += LANES) {
        vec x[DOT_ROWS];
        UNROLL
        for (int i = 0; i < DOT_ROWS; i++)
            x[i] = vec_load(a + (i < rows ? i : rows - 1) * PANEL + v);
        UNROLL
        for (int j = 0; j < DOT_COLUMNS; j++) {
            vec y = vec_load(b + (j < columns ? j : columns - 1) * PANEL + v);
            UNROLL
            for (int i = 0; i < DOT_ROWS; i++)
                sum[i][j] += x[i] * y;
        }
    }
    UNROLL
    for (int i = 0; i < DOT_ROWS; i++) {
        if (i == rows)
            break;
        float *place = c + (size_t)i * c_ld;
        quarter_vec result = four_sums(sum[i]), before = {0};
        size_t bytes = (columns < DOT_COLUMNS ? (size_t)columns : DOT_COLUMNS) * sizeof *place;
        if (accumulate) {
            memcpy(&before, place, bytes);
            result += before;
        }
        memcpy(place, &result, bytes);
    }
}

static void part_of_dot_tile(int rows, int columns, int panels, const float *a, size_t a_step, const float *b,
                             size_t b_step, bool accumulate, float *c, int c_ld) {
    dot_tile(rows, columns, panels, a, a_step, b, b_step, accumulate, c, c_ld);
}

/* By groups of b's points, which stay in the nearest cache while a's pass. */
static void dots(int rows, int columns, int dims, const float *a, int a_step, const float *b, int b_step,
                 bool upper, bool accumulate, float *c, int c_ld) {
    enum { GROUP = 2 * DOT_COLUMNS };
    int panels = dims / PANEL;
    for (int group = 0; group < columns; group += GROUP)
        for (int i = 0; i < rows; i += DOT_ROWS)
            for (int j = group; j < group + GROUP && j < columns; j += DOT_COLUMNS) {
                if (upper && j + DOT_COLUMNS <= i + 1)
                    continue;
                int height = rows - i, width = columns - j;
                const float *x = a + (size_t)i * PANEL, *y = b + (size_t)j * PANEL;
                float *place = c + (size_t)i * c_ld + j;
                if (height >= DOT_ROWS && width >= DOT_COLUMNS)
                    dot_tile(DOT_ROWS, DOT_COLUMNS, panels, x, (size_t)a_step, y, (size_t)b_step, accumulate,
                             place, c_ld);
                else
                    part_of_dot_tile(height < DOT_ROWS ? height : DOT_ROWS,
                                     width < DOT_COLUMNS ? width : DOT_COLUMNS, panels, x, (size_t)a_step, y,
                                     (size_t)b_step, accumulate, place, c_ld);
            }
}

static double shorten(int dims, float scale, const float *x, int step, int16_t *q, double *square) {
    const vec round = vec_all(0x3p22f); /* added and subtracted, it leaves the nearest integer */
    ivec squares = {0};
    vec offs = {0};
    for (int k = 0; k < dims; k += PANEL, x += step)
        UNROLL
    for (int v = 0; v < PANEL; v += LANES) {
        vec value = scale * vec_load(x + v), near = (value + round) - round;
        ivec whole = __builtin_convertvector(near, ivec);
        short_vec half = __builtin_convertvector(whole, short_vec);
        memcpy(q + k + v, &half, sizeof half);
        squares += whole * whole;
        offs += (value - near) * (value - near);
    }
    for (int l = 0; l < LANES; l++)
        *square += squares[l];
    return vec_sum(offs);
}

/* Pairs of products are one operation of the processor's, which the compiler finds. */
INLINE void shorts_tile(int dims, const int16_t *restrict a, const int16_t *const b[DOT_COLUMNS],
                        int32_t total[DOT_COLUMNS]) {
    const int16_t *restrict b0 = b[0], *restrict b1 = b[1], *restrict b2 = b[2], *restrict b3 = b[3];
    int32_t sum0 = 0, sum1 = 0, sum2 = 0, sum3 = 0;
    for (int k = 0; k < dims / NN_POINT_MULTIPLE * NN_POINT_MULTIPLE; k++) {
        sum0 += a[k] * b0[k];
        sum1 += a[k] * b1[k];
        sum2 += a[k] * b2[k];
        sum3 += a[k] * b3[k];
    }
    total[0] = sum0, total[1] = sum1, total[2] = sum2, total[3] = sum3;
}

static void chosen_shorts(int count, const uint16_t *which, int dims, const int16_t *a, const int16_t *b,
                          bool accumulate, float *c) {
    for (int first = 0; first < count; first += DOT_COLUMNS) {
        int columns = count - first < DOT_COLUMNS ? count - first : DOT_COLUMNS;
        const int16_t *points[DOT_COLUMNS];
        int32_t sum[DOT_COLUMNS];
        for (int j = 0; j < DOT_COLUMNS; j++) /* past the last it is repeated */
            points[j] = b + (size_t)which[first + (j < columns ? j : columns - 1)] * (size_t)dims;
        shorts_tile(dims, a, points, sum);
        for (int j = 0; j < columns; j++)
            c[first + j] = (accumulate ? c[first + j] : 0) + (float)sum[j];
    }
}

/* Combinations for STRIP points, one panel wide, of points PANEL floats apart. */
INLINE void combine_tile(int inner, const float *strip, const float *x, vec sum[STRIP][WIDTH]) {
    UNROLL
    for (int i = 0; i < STRIP; i++)
        UNROLL
    for (int v = 0; v < WIDTH; v++)
        sum[i][v] = (vec){0};
    for (int j = 0; j < inner; j++) {
        vec p[WIDTH];
        UNROLL
        for (int v = 0; v < WIDTH; v++)
            p[v] = vec_load(x + (size_t)j * PANEL + v * LANES);
        UNROLL
        for (int i = 0; i < STRIP; i++) {
            vec weight = vec_all(strip[(size_t)j * STRIP + i]);
            UNROLL
            for (int v = 0; v < WIDTH; v++)
                sum[i][v] += weight * p[v];
        }
    }
}

INLINE void whole_tile(int inner, const float *strip, const float *x, const float *scale, bool accumulate,
                       float *const *y, int first) {
    vec sum[STRIP][WIDTH];
    UNROLL
    for (int i = 0; i < STRIP; i++)
        __builtin_prefetch(y[i] + first, 1);
    combine_tile(inner, strip, x, sum);
    UNROLL
    for (int i = 0; i < STRIP; i++)
        UNROLL
    for (int v = 0; v < WIDTH; v++) {
        float *place = y[i] + first + v * LANES;
        vec result = vec_all(scale[i]) * sum[i][v];
        if (accumulate)
            result += vec_load(place);
        vec_store(place, result);
    }
}

/* At the edges: results past the last row and column are dropped. */
static void part_of_tile(int rows, int columns, int inner, const float *strip, const float *x,
                         const float *scale, bool accumulate, float *const *y, int first) {
    vec sum[STRIP][WIDTH];
    float result[WIDTH * LANES];
    combine_tile(inner, strip, x, sum);
    for (int i = 0; i < rows; i++) {
        float *place = y[i] + first;
        memcpy(result, sum[i], sizeof result);
        for (int k = 0; k < columns; k++)
            place[k] = (accumulate ? place[k] : 0) + scale[i] * result[k];
    }
}

/* The weights of a strip, as its tiles take them: [inner][STRIP]. */
INLINE void pack_strip(int inner, const float *w, int w_ld, float *strip) {
    for (int j = 0; j < inner; j++)
        memcpy(strip + (size_t)j * STRIP, w + (size_t)j * w_ld, STRIP * sizeof *w);
}

static void combine(int rows, int columns, int inner, const float *w, int w_ld, const float *x, int step,
                    const float *scale, bool accumulate, float *const *y) {
    float strip[NN_POINT_INNER * STRIP];
    for (int i = 0; i < rows; i += STRIP) {
        int height = rows - i < STRIP ? rows - i : STRIP;
        pack_strip(inner, w + i, w_ld, strip);
        for (int k = 0; k < columns; k += PANEL) {
            int width = columns - k < PANEL ? columns - k : PANEL;
            const float *panel = x + (size_t)(k / PANEL) * step;
            if (height == STRIP && width == PANEL)
                whole_tile(inner, strip, panel, scale + i, accumulate, y + i, k);
            else
                part_of_tile(height, width, inner, strip, panel, scale + i, accumulate, y + i, k);
        }
    }
}

static const nn_point_kernels point_kernels = {.panel = PANEL,
                                               .add_difference = add_difference,
                                               .center = center,
                                               .dots = dots,
                                               .shorten = shorten,
                                               .chosen_shorts = chosen_shorts,
                                               .combine = combine};
