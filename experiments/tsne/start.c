/* start.c - the first two principal components, by block power iteration.
 *
 * A few directions are multiplied by the covariance and made orthogonal until what the best two of them hold of the
 * variance settles (Halko, Martinsson and Tropp, "Finding Structure with Randomness", SIAM Review 53, 2011).
 * Points are centred on the way: (X - 1 m') v = X v - 1 (m' v). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "framework/kernels/kernels.h"
#include "framework/random.h"
#include "parts.h"

enum { DIRECTIONS = 8, MOST_STEPS = 60, SWEEPS = 20 };

typedef double matrix[DIRECTIONS][DIRECTIONS];

typedef struct search {
    int count, dims;
    const float *x;
    double *mean;                /* [dims] */
    float *direction;            /* [dims][DIRECTIONS] */
    float *score;                /* [count][DIRECTIONS] */
    matrix rotation;             /* columns: the components, in terms of the directions */
    double variance[DIRECTIONS]; /* of each, times count */
    int best[2];                 /* columns of the two largest */
} search;

/* --- directions ----------------------------------------------------------------------------------------- */

static double column_product(size_t rows, const float *a, int i, int j) {
    double sum = 0;
    for (size_t r = 0; r < rows; r++)
        sum += (double)a[r * DIRECTIONS + (size_t)i] * a[r * DIRECTIONS + (size_t)j];
    return sum;
}

/* Gram and Schmidt's orthogonal columns of length 1, twice for the rounding's sake; what has no part of its own
 * becomes 0. */
static void orthonormalise(size_t rows, float *a) {
    for (int j = 0; j < DIRECTIONS; j++) {
        double before = column_product(rows, a, j, j);
        for (int i = 0; i < 2 * j; i++) {
            double part = column_product(rows, a, i % j, j);
            for (size_t r = 0; r < rows; r++)
                a[r * DIRECTIONS + (size_t)j] -= (float)(part * a[r * DIRECTIONS + (size_t)(i % j)]);
        }
        double square = column_product(rows, a, j, j);
        double factor = square > 1e-10 * before ? 1 / sqrt(square) : 0;
        for (size_t r = 0; r < rows; r++)
            a[r * DIRECTIONS + (size_t)j] = (float)(factor * a[r * DIRECTIONS + (size_t)j]);
    }
}

/* score = (X - 1 m') direction */
static void project(search *s) {
    double offset[DIRECTIONS] = {0};
    nn_gemm(false, false, s->count, DIRECTIONS, s->dims, s->x, s->dims, s->direction, DIRECTIONS, false,
            s->score, DIRECTIONS);
    for (int k = 0; k < s->dims; k++)
        for (int j = 0; j < DIRECTIONS; j++)
            offset[j] += s->mean[k] * s->direction[(size_t)k * DIRECTIONS + (size_t)j];
    for (size_t i = 0; i < (size_t)s->count; i++)
        for (int j = 0; j < DIRECTIONS; j++)
            s->score[i * DIRECTIONS + (size_t)j] -= (float)offset[j];
}

/* direction = (X - 1 m')' score */
static void project_back(search *s) {
    double sum[DIRECTIONS] = {0};
    nn_gemm(true, false, s->dims, DIRECTIONS, s->count, s->x, s->dims, s->score, DIRECTIONS, false,
            s->direction, DIRECTIONS);
    for (size_t i = 0; i < (size_t)s->count; i++)
        for (int j = 0; j < DIRECTIONS; j++)
            sum[j] += s->score[i * DIRECTIONS + (size_t)j];
    for (int k = 0; k < s->dims; k++)
        for (int j = 0; j < DIRECTIONS; j++)
            s->direction[(size_t)k * DIRECTIONS + (size_t)j] -= (float)(s->mean[k] * sum[j]);
}

/* --- components ----------------------------------------------------------------------------------------- */

/* One of Jacobi's rotations: makes a[i][j] zero, and keeps a = v' A v. */
static void rotate(matrix a, matrix v, int i, int j) {
    if (a[i][j] == 0)
        return;
    double angle = 0.5 * atan2(2 * a[i][j], a[j][j] - a[i][i]), c = cos(angle), s = sin(angle);
    for (int k = 0; k < DIRECTIONS; k++) {
        double x = a[k][i], y = a[k][j];
        a[k][i] = c * x - s * y;
        a[k][j] = s * x + c * y;
    }
    for (int k = 0; k < DIRECTIONS; k++) {
        double x = a[i][k], y = a[j][k];
        a[i][k] = c * x - s * y;
        a[j][k] = s * x + c * y;
    }
    for (int k = 0; k < DIRECTIONS; k++) {
        double x = v[k][i], y = v[k][j];
        v[k][i] = c * x - s * y;
        v[k][j] = s * x + c * y;
    }
}

/* The components within the directions: eigenvectors of the scores' scatter. Returns the variance of the best two. */
static double find_components(search *s) {
    matrix scatter;
    memset(s->rotation, 0, sizeof s->rotation);
    for (int i = 0; i < DIRECTIONS; i++) {
        s->rotation[i][i] = 1;
        for (int j = 0; j < DIRECTIONS; j++)
            scatter[i][j] = column_product((size_t)s->count, s->score, i, j);
    }
    for (int sweep = 0; sweep < SWEEPS; sweep++)
        for (int i = 0; i < DIRECTIONS; i++)
            for (int j = i + 1; j < DIRECTIONS; j++)
                rotate(scatter, s->rotation, i, j);
    s->best[0] = s->best[1] = -1;
    for (int b = 0; b < 2; b++)
        for (int k = 0; k < DIRECTIONS; k++)
            if (k != s->best[0] && (s->best[b] < 0 || scatter[k][k] > scatter[s->best[b]][s->best[b]]))
                s->best[b] = k;
    for (int k = 0; k < DIRECTIONS; k++)
        s->variance[k] = scatter[k][k];
    return s->variance[s->best[0]] + s->variance[s->best[1]];
}

static void iterate(search *s) {
    double before = 0;
    nn_stream stream = nn_stream_named(0, "principal");
    for (size_t k = 0; k < (size_t)s->dims * DIRECTIONS; k++)
        s->direction[k] = nn_random_normal(&stream);
    for (int step = 0; step < MOST_STEPS; step++) {
        orthonormalise((size_t)s->dims, s->direction);
        project(s);
        double now = find_components(s);
        if (now - before <= 1e-7 * now)
            return;
        before = now;
        orthonormalise((size_t)s->count, s->score); /* for the range of numbers */
        project_back(s);
    }
    orthonormalise((size_t)s->dims, s->direction);
    project(s);
    find_components(s);
}

/* --- the whole ------------------------------------------------------------------------------------------ */

static void take_component(const search *s, int component, double *y) {
    double largest = 0;
    for (size_t k = 0; k < (size_t)s->dims; k++) {
        double weight = 0;
        for (size_t j = 0; j < DIRECTIONS; j++)
            weight += s->direction[k * DIRECTIONS + j] * s->rotation[j][component];
        if (fabs(weight) > fabs(largest))
            largest = weight;
    }
    for (size_t i = 0; i < (size_t)s->count; i++) {
        double score = 0;
        for (size_t j = 0; j < DIRECTIONS; j++)
            score += s->score[i * DIRECTIONS + j] * s->rotation[j][component];
        y[i] = largest < 0 ? -score : score;
    }
}

nn_status exp_tsne_principal(int count, int dims, const float *x, double *y, nn_error *error) {
    search s = {.count = count,
                .dims = dims,
                .x = x,
                .mean = calloc((size_t)dims, sizeof *s.mean),
                .direction = calloc((size_t)dims * DIRECTIONS, sizeof *s.direction),
                .score = calloc((size_t)count * DIRECTIONS, sizeof *s.score)};
    nn_status status = NN_OK;
    if (s.mean && s.direction && s.score) {
        for (size_t i = 0; i < (size_t)count; i++)
            for (size_t k = 0; k < (size_t)dims; k++)
                s.mean[k] += x[i * (size_t)dims + k] / (double)count;
        iterate(&s);
        take_component(&s, s.best[0], y);
        take_component(&s, s.best[1], y + count);
    } else {
        status = nn_fail_memory(error, "the principal components");
    }
    free(s.mean);
    free(s.direction);
    free(s.score);
    return status;
}
