/* knn.c - nearest neighbours: matrix products rule out, double precision decides.
 *
 * Tile by tile, products in single precision give the squared distance of query i and point j as g_ij = |a_i|^2 +
 * |a_j|^2 - 2 a_i a_j, with a = (x - mean) * scale, off by at most
 *   e_ij = (dims + 16) (2^-24 (|a_i| + |a_j|)^2 + 2^-120)
 * (the bound of a dot product in whatever order it is summed, the rounding of everything else, and what may get lost
 * below the least normal numbers). A point whose g_ij - e_ij is above the largest of the best distances so far is out;
 * any other one is measured directly, in double precision. g_ij beyond the range of numbers rules nothing out. */
#include "knn.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "framework/kernels/kernels.h"

enum {
    ROWS = 128,   /* queries of one product, */
    TILE = 256,   /* and points, */
    SLICE = 256,  /* and dimensions that are gone through at once: they stay in a processor's own cache */
    BLOCK = 2048, /* points whose products are looked at together, a multiple of TILE */
    STRIDE =
        BLOCK +
        16,    /* floats from one row of products to the next: no power of 2, which caches cannot hold well */
    GROUP = 32 /* points that are ruled out together */
};

typedef struct neighbor {
    double distance;
    int32_t index;
} neighbor;

struct exp_knn {
    exp_knn_options o;
    int added;    /* points so far */
    double *mean; /* [dims], of the queries */
    double scale; /* a power of two that makes the queries' largest coordinate about 1 */
    int padded;   /* dims, as panels need them */
    float *
        queries; /* centred and scaled, ROWS of them after ROWS, each in panels: [padded / panel][ROWS][panel] */
    float *norm;       /* [queries]: |a_i| */
    float *points;     /* [BLOCK / TILE] of TILE, likewise */
    float *point_norm; /* [BLOCK] */
    float *products;   /* [threads][ROWS][STRIDE] */
    float *upper;      /* [threads][BLOCK] */
    neighbor *best;    /* [queries][nearest]: a heap with the farthest one on top */
    int *found;        /* [queries]: entries of it */
};

static int smaller(int a, int b) {
    return a < b ? a : b;
}

static bool stopped(const exp_knn *s) {
    return s->o.stop && *s->o.stop;
}

static const float *row_of(const float *x, int row, int dims) {
    return x + (size_t)row * (size_t)dims;
}

/* The first panel of point i. */
static float *row_of_groups(const exp_knn *s, float *panels, int i, int group) {
    size_t panel = (size_t)nn_kernels_active()->point->panel, size = (size_t)group * (size_t)s->padded;
    return panels + (size_t)(i / group) * size + (size_t)(i % group) * panel;
}

/* --- centring ------------------------------------------------------------------------------------------- */

/* Centred and scaled copies of points in panels, `group` points after `group`, and their lengths. */
static void center(const exp_knn *s, int count, const float *x, int group, float *out, float *norm) {
    const size_t dims = (size_t)s->o.dims, panel = (size_t)nn_kernels_active()->point->panel;
#pragma omp parallel for num_threads(nn_threads()) schedule(static)
    for (int i = 0; i < count; i++) {
        const float *from = row_of(x, i, s->o.dims);
        float *to = row_of_groups(s, out, i, group);
        double square = 0;
        for (size_t first = 0; first < dims; first += panel, to += (size_t)group * panel)
            for (size_t k = first; k < first + panel && k < dims; k++) {
                to[k - first] = (float)((from[k] - s->mean[k]) * s->scale);
                square += (double)to[k - first] * to[k - first];
            }
        norm[i] = (float)sqrt(square);
    }
}

/* The same sums for every number of threads: a coordinate is one thread's. */
static void find_mean(exp_knn *s) {
    int dims = s->o.dims, count = s->o.queries;
    double largest = 0;
#pragma omp parallel for num_threads(nn_threads()) schedule(static) reduction(max : largest)
    for (int first = 0; first < dims; first += SLICE) {
        int end = smaller(first + SLICE, dims);
        for (int i = 0; i < count; i++)
            for (int k = first; k < end; k++)
                s->mean[k] += row_of(s->o.x, i, dims)[k];
        for (int k = first; k < end; k++)
            s->mean[k] /= count;
        for (int i = 0; i < count; i++)
            for (int k = first; k < end; k++)
                largest = fmax(largest, fabs(row_of(s->o.x, i, dims)[k] - s->mean[k]));
    }
    s->scale = largest > 0 ? ldexp(1, -ilogb(largest) - 1) : 1;
}

static nn_status check_finite(int count, int dims, const float *x, nn_error *error) {
    int wrong = count;
#pragma omp parallel for num_threads(nn_threads()) schedule(static) reduction(min : wrong)
    for (int i = 0; i < count; i++)
        if (!nn_kernels_active()->vector->finite((size_t)dims, row_of(x, i, dims)))
            wrong = smaller(wrong, i);
    return wrong == count
               ? NN_OK
               : nn_fail(error, NN_ENUMERIC,
                         "nearest neighbours: row %d of the points has a NaN or an infinity", wrong);
}

/* --- the best so far ------------------------------------------------------------------------------------ */

static bool farther(neighbor a, neighbor b) {
    return a.distance > b.distance || (a.distance == b.distance && a.index > b.index);
}

static void sift_up(neighbor *heap, int place) {
    neighbor one = heap[place];
    for (; place > 0 && farther(one, heap[(place - 1) / 2]); place = (place - 1) / 2)
        heap[place] = heap[(place - 1) / 2];
    heap[place] = one;
}

static void sift_down(neighbor *heap, int count, neighbor one) {
    int place = 0;
    for (int child; (child = 2 * place + 1) < count; place = child) {
        if (child + 1 < count && farther(heap[child + 1], heap[child]))
            child++;
        if (!farther(heap[child], one))
            break;
        heap[place] = heap[child];
    }
    heap[place] = one;
}

/* Measures a point and keeps it when it is among the best. */
static void consider(exp_knn *s, int query, int index, const float *point) {
    neighbor *heap = s->best + (size_t)query * (size_t)s->o.nearest;
    neighbor one = {
        nn_kernels_active()->pair->distance(s->o.dims, row_of(s->o.x, query, s->o.dims), point, 1), index};
    if (s->found[query] < s->o.nearest) {
        heap[s->found[query]] = one;
        sift_up(heap, s->found[query]++);
    } else if (farther(heap[0], one)) {
        sift_down(heap, s->o.nearest, one);
    }
}

/* --- ruling out ----------------------------------------------------------------------------------------- */

/* A query and the block's points as the products see them. */
typedef struct view {
    int query, count;
    float own; /* |a_i| */
    const float *norm, *product;
    float relative, least; /* of e_ij */
} view;

/* g_ij and e_ij. */
static inline float estimate(const view *v, int j) {
    return v->own * v->own + v->norm[j] * v->norm[j] - 2 * v->product[j];
}

static inline float error_of(const view *v, int j) {
    float sum = v->own + v->norm[j];
    return v->relative * sum * sum + v->least;
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

/* Beyond this nothing of the block can be among the best. */
static float limit_of(const exp_knn *s, const view *v, int self) {
    int nearest = s->o.nearest;
    if (s->found[v->query] == nearest)
        return (float)(s->best[(size_t)v->query * (size_t)nearest].distance * s->scale * s->scale);
    if (v->count < nearest)
        return INFINITY;
    float *upper = s->upper + (size_t)omp_get_thread_num() * BLOCK;
    for (int j = 0; j < v->count; j++) {
        upper[j] = estimate(v, j) + error_of(v, j);
        if (!(upper[j] < INFINITY) || j == self)
            upper[j] = INFINITY;
    }
    return select_rank(upper, v->count, nearest - 1);
}

static bool any_near(const view *v, int first, int end, float limit) {
    int near = 0;
    for (int j = first; j < end; j++)
        near |= !(estimate(v, j) - error_of(v, j) > limit);
    return near;
}

/* The block's points for one query. */
static void search_row(exp_knn *s, const view *v, const float *points) {
    int self = s->o.among ? s->o.first + v->query - s->added : -1;
    float limit = limit_of(s, v, self);
    for (int group = 0; group < v->count; group += GROUP) {
        int end = smaller(group + GROUP, v->count);
        if (!any_near(v, group, end, limit))
            continue;
        for (int j = group; j < end; j++) {
            if (j == self || estimate(v, j) - error_of(v, j) > limit)
                continue;
            consider(s, v->query, s->added + j, row_of(points, j, s->o.dims));
            if (s->found[v->query] == s->o.nearest)
                limit = fminf(limit, limit_of(s, v, self));
        }
    }
}

/* Products of the queries `first` and on with the block's points `tile` and on. */
static void multiply(const exp_knn *s, int first, int rows, int tile, int columns, float *products) {
    const nn_point_kernels *kernels = nn_kernels_active()->point;
    const float *a = row_of_groups(s, s->queries, first, ROWS), *b = row_of_groups(s, s->points, tile, TILE);
    int panel = kernels->panel;
    for (int k = 0; k < s->padded; k += SLICE)
        kernels->dots(rows, columns, smaller(SLICE, s->padded - k), a + (size_t)k * ROWS, ROWS * panel,
                      b + (size_t)k * TILE, TILE * panel, false, k > 0, products, STRIDE);
}

/* The block's points, `count` from number s->added on, for the queries `first` and on. */
static void search_block(exp_knn *s, int first, int count, const float *points) {
    int rows = smaller(ROWS, s->o.queries - first);
    float bound = (float)(s->o.dims + 16);
    float *products = s->products + (size_t)omp_get_thread_num() * ROWS * STRIDE;
    for (int tile = 0; tile < count && !stopped(s); tile += TILE)
        multiply(s, first, rows, tile, smaller(TILE, count - tile), products + tile);
    for (int i = 0; i < rows && !stopped(s); i++) {
        view v = {.query = first + i,
                  .count = count,
                  .own = s->norm[first + i],
                  .norm = s->point_norm,
                  .product = row_of(products, i, STRIDE),
                  .relative = bound * 0x1p-24f,
                  .least = bound * 0x1p-120f};
        search_row(s, &v, points);
    }
}

/* At most BLOCK points. */
static void add_block(exp_knn *s, int count, const float *points) {
    center(s, count, points, TILE, s->points, s->point_norm);
#pragma omp parallel for num_threads(nn_threads()) schedule(dynamic)
    for (int first = 0; first < s->o.queries; first += ROWS)
        search_block(s, first, count, points);
    s->added += count;
}

/* --- the search ----------------------------------------------------------------------------------------- */

/* Zeroed: what is behind the last dimension and the last point is multiplied too. */
static float *new_panels(size_t count) {
    size_t bytes;
    if (!nn_multiply(count, sizeof(float), &bytes))
        return NULL;
    float *panels = aligned_alloc(64, (bytes + 63) / 64 * 64);
    return panels ? memset(panels, 0, bytes) : NULL;
}

static nn_status allocate(exp_knn *s, nn_error *error) {
    size_t dims = (size_t)s->o.dims, queries = (size_t)s->o.queries, threads = (size_t)nn_threads();
    size_t padded = (dims + NN_POINT_MULTIPLE - 1) / NN_POINT_MULTIPLE * NN_POINT_MULTIPLE, values, entries;
    s->padded = (int)padded;
    if (nn_multiply((queries + ROWS - 1) / ROWS * ROWS, padded, &values) &&
        nn_multiply(queries, (size_t)s->o.nearest, &entries)) {
        s->mean = calloc(dims, sizeof *s->mean);
        s->queries = new_panels(values);
        s->norm = calloc(queries, sizeof *s->norm);
        s->points = new_panels(BLOCK * padded);
        s->point_norm = calloc(BLOCK, sizeof *s->point_norm);
        s->products = new_panels(threads * ROWS * STRIDE);
        s->upper = calloc(threads * BLOCK, sizeof *s->upper);
        s->best = calloc(entries, sizeof *s->best);
        s->found = calloc(queries, sizeof *s->found);
    }
    if (s->mean && s->queries && s->norm && s->points && s->point_norm && s->products && s->upper &&
        s->best && s->found)
        return NN_OK;
    return nn_fail_memory(error, "the search for nearest neighbours");
}

nn_status exp_knn_new(exp_knn **knn, const exp_knn_options *options, nn_error *error) {
    exp_knn *s = *knn = NULL;
    nn_status status = check_finite(options->queries, options->dims, options->x, error);
    if (status != NN_OK)
        return status;
    s = calloc(1, sizeof *s);
    if (!s)
        return nn_fail_memory(error, "the search for nearest neighbours");
    s->o = *options;
    status = allocate(s, error);
    if (status != NN_OK) {
        exp_knn_free(s);
        return status;
    }
    find_mean(s);
    center(s, s->o.queries, s->o.x, ROWS, s->queries, s->norm);
    *knn = s;
    return NN_OK;
}

nn_status exp_knn_add(exp_knn *s, int count, const float *points, nn_error *error) {
    nn_status status = check_finite(count, s->o.dims, points, error);
    for (int first = 0; status == NN_OK && first < count && !stopped(s); first += BLOCK)
        add_block(s, smaller(BLOCK, count - first), row_of(points, first, s->o.dims));
    return status;
}

static int by_distance(const void *a, const void *b) {
    return farther(*(const neighbor *)a, *(const neighbor *)b) ? 1 : -1;
}

void exp_knn_take(exp_knn *s, int32_t *index, double *distance) {
    int nearest = s->o.nearest;
#pragma omp parallel for num_threads(nn_threads()) schedule(static)
    for (int i = 0; i < s->o.queries; i++) {
        size_t place = (size_t)i * (size_t)nearest;
        qsort(s->best + place, (size_t)s->found[i], sizeof *s->best, by_distance);
        for (int k = 0; k < nearest; k++, place++) {
            neighbor one = k < s->found[i] ? s->best[place] : (neighbor){INFINITY, -1};
            if (index)
                index[place] = one.index;
            if (distance)
                distance[place] = one.distance;
        }
    }
}

void exp_knn_free(exp_knn *s) {
    if (!s)
        return;
    free(s->mean);
    free(s->queries);
    free(s->norm);
    free(s->points);
    free(s->point_norm);
    free(s->products);
    free(s->upper);
    free(s->best);
    free(s->found);
    free(s);
}
