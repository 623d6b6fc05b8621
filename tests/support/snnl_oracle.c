/* snnl_oracle.c - shares no code with the library. */
#include "snnl_oracle.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double pair_distance(const oracle_problem *p, int i, int j) {
    const double *a = p->x + (size_t)i * p->dims, *b = p->x + (size_t)j * p->dims;
    double aa = 0, bb = 0, ab = 0, squares = 0;
    for (int k = 0; k < p->dims; k++) {
        aa += a[k] * a[k];
        bb += b[k] * b[k];
        ab += a[k] * b[k];
        squares += (a[k] - b[k]) * (a[k] - b[k]);
    }
    if (p->distance == NN_EUCLIDEAN)
        return squares;
    return aa == 0 || bb == 0 ? 1 : 1 - ab / (sqrt(aa) * sqrt(bb));
}

/* log of the sum of exp(-d / T) over a row's pairs: all of them, or those of the same class. */
static double log_sum(const oracle_problem *p, const double *row, int i, bool same_only, double temperature) {
    double nearest = INFINITY, sum = 0;
    for (int j = 0; j < p->count; j++)
        if (j != i && (!same_only || p->labels[j] == p->labels[i]) && row[j] < nearest)
            nearest = row[j];
    double largest = -nearest / temperature;
    for (int j = 0; j < p->count; j++)
        if (j != i && (!same_only || p->labels[j] == p->labels[i]))
            sum += exp(-row[j] / temperature - largest);
    return largest + log(sum);
}

double *oracle_distances(const oracle_problem *p) {
    double *d = test_bytes(sizeof *d * p->count * p->count);
    for (int i = 0; i < p->count; i++)
        for (int j = 0; j < i; j++)
            d[(size_t)i * p->count + j] = d[(size_t)j * p->count + i] = pair_distance(p, i, j);
    return d;
}

static bool has_partner(const oracle_problem *p, int i) {
    for (int j = 0; j < p->count; j++)
        if (j != i && p->labels[j] == p->labels[i])
            return true;
    return false;
}

/* The loss; with `weights` ([count][count]) also d loss / d d_ij = (q_ij - p_ij) / (T usable). */
double oracle_loss_of(const oracle_problem *p, const double *d, double temperature, int *usable,
                      double *weights) {
    double total = 0;
    *usable = 0;
    for (int i = 0; i < p->count; i++)
        *usable += has_partner(p, i);
    for (int i = 0; i < p->count; i++) {
        if (!has_partner(p, i))
            continue;
        const double *row = d + (size_t)i * p->count;
        double all = log_sum(p, row, i, false, temperature), same = log_sum(p, row, i, true, temperature);
        total += all - same;
        for (int j = 0; weights && j < p->count; j++)
            if (j != i) {
                double softmax = exp(-row[j] / temperature - all);
                double within = p->labels[j] == p->labels[i] ? exp(-row[j] / temperature - same) : 0;
                weights[(size_t)i * p->count + j] = (within - softmax) / (temperature * *usable);
            }
    }
    return *usable ? total / *usable : 0;
}

double oracle_loss(const oracle_problem *p, double temperature) {
    double *d = oracle_distances(p);
    int usable;
    double value = oracle_loss_of(p, d, temperature, &usable, NULL);
    free(d);
    return value;
}

/* d distance(i, j) / d x_i */
static void distance_gradient(const oracle_problem *p, int i, int j, double *g) {
    const double *a = p->x + (size_t)i * p->dims, *b = p->x + (size_t)j * p->dims;
    double aa = 0, bb = 0, ab = 0;
    for (int k = 0; k < p->dims; k++) {
        aa += a[k] * a[k];
        bb += b[k] * b[k];
        ab += a[k] * b[k];
    }
    for (int k = 0; k < p->dims; k++)
        if (p->distance == NN_EUCLIDEAN)
            g[k] = 2 * (a[k] - b[k]);
        else
            g[k] = aa == 0 || bb == 0 ? 0 : (ab / aa * a[k] - b[k]) / sqrt(aa * bb);
}

double *oracle_gradient(const oracle_problem *p, double temperature) {
    double *d = oracle_distances(p), *weights = test_bytes(sizeof *d * p->count * p->count);
    double *dx = test_bytes(sizeof *dx * p->count * p->dims), *g = test_bytes(sizeof *g * p->dims);
    int usable;
    oracle_loss_of(p, d, temperature, &usable, weights);
    for (int i = 0; i < p->count; i++)
        for (int j = 0; j < p->count; j++) {
            if (i == j)
                continue;
            distance_gradient(p, i, j, g);
            double w = weights[(size_t)i * p->count + j] + weights[(size_t)j * p->count + i];
            for (int k = 0; k < p->dims; k++)
                dx[(size_t)i * p->dims + k] += w * g[k];
        }
    free(d);
    free(weights);
    free(g);
    return dx;
}

/* Normal points of `classes` classes, class means `apart` from one another. */
oracle_problem oracle_make(int count, int dims, int classes, double apart, double offset,
                           nn_distance distance) {
    oracle_problem p = {.count = count, .dims = dims, .distance = distance};
    size_t n = (size_t)count * dims;
    p.x32 = test_normal(n, "points");
    p.x = test_bytes(n * sizeof *p.x);
    p.labels = test_bytes(count * sizeof *p.labels);
    nn_stream stream = nn_stream_named(3, "labels");
    for (int i = 0; i < count; i++) {
        p.labels[i] = (int32_t)nn_random_below(&stream, (uint32_t)classes) * 7 - 9;
        for (int k = 0; k < dims; k++) {
            size_t at = (size_t)i * dims + k;
            p.x32[at] += (float)(offset + (k % classes == (p.labels[i] + 9) / 7 ? apart : 0));
            p.x[at] = p.x32[at];
        }
    }
    return p;
}

void oracle_drop(oracle_problem *p) {
    free(p->x);
    free(p->x32);
    free(p->labels);
}

nn_snnl_points oracle_points(const oracle_problem *p, bool wide) {
    return (nn_snnl_points){.count = p->count,
                            .dims = p->dims,
                            .x32 = wide ? NULL : p->x32,
                            .x64 = wide ? p->x : NULL,
                            .labels = p->labels,
                            .distance = p->distance};
}

/* temperature 0: the optimal one */
nn_snnl_result oracle_measure(const oracle_problem *p, bool wide, double temperature, void *gradient) {
    nn_snnl_points points = oracle_points(p, wide);
    nn_snnl_result result;
    nn_error error = {0};
    test_ok(nn_snnl_measure(&points, temperature, &result, gradient, &error), &error);
    return result;
}

void oracle_compare(const char *what, double actual, double expected, double tolerance) {
    if (!(fabs(actual - expected) <= tolerance * fabs(expected) + 1e-12))
        fail_msg("%s: %.12g, expected %.12g", what, actual, expected);
}
