/* real.h - the loops over elements of the soft nearest neighbor loss, for one type `real` (contracts:
 * nn_snnl_arithmetic). The including file defines before it: real, input() (the caller's points), near_ratio,
 * near_cosine and the loops that each type has its own of (contracts: nn_point_kernels, nn_pair_kernels,
 * nn_snnl_arithmetic): add_difference(), center_row() (of a block of `rows` points the one with number `row`),
 * direct_distance(), gram_distances(), dots(), combine(), mirror(), shift(), weigh() and symmetrize(). */
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
    bool near = gram_distances(count, norm, norms, least, d);
    if (work->zero_points)
        separate_zero_points(work, i, j0, count, d);
    for (int j = 0; near && j < count; j++)
        if (d[j] < near_ratio * (norm + norms[j]) || d[j] < least)
            d[j] = (real)measure_directly(work, points, i, j0 + j);
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
