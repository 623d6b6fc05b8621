/* real.h - the loops over elements of the soft nearest neighbor loss, for one type `real` (contracts:
 * nn_snnl_arithmetic). The including file defines before it: real, input() (the caller's points), near_ratio,
 * near_cosine and the loops that each type has its own of (contracts: nn_point_kernels, nn_pair_kernels):
 * add_difference(), center_row() (of a block of `rows` points the one with number `row`), direct_distance(), dots()
 * and combine(). */
#include <math.h>
#include <string.h>

#include "framework/kernels/kernels.h"
#include "work.h"

enum { LANES_SUMMED = 16 };

/* Blocks of partial sums keep the rounding near one unit of the last place. */
static double square_sum(int count, const real *x) {
    enum { BLOCK = 256 };
    double total = 0;
    for (int start = 0; start < count; start += BLOCK) {
        int end = count - start < BLOCK ? count : start + BLOCK, k = start;
        real lane[LANES_SUMMED] = {0};
        for (; k + LANES_SUMMED <= end; k += LANES_SUMMED)
            for (int l = 0; l < LANES_SUMMED; l++)
                lane[l] += x[k + l] * x[k + l];
        for (int l = 0; k < end; k++, l++)
            lane[l] += x[k] * x[k];
        for (int l = 0; l < LANES_SUMMED; l++)
            total += lane[l];
    }
    return total;
}

static double factor(const nn_snnl_points *points, int original) {
    double squares = square_sum(points->dims, input(points) + (size_t)original * points->dims);
    if (!isfinite(squares))
        return NAN;
    return squares > 0 ? sqrt(0.5 / squares) : 0;
}

static const real *point(const nn_snnl_work *work, const nn_snnl_points *points, int i, int first) {
    return input(points) + (size_t)work->order[i] * work->dims + first;
}

/* Any constant may be subtracted: distances do not change. Taken from the first point on, the mean of equal
 * points is exactly that point. */
static void mean(const nn_snnl_work *work, const nn_snnl_points *points, int first, int count) {
    const real *origin = point(work, points, 0, first);
    real origin_factor = (real)work->factor[0], share = (real)(1.0 / work->count);
    real *middle = (real *)work->mean_point + first;
    memset(middle, 0, (size_t)count * sizeof *middle);
    for (int i = 1; i < work->count; i++)
        add_difference(count, (real)work->factor[i], point(work, points, i, first), origin_factor, origin,
                       middle);
    for (int k = 0; k < count; k++)
        middle[k] = origin_factor * origin[k] + middle[k] * share;
}

static void gather(const nn_snnl_work *work, const nn_snnl_points *points, int i0, int rows, int first,
                   int count, void *block, double *squares) {
    const real *middle = (const real *)work->mean_point + first;
    for (int r = 0; r < rows; r++) {
        const real *next = point(work, points, r + 1 < rows ? i0 + r + 1 : i0 + r, first);
        double sum = center_row(work, count, (real)work->factor[i0 + r], point(work, points, i0 + r, first),
                                middle, next, block, rows, r);
        if (squares)
            squares[r] += sum;
    }
}

static void add(int count, const void *x, void *y) {
    const real *from = x;
    real *to = y;
    for (int j = 0; j < count; j++)
        to[j] += from[j];
}

/* The cosine distance that rounded factors leave between parallel points is at most about 1e-32. */
static const double parallel = 1e-31;

static double measure_directly(const nn_snnl_work *work, const nn_snnl_points *points, int i, int j) {
    size_t dims = (size_t)work->dims;
    const real *a = input(points) + (size_t)work->order[i] * dims,
               *b = input(points) + (size_t)work->order[j] * dims;
    double fi = work->factor[i], fj = work->factor[j];
    double d = fi * fi * direct_distance(work->dims, a, b, fj / fi);
    return points->distance == NN_COSINE && d < parallel ? 0 : d;
}

/* Zero points are at cosine distance 1 from all points. */
static void separate_zero_points(const nn_snnl_work *work, int i, int j0, int count, real *d) {
    for (int j = 0; j < count; j++)
        if (work->factor[i] == 0 || work->factor[j0 + j] == 0)
            d[j] = 1;
}

static void distances(const nn_snnl_work *work, const nn_snnl_points *points, int i, int j0, int count,
                      void *row) {
    real *d = row;
    const real *norms = (const real *)work->norm + j0;
    real norm = ((const real *)work->norm)[i];
    real least = points->distance == NN_COSINE ? near_cosine : 0;
    int near = 0;
    for (int j = 0; j < count; j++) {
        real both = norm + norms[j];
        d[j] = both - 2 * d[j];
        near |= (d[j] < near_ratio * both) | (d[j] < least);
    }
    if (work->zero_points)
        separate_zero_points(work, i, j0, count, d);
    for (int j = 0; near && j < count; j++)
        if (d[j] < near_ratio * (norm + norms[j]) || d[j] < least)
            d[j] = (real)measure_directly(work, points, i, j0 + j);
}

/* Transposing loops go by squares of this side: rows a power of two apart would otherwise evict each other.
 */
enum { SQUARE = 8 };

static void mirror_square(int rows, int columns, bool diagonal, const real *from, real *to, int ld) {
    for (int c = 0; c < columns; c++)
        for (int r = 0; r < (diagonal ? c : rows); r++)
            to[(size_t)c * ld + r] = from[(size_t)r * ld + c];
}

static void mirror(int rows, int columns, const void *a, void *b, int ld) {
    const real *from = a;
    real *to = b;
    for (int r = 0; r < rows; r += SQUARE)
        for (int c = a == b ? r : 0; c < columns; c += SQUARE)
            mirror_square(rows - r < SQUARE ? rows - r : SQUARE, columns - c < SQUARE ? columns - c : SQUARE,
                          a == b && r == c, from + (size_t)r * ld + c, to + (size_t)c * ld + r, ld);
}

static double shift(int count, const void *row, double unit, float *shifted) {
    const real *d = row;
    real lane[LANES_SUMMED];
    for (int l = 0; l < LANES_SUMMED; l++)
        lane[l] = d[0];
    int j = 0;
    for (; j + LANES_SUMMED <= count; j += LANES_SUMMED)
        for (int l = 0; l < LANES_SUMMED; l++)
            lane[l] = d[j + l] < lane[l] ? d[j + l] : lane[l];
    for (int l = 0; j < count; j++, l++)
        lane[l] = d[j] < lane[l] ? d[j] : lane[l];
    real minimum = lane[0];
    for (int l = 1; l < LANES_SUMMED; l++)
        minimum = lane[l] < minimum ? lane[l] : minimum;
    for (j = 0; j < count; j++)
        shifted[j] = (float)((d[j] - minimum) * (real)unit);
    return minimum * unit;
}

static void weigh(int count, const void *row, double unit, double minimum, float b, float scale, float *c) {
    const real *d = row;
    real lowest = (real)(minimum / unit); /* exact: unit is a power of two */
    for (int j = 0; j < count; j++)
        c[j] = (float)((d[j] - lowest) * (real)unit);
    nn_kernels_active()->pair->weights(count, c, b, scale, c);
}

static void replace(const nn_snnl_work *work, int i, int j0, int count, float *c, void *row,
                    double *moments) {
    real *d = row;
    for (int j = 0; work->zero_points && j < count; j++)
        if (work->factor[i] == 0 || work->factor[j0 + j] == 0)
            c[j] = 0;
    double sum = 0;
    for (int j = 0; moments && j < count; j++) {
        double moment = (double)c[j] * d[j];
        moments[j0 + j] += moment;
        sum += moment;
    }
    if (moments)
        moments[i] += sum;
    for (int j = 0; j < count; j++)
        d[j] = c[j];
}

static void symmetrize_square(int rows, int columns, bool diagonal, real *upper, real *lower, int ld,
                              double *row_sums, double *column_sums) {
    for (int r = 0; r < rows; r++) {
        double sum = 0;
        for (int c = diagonal ? r + 1 : 0; c < columns; c++) {
            real w = upper[(size_t)r * ld + c] + lower[(size_t)c * ld + r];
            upper[(size_t)r * ld + c] = lower[(size_t)c * ld + r] = w;
            column_sums[c] += w;
            sum += w;
        }
        row_sums[r] += sum;
    }
}

static void symmetrize(int rows, int columns, void *a, void *b, int ld, double *row_sums,
                       double *column_sums) {
    real *upper = a, *lower = b;
    for (int r = 0; r < rows; r += SQUARE)
        for (int c = a == b ? r : 0; c < columns; c += SQUARE)
            symmetrize_square(rows - r < SQUARE ? rows - r : SQUARE,
                              columns - c < SQUARE ? columns - c : SQUARE, a == b && r == c,
                              upper + (size_t)r * ld + c, lower + (size_t)c * ld + r, ld, row_sums + r,
                              column_sums + c);
}

static void project(const nn_snnl_work *work, const nn_snnl_points *points, int i0, int rows, int first,
                    int count, double coefficient, void *dx) {
    for (int i = i0; i < i0 + rows; i++) {
        real along = (real)(coefficient * work->factor[i] * work->factor[i] * work->moment[i]);
        const real *x = point(work, points, i, first);
        real *out = (real *)dx + (size_t)work->order[i] * work->dims + first;
        for (int k = 0; k < count; k++)
            out[k] -= along * x[k];
    }
}

static void fill_diagonal(int count, const double *values, void *w, int w_ld) {
    for (int i = 0; i < count; i++)
        ((real *)w)[(size_t)i * w_ld + i] = -(real)values[i];
}

static const nn_snnl_arithmetic arithmetic = {
    .size = sizeof(real),
    .factor = factor,
    .mean = mean,
    .gather = gather,
    .dots = dots,
    .add = add,
    .distances = distances,
    .mirror = mirror,
    .shift = shift,
    .weigh = weigh,
    .replace = replace,
    .symmetrize = symmetrize,
    .fill_diagonal = fill_diagonal,
    .combine = combine,
    .project = project,
};
