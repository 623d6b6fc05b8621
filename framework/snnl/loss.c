/* loss.c - the soft nearest neighbor loss at given temperatures, from the distances.
 *
 * A point's pairs fall into two groups: same (its class) and other. With LSE(g) = log sum over g of exp(-d /
 * T),
 *
 *   loss_i = LSE(all) - LSE(same) = log(1 + exp(f_i)),   f_i = LSE(other) - LSE(same),
 *
 * which keeps every digit of a tiny loss, where the difference of the first form would cancel. Each group's
 * distances are taken from its minimum, so that the largest term is exp(0) = 1: nothing overflows, and
 * rounding what remains to single precision leaves the terms that count as they were. f_i itself is in double
 * precision.
 *
 * Derivatives by v = log(1/T) at b = 1/T, with means and variances of d under the softmax of each group:
 *   f' = b (mean_same - mean_other),   f'' = f' + b^2 (var_other - var_same),
 *   loss_i' = s f',   loss_i'' = s (1 - s) f'^2 + s f'',   s = 1 / (1 + exp(-f_i)). */
#include <math.h>
#include <string.h>

#include "framework/kernels/kernels.h"
#include "work.h"

typedef struct evaluation {
    nn_snnl_work *work;
    const nn_pair_kernels *kernels;
    int count;                /* temperatures */
    double b[NN_SNNL_GRID];   /* inverse temperatures for scaled distances, */
    float rate[NN_SNNL_GRID]; /* and as the kernels take them */
} evaluation;

static double *sums_of(const evaluation *e, int i, int group) {
    return e->work->sums + ((size_t)i * 2 + group) * e->count * 3;
}

/* Rewrites sums over distances from one minimum as sums over distances from a minimum lower by `rise`. */
static void move_minimum(double sum[3], double b, double rise) {
    double scale = exp(-b * rise);
    sum[2] = scale * (sum[2] + rise * (2 * sum[1] + rise * sum[0]));
    sum[1] = scale * (sum[1] + rise * sum[0]);
    sum[0] = scale * sum[0];
}

/* Adds `count` pairs, lying in buffer.row, to one group of point i. */
static void add_pairs(const evaluation *e, int i, int group, int count, nn_snnl_buffer buffer) {
    if (count == 0)
        return;
    nn_snnl_group *g = &e->work->groups[i][group];
    double minimum = e->work->real->shift(count, buffer.row, e->work->unit, buffer.shifted);
    double lowest = g->minimum < minimum ? g->minimum : minimum;
    double *sums = sums_of(e, i, group);
    for (int t = 0; t < e->count; t++, sums += 3) {
        double part[3];
        e->kernels->sums(count, buffer.shifted, e->rate[t], part);
        if (minimum > lowest)
            move_minimum(part, e->b[t], minimum - lowest);
        if (g->minimum > lowest && isfinite(g->minimum))
            move_minimum(sums, e->b[t], g->minimum - lowest);
        for (int power = 0; power < 3; power++)
            sums[power] += part[power];
    }
    g->minimum = lowest;
}

/* Adds a stretch of point i's row of distances, columns j0 .. j0 + columns - 1, to its sums. */
static void add_row(const evaluation *e, int i, int j0, int columns, const void *row, nn_snnl_buffer buffer) {
    const nn_snnl_work *work = e->work;
    if (!nn_snnl_usable(work, i))
        return;
    nn_snnl_stretch cut[NN_SNNL_STRETCHES];
    nn_snnl_cut_row(work, i, j0, columns, cut);
    for (int group = 0; group < 2; group++) {
        int packed = 0;
        for (int k = 0; k < NN_SNNL_STRETCHES; k++) {
            int count = cut[k].end - cut[k].first;
            if (cut[k].group != group || count == 0)
                continue;
            memcpy(nn_snnl_element(work, buffer.row, (size_t)packed),
                   nn_snnl_element(work, row, (size_t)(cut[k].first - j0)), (size_t)count * work->real->size);
            packed += count;
        }
        add_pairs(e, i, group, packed, buffer);
    }
}

static void add_tile(void *context, const nn_snnl_tile *t, nn_snnl_buffer buffer) {
    const evaluation *e = context;
    for (int r = 0; r < t->rows; r++)
        add_row(e, t->i0 + r, t->j0, t->columns, nn_snnl_element(e->work, t->d, (size_t)r * t->ld), buffer);
    for (int c = 0; t->i0 != t->j0 && c < t->columns; c++)
        add_row(e, t->j0 + c, t->i0, t->rows, nn_snnl_element(e->work, t->mirrored, (size_t)c * t->ld),
                buffer);
}

static void add_stored_rows(const evaluation *e) {
    nn_snnl_work *work = e->work;
#pragma omp parallel for num_threads(work->threads) schedule(static)
    for (int i = 0; i < work->count; i++)
        add_row(e, i, 0, work->count, nn_snnl_element(work, work->pairs, (size_t)i * work->stride),
                nn_snnl_thread_buffer(work));
}

/* Adds point i's loss at temperature number t; returns s = d loss / d f. */
static double add_loss(const evaluation *e, int i, int t, nn_snnl_loss *loss) {
    const nn_snnl_group *same = &e->work->groups[i][NN_SNNL_SAME],
                        *other = &e->work->groups[i][NN_SNNL_OTHER];
    if (isinf(other->minimum) && other->minimum > 0)
        return 0;
    const double *q = sums_of(e, i, NN_SNNL_SAME) + 3 * t, *r = sums_of(e, i, NN_SNNL_OTHER) + 3 * t;
    double b = e->b[t];
    double f = b * (same->minimum - other->minimum) + log(r[0] / q[0]); /* both sums: 1 to count */
    double odds = exp(-fabs(f)), s = (f > 0 ? 1 : odds) / (1 + odds);

    double same_mean = q[1] / q[0], other_mean = r[1] / r[0];
    double same_variance = q[2] / q[0] - same_mean * same_mean;
    double other_variance = r[2] / r[0] - other_mean * other_mean;
    double slope = b * (same->minimum - other->minimum + same_mean - other_mean);
    double curvature = slope + b * b * (other_variance - same_variance);
    loss->value += (f > 0 ? f : 0) + log1p(odds);
    loss->slope += s * slope;
    loss->curvature += s * (1 - s) * slope * slope + s * curvature;
    return s;
}

static void sum_losses(const evaluation *e, nn_snnl_loss *losses) {
    nn_snnl_work *work = e->work;
#pragma omp parallel for num_threads(work->threads) schedule(static) if (e->count > 1)
    for (int t = 0; t < e->count; t++) {
        nn_snnl_loss sum = {0};
        for (int i = 0; i < work->count; i++) {
            if (!nn_snnl_usable(work, i))
                continue;
            double s = add_loss(e, i, t, &sum);
            for (int group = 0; t == 0 && group < 2; group++)
                work->groups[i][group].scale = s == 0 ? 0 : s / sums_of(e, i, group)[0] / work->usable;
        }
        losses[t].value = sum.value / work->usable;
        losses[t].slope = sum.slope / work->usable;
        losses[t].curvature = sum.curvature / work->usable;
    }
}

void nn_snnl_evaluate(nn_snnl_work *work, const nn_snnl_points *points, int n, const double *temperatures,
                      nn_snnl_loss *losses) {
    evaluation e = {.work = work, .kernels = nn_kernels_active()->pair, .count = n};
    for (int t = 0; t < n; t++) {
        e.b[t] = 1 / temperatures[t] / work->unit;
        e.rate[t] = nn_snnl_rate(work, temperatures[t]);
    }
    memset(work->sums, 0, (size_t)work->count * 2 * n * 3 * sizeof *work->sums);
    for (int i = 0; i < work->count; i++)
        work->groups[i][NN_SNNL_SAME] = work->groups[i][NN_SNNL_OTHER] = (nn_snnl_group){.minimum = INFINITY};
    if (work->stored)
        add_stored_rows(&e);
    else
        nn_snnl_visit_tiles(work, points, add_tile, &e);
    sum_losses(&e, losses);
    work->temperature = temperatures[0];
}
