/* density.c - tiles of reference points, sorted by class, against blocks of queries. */
#include "density.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "framework/kernels/kernels.h"

enum {
    ROWS = 256, /* queries of one product */
    TILE = 1024 /* reference points of one product */
};

/* Of a pair whose squared distance is less than this share of its squared lengths, products in single precision would
 * leave too few digits. */
static const float near_ratio = 1.0f / 64;

/* log S_c = -minimum / T + log(sum) */
typedef struct part {
    double minimum, sum;
} part;

struct exp_density {
    exp_density_options o;
    part *parts;        /* [queries][classes] */
    double *origin;     /* [dims]: the mean of the tile's points */
    float *tile, *rows; /* [TILE][dims], [ROWS][dims]: less the origin */
    float *tile_norm, *row_norm;
    int *order;      /* [TILE]: the tile's points by class */
    int *first;      /* [classes + 1]: where in the order a class begins */
    float *products; /* [ROWS][TILE] */
};

static int smaller(int a, int b) {
    return a < b ? a : b;
}

static const float *row_of(const float *x, int row, int dims) {
    return x + (size_t)row * (size_t)dims;
}

static nn_status check_finite(int count, int dims, const float *x, nn_error *error) {
    for (int i = 0; i < count; i++)
        if (!nn_kernels_active()->vector->finite((size_t)dims, row_of(x, i, dims)))
            return nn_fail(error, NN_ENUMERIC, "density: row %d of the points has a NaN or an infinity", i);
    return NN_OK;
}

/* --- a tile --------------------------------------------------------------------------------------------- */

static void sort_by_class(exp_density *s, int count, const unsigned char *labels) {
    int *first = s->first, classes = s->o.classes;
    memset(first, 0, ((size_t)classes + 1) * sizeof *first);
    for (int j = 0; j < count; j++)
        first[labels[j] + 1]++;
    for (int c = 0; c < classes; c++)
        first[c + 1] += first[c];
    for (int j = 0; j < count; j++)
        s->order[first[labels[j]]++] = j;
    for (int c = classes; c > 0; c--)
        first[c] = first[c - 1];
    first[0] = 0;
}

/* A coordinate is one thread's, so that its sum is the same for every number of threads. */
static void find_origin(exp_density *s, int count, const float *points) {
    enum { SLICE = 256 };
    int dims = s->o.dims;
#pragma omp parallel for num_threads(nn_threads()) schedule(static)
    for (int start = 0; start < dims; start += SLICE) {
        int end = smaller(start + SLICE, dims);
        memset(s->origin + start, 0, (size_t)(end - start) * sizeof *s->origin);
        for (int j = 0; j < count; j++)
            for (int k = start; k < end; k++)
                s->origin[k] += row_of(points, j, dims)[k];
        for (int k = start; k < end; k++)
            s->origin[k] /= count;
    }
}

/* order: NULL for points as they lie. */
static void center(const exp_density *s, int count, const float *x, const int *order, float *out,
                   float *norm) {
    int dims = s->o.dims;
#pragma omp parallel for num_threads(nn_threads()) schedule(static)
    for (int i = 0; i < count; i++) {
        const float *from = row_of(x, order ? order[i] : i, dims);
        float *to = out + (size_t)i * (size_t)dims;
        double square = 0;
        for (int k = 0; k < dims; k++) {
            to[k] = (float)(from[k] - s->origin[k]);
            square += (double)to[k] * to[k];
        }
        norm[i] = (float)square;
    }
}

/* --- sums ----------------------------------------------------------------------------------------------- */

/* The query's dot products with the tile's points become squared distances. */
static void to_distances(const exp_density *s, int query, float norm, int count, const float *points,
                         float *d) {
    const nn_pair_kernels *pair = nn_kernels_active()->pair;
    if (!pair->gram_distances(count, norm, s->tile_norm, near_ratio, 0, d))
        return;
    for (int j = 0; j < count; j++)
        if (d[j] < near_ratio * (norm + s->tile_norm[j]))
            d[j] = (float)pair->distance(s->o.dims, row_of(s->o.x, query, s->o.dims),
                                         row_of(points, s->order[j], s->o.dims), 1);
}

static void add_part(part *to, double minimum, double sum, double temperature) {
    if (minimum < to->minimum) {
        to->sum *= exp((minimum - to->minimum) / temperature);
        to->minimum = minimum;
    }
    to->sum += sum * exp((to->minimum - minimum) / temperature);
}

static void add_sums(exp_density *s, int query, const float *d) {
    const nn_pair_kernels *pair = nn_kernels_active()->pair;
    float rate = (float)fmin(1 / s->o.temperature, 1e37), shifted[TILE];
    for (int c = 0; c < s->o.classes; c++) {
        int first = s->first[c], count = s->first[c + 1] - first;
        double sum[3];
        if (count == 0)
            continue;
        float minimum = pair->shift(count, d + first, 1, shifted);
        pair->sums(count, shifted, rate, sum);
        add_part(&s->parts[(size_t)query * (size_t)s->o.classes + (size_t)c], minimum, sum[0],
                 s->o.temperature);
    }
}

/* At most TILE points. */
static void add_tile(exp_density *s, int count, const float *points, const unsigned char *labels) {
    int dims = s->o.dims;
    sort_by_class(s, count, labels);
    find_origin(s, count, points);
    center(s, count, points, s->order, s->tile, s->tile_norm);
    for (int first = 0; first < s->o.queries; first += ROWS) {
        int rows = smaller(ROWS, s->o.queries - first);
        center(s, rows, row_of(s->o.x, first, dims), NULL, s->rows, s->row_norm);
        nn_gemm(false, true, rows, count, dims, s->rows, dims, s->tile, dims, false, s->products, TILE);
#pragma omp parallel for num_threads(nn_threads()) schedule(dynamic, 8)
        for (int i = 0; i < rows; i++) {
            float *d = s->products + (size_t)i * TILE;
            to_distances(s, first + i, s->row_norm[i], count, points, d);
            add_sums(s, first + i, d);
        }
    }
}

/* --- the calls ------------------------------------------------------------------------------------------ */

static nn_status allocate(exp_density *s, nn_error *error) {
    size_t dims = (size_t)s->o.dims, classes = (size_t)s->o.classes, parts = (size_t)s->o.queries * classes;
    s->parts = calloc(parts, sizeof *s->parts);
    s->origin = calloc(dims, sizeof *s->origin);
    s->tile = calloc(TILE * dims, sizeof *s->tile);
    s->rows = calloc(ROWS * dims, sizeof *s->rows);
    s->tile_norm = calloc(TILE, sizeof *s->tile_norm);
    s->row_norm = calloc(ROWS, sizeof *s->row_norm);
    s->order = calloc(TILE, sizeof *s->order);
    s->first = calloc(classes + 1, sizeof *s->first);
    s->products = calloc((size_t)ROWS * TILE, sizeof *s->products);
    if (!s->parts || !s->origin || !s->tile || !s->rows || !s->tile_norm || !s->row_norm || !s->order ||
        !s->first || !s->products)
        return nn_fail_memory(error, "the densities");
    for (size_t k = 0; k < parts; k++)
        s->parts[k] = (part){INFINITY, 0};
    return NN_OK;
}

nn_status exp_density_new(exp_density **density, const exp_density_options *options, nn_error *error) {
    *density = NULL;
    if (!(options->temperature > 0 && isfinite(options->temperature)))
        return nn_fail(error, NN_EARGUMENT, "density: a temperature of %g: must be a positive number",
                       options->temperature);
    nn_status status = check_finite(options->queries, options->dims, options->x, error);
    if (status != NN_OK)
        return status;
    exp_density *s = calloc(1, sizeof *s);
    if (!s)
        return nn_fail_memory(error, "the densities");
    s->o = *options;
    status = allocate(s, error);
    if (status == NN_OK)
        *density = s;
    else
        exp_density_free(s);
    return status;
}

nn_status exp_density_add(exp_density *s, int count, const float *points, const unsigned char *labels,
                          nn_error *error) {
    nn_status status = check_finite(count, s->o.dims, points, error);
    for (int first = 0; status == NN_OK && first < count; first += TILE)
        add_tile(s, smaller(TILE, count - first), row_of(points, first, s->o.dims), labels + first);
    return status;
}

void exp_density_take(const exp_density *s, double *log_sums) {
    size_t count = (size_t)s->o.queries * (size_t)s->o.classes;
    for (size_t k = 0; k < count; k++)
        log_sums[k] =
            s->parts[k].sum > 0 ? log(s->parts[k].sum) - s->parts[k].minimum / s->o.temperature : -INFINITY;
}

void exp_density_free(exp_density *s) {
    if (!s)
        return;
    free(s->parts);
    free(s->origin);
    free(s->tile);
    free(s->rows);
    free(s->tile_norm);
    free(s->row_norm);
    free(s->order);
    free(s->first);
    free(s->products);
    free(s);
}
