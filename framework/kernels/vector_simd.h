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

/* --- per channel ----------------------------------------------------------------------------------------
 *
 * Rows are walked in blocks, and the channels of a block in groups of vectors whose coefficients and sums stay
 * in registers: memory is read in order, additions need not wait for each other, and no float sums over many
 * rows. */

enum { BLOCK_ROWS = 32, GROUP = 4 };

/* Where a group is. Its `columns` vectors are neighbors in a row; with less than GROUP of them, GROUP / columns
 * rows are taken at a time. `lanes` are those in use of a vector: fewer than LANES only in a single column. */
typedef struct group {
    int row, rows; /* the block's first row, and its number of rows */
    size_t channel, channels;
} group;

/* Called with constants for columns and whole vectors' lanes, and inlined. */
typedef void group_work(const int columns, const size_t lanes, const group *g, const void *arguments);

INLINE void each_group(int rows, int channels, group_work *work, const void *arguments) {
    group g = {.channels = (size_t)channels};
    for (; g.row < rows; g.row += BLOCK_ROWS) {
        g.rows = rows - g.row < BLOCK_ROWS ? rows - g.row : BLOCK_ROWS;
        for (g.channel = 0; g.channel < g.channels;) {
            size_t left = g.channels - g.channel;
            int columns = left >= 4 * LANES ? 4 : left >= 2 * LANES ? 2 : 1;
            if (columns == 4)
                work(4, LANES, &g, arguments);
            else if (columns == 2)
                work(2, LANES, &g, arguments);
            else if (left >= LANES)
                work(1, LANES, &g, arguments);
            else
                work(1, left, &g, arguments);
            g.channel += (size_t)columns * LANES;
        }
    }
}

/* Vector i of those taken at a time from row r of the block on: whether it is there, and its place. */
INLINE bool in_group(const int columns, const group *g, int r, int i) {
    return r + i / columns < g->rows;
}

INLINE size_t place_of(const int columns, const group *g, int r, int i) {
    return (size_t)(g->row + r + i / columns) * g->channels + g->channel + (size_t)(i % columns * LANES);
}

/* Per-channel values of the group's columns. */
INLINE void load_columns(const int columns, const size_t lanes, const group *g, const float *from,
                         vec to[GROUP]) {
    for (int v = 0; v < columns; v++)
        to[v] = vec_load_part(from + g->channel + v * LANES, lanes);
}

INLINE void store_columns(const int columns, const size_t lanes, const group *g, const vec from[GROUP],
                          float *to) {
    for (int v = 0; v < columns; v++)
        vec_store_part(to + g->channel + v * LANES, from[v], lanes);
}

/* The sums of the columns, from those of vectors taken at a time. */
INLINE void total_columns(const int columns, vec sums[GROUP]) {
    for (int i = columns; i < GROUP; i++)
        sums[i % columns] += sums[i];
}

typedef struct moments_arguments {
    const float *x;
    float *mean, *m2;
} moments_arguments;

/* From the mean and m2 of the rows before this block to those with it, N in all. With s and q, the sums over the
 * block of x - mean and of its square, the mean moves by s / N and m2 by q - s^2 / N (Chan et al. 1983). From
 * the second block on, at most half of q cancels; in the first, q has at least one part in BLOCK_ROWS left.
 * Everything is measured from the first row: a mean far from 0 costs no digits. */
INLINE void moments_group(const int columns, const size_t lanes, const group *g, const void *arguments) {
    const moments_arguments *to = arguments;
    vec first[GROUP], mean[GROUP] = {{0}}, m2[GROUP] = {{0}}, sums[GROUP] = {{0}}, squares[GROUP] = {{0}};
    load_columns(columns, lanes, g, to->x, first);
    if (g->row) {
        load_columns(columns, lanes, g, to->mean, mean);
        load_columns(columns, lanes, g, to->m2, m2);
    }
    for (int r = 0; r < g->rows; r += GROUP / columns) {
        UNROLL
        for (int i = 0; i < GROUP; i++)
            if (in_group(columns, g, r, i)) {
                const int c = i % columns;
                vec v = vec_load_part(to->x + place_of(columns, g, r, i), lanes) - first[c] - mean[c];
                sums[i] += v;
                squares[i] += v * v;
            }
    }
    total_columns(columns, sums);
    total_columns(columns, squares);
    for (int c = 0; c < columns; c++) {
        vec step = sums[c] / (float)(g->row + g->rows);
        mean[c] += step;
        m2[c] += squares[c] - sums[c] * step;
    }
    store_columns(columns, lanes, g, mean, to->mean);
    store_columns(columns, lanes, g, m2, to->m2);
}

static void vector_moments(int rows, int channels, const float *x, float *mean, float *m2) {
    each_group(rows, channels, moments_group, &(moments_arguments){x, mean, m2});
    vector_add((size_t)channels, x, mean, mean);
}

/* What f of nn_affine is applied to: forward and backward must agree on its sign. */
INLINE vec affine_of(vec v, vec factor, vec offset) {
    return v * factor + offset;
}

typedef struct affine_arguments {
    const nn_affine *t;
    const float *x, *residual;
    float *y;
} affine_arguments;

INLINE void affine_group(const int columns, const size_t lanes, const group *g, const void *arguments) {
    const affine_arguments *to = arguments;
    const float slope = to->t->slope;
    vec factor[GROUP], offset[GROUP];
    load_columns(columns, lanes, g, to->t->factor, factor);
    load_columns(columns, lanes, g, to->t->offset, offset);
    for (int r = 0; r < g->rows; r += GROUP / columns) {
        UNROLL
        for (int i = 0; i < GROUP; i++)
            if (in_group(columns, g, r, i)) {
                size_t at = place_of(columns, g, r, i);
                vec v = affine_of(vec_load_part(to->x + at, lanes), factor[i % columns], offset[i % columns]);
                if (to->residual)
                    v += vec_load_part(to->residual + at, lanes);
                vec_store_part(to->y + at, vec_select(v > (vec){0}, v, slope * v), lanes);
            }
    }
}

static void vector_affine(const nn_affine *t, const float *x, const float *residual, float *y) {
    each_group(t->rows, t->channels, affine_group, &(affine_arguments){t, x, residual, y});
}

typedef struct gradient_arguments {
    const nn_affine *t;
    const float *x, *y, *dy;
    const float *mean;      /* of gradient_sums */
    const float *a, *b, *k; /* of affine_backward */
    bool accumulate;        /* of gradient: dresidual or dx */
    float *gradient;
    float *sum, *dot;
} gradient_arguments;

/* g of the contract at one place, where x is v */
INLINE vec through_slope(const gradient_arguments *to, size_t at, size_t lanes, vec v, vec factor,
                         vec offset) {
    vec dy = vec_load_part(to->dy + at, lanes);
    vec sign = to->y ? vec_load_part(to->y + at, lanes) : affine_of(v, factor, offset);
    return vec_select(sign > (vec){0}, dy, to->t->slope * dy);
}

INLINE void store_gradient(const gradient_arguments *to, size_t at, size_t lanes, vec v) {
    if (to->accumulate)
        v += vec_load_part(to->gradient + at, lanes);
    vec_store_part(to->gradient + at, v, lanes);
}

INLINE void gradient_sums_group(const int columns, const size_t lanes, const group *g,
                                const void *arguments) {
    const gradient_arguments *to = arguments;
    vec factor[GROUP], offset[GROUP], mean[GROUP], sums[GROUP] = {{0}}, dots[GROUP] = {{0}};
    load_columns(columns, lanes, g, to->t->factor, factor);
    load_columns(columns, lanes, g, to->t->offset, offset);
    load_columns(columns, lanes, g, to->mean, mean);
    if (g->row) {
        load_columns(columns, lanes, g, to->sum, sums);
        load_columns(columns, lanes, g, to->dot, dots);
    }
    for (int r = 0; r < g->rows; r += GROUP / columns) {
        UNROLL
        for (int i = 0; i < GROUP; i++)
            if (in_group(columns, g, r, i)) {
                size_t at = place_of(columns, g, r, i);
                vec v = vec_load_part(to->x + at, lanes);
                vec dy = through_slope(to, at, lanes, v, factor[i % columns], offset[i % columns]);
                if (to->gradient)
                    store_gradient(to, at, lanes, dy);
                sums[i] += dy;
                dots[i] += dy * (v - mean[i % columns]);
            }
    }
    total_columns(columns, sums);
    total_columns(columns, dots);
    store_columns(columns, lanes, g, sums, to->sum);
    store_columns(columns, lanes, g, dots, to->dot);
}

static void vector_gradient_sums(const nn_affine *t, const float *x, const float *y, const float *mean,
                                 const float *dy, bool accumulate, float *dresidual, float *sum, float *dot) {
    each_group(t->rows, t->channels, gradient_sums_group,
               &(gradient_arguments){.t = t,
                                     .x = x,
                                     .y = y,
                                     .dy = dy,
                                     .mean = mean,
                                     .accumulate = accumulate,
                                     .gradient = dresidual,
                                     .sum = sum,
                                     .dot = dot});
}

INLINE void affine_backward_group(const int columns, const size_t lanes, const group *g,
                                  const void *arguments) {
    const gradient_arguments *to = arguments;
    vec factor[GROUP], offset[GROUP], a[GROUP], b[GROUP], k[GROUP];
    load_columns(columns, lanes, g, to->t->factor, factor);
    load_columns(columns, lanes, g, to->t->offset, offset);
    load_columns(columns, lanes, g, to->a, a);
    load_columns(columns, lanes, g, to->b, b);
    load_columns(columns, lanes, g, to->k, k);
    for (int r = 0; r < g->rows; r += GROUP / columns) {
        UNROLL
        for (int i = 0; i < GROUP; i++)
            if (in_group(columns, g, r, i)) {
                const int c = i % columns;
                size_t at = place_of(columns, g, r, i);
                vec v = vec_load_part(to->x + at, lanes);
                vec dy = through_slope(to, at, lanes, v, factor[c], offset[c]);
                store_gradient(to, at, lanes, dy * a[c] + (v * b[c] + k[c]));
            }
    }
}

static void vector_affine_backward(const nn_affine *t, const float *x, const float *y, const float *dy,
                                   const float *a, const float *b, const float *k, bool accumulate,
                                   float *dx) {
    each_group(t->rows, t->channels, affine_backward_group,
               &(gradient_arguments){.t = t,
                                     .x = x,
                                     .y = y,
                                     .dy = dy,
                                     .a = a,
                                     .b = b,
                                     .k = k,
                                     .accumulate = accumulate,
                                     .gradient = dx});
}

/* --- optimizers and checks ------------------------------------------------------------------------------ */

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
