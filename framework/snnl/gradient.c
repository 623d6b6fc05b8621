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
    const nn_snnl_points *points;
    float b;            /* inverse temperature for scaled distances */
    double *moments;    /* work->moment where sums of weight times distance are wanted: cosine */
    double coefficient; /* 2 scale / T */
    void *dx;
} gradient;

/* Point i's distances to columns j0 .. j0 + columns - 1 become the weights c_ij. */
static void weigh_row(const gradient *g, int i, int j0, int columns, void *row, nn_snnl_buffer buffer) {
    const nn_snnl_work *work = g->work;
    float *c = buffer.shifted;
    memset(c, 0, (size_t)columns * sizeof *c);
    nn_snnl_stretch cut[NN_SNNL_STRETCHES];
    nn_snnl_cut_row(work, i, j0, columns, cut);
    for (int k = 0; k < NN_SNNL_STRETCHES && nn_snnl_usable(work, i); k++) {
        if (cut[k].first == cut[k].end)
            continue;
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

/* Adds what points j0 .. j0 + inner - 1, a block in `place`, give points i0 .. i0 + rows - 1, with w[j - j0][i - i0]
 * = w_ij, to columns first .. end - 1 of dx. */
static void pull(const gradient *g, int i0, int rows, int place, int j0, int inner, const void *w, int first,
                 int end, bool accumulate, nn_snnl_buffer buffer) {
    const nn_snnl_work *work = g->work;
    for (int k = first; k < end; k += NN_SNNL_SLICE) {
        int count = end - k < NN_SNNL_SLICE ? end - k : NN_SNNL_SLICE;
        const void *block = nn_snnl_hold(work, g->points, buffer, place, j0, inner, k, count, NULL);
        work->real->combine(work, i0, rows, inner, w, work->tile_ld, block, k, count, -g->coefficient,
                            accumulate, g->dx, buffer.product);
    }
}

/* The last step for points whose weights are all known. */
static void project(const gradient *g, int i0, int rows, int first, int end) {
    if (g->moments)
        g->work->real->project(g->work, g->points, i0, rows, first, end - first, g->coefficient, g->dx);
}

/* A tile that is not stored is weighed and used at once. Those on the diagonal come last: the sums of weights
 * are complete then. */
static void pull_tile(void *context, const nn_snnl_tile *t, nn_snnl_buffer buffer) {
    const gradient *g = context;
    const nn_snnl_work *work = g->work;
    weigh_tile(context, t, buffer);
    if (t->i0 != t->j0) {
        pull(g, t->i0, t->rows, 1, t->j0, t->columns, t->mirrored, 0, work->dims, true, buffer);
        pull(g, t->j0, t->columns, 0, t->i0, t->rows, t->d, 0, work->dims, true, buffer);
        return;
    }
    work->real->fill_diagonal(t->rows, work->weight + t->i0, t->d, t->ld);
    pull(g, t->i0, t->rows, 0, t->i0, t->rows, t->d, 0, work->dims, true, buffer);
    project(g, t->i0, t->rows, 0, work->dims);
}

/* Rows of stored weights lie far apart: a block of them is used from a copy. */
static void copy_weights(const nn_snnl_work *work, int j0, int inner, int i0, int rows, void *copy) {
    for (int j = 0; j < inner; j++)
        memcpy(nn_snnl_element(work, copy, (size_t)j * work->tile_ld),
               nn_snnl_element(work, work->pairs, (size_t)(j0 + j) * work->stride + i0),
               (size_t)rows * work->real->size);
}

/* All weights are stored: some points and a slice of the columns at a time. */
static void pull_stored(const gradient *g, bool accumulate) {
    enum { BLOCK = NN_SNNL_BLOCK, PULLED = NN_SNNL_PULLED };
    const nn_snnl_work *work = g->work;
    work->real->fill_diagonal(work->count, work->weight, work->pairs, work->stride);
#pragma omp parallel for num_threads(work->threads) schedule(dynamic) collapse(2)
    for (int i = 0; i < work->count; i += PULLED)
        for (int k = 0; k < work->dims; k += NN_SNNL_SLICE) {
            nn_snnl_buffer buffer = nn_snnl_thread_buffer(work);
            int rows = work->count - i < PULLED ? work->count - i : PULLED;
            int end = work->dims - k < NN_SNNL_SLICE ? work->dims : k + NN_SNNL_SLICE;
            for (int j = 0; j < work->count; j += BLOCK) {
                int inner = work->count - j < BLOCK ? work->count - j : BLOCK;
                copy_weights(work, j, inner, i, rows, buffer.tile);
                pull(g, i, rows, 0, j, inner, buffer.tile, k, end, accumulate || j > 0, buffer);
            }
            project(g, i, rows, k, end);
        }
}

void nn_snnl_gradient(const nn_snnl_points *points, void *workspace, const nn_snnl_result *result,
                      double scale, bool accumulate, void *dx) {
    nn_snnl_work *work = workspace;
    if (!accumulate && (work->usable == 0 || !work->stored))
        memset(dx, 0, (size_t)work->count * work->dims * work->real->size);
    if (work->usable == 0)
        return;
    nn_snnl_loss loss;
    if (work->temperature != result->temperature)
        nn_snnl_evaluate(work, points, 1, &result->temperature, &loss);
    gradient g = {.work = work,
                  .points = points,
                  .b = nn_snnl_rate(work, result->temperature),
                  .moments = points->distance == NN_COSINE ? work->moment : NULL,
                  .coefficient = 2 * scale / result->temperature,
                  .dx = dx};
    memset(work->weight, 0, (size_t)work->count * sizeof *work->weight);
    memset(work->moment, 0, (size_t)work->count * sizeof *work->moment);
    nn_snnl_visit_tiles(work, points, work->stored ? weigh_tile : pull_tile, &g);
    if (work->stored)
        pull_stored(&g, accumulate);
}
