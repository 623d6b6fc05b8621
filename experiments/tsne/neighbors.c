/* neighbors.c - distances between points: all of them, or exactly the nearest. */
#include <math.h>
#include <stdlib.h>

#include "experiments/knn/knn.h"
#include "framework/kernels/kernels.h"
#include "parts.h"

enum {
    BLOCK = 32,     /* points of either side measured together, so that they stay in the cache */
    QUERIES = 4096, /* points whose neighbours are looked for together */
};

static int smaller(int a, int b) {
    return a < b ? a : b;
}

static bool stopped(const volatile sig_atomic_t *stop) {
    return stop && *stop;
}

/* --- all distances -------------------------------------------------------------------------------------- */

/* A power of two that makes 1 about the largest distance of a coordinate from its mean. */
static nn_status find_scale(int count, int dims, const float *x, double *scale, nn_error *error) {
    double largest = 0, *mean = calloc((size_t)dims, sizeof *mean);
    if (!mean)
        return nn_fail_memory(error, "the points' mean");
    for (size_t i = 0; i < (size_t)count; i++)
        for (int k = 0; k < dims; k++)
            mean[k] += x[i * (size_t)dims + (size_t)k];
    for (int k = 0; k < dims; k++)
        mean[k] /= count;
    for (size_t i = 0; i < (size_t)count; i++)
        for (int k = 0; k < dims; k++)
            largest = fmax(largest, fabs(x[i * (size_t)dims + (size_t)k] - mean[k]));
    *scale = largest > 0 ? ldexp(1, -ilogb(largest) - 1) : 1;
    free(mean);
    return NN_OK;
}

static void measure_block(int count, int dims, const float *x, int row, int column, double scale,
                          float *distance) {
    const nn_pair_kernels *kernels = nn_kernels_active()->pair;
    for (int i = row; i < smaller(row + BLOCK, count); i++)
        for (int j = column; j < smaller(column + BLOCK, i + 1); j++) {
            double d = i == j ? 0
                              : kernels->distance(dims, x + (size_t)i * (size_t)dims,
                                                  x + (size_t)j * (size_t)dims, 1);
            distance[(size_t)i * (size_t)count + (size_t)j] = (float)(d * scale);
            distance[(size_t)j * (size_t)count + (size_t)i] = (float)(d * scale);
        }
}

nn_status exp_tsne_distances(int count, int dims, const float *x, const volatile sig_atomic_t *stop,
                             float *distance, nn_error *error) {
    double scale;
    nn_status status = find_scale(count, dims, x, &scale, error);
    if (status != NN_OK)
        return status;
#pragma omp parallel for num_threads(nn_threads()) schedule(dynamic)
    for (int row = 0; row < count; row += BLOCK)
        for (int column = 0; column <= row && !stopped(stop); column += BLOCK)
            measure_block(count, dims, x, row, column, scale * scale, distance);
    return NN_OK;
}

/* --- the nearest ---------------------------------------------------------------------------------------- */

nn_status exp_tsne_neighbors(int count, int dims, const float *x, int nearest,
                             const volatile sig_atomic_t *stop, int32_t *index, double *distance,
                             nn_error *error) {
    nn_status status = NN_OK;
    for (int first = 0; first < count && status == NN_OK && !stopped(stop); first += QUERIES) {
        size_t out = (size_t)first * (size_t)nearest;
        exp_knn *knn;
        exp_knn_options options = {.queries = smaller(QUERIES, count - first),
                                   .dims = dims,
                                   .nearest = nearest,
                                   .x = x + (size_t)first * (size_t)dims,
                                   .among = true,
                                   .first = first,
                                   .stop = stop};
        status = exp_knn_new(&knn, &options, error);
        if (status == NN_OK)
            status = exp_knn_add(knn, count, x, error);
        if (status == NN_OK)
            exp_knn_take(knn, index + out, distance + out);
        exp_knn_free(knn);
    }
    return status;
}
