/* plane_simd.h - the kernels of t-SNE over `double_vec` (contracts: nn_plane_kernels). */
#include "kernels.h"
#include "simd.h"

enum { PLANE_LANES = LANES / 2 };

INLINE double_vec plane_load(const double *p) {
    return *(const double_vec *)p;
}

INLINE double plane_sum(double_vec v) {
    double sum = 0;
    for (int l = 0; l < PLANE_LANES; l++)
        sum += v[l];
    return sum;
}

static void plane_pairs(int count, const double own[2], const double *x, const double *y, const float *p,
                        double sum[5]) {
    const double_vec own_x = own[0] - (double_vec){0}, own_y = own[1] - (double_vec){0};
    double_vec total[5] = {{0}};
    int j = 0;
    for (; j + PLANE_LANES <= count; j += PLANE_LANES) {
        double_vec u = own_x - plane_load(x + j), v = own_y - plane_load(y + j);
        double_vec w = 1 / (1 + u * u + v * v), push = w * w;
        double_vec pull = half_to_double(*(const half_vec *)(p + j)) * w;
        total[0] += w;
        total[1] += push * u;
        total[2] += push * v;
        total[3] += pull * u;
        total[4] += pull * v;
    }
    for (int k = 0; k < 5; k++)
        sum[k] = plane_sum(total[k]);
    for (; j < count; j++) {
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
    const double_vec own_x = own[0] - (double_vec){0}, own_y = own[1] - (double_vec){0};
    double_vec total[3] = {{0}};
    int j = 0;
    for (; j + PLANE_LANES <= count; j += PLANE_LANES) {
        double_vec u = own_x - plane_load(x + j), v = own_y - plane_load(y + j);
        double_vec w = 1 / (1 + u * u + v * v), all = plane_load(mass + j) * w, push = all * w;
        total[0] += all;
        total[1] += push * u;
        total[2] += push * v;
    }
    for (int k = 0; k < 3; k++)
        sum[k] = plane_sum(total[k]);
    for (; j < count; j++) {
        double u = own[0] - x[j], v = own[1] - y[j], w = 1 / (1 + u * u + v * v);
        sum[0] += mass[j] * w;
        sum[1] += mass[j] * w * w * u;
        sum[2] += mass[j] * w * w * v;
    }
}

static const nn_plane_kernels plane_kernels = {.pairs = plane_pairs, .masses = plane_masses};
