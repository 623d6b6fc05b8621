/* affinities.c - how likely points are neighbours: p_ij from distances, at a given perplexity. */
#include <float.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>

#include "framework/kernels/kernels.h"
#include "parts.h"

/* An entry of a row while p_ij is put together. */
typedef struct entry {
    int32_t column;
    float p;
} entry;

/* --- one point ------------------------------------------------------------------------------------------ */

/* d becomes d less its smallest value; returns how many are then 0, and their mean in *mean. */
static int shift(int count, double *d, double *mean) {
    double least = INFINITY, sum = 0;
    int zeros = 0;
    for (int j = 0; j < count; j++)
        least = fmin(least, d[j]);
    for (int j = 0; j < count; j++) {
        d[j] -= least;
        sum += d[j];
        zeros += d[j] == 0;
    }
    *mean = sum / count;
    return zeros;
}

/* The entropy of exp(-b d) / sum, and its derivative by log b. */
static double entropy(int count, const double *d, double b, double *slope) {
    double sum = 0, first = 0, second = 0;
    for (int j = 0; j < count; j++) {
        double e = exp(-b * d[j]);
        sum += e;
        first += e * d[j];
        second += e * d[j] * d[j];
    }
    double mean = first / sum;
    *slope = -b * b * fmax(second / sum - mean * mean, 0);
    return log(sum) + b * mean;
}

/* The b at which exp(-b d) has the perplexity: Newton's method on log b, which falls back on halving the interval
 * that is known to hold it, and on steps of at most 2. The entropy falls from log(count) to log(zeros). */
static double find_precision(int count, const double *d, double perplexity, double mean) {
    enum { MOST_STEPS = 200 };
    double wanted = log(perplexity), low = -INFINITY, high = INFINITY, place = -log(mean);
    for (int step = 0; step < MOST_STEPS; step++) {
        double slope, excess = entropy(count, d, exp(place), &slope) - wanted;
        if (fabs(excess) < 1e-12)
            break;
        if (excess > 0)
            low = place;
        else
            high = place;
        double change = slope < 0 ? fmin(fmax(-excess / slope, -2), 2) : copysign(2, excess);
        double next = place + change;
        if (!(next > low && next < high))
            next = (low + high) / 2;
        if (next == place)
            break;
        place = next;
    }
    return exp(place);
}

void exp_tsne_conditional(int count, double *d, double perplexity) {
    double mean, sum = 0;
    int zeros = shift(count, d, &mean);
    if (zeros >= perplexity) {
        for (int j = 0; j < count; j++)
            d[j] = d[j] == 0 ? 1.0 / zeros : 0;
        return;
    }
    double b = find_precision(count, d, perplexity, mean);
    for (int j = 0; j < count; j++) {
        d[j] = exp(-b * d[j]);
        sum += d[j];
    }
    for (int j = 0; j < count; j++)
        d[j] /= sum;
}

/* Numbers too small for full precision would slow every later step down and change nothing. */
static float joint(double forward, double backward, int count) {
    double p = (forward + backward) / (2.0 * count);
    return p < FLT_MIN ? 0 : (float)p;
}

/* --- all pairs ------------------------------------------------------------------------------------------ */

/* Row i of distances becomes p_j|i; own [count] is scratch. */
static void dense_row(int count, int i, float *row, double perplexity, double *own) {
    for (int j = 0, n = 0; j < count; j++)
        if (j != i)
            own[n++] = row[j];
    exp_tsne_conditional(count - 1, own, perplexity);
    for (int j = 0, n = 0; j < count; j++)
        row[j] = j == i ? 0 : (float)own[n++];
}

nn_status exp_tsne_dense(int count, float *p, double perplexity, nn_error *error) {
    size_t n = (size_t)count;
    int team = nn_threads();
    double *rows = calloc((size_t)team * n, sizeof *rows);
    if (!rows)
        return nn_fail_memory(error, "the affinities");
#pragma omp parallel for num_threads(team) schedule(dynamic, 8)
    for (int i = 0; i < count; i++)
        dense_row(count, i, p + (size_t)i * n, perplexity, rows + (size_t)omp_get_thread_num() * n);
#pragma omp parallel for num_threads(team) schedule(dynamic, 8)
    for (int i = 0; i < count; i++)
        for (int j = 0; j < i; j++) {
            float *forward = p + (size_t)i * n + (size_t)j, *backward = p + (size_t)j * n + (size_t)i;
            *forward = *backward = joint(*forward, *backward, count);
        }
    free(rows);
    return NN_OK;
}

/* --- nearest neighbours --------------------------------------------------------------------------------- */

static int by_column(const void *a, const void *b) {
    const entry *x = a, *y = b;
    return (x->column > y->column) - (x->column < y->column);
}

/* p_j|i by rows of `nearest` entries, ascending by column. */
static void fill_forward(int count, int nearest, const int32_t *index, double *distance, double perplexity,
                         entry *forward) {
#pragma omp parallel for num_threads(nn_threads()) schedule(dynamic, 64)
    for (int i = 0; i < count; i++) {
        size_t first = (size_t)i * (size_t)nearest;
        exp_tsne_conditional(nearest, distance + first, perplexity);
        for (size_t k = first; k < first + (size_t)nearest; k++)
            forward[k] = (entry){index[k], (float)distance[k]};
        qsort(forward + first, (size_t)nearest, sizeof *forward, by_column);
    }
}

/* The same by columns: p_i|j of all i that have j as a neighbour, ascending by i. start is [count + 1], zeroed. */
static void fill_backward(int count, int nearest, const entry *forward, size_t *start, entry *backward) {
    size_t n = (size_t)count, entries = n * (size_t)nearest;
    for (size_t k = 0; k < entries; k++)
        start[forward[k].column + 1]++;
    for (size_t j = 0; j < n; j++)
        start[j + 1] += start[j];
    for (size_t k = 0; k < entries; k++)
        backward[start[forward[k].column]++] = (entry){(int32_t)(k / (size_t)nearest), forward[k].p};
    for (size_t j = n; j > 0; j--)
        start[j] = start[j - 1];
    start[0] = 0;
}

/* Row i of p_ij: the union of its two lists, to column and p unless they are NULL. Returns its length. */
static size_t merge(int count, const entry *a, const entry *a_end, const entry *b, const entry *b_end,
                    int32_t *column, float *p) {
    size_t n = 0;
    for (; a < a_end || b < b_end; n++) {
        bool from_a = a < a_end && (b == b_end || a->column <= b->column);
        bool from_b = b < b_end && (a == a_end || b->column <= a->column);
        if (column) {
            column[n] = from_a ? a->column : b->column;
            p[n] = joint(from_a ? a->p : 0, from_b ? b->p : 0, count);
        }
        a += from_a;
        b += from_b;
    }
    return n;
}

static nn_status join(exp_tsne_sparse *s, int nearest, const entry *forward, const entry *backward,
                      const size_t *start, nn_error *error) {
    size_t n = (size_t)s->count, k = (size_t)nearest;
    for (size_t i = 0; i < n; i++)
        s->first[i + 1] = s->first[i] + merge(s->count, forward + i * k, forward + (i + 1) * k,
                                              backward + start[i], backward + start[i + 1], NULL, NULL);
    s->column = calloc(s->first[n], sizeof *s->column);
    s->p = calloc(s->first[n], sizeof *s->p);
    if (!s->column || !s->p)
        return nn_fail_memory(error, "the affinities");
    for (size_t i = 0; i < n; i++)
        merge(s->count, forward + i * k, forward + (i + 1) * k, backward + start[i], backward + start[i + 1],
              s->column + s->first[i], s->p + s->first[i]);
    return NN_OK;
}

nn_status exp_tsne_sparse_new(exp_tsne_sparse *s, int count, int nearest, const int32_t *index,
                              double *distance, double perplexity, nn_error *error) {
    size_t n = (size_t)count, entries = n * (size_t)nearest;
    *s = (exp_tsne_sparse){.count = count, .first = calloc(n + 1, sizeof *s->first)};
    entry *forward = calloc(entries, sizeof *forward), *backward = calloc(entries, sizeof *backward);
    size_t *start = calloc(n + 1, sizeof *start);
    nn_status status = NN_OK;
    if (s->first && forward && backward && start) {
        fill_forward(count, nearest, index, distance, perplexity, forward);
        fill_backward(count, nearest, forward, start, backward);
        status = join(s, nearest, forward, backward, start, error);
    } else {
        status = nn_fail_memory(error, "the affinities");
    }
    free(forward);
    free(backward);
    free(start);
    if (status != NN_OK)
        exp_tsne_sparse_free(s);
    return status;
}

void exp_tsne_sparse_free(exp_tsne_sparse *s) {
    free(s->first);
    free(s->column);
    free(s->p);
    *s = (exp_tsne_sparse){0};
}
