/* forces.c - t-SNE's forces and divergence over all pairs and over the pairs of a sparse p.
 *
 * Points are shared out to the threads; what a point sums depends on nobody else, and sums over points are added up
 * in their order. */
#include <math.h>

#include "framework/kernels/kernels.h"
#include "parts.h"

enum { SHARE = 16 }; /* points handed out at a time */

static double sum_of(int count, const double *rows) {
    double sum = 0;
    for (int i = 0; i < count; i++)
        sum += rows[i];
    return sum;
}

double exp_tsne_dense_forces(int count, const float *p, const double *y, double *attraction,
                             double *repulsion, double *rows) {
    const nn_plane_kernels *kernels = nn_kernels_active()->plane;
#pragma omp parallel for num_threads(nn_threads()) schedule(dynamic, SHARE)
    for (int i = 0; i < count; i++) {
        double own[2] = {y[i], y[count + i]}, sum[5];
        kernels->pairs(count, own, y, y + count, p + (size_t)i * (size_t)count, sum);
        rows[i] = sum[0] - 1; /* its own w; its other terms are 0 */
        repulsion[i] = sum[1];
        repulsion[count + i] = sum[2];
        attraction[i] = sum[3];
        attraction[count + i] = sum[4];
    }
    return sum_of(count, rows);
}

void exp_tsne_sparse_attraction(const exp_tsne_sparse *s, const double *y, double *attraction) {
    const double *first = y, *second = y + s->count;
#pragma omp parallel for num_threads(nn_threads()) schedule(dynamic, SHARE)
    for (int i = 0; i < s->count; i++) {
        double sum_first = 0, sum_second = 0;
        for (size_t k = s->first[i]; k < s->first[i + 1]; k++) {
            double u = first[i] - first[s->column[k]], v = second[i] - second[s->column[k]];
            double pull = s->p[k] / (1 + u * u + v * v);
            sum_first += pull * u;
            sum_second += pull * v;
        }
        attraction[i] = sum_first;
        attraction[s->count + i] = sum_second;
    }
}

/* p log(p / w) */
static double term(float p, double u, double v) {
    return p > 0 ? p * log(p * (1 + u * u + v * v)) : 0;
}

double exp_tsne_dense_divergence(int count, const float *p, const double *y, double *rows) {
    const double *first = y, *second = y + count;
#pragma omp parallel for num_threads(nn_threads()) schedule(dynamic, SHARE)
    for (int i = 0; i < count; i++) {
        rows[i] = 0;
        for (int j = 0; j < count; j++)
            rows[i] +=
                term(p[(size_t)i * (size_t)count + (size_t)j], first[i] - first[j], second[i] - second[j]);
    }
    return sum_of(count, rows);
}

double exp_tsne_sparse_divergence(const exp_tsne_sparse *s, const double *y, double *rows) {
    const double *first = y, *second = y + s->count;
#pragma omp parallel for num_threads(nn_threads()) schedule(dynamic, SHARE)
    for (int i = 0; i < s->count; i++) {
        rows[i] = 0;
        for (size_t k = s->first[i]; k < s->first[i + 1]; k++)
            rows[i] += term(s->p[k], first[i] - first[s->column[k]], second[i] - second[s->column[k]]);
    }
    return sum_of(s->count, rows);
}
