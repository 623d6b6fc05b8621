/* plane_reference.h - the kernels of t-SNE in plain C (contracts: nn_plane_kernels). */
#include "kernels.h"

static void plane_pairs(int count, const double own[2], const double *x, const double *y, const float *p,
                        double sum[5]) {
    for (int k = 0; k < 5; k++)
        sum[k] = 0;
    for (int j = 0; j < count; j++) {
        double u = own[0] - x[j], v = own[1] - y[j], w = 1 / (1 + u * u + v * v);
        sum[0] += w;
        sum[1] += w * w * u;
        sum[2] += w * w * v;
        sum[3] += p[j] * w * u;
        sum[4] += p[j] * w * v;
    }
}

static void plane_masses(int count, const double own[2], const double *x, const double *y, const double *mass,
                         double sum[3]) {
    for (int k = 0; k < 3; k++)
        sum[k] = 0;
    for (int j = 0; j < count; j++) {
        double u = own[0] - x[j], v = own[1] - y[j], w = 1 / (1 + u * u + v * v);
        sum[0] += mass[j] * w;
        sum[1] += mass[j] * w * w * u;
        sum[2] += mass[j] * w * w * v;
    }
}

static const nn_plane_kernels plane_kernels = {.pairs = plane_pairs, .masses = plane_masses};
