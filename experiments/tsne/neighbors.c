/* neighbors.c - distances between points: all of them, or exactly the nearest.
 *
 * Nearest neighbours in two steps. Matrix products in single precision give every squared distance g_ij of
 * centred points as |a_i|^2 + |a_j|^2 - 2 a_i a_j, a strip of rows at a time, with an error of at most
 * e_ij = (dims + 16) 2^-24 (|a_i| + |a_j|)^2 (a dot product's bound in whatever order it is summed, and the
 * rounding of centring and of the sum). What may be among the nearest by g_ij - e_ij is then measured directly, in
 * double precision. */
#include <math.h>
#include <omp.h>
#include <stdlib.h>

#include "framework/kernels/kernels.h"
#include "parts.h"

enum {
    STRIP_BYTES = 48 << 20, /* of distances, about */
    STRIP_LEAST = 64,       /* rows of a strip */
    STRIP_MOST = 1024,
    TILE = 1024, /* columns of one product */
    BLOCK = 32   /* points of either side measured together, so that they stay in the cache */
};

/* Where the points lie: they are looked at as (x - mean) * scale, a power of two that makes 1 the largest. */
typedef struct cloud {
    int count, dims;
    const float *x;
    double *mean; /* [dims] */
    double scale;
} cloud;

typedef struct candidate {
    double distance;
    int32_t index;
} candidate;

/* What a search needs beside the cloud. */
typedef struct search {
    cloud cloud;
    int rows;              /* of a strip, at most */
    float *queries, *tile; /* [rows][dims], [TILE][dims]: centred and scaled */
    float *strip;          /* [rows][count] */
    float *norm;           /* [count]: |a_j| */
    float *upper;          /* [threads][count] */
    candidate *candidates; /* [threads][count] */
} search;

static int smaller(int a, int b) {
    return a < b ? a : b;
}

static bool stopped(const volatile sig_atomic_t *stop) {
    return stop && *stop;
}

/* --- the cloud ------------------------------------------------------------------------------------------ */

static void center(const cloud *c, int point, float *out) {
    const float *x = c->x + (size_t)point * (size_t)c->dims;
    for (int k = 0; k < c->dims; k++)
        out[k] = (float)((x[k] - c->mean[k]) * c->scale);
}

static nn_status cloud_new(cloud *c, int count, int dims, const float *x, nn_error *error) {
    double largest = 0;
    *c = (cloud){.count = count, .dims = dims, .x = x, .mean = calloc((size_t)dims, sizeof *c->mean)};
    if (!c->mean)
        return nn_fail_memory(error, "the points' mean");
    for (size_t i = 0; i < (size_t)count; i++)
        for (int k = 0; k < dims; k++)
            c->mean[k] += x[i * (size_t)dims + (size_t)k];
    for (int k = 0; k < dims; k++)
        c->mean[k] /= count;
    for (size_t i = 0; i < (size_t)count; i++)
        for (int k = 0; k < dims; k++)
            largest = fmax(largest, fabs(x[i * (size_t)dims + (size_t)k] - c->mean[k]));
    c->scale = largest > 0 ? ldexp(1, -ilogb(largest) - 1) : 1;
    return NN_OK;
}

/* --- all distances -------------------------------------------------------------------------------------- */

static void measure_block(int count, int dims, const float *x, int row, int column, double scale,
                          float *distance) {
    const nn_pair_kernels *kernels = nn_kernels_active()->pair;
    for (int i = row; i < smaller(row + BLOCK, count); i++)
        for (int j = column; j < smaller(column + BLOCK, i + 1); j++) {
            double d = i == j ? 0
                              : kernels->distance(dims, x + (size_t)i * (size_t)dims,
                                                  x + (size_t)j * (size_t)dims, 1);
            distance[(size_t)i * (size_t)count + (size_t)j] = (float)(d * scale);
            distance[(size_t)j * (size_t)count + (size_t)i] = (float)(d * scale);
        }
}

nn_status exp_tsne_distances(int count, int dims, const float *x, const volatile sig_atomic_t *stop,
                             float *distance, nn_error *error) {
    cloud c;
    nn_status status = cloud_new(&c, count, dims, x, error);
    if (status != NN_OK)
        return status;
#pragma omp parallel for num_threads(nn_threads()) schedule(dynamic)
    for (int row = 0; row < count; row += BLOCK)
        for (int column = 0; column <= row && !stopped(stop); column += BLOCK)
            measure_block(count, dims, x, row, column, c.scale * c.scale, distance);
    free(c.mean);
    return NN_OK;
}

/* --- the nearest ---------------------------------------------------------------------------------------- */

/* Distances of the strip's queries to all points, or as far as it came when it is stopped. */
static void fill_strip(search *s, int first, int rows, const volatile sig_atomic_t *stop) {
    int count = s->cloud.count, dims = s->cloud.dims, team = nn_threads();
#pragma omp parallel for num_threads(team) schedule(static)
    for (int i = 0; i < rows; i++)
        center(&s->cloud, first + i, s->queries + (size_t)i * (size_t)dims);
    for (int column = 0; column < count && !stopped(stop); column += TILE) {
        int columns = smaller(TILE, count - column);
#pragma omp parallel for num_threads(team) schedule(static)
        for (int j = 0; j < columns; j++)
            center(&s->cloud, column + j, s->tile + (size_t)j * (size_t)dims);
        nn_gemm(false, true, rows, columns, dims, s->queries, dims, s->tile, dims, false, s->strip + column,
                count);
    }
#pragma omp parallel for num_threads(team) schedule(static)
    for (int i = 0; i < rows; i++) {
        float *row = s->strip + (size_t)i * (size_t)count, own = s->norm[first + i];
        for (int j = 0; j < count; j++)
            row[j] = own * own + s->norm[j] * s->norm[j] - 2 * row[j];
        row[first + i] = INFINITY; /* not its own neighbour */
    }
}

/* The value that `rank` (from 0) others at most are below: quickselect, which reorders. */
static float select_rank(float *values, int count, int rank) {
    int low = 0, high = count - 1;
    while (low < high) {
        float pivot = values[low + (high - low) / 2];
        int i = low, j = high;
        while (i <= j) {
            while (values[i] < pivot)
                i++;
            while (values[j] > pivot)
                j--;
            if (i <= j) {
                float swapped = values[i];
                values[i++] = values[j];
                values[j--] = swapped;
            }
        }
        if (rank <= j)
            high = j;
        else if (rank >= i)
            low = i;
        else
            break;
    }
    return values[rank];
}

static int by_distance(const void *a, const void *b) {
    const candidate *x = a, *y = b;
    if (x->distance != y->distance)
        return x->distance < y->distance ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

/* The exact neighbours of one query from its row of the strip. */
static void refine(const search *s, int query, const float *row, int nearest, float *upper,
                   candidate *candidates, int32_t *index, double *distance) {
    const cloud *c = &s->cloud;
    const nn_pair_kernels *kernels = nn_kernels_active()->pair;
    float bound = (float)(c->dims + 16) * 0x1p-24f, own = s->norm[query];
    for (int j = 0; j < c->count; j++)
        upper[j] = row[j] + bound * (own + s->norm[j]) * (own + s->norm[j]);
    float limit = select_rank(upper, c->count, nearest - 1);
    int found = 0;
    for (int j = 0; j < c->count; j++)
        if (j != query && row[j] - bound * (own + s->norm[j]) * (own + s->norm[j]) <= limit)
            candidates[found++] =
                (candidate){kernels->distance(c->dims, c->x + (size_t)query * (size_t)c->dims,
                                              c->x + (size_t)j * (size_t)c->dims, 1),
                            j};
    qsort(candidates, (size_t)found, sizeof *candidates, by_distance);
    for (int k = 0; k < nearest; k++) {
        index[k] = candidates[k].index;
        distance[k] = candidates[k].distance;
    }
}

static void search_free(search *s) {
    free(s->cloud.mean);
    free(s->queries);
    free(s->tile);
    free(s->strip);
    free(s->norm);
    free(s->upper);
    free(s->candidates);
}

static nn_status search_new(search *s, int count, int dims, const float *x, nn_error *error) {
    size_t n = (size_t)count, d = (size_t)dims, threads = (size_t)nn_threads();
    size_t rows = STRIP_BYTES / sizeof(float) / n;
    rows = rows < STRIP_LEAST ? STRIP_LEAST : rows > STRIP_MOST ? STRIP_MOST : rows;
    *s = (search){.rows = (int)(rows < n ? rows : n)};
    if (cloud_new(&s->cloud, count, dims, x, error) != NN_OK)
        return error->status;
    s->queries = calloc((size_t)s->rows * d, sizeof *s->queries);
    s->tile = calloc((size_t)smaller(TILE, count) * d, sizeof *s->tile);
    s->strip = calloc((size_t)s->rows * n, sizeof *s->strip);
    s->norm = calloc(n, sizeof *s->norm);
    s->upper = calloc(threads * n, sizeof *s->upper);
    s->candidates = calloc(threads * n, sizeof *s->candidates);
    if (!s->queries || !s->tile || !s->strip || !s->norm || !s->upper || !s->candidates)
        return nn_fail_memory(error, "the search for nearest neighbours");
    for (int i = 0; i < count; i++) {
        double square = 0;
        center(&s->cloud, i, s->tile);
        for (size_t k = 0; k < d; k++)
            square += (double)s->tile[k] * s->tile[k];
        s->norm[i] = (float)sqrt(square);
    }
    return NN_OK;
}

nn_status exp_tsne_neighbors(int count, int dims, const float *x, int nearest,
                             const volatile sig_atomic_t *stop, int32_t *index, double *distance,
                             nn_error *error) {
    search s;
    nn_status status = search_new(&s, count, dims, x, error);
    for (int first = 0; first < count && status == NN_OK && !stopped(stop); first += s.rows) {
        int rows = smaller(s.rows, count - first);
        fill_strip(&s, first, rows, stop);
#pragma omp parallel for num_threads(nn_threads()) schedule(dynamic, 8)
        for (int i = 0; i < rows; i++) {
            size_t own = (size_t)omp_get_thread_num() * (size_t)count,
                   out = (size_t)(first + i) * (size_t)nearest;
            if (!stopped(stop))
                refine(&s, first + i, s.strip + (size_t)i * (size_t)count, nearest, s.upper + own,
                       s.candidates + own, index + out, distance + out);
        }
    }
    search_free(&s);
    return status;
}
