/* double.c - the soft nearest neighbor loss of points in double precision: for measuring. */
#include <cblas.h>

#include "framework/kernels/kernels.h"
#include "work.h"

typedef double real;

/* A squared distance from the Gram matrix is wrong by about 1e-15 of the sum of both squared lengths. Pairs
 * nearer than 2^-16 of that sum, where it would exceed 1e-10 of the distance, are measured again directly. */
static const double near_ratio = 0x1p-16;

/* Points scaled to one length are rounded by about 1e-16: 1e-11 of a cosine distance of 2^-32. */
static const double near_cosine = 0x1p-32;

static const double *input(const nn_snnl_points *points) {
    return points->x64;
}

static void add_difference(int count, double scale, const double *x, double origin_scale,
                           const double *origin, double *sum) {
    for (int k = 0; k < count; k++)
        sum[k] += scale * x[k] - origin_scale * origin[k];
}

static double center_row(const nn_snnl_work *work, int count, double scale, const double *x,
                         const double *mean, const double *next, void *block, int rows, int row) {
    (void)next, (void)rows;
    double *out = (double *)block + (size_t)row * work->block_ld;
    double squares = 0;
    for (int k = 0; k < count; k++) {
        out[k] = scale * x[k] - mean[k];
        squares += out[k] * out[k];
    }
    return squares;
}

static double direct_distance(int dims, const double *a, const double *b, double ratio) {
    double sum = 0;
    for (int k = 0; k < dims; k++) {
        double difference = a[k] - ratio * b[k];
        sum += difference * difference;
    }
    return sum;
}

static void dots(const nn_snnl_work *work, int rows, int columns, int count, const void *a, const void *b,
                 bool accumulate, void *gram, int gram_ld) {
    double beta = accumulate ? 1 : 0;
    if (a == b)
        cblas_dsyrk(CblasRowMajor, CblasUpper, CblasNoTrans, rows, count, 1, a, work->block_ld, beta, gram,
                    gram_ld);
    else
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, columns, count, 1, a, work->block_ld, b,
                    work->block_ld, beta, gram, gram_ld);
}

static void combine(const nn_snnl_work *work, int i0, int rows, int inner, const void *w, int w_ld,
                    const void *block, int first, int count, double coefficient, bool accumulate, void *dx,
                    void *product) {
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, rows, count, inner, 1, w, w_ld, block,
                work->block_ld, 0, product, work->block_ld);
    for (int r = 0; r < rows; r++) {
        double scale = coefficient * work->factor[i0 + r];
        const double *sum = (const double *)product + (size_t)r * work->block_ld;
        double *y = (double *)dx + (size_t)work->order[i0 + r] * work->dims + first;
        for (int k = 0; k < count; k++)
            y[k] = (accumulate ? y[k] : 0) + scale * sum[k];
    }
}

static bool gram_distances(int count, double norm, const double *norms, double least, double *d) {
    int near = 0;
    for (int j = 0; j < count; j++) {
        double both = norm + norms[j];
        d[j] = both - 2 * d[j];
        near |= (d[j] < near_ratio * both) | (d[j] < least);
    }
    return near;
}

/* Transposing loops go by squares of this side: rows a power of two apart would otherwise evict each other.
 */
enum { SQUARE = 8 };

static void mirror_square(int rows, int columns, bool diagonal, const double *from, double *to, int ld) {
    for (int c = 0; c < columns; c++)
        for (int r = 0; r < (diagonal ? c : rows); r++)
            to[(size_t)c * ld + r] = from[(size_t)r * ld + c];
}

static void mirror(int rows, int columns, const void *a, void *b, int ld) {
    const double *from = a;
    double *to = b;
    for (int r = 0; r < rows; r += SQUARE)
        for (int c = a == b ? r : 0; c < columns; c += SQUARE)
            mirror_square(rows - r < SQUARE ? rows - r : SQUARE, columns - c < SQUARE ? columns - c : SQUARE,
                          a == b && r == c, from + (size_t)r * ld + c, to + (size_t)c * ld + r, ld);
}

static double shift(int count, const void *row, double unit, float *shifted) {
    enum { LANES = 8 };
    const double *d = row;
    double lane[LANES];
    for (int l = 0; l < LANES; l++)
        lane[l] = d[0];
    int j = 0;
    for (; j + LANES <= count; j += LANES)
        for (int l = 0; l < LANES; l++)
            lane[l] = d[j + l] < lane[l] ? d[j + l] : lane[l];
    for (int l = 0; j < count; j++, l++)
        lane[l] = d[j] < lane[l] ? d[j] : lane[l];
    double minimum = lane[0];
    for (int l = 1; l < LANES; l++)
        minimum = lane[l] < minimum ? lane[l] : minimum;
    for (j = 0; j < count; j++)
        shifted[j] = (float)((d[j] - minimum) * unit);
    return minimum * unit;
}

static void weigh(int count, const void *row, double unit, double minimum, float b, float scale, float *c) {
    const double *d = row;
    double lowest = minimum / unit; /* exact: unit is a power of two */
    for (int j = 0; j < count; j++)
        c[j] = (float)((d[j] - lowest) * unit);
    nn_kernels_active()->pair->weights(count, c, 0, 1, b, scale, c);
}

static void symmetrize_square(int rows, int columns, bool diagonal, double *upper, double *lower, int ld,
                              double *row_sums, double *column_sums) {
    for (int r = 0; r < rows; r++) {
        double sum = 0;
        for (int c = diagonal ? r + 1 : 0; c < columns; c++) {
            double w = upper[(size_t)r * ld + c] + lower[(size_t)c * ld + r];
            upper[(size_t)r * ld + c] = lower[(size_t)c * ld + r] = w;
            column_sums[c] += w;
            sum += w;
        }
        row_sums[r] += sum;
    }
}

static void symmetrize(int rows, int columns, void *a, void *b, int ld, double *row_sums,
                       double *column_sums) {
    double *upper = a, *lower = b;
    for (int r = 0; r < rows; r += SQUARE)
        for (int c = a == b ? r : 0; c < columns; c += SQUARE)
            symmetrize_square(rows - r < SQUARE ? rows - r : SQUARE,
                              columns - c < SQUARE ? columns - c : SQUARE, a == b && r == c,
                              upper + (size_t)r * ld + c, lower + (size_t)c * ld + r, ld, row_sums + r,
                              column_sums + c);
}

#include "real.h"

const nn_snnl_arithmetic *const nn_snnl_double = &arithmetic;
