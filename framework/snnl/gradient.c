/* gradient.c - the gradient of the soft nearest neighbor loss.
 *
 * With q and r the softmaxes of -d / T over a point's same and other group and s_i = d loss_i / d f_i,
 *
 *   d value / d d_ij = c_ij / T,   c_ij = s_i q_ij / usable (same class), -s_i r_ij / usable (other classes).
 *
 * As d_ij = |a_i - a_j|^2 depends on both points, w_ij = c_ij + c_ji is what pulls them together (w > 0) or
 * apart:
 *
 *   g_i = d value / d a_i = (2 / T) sum_j w_ij (a_i - a_j) = (2 / T) (w_i a_i - sum_j w_ij a_j),   w_i =
 * sum_j w_ij.
 *
 * Euclidean: a_i is x_i but for a constant. Cosine: a_i = sqrt(1/2) u_i with u_i = x_i / |x_i|, so that
 *   d value / d x_i = sqrt(1/2) / |x_i| (g_i - (g_i u_i) u_i),   and sum_j w_ij (a_i - a_j) u_i = sqrt(1/2)
 * sum_j w_ij d_ij because u_i (u_i - u_j) = d_ij. Zero points have constant distances: no gradient passes
 * through their pairs. */
#include <math.h>
#include <string.h>

#include "work.h"

typedef struct gradient {
    nn_snnl_work *work;
    float b;         /* inverse temperature for scaled distances */
    double *moments; /* work->moment where sums of weight times distance are wanted: cosine */
} gradient;

/* Point i's distances to columns j0 .. j0 + columns - 1 become the weights c_ij. */
static void weigh_row(const gradient *g, int i, int j0, int columns, void *row, nn_snnl_buffer buffer) {
    const nn_snnl_work *work = g->work;
    float *c = buffer.shifted;
    memset(c, 0, (size_t)columns * sizeof *c);
    nn_snnl_stretch cut[NN_SNNL_STRETCHES];
    nn_snnl_cut_row(work, i, j0, columns, cut);
    for (int k = 0; k < NN_SNNL_STRETCHES && nn_snnl_usable(work, i); k++) {
        const nn_snnl_group *group = &work->groups[i][cut[k].group];
        float scale = (float)(cut[k].group == NN_SNNL_SAME ? group->scale : -group->scale);
        int skip = cut[k].first - j0;
        work->real->weigh(cut[k].end - cut[k].first, nn_snnl_element(work, row, (size_t)skip), work->unit,
                          group->minimum, g->b, scale, c + skip);
    }
    work->real->replace(work, i, j0, columns, c, row, g->moments);
}

/* A tile's distances become the weights w_ij, in the tile and in its mirror image. */
static void weigh_tile(void *context, const nn_snnl_tile *t, nn_snnl_buffer buffer) {
    const gradient *g = context;
    const nn_snnl_work *work = g->work;
    for (int r = 0; r < t->rows; r++)
        weigh_row(g, t->i0 + r, t->j0, t->columns, nn_snnl_element(work, t->d, (size_t)r * t->ld), buffer);
    for (int c = 0; t->i0 != t->j0 && c < t->columns; c++)
        weigh_row(g, t->j0 + c, t->i0, t->rows, nn_snnl_element(work, t->mirrored, (size_t)c * t->ld),
                  buffer);
    work->real->symmetrize(t->rows, t->columns, t->d, t->mirrored, t->ld, work->weight + t->i0,
                           work->weight + t->j0);
}

/* The same for a tile that is not stored, whose products with the points are added up at once. */
static void multiply_tile(void *context, const nn_snnl_tile *t, nn_snnl_buffer buffer) {
    const nn_snnl_work *work = ((const gradient *)context)->work;
    const nn_snnl_arithmetic *real = work->real;
    size_t i = (size_t)t->i0 * work->dims, j = (size_t)t->j0 * work->dims;
    weigh_tile(context, t, buffer);
    real->multiply(t->rows, work->dims, t->columns, t->d, t->ld, nn_snnl_element(work, work->x, j),
                   work->dims, true, nn_snnl_element(work, work->product, i), work->dims);
    if (i != j)
        real->multiply(t->columns, work->dims, t->rows, t->mirrored, t->ld, nn_snnl_element(work, work->x, i),
                       work->dims, true, nn_snnl_element(work, work->product, j), work->dims);
}

/* The product of all weights with the points, a block of NN_SNNL_TILE points and columns at a time, and from
 * each block its part of dx. */
static void multiply_stored(const nn_snnl_work *work, const nn_snnl_points *points, double coefficient,
                            bool accumulate, void *dx) {
    enum { BLOCK = NN_SNNL_TILE };
#pragma omp parallel for num_threads(work->threads) schedule(dynamic) collapse(2)
    for (int i = 0; i < work->count; i += BLOCK)
        for (int k = 0; k < work->dims; k += BLOCK) {
            int rows = work->count - i < BLOCK ? work->count - i : BLOCK;
            int columns = work->dims - k < BLOCK ? work->dims - k : BLOCK;
            void *product = nn_snnl_thread_buffer(work).tile;
            work->real->multiply(
                rows, columns, work->count, nn_snnl_element(work, work->pairs, (size_t)i * work->stride),
                work->stride, nn_snnl_element(work, work->x, (size_t)k), work->dims, false, product, BLOCK);
            for (int r = 0; r < rows; r++)
                work->real->finish(work, points, i + r, k, columns,
                                   nn_snnl_element(work, product, (size_t)r * BLOCK), coefficient, accumulate,
                                   dx);
        }
}

static void multiply_tiles(const nn_snnl_work *work, const nn_snnl_points *points, gradient *g,
                           double coefficient, bool accumulate, void *dx) {
    memset(work->product, 0, (size_t)work->count * work->dims * work->real->size);
    nn_snnl_visit_tiles(work, points, multiply_tile, g);
#pragma omp parallel for num_threads(work->threads) schedule(static)
    for (int i = 0; i < work->count; i++)
        work->real->finish(work, points, i, 0, work->dims,
                           nn_snnl_element(work, work->product, (size_t)i * work->dims), coefficient,
                           accumulate, dx);
}

void nn_snnl_gradient(const nn_snnl_points *points, void *workspace, const nn_snnl_result *result,
                      double scale, bool accumulate, void *dx) {
    nn_snnl_work *work = workspace;
    if (work->usable == 0) {
        if (!accumulate)
            memset(dx, 0, (size_t)work->count * work->dims * work->real->size);
        return;
    }
    nn_snnl_loss loss;
    if (work->temperature != result->temperature)
        nn_snnl_evaluate(work, points, 1, &result->temperature, &loss);
    gradient g = {.work = work,
                  .b = nn_snnl_rate(work, result->temperature),
                  .moments = points->distance == NN_COSINE ? work->moment : NULL};
    memset(work->weight, 0, (size_t)work->count * sizeof *work->weight);
    memset(work->moment, 0, (size_t)work->count * sizeof *work->moment);
    double coefficient = 2 * scale / result->temperature;
    if (!work->stored) {
        multiply_tiles(work, points, &g, coefficient, accumulate, dx);
        return;
    }
    nn_snnl_visit_tiles(work, points, weigh_tile, &g);
    multiply_stored(work, points, coefficient, accumulate, dx);
}
