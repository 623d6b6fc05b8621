/* pairs.c - the points of the soft nearest neighbor loss, sorted and centred, and their distances.
 *
 * d_ij = |a_i|^2 + |a_j|^2 - 2 a_i a_j by matrix products, on centred points a; pairs too near for that are
 * measured directly. With the cosine distance a_i = sqrt(1/2) x_i / |x_i|, for which the same formula gives 1
 * - cos. */
#include <math.h>
#include <omp.h>
#include <string.h>

#include "work.h"

/* Merge sort, without the allocation of qsort; the result may be in either array. */
static const int64_t *sort(int count, int64_t *keys, int64_t *other) {
    for (size_t run = 1; run < (size_t)count; run *= 2) {
        for (size_t start = 0; start < (size_t)count; start += 2 * run) {
            size_t left_end = start + run < (size_t)count ? start + run : (size_t)count;
            size_t end = start + 2 * run < (size_t)count ? start + 2 * run : (size_t)count;
            for (size_t left = start, right = left_end, k = start; k < end; k++)
                other[k] = right == end || (left < left_end && keys[left] <= keys[right]) ? keys[left++]
                                                                                          : keys[right++];
        }
        int64_t *swap = keys;
        keys = other;
        other = swap;
    }
    return keys;
}

/* Labels decide, then the caller's order. The sort's keys use the memory of factor and of groups. */
static void sort_by_label(nn_snnl_work *work, const nn_snnl_points *points) {
    int64_t *keys = (int64_t *)work->factor;
    for (int i = 0; i < work->count; i++)
        keys[i] = (int64_t)points->labels[i] * ((int64_t)1 << 32) + i;
    const int64_t *sorted = sort(work->count, keys, (int64_t *)work->groups);
    for (int i = 0; i < work->count; i++)
        work->order[i] = (int)(sorted[i] & 0xffffffff);

    work->usable = 0;
    for (int start = 0, end; start < work->count; start = end) {
        int32_t label = points->labels[work->order[start]];
        for (end = start; end < work->count && points->labels[work->order[end]] == label; end++)
            work->first[end] = start;
        for (int i = start; i < end; i++)
            work->end[i] = end;
        if (end - start > 1)
            work->usable += end - start;
    }
}

static void scale_points(nn_snnl_work *work, const nn_snnl_points *points) {
    work->zero_points = false;
    if (points->distance == NN_EUCLIDEAN) {
        for (int i = 0; i < work->count; i++)
            work->factor[i] = 1;
        return;
    }
#pragma omp parallel for num_threads(work->threads) schedule(static)
    for (int i = 0; i < work->count; i++)
        work->factor[i] = work->real->factor(points, work->order[i]);
    for (int i = 0; i < work->count; i++)
        work->zero_points |= work->factor[i] == 0;
}

static int at_most(int largest, int wanted) {
    return wanted < largest ? wanted : largest;
}

static void find_mean(nn_snnl_work *work, const nn_snnl_points *points) {
#pragma omp parallel for num_threads(work->threads) schedule(static)
    for (int first = 0; first < work->dims; first += NN_SNNL_SLICE)
        work->real->mean(work, points, first, at_most(NN_SNNL_SLICE, work->dims - first));
}

const void *nn_snnl_hold(const nn_snnl_work *work, const nn_snnl_points *points, nn_snnl_buffer buffer,
                         int place, int i0, int rows, int first, int count, double *squares) {
    nn_snnl_held *held = &buffer.held[place];
    if (squares || held->i0 != i0 || held->rows != rows || held->first != first || held->count != count) {
        work->real->gather(work, points, i0, rows, first, count, buffer.blocks[place], squares);
        *held = (nn_snnl_held){i0, rows, first, count};
    }
    return buffer.blocks[place];
}

/* The points' squared distances from their mean in a slice of the columns, for gather to add to. */
static double *squares_of(const nn_snnl_work *work, int i0, int first) {
    return work->squares + (size_t)(first / NN_SNNL_SLICE) * work->count + i0;
}

static void add_squares(const nn_snnl_work *work, const nn_snnl_points *points) {
#pragma omp parallel for num_threads(work->threads) schedule(static) collapse(2)
    for (int i = 0; i < work->count; i += NN_SNNL_TILE)
        for (int first = 0; first < work->dims; first += NN_SNNL_SLICE)
            nn_snnl_hold(work, points, nn_snnl_thread_buffer(work), 0, i,
                         at_most(NN_SNNL_TILE, work->count - i), first,
                         at_most(NN_SNNL_SLICE, work->dims - first), squares_of(work, i, first));
}

/* From the squares: the points' squared lengths, and from these the mean distance. */
static void sum_squares(nn_snnl_work *work) {
    double total = 0;
    for (int i = 0; i < work->count; i++) {
        double squares = 0;
        for (int first = 0; first < work->dims; first += NN_SNNL_SLICE)
            squares += *squares_of(work, i, first);
        if (work->real == nn_snnl_float)
            ((float *)work->norm)[i] = (float)squares;
        else
            ((double *)work->norm)[i] = squares;
        total += squares;
    }
    work->mean = work->count > 1 ? 2 * total / (work->count - 1) : 0;
    int exponent = 0;
    if (isfinite(work->mean) && work->mean > 0)
        frexp(work->mean, &exponent);
    int limit = work->real == nn_snnl_float ? 100 : 1000;
    work->unit = ldexp(1, exponent > limit ? -limit : exponent < -limit ? limit : -exponent);
}

/* Dot products of a block of points with those of points j0 .. end_j - 1, block by block, over columns first
 * .. end - 1; of a block with itself, those above the diagonal. With `square`, adds the points' squares. */
static void multiply_block(const nn_snnl_work *work, const nn_snnl_points *points, int i0, int rows, int j0,
                           int end_j, int first, int end, bool square, nn_snnl_buffer buffer, void *gram) {
    for (int k = first; k < end; k += NN_SNNL_SLICE) {
        int count = at_most(NN_SNNL_SLICE, end - k);
        const void *a = nn_snnl_hold(work, points, buffer, 0, i0, rows, k, count,
                                     square ? squares_of(work, i0, k) : NULL);
        for (int j = j0; j < end_j; j += work->block) {
            int columns = at_most(work->block, end_j - j);
            const void *b = j == i0 ? a : nn_snnl_hold(work, points, buffer, 1, j, columns, k, count, NULL);
            work->real->dots(work, rows, columns, count, a, b, k > first,
                             nn_snnl_element(work, gram, (size_t)(j - j0)), work->stride);
        }
    }
}

/* The stored Gram matrix's upper triangle: one task for every block of points and slice of the dimensions, so
 * that there is work for a team whether the points are many or long. */
static void multiply_points(const nn_snnl_work *work, const nn_snnl_points *points) {
    int parts = (work->dims + NN_SNNL_SLICE - 1) / NN_SNNL_SLICE;
    size_t matrix = (size_t)work->count * work->stride;
#pragma omp parallel for num_threads(work->threads) schedule(dynamic) collapse(2)
    for (int slice = 0; slice < work->slices; slice++)
        for (int i = 0; i < work->count; i += NN_SNNL_BLOCK) {
            int first = parts * slice / work->slices * NN_SNNL_SLICE;
            int end = at_most(work->dims, parts * (slice + 1) / work->slices * NN_SNNL_SLICE);
            void *all = slice ? nn_snnl_element(work, work->partial, (slice - 1) * matrix) : work->pairs;
            multiply_block(work, points, i, at_most(NN_SNNL_BLOCK, work->count - i), i, work->count, first,
                           end, true, nn_snnl_thread_buffer(work),
                           nn_snnl_element(work, all, (size_t)i * work->stride + i));
        }
}

/* From the Gram matrices of all slices. */
static void store_distances(const nn_snnl_work *work, const nn_snnl_points *points) {
    size_t matrix = (size_t)work->count * work->stride;
#pragma omp parallel for num_threads(work->threads) schedule(dynamic, 4)
    for (int i = 0; i < work->count; i++) {
        size_t place = (size_t)i * work->stride + i;
        void *diagonal = nn_snnl_element(work, work->pairs, place),
             *row = (char *)diagonal + work->real->size;
        int columns = work->count - i - 1;
        for (int slice = 1; slice < work->slices; slice++)
            work->real->add(columns, nn_snnl_element(work, work->partial, (slice - 1) * matrix + place + 1),
                            row);
        work->real->distances(work, points, i, i + 1, columns, row);
        memset(diagonal, 0, work->real->size);
    }
}

static nn_snnl_tile tile_at(const nn_snnl_work *work, int row, int column) {
    nn_snnl_tile t = {.i0 = row * work->tile, .j0 = column * work->tile, .ld = work->stride};
    t.rows = at_most(work->tile, work->count - t.i0);
    t.columns = at_most(work->tile, work->count - t.j0);
    if (work->stored) {
        t.d = nn_snnl_element(work, work->pairs, (size_t)t.i0 * t.ld + t.j0);
        t.mirrored = nn_snnl_element(work, work->pairs, (size_t)t.j0 * t.ld + t.i0);
    }
    return t;
}

/* Computes the distances of a tile that is not stored into the buffer. */
static void fill_tile(const nn_snnl_work *work, const nn_snnl_points *points, nn_snnl_tile *t,
                      nn_snnl_buffer buffer) {
    bool diagonal = t->i0 == t->j0;
    t->d = buffer.tile;
    t->mirrored = diagonal ? buffer.tile : buffer.mirror;
    multiply_block(work, points, t->i0, t->rows, t->j0, t->j0 + t->columns, 0, work->dims, false, buffer,
                   t->d);
    for (int r = 0; r < t->rows; r++) {
        int skip = diagonal ? r + 1 : 0;
        void *row = nn_snnl_element(work, t->d, (size_t)r * t->ld + skip);
        work->real->distances(work, points, t->i0 + r, t->j0 + skip, t->columns - skip, row);
        if (diagonal)
            memset((char *)row - work->real->size, 0, work->real->size);
    }
    work->real->mirror(t->rows, t->columns, t->d, t->mirrored, t->ld);
}

nn_snnl_buffer nn_snnl_thread_buffer(const nn_snnl_work *work) {
    char *memory = work->buffers + (size_t)omp_get_thread_num() * work->buffer_bytes;
    char *blocks = memory + work->held_bytes, *product = blocks + 2 * work->block_bytes;
    char *tiles = product + work->product_bytes;
    char *rows = tiles + (work->stored ? 1 : 2) * work->tile_bytes;
    return (nn_snnl_buffer){.held = (nn_snnl_held *)memory,
                            .blocks = {blocks, blocks + work->block_bytes},
                            .product = product,
                            .tile = tiles,
                            .mirror = tiles + work->tile_bytes,
                            .row = rows,
                            .shifted = (float *)(rows + work->row_bytes)};
}

/* The rounds of a tournament in which every tile of points meets every other one, by the circle method: one
 * stays, the others rotate. The tiles on the diagonal are a last round. */
void nn_snnl_visit_tiles(const nn_snnl_work *work, const nn_snnl_points *points, nn_snnl_visit *visit,
                         void *context) {
    int players = (work->tiles + 1) / 2 * 2, circle = players - 1;
#pragma omp parallel num_threads(work->threads)
    {
        nn_snnl_buffer buffer = nn_snnl_thread_buffer(work);
        for (int round = 0; round <= circle; round++) {
            int games = round == circle ? work->tiles : players / 2;
#pragma omp for schedule(dynamic)
            for (int game = 0; game < games; game++) {
                int a = round == circle ? game : game == 0 ? circle : (round + game) % circle;
                int b = round == circle ? game : (round - game + circle) % circle;
                int row = a < b ? a : b, column = a < b ? b : a;
                if (column >= work->tiles)
                    continue;
                nn_snnl_tile tile = tile_at(work, row, column);
                if (!work->stored)
                    fill_tile(work, points, &tile, buffer);
                visit(context, &tile, buffer);
            }
        }
    }
}

static int clamp(int x, int low, int high) {
    return x < low ? low : x > high ? high : x;
}

void nn_snnl_cut_row(const nn_snnl_work *work, int i, int j0, int columns,
                     nn_snnl_stretch cut[NN_SNNL_STRETCHES]) {
    int end = j0 + columns;
    int first_same = clamp(work->first[i], j0, end), end_same = clamp(work->end[i], j0, end);
    cut[0] = (nn_snnl_stretch){NN_SNNL_OTHER, j0, first_same};
    cut[1] = (nn_snnl_stretch){NN_SNNL_SAME, first_same, clamp(i, first_same, end_same)};
    cut[2] = (nn_snnl_stretch){NN_SNNL_SAME, clamp(i + 1, first_same, end_same), end_same};
    cut[3] = (nn_snnl_stretch){NN_SNNL_OTHER, end_same, end};
}

static void mirror_tile(void *context, const nn_snnl_tile *tile, nn_snnl_buffer buffer) {
    const nn_snnl_work *work = context;
    (void)buffer;
    work->real->mirror(tile->rows, tile->columns, tile->d, tile->mirrored, tile->ld);
}

static void forget_blocks(const nn_snnl_work *work) {
    for (int thread = 0; thread < work->threads; thread++)
        memset(work->buffers + (size_t)thread * work->buffer_bytes, 0, work->held_bytes);
}

void nn_snnl_prepare(nn_snnl_work *work, const nn_snnl_points *points) {
    sort_by_label(work, points);
    scale_points(work, points);
    find_mean(work, points);
    forget_blocks(work);
    int slices = (work->dims + NN_SNNL_SLICE - 1) / NN_SNNL_SLICE;
    memset(work->squares, 0, (size_t)slices * work->count * sizeof *work->squares);
    if (work->stored)
        multiply_points(work, points);
    else
        add_squares(work, points);
    sum_squares(work);
    work->temperature = 0;
    if (work->stored) {
        store_distances(work, points);
        nn_snnl_visit_tiles(work, points, mirror_tile, work);
    }
}
