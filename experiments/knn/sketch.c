#include "sketch.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>

#include "framework/kernels/kernels.h"

enum {
    RANK = EXP_SKETCH_RANK,
    ROUNDS = 4, /* of the power iteration */
    CHUNK = EXP_SKETCH_CHUNK
};

/* --- the basis ------------------------------------------------------------------------------------------ */

static void normalize(size_t dims, double *x) {
    double square = 0;
    for (size_t k = 0; k < dims; k++)
        square += x[k] * x[k];
    for (size_t k = 0; k < dims; k++)
        x[k] = square > 0 ? x[k] / sqrt(square) : 0;
}

/* The lower triangle L of gram = L L'. A row of it that depends on those before, but for rounding, gets a diagonal of
 * infinity. */
static void cholesky(double gram[RANK][RANK]) {
    for (int i = 0; i < RANK; i++)
        for (int j = 0; j <= i; j++) {
            double left = gram[i][j];
            for (int k = 0; k < j; k++)
                left -= gram[i][k] * gram[j][k];
            if (i == j)
                gram[i][i] = left > 1e-6 ? sqrt(left) : INFINITY;
            else
                gram[i][j] = left / gram[j][j];
        }
}

/* Makes RANK rows orthonormal: divides by the Cholesky factor of their products, again for the sake of rounding. Rows
 * that others span already become zero. */
static void orthonormalize(size_t dims, double *rows, double gram[RANK][RANK]) {
    int n = (int)dims;
    for (int pass = 0; pass < 3; pass++) {
        for (int i = 0; i < RANK; i++)
            normalize(dims, rows + (size_t)i * dims);
        cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, RANK, n, 1, rows, n, 0, gram[0], RANK);
        cholesky(gram);
        cblas_dtrsm(CblasRowMajor, CblasLeft, CblasLower, CblasNoTrans, CblasNonUnit, RANK, n, 1, gram[0],
                    RANK, rows, n);
    }
}

static void to_float(size_t count, const double *from, float *to) {
    for (size_t k = 0; k < count; k++)
        to[k] = (float)from[k];
}

static void to_double(size_t count, const float *from, double *to) {
    for (size_t k = 0; k < count; k++)
        to[k] = from[k];
}

/* Points evenly from among all, [sample][dims]. */
static void take_sample(const exp_panels *points, int count, int sample, float *out) {
    const size_t panel = (size_t)nn_kernels_active()->point->panel, dims = (size_t)points->dims;
    for (int i = 0; i < sample; i++) {
        const float *from = exp_panels_point(points, (int)((int64_t)i * count / sample));
        for (size_t k = 0; k < dims; k++)
            out[(size_t)i * dims + k] = from[k / panel * exp_panels_step(points) + k % panel];
    }
}

/* Rows that span about the leading eigenvectors of sample * sample' (subspace iteration), [RANK][sample]: how the
 * components are made of the points. */
static void find_weights(int sample, const float *gram, float *weights, float *next, double *exact,
                         double gram_of_rows[RANK][RANK]) {
    size_t count = (size_t)RANK * (size_t)sample;
    nn_stream stream = nn_stream_named(0, "sketch");
    for (size_t k = 0; k < count; k++)
        weights[k] = nn_random_normal(&stream);
    for (int round = 0; round < ROUNDS; round++) {
        nn_gemm(false, false, RANK, sample, sample, weights, sample, gram, sample, false, next, sample);
        to_double(count, next, exact);
        orthonormalize((size_t)sample, exact, gram_of_rows);
        to_float(count, exact, weights);
    }
}

static void put_basis(const exp_sketch *s, const double *rows) {
    const size_t panel = (size_t)nn_kernels_active()->point->panel, dims = (size_t)s->basis.dims;
    for (int i = 0; i < RANK; i++) {
        float *to = exp_panels_point(&s->basis, i);
        for (size_t k = 0; k < dims; k++)
            to[k / panel * exp_panels_step(&s->basis) + k % panel] = (float)rows[(size_t)i * dims + k];
    }
}

bool exp_sketch_new(exp_sketch *s, const exp_panels *points, int count) {
    int sample = count < EXP_SKETCH_SAMPLE ? count : EXP_SKETCH_SAMPLE, dims = points->dims;
    size_t most = (size_t)(dims > sample ? dims : sample);
    float *x = calloc((size_t)sample * (size_t)dims, sizeof *x);
    float *gram = calloc((size_t)sample * (size_t)sample, sizeof *gram);
    float *weights = calloc((size_t)RANK * (size_t)sample, sizeof *weights);
    float *rows = calloc(RANK * most, sizeof *rows);
    double *exact = calloc(RANK * most, sizeof *exact);
    double(*gram_of_rows)[RANK] = calloc(RANK, sizeof *gram_of_rows);
    bool made =
        exp_panels_new(&s->basis, RANK, dims, RANK) && x && gram && weights && rows && exact && gram_of_rows;
    if (made) {
        take_sample(points, count, sample, x);
        nn_gemm(false, true, sample, sample, dims, x, dims, x, dims, false, gram, sample);
        find_weights(sample, gram, weights, rows, exact, gram_of_rows);
        nn_gemm(false, false, RANK, dims, sample, weights, sample, x, dims, false, rows, dims);
        to_double((size_t)RANK * (size_t)dims, rows, exact);
        orthonormalize((size_t)dims, exact, gram_of_rows);
        put_basis(s, exact);
    }
    free(x), free(gram), free(weights), free(rows), free(exact), free(gram_of_rows);
    return made;
}

void exp_sketch_free(exp_sketch *s) {
    exp_panels_free(&s->basis);
}

/* --- images --------------------------------------------------------------------------------------------- */

/* Of a point of that length, from its products with the basis. Each of these is off by `relative` of the length at
 * most, and the squares of their length and of the rest's by three times that. */
static float put_image(double length, double relative, const float *products, float *image, size_t step,
                       float *norm) {
    const size_t panel = (size_t)nn_kernels_active()->point->panel;
    double square = 0, off = relative * sqrt(RANK), most = 3 * off * length * length;
    for (size_t k = 0; k < RANK; k++) {
        image[k / panel * step + k % panel] = products[k];
        square += (double)products[k] * products[k];
    }
    double rest = sqrt(fmax(0, length * length - square));
    image[RANK / panel * step + RANK % panel] = (float)rest;
    *norm = (float)sqrt(square + rest * rest);
    double rest_off = rest > 0 ? fmin(most / rest, sqrt(most)) : sqrt(most);
    return (float)((1 + 0x1p-20) * ((off + 0x1p-22) * length + rest_off + 0x1p-100));
}

static void make_chunk(const exp_sketch *s, const exp_panels *points, int first, int count,
                       exp_panels *images, float *slack) {
    float products[CHUNK * RANK];
    double relative = exp_panels_error(points->dims) + 0x1p-22;
    int slice = 0;
    do
        exp_panels_multiply(points, first, count, &s->basis, 0, RANK, slice, products, RANK);
    while ((slice += EXP_PANELS_SLICE) < points->dims);
    for (int i = 0; i < count; i++)
        slack[first + i] =
            put_image(points->norm[first + i], relative, products + (size_t)i * RANK,
                      exp_panels_point(images, first + i), exp_panels_step(images), &images->norm[first + i]);
}

void exp_sketch_make(const exp_sketch *s, const exp_panels *points, int count, exp_panels *images,
                     float *slack) {
#pragma omp parallel for num_threads(nn_threads()) schedule(dynamic)
    for (int first = 0; first < count; first += CHUNK)
        make_chunk(s, points, first, count - first < CHUNK ? count - first : CHUNK, images, slack);
}
