/* snnl.c - the calls of snnl.h: memory, checks and the search for the temperature. How the loss is computed
 * is told in pairs.c (distances), loss.c and gradient.c. */
#include "snnl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "framework/kernels/kernels.h"
#include "work.h"

enum { PRODUCTS = 16 }; /* of blocks for the stored Gram matrix, at least */

/* Lays arrays out one after the other; without a base only their sizes count. */
typedef struct layout {
    char *base;
    size_t used;
    bool overflow;
} layout;

static void *take(layout *l, size_t a, size_t b, size_t size) {
    size_t bytes = 0, start = l->used;
    l->overflow |= !nn_multiply(a, b, &bytes) || !nn_multiply(bytes, size, &bytes) || bytes > SIZE_MAX / 4;
    if (!l->overflow)
        l->used = start + (bytes + 63) / 64 * 64;
    l->overflow |= l->used > SIZE_MAX / 4;
    return l->base ? l->base + start : NULL;
}

static bool is_stored(int count, size_t size) {
    return (size_t)count * count * size <= NN_SNNL_STORED_BYTES;
}

/* Products along the dimensions, where the pairs alone would make too few for a team. */
static int slices_of(int count, int dims) {
    int blocks = (count - 1) / NN_SNNL_BLOCK + 1, wanted = (PRODUCTS + blocks - 1) / blocks;
    int possible = (dims - 1) / NN_SNNL_SLICE + 1;
    return wanted < possible ? wanted : possible;
}

/* Reals from one row to the next: an odd number of cache lines, so that a column's elements do not evict each
 * other, with room behind the last one for a strip. */
static int spread(int columns) {
    enum { LINE = 16 };
    return ((columns + NN_POINT_STRIP + LINE - 1) / LINE | 1) * LINE;
}

static int padded(int dims) {
    return (dims + NN_POINT_MULTIPLE - 1) / NN_POINT_MULTIPLE * NN_POINT_MULTIPLE;
}

static void lay_out_pairs(nn_snnl_work *work, layout *l) {
    size_t count = (size_t)work->count, size = work->real->size;
    work->stored = is_stored(work->count, size);
    work->tile = work->stored ? NN_SNNL_STORED_TILE : NN_SNNL_TILE;
    work->tiles = (work->count - 1) / work->tile + 1;
    work->block = work->stored ? NN_SNNL_BLOCK : NN_SNNL_TILE;
    work->stride = spread(work->stored ? work->count : NN_SNNL_TILE);
    if (work->stored) {
        work->slices = slices_of(work->count, work->dims);
        work->pairs = take(l, count, (size_t)work->stride, size);
        work->partial = take(l, (size_t)(work->slices - 1) * count, (size_t)work->stride, size);
    }
}

static void lay_out_buffers(nn_snnl_work *work, layout *l) {
    size_t size = work->real->size;
    int points = work->count < work->block ? work->count : work->block;
    int pulled = work->count < NN_SNNL_PULLED ? work->count : NN_SNNL_PULLED;
    work->block_ld = spread(padded(work->dims < NN_SNNL_SLICE ? work->dims : NN_SNNL_SLICE));
    work->tile_ld = work->stored ? spread(pulled) : work->stride;
    work->block_bytes = (size_t)(points | 1) * (size_t)work->block_ld * size;
    work->product_bytes = work->real == nn_snnl_double ? (size_t)pulled * (size_t)work->block_ld * size : 0;
    work->tile_bytes = (size_t)points * (size_t)work->tile_ld * size;
    work->row_bytes = ((size_t)(work->stored ? work->count : NN_SNNL_TILE) * size + 63) / 64 * 64;
    work->held_bytes = (2 * sizeof(nn_snnl_held) + 63) / 64 * 64;
    work->buffer_bytes = work->held_bytes + 2 * work->block_bytes + work->product_bytes +
                         (work->stored ? 1 : 2) * work->tile_bytes + 2 * work->row_bytes;
    work->buffers = take(l, (size_t)work->threads, work->buffer_bytes, 1);
}

static void lay_out(nn_snnl_work *work, layout *l, int count, int dims, bool double_precision) {
    memset(work, 0, sizeof *work);
    work->real = double_precision ? nn_snnl_double : nn_snnl_float;
    work->count = count;
    work->dims = dims;
    work->threads = nn_threads();
    size_t n = (size_t)count, size = work->real->size;
    take(l, 1, 1, sizeof *work);
    work->order = take(l, n, 1, sizeof *work->order);
    work->first = take(l, n, 1, sizeof *work->first);
    work->end = take(l, n, 1, sizeof *work->end);
    work->factor = take(l, n, 1, sizeof *work->factor);
    work->norm = take(l, n, 1, size);
    work->mean_point = take(l, (size_t)dims, 1, size);
    work->squares = take(l, ((size_t)dims + NN_SNNL_SLICE - 1) / NN_SNNL_SLICE, n, sizeof *work->squares);
    work->groups = take(l, n, 1, sizeof *work->groups);
    work->sums = take(l, n, 2 * NN_SNNL_GRID * 3, sizeof *work->sums);
    work->weight = take(l, n, 1, sizeof *work->weight);
    work->moment = take(l, n, 1, sizeof *work->moment);
    lay_out_pairs(work, l);
    lay_out_buffers(work, l);
}

static size_t exact_workspace(int count, int dims, bool double_precision) {
    nn_snnl_work work;
    layout l = {0};
    lay_out(&work, &l, count, dims, double_precision);
    return l.overflow ? 0 : l.used;
}

size_t nn_snnl_workspace(int count, int dims, bool double_precision) {
    if (count < 1 || dims < 1)
        return 0;
    size_t largest = exact_workspace(count, dims, double_precision);
    size_t size = double_precision ? sizeof(double) : sizeof(float);
    int most_stored = (int)sqrt((double)(NN_SNNL_STORED_BYTES / size));
    /* Fewer points can take more: where more slices are multiplied apart, or where pairs are still stored. */
    for (int fewer = NN_SNNL_BLOCK; largest && fewer < count && is_stored(fewer, size);
         fewer += NN_SNNL_BLOCK) {
        size_t bytes = exact_workspace(fewer, dims, double_precision);
        largest = bytes > largest ? bytes : largest;
    }
    if (largest && most_stored < count) {
        size_t bytes = exact_workspace(most_stored, dims, double_precision);
        largest = bytes > largest ? bytes : largest;
    }
    return largest;
}

void nn_snnl_begin(const nn_snnl_points *points, void *workspace) {
    nn_snnl_work *work = workspace;
    layout l = {.base = workspace};
    lay_out(work, &l, points->count, points->dims, points->x64 != NULL);
    nn_snnl_prepare(work, points);
}

static nn_snnl_result result_of(const nn_snnl_work *work, double temperature, const nn_snnl_loss *loss) {
    return (nn_snnl_result){.value = loss->value,
                            .temperature = temperature,
                            .slope = loss->slope,
                            .usable = work->usable,
                            .skipped = work->count - work->usable};
}

nn_snnl_result nn_snnl_at(const nn_snnl_points *points, void *workspace, double temperature) {
    nn_snnl_work *work = workspace;
    nn_snnl_loss loss = {0};
    if (work->usable)
        nn_snnl_evaluate(work, points, 1, &temperature, &loss);
    return result_of(work, temperature, &loss);
}

/* Newton's method on v = log(1/T) from `start`, between low and high; bisection takes its place where a step
 * would leave the bracket, which narrows by the slope's sign. *best becomes the best of all that it meets. */
static void descend(nn_snnl_work *work, const nn_snnl_points *points, double start, nn_snnl_loss at,
                    double low, double high, nn_snnl_result *best) {
    enum { STEPS = 24 };
    const double tolerance = 1e-6;
    double v = start;
    for (int step = 0; step < STEPS; step++) {
        if (at.slope > 0)
            high = v;
        else
            low = v;
        double next = v - at.slope / at.curvature;
        if (!(at.curvature > 0) || !(next >= low && next <= high))
            next = (low + high) / 2;
        if (fabs(next - v) < tolerance)
            break;
        v = next;
        double temperature = exp(-v);
        nn_snnl_evaluate(work, points, 1, &temperature, &at);
        if (at.value <= best->value)
            *best = result_of(work, temperature, &at);
    }
}

/* The loss may have several minima. Each interval of the scan at whose ends it falls inwards holds one. */
nn_snnl_result nn_snnl_optimal(const nn_snnl_points *points, void *workspace) {
    nn_snnl_work *work = workspace;
    if (work->usable == 0 || work->end[0] == work->count || !(work->mean > 0) || !isfinite(work->mean))
        return nn_snnl_at(points, workspace, 1); /* constant in T, or not a number */
    double temperatures[NN_SNNL_GRID];
    nn_snnl_loss at[NN_SNNL_GRID];
    for (int t = 0; t < NN_SNNL_GRID; t++)
        temperatures[t] = ldexp(work->mean, 2 * t - 40);
    nn_snnl_evaluate(work, points, NN_SNNL_GRID, temperatures, at);
    int lowest = 0, highest = 0;
    for (int t = 1; t < NN_SNNL_GRID; t++) {
        if (at[t].value < at[lowest].value)
            lowest = t;
        if (at[t].value > at[highest].value)
            highest = t;
    }
    if (lowest == highest)
        return nn_snnl_at(points, workspace, 1);
    nn_snnl_result best = result_of(work, temperatures[lowest], &at[lowest]);
    for (int t = 0; t + 1 < NN_SNNL_GRID; t++)
        if (at[t].slope > 0 && at[t + 1].slope < 0) {
            int start = at[t].value < at[t + 1].value ? t : t + 1;
            descend(work, points, -log(temperatures[start]), at[start], -log(temperatures[t + 1]),
                    -log(temperatures[t]), &best);
        }
    return best;
}

static bool all_finite(const nn_snnl_points *points) {
    size_t n = (size_t)points->count * points->dims;
    bool finite = true;
    for (size_t k = 0; k < n; k++)
        finite &= isfinite(points->x64 ? points->x64[k] : points->x32[k]) != 0;
    return finite;
}

static nn_status check_points(const nn_snnl_points *points, double temperature, nn_error *error) {
    if (points->count < 1 || points->dims < 1)
        return nn_fail(error, NN_ESHAPE,
                       "soft nearest neighbor loss: %d points of %d dimensions; at least one of each "
                       "is needed",
                       points->count, points->dims);
    if (!points->x32 && !points->x64)
        return nn_fail(error, NN_EARGUMENT, "soft nearest neighbor loss: no points (a null pointer)");
    if (!(temperature >= 0) || !isfinite(temperature))
        return nn_fail(error, NN_EARGUMENT,
                       "soft nearest neighbor loss: temperature %g; a positive number is needed, "
                       "or 0 for the optimal one",
                       temperature);
    if (!all_finite(points))
        return nn_fail(error, NN_ENUMERIC,
                       "soft nearest neighbor loss: a feature is NaN or infinite; remove such "
                       "points first");
    return NN_OK;
}

nn_status nn_snnl_measure(const nn_snnl_points *points, double temperature, nn_snnl_result *result,
                          void *gradient, nn_error *error) {
    nn_status status = check_points(points, temperature, error);
    if (status != NN_OK)
        return status;
    size_t bytes = nn_snnl_workspace(points->count, points->dims, points->x64 != NULL);
    void *workspace = bytes ? aligned_alloc(64, bytes) : NULL;
    if (!workspace)
        return nn_fail_memory(error, "the soft nearest neighbor loss");
    nn_snnl_begin(points, workspace);
    *result =
        temperature > 0 ? nn_snnl_at(points, workspace, temperature) : nn_snnl_optimal(points, workspace);
    if (gradient)
        nn_snnl_gradient(points, workspace, result, 1, false, gradient);
    free(workspace);
    if (!isfinite(result->value))
        return nn_fail(error, NN_ENUMERIC,
                       "soft nearest neighbor loss: the distances are outside the range of "
                       "numbers at temperature %g; scale the features towards 1",
                       result->temperature);
    return NN_OK;
}

nn_status nn_snnl_measure_floats(const float *x, const int32_t *labels, int count, int dims,
                                 nn_distance distance, double temperature, nn_snnl_result *result,
                                 float *gradient, nn_error *error) {
    nn_snnl_points points = {.count = count, .dims = dims, .x32 = x, .labels = labels, .distance = distance};
    return nn_snnl_measure(&points, temperature, result, gradient, error);
}

nn_status nn_snnl_measure_doubles(const double *x, const int32_t *labels, int count, int dims,
                                  nn_distance distance, double temperature, nn_snnl_result *result,
                                  double *gradient, nn_error *error) {
    nn_snnl_points points = {.count = count, .dims = dims, .x64 = x, .labels = labels, .distance = distance};
    return nn_snnl_measure(&points, temperature, result, gradient, error);
}
