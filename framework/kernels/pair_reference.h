/* pair_reference.h - the kernels of the soft nearest neighbor loss in plain C (contracts: nn_pair_kernels).
 */
#include <math.h>

#include "kernels.h"

static void sums(int count, const float *d, float b, double sum[3]) {
    sum[0] = sum[1] = sum[2] = 0;
    for (int j = 0; j < count; j++) {
        double e = exp(-(double)b * d[j]);
        sum[0] += e;
        sum[1] += e * d[j];
        sum[2] += e * d[j] * d[j];
    }
}

static void weights(int count, const float *d, float minimum, float unit, float b, float scale, float *c) {
    for (int j = 0; j < count; j++)
        c[j] = (float)(scale * exp(-(double)b * (d[j] - minimum) * unit));
}

static float shift(int count, const float *d, float unit, float *shifted) {
    float minimum = d[0];
    for (int j = 1; j < count; j++)
        minimum = d[j] < minimum ? d[j] : minimum;
    for (int j = 0; j < count; j++)
        shifted[j] = (d[j] - minimum) * unit;
    return minimum;
}

static double distance(int count, const float *x, const float *y, double ratio) {
    double sum = 0;
    for (int j = 0; j < count; j++) {
        double difference = x[j] - y[j] * ratio;
        sum += difference * difference;
    }
    return sum;
}

static bool gram_distances(int count, float norm, const float *norms, float ratio, float least, float *d) {
    bool near = false;
    for (int j = 0; j < count; j++) {
        float both = norm + norms[j];
        d[j] = both - 2 * d[j];
        near |= d[j] < ratio * both || d[j] < least;
    }
    return near;
}

static void mirror(int rows, int columns, const float *a, float *b, int ld) {
    for (int r = 0; r < rows; r++)
        for (int c = a == b ? r + 1 : 0; c < columns; c++)
            b[(size_t)c * ld + r] = a[(size_t)r * ld + c];
}

static void symmetrize(int rows, int columns, float *a, float *b, int ld, double *row_sums,
                       double *column_sums) {
    for (int r = 0; r < rows; r++)
        for (int c = a == b ? r + 1 : 0; c < columns; c++) {
            float w = a[(size_t)r * ld + c] + b[(size_t)c * ld + r];
            a[(size_t)r * ld + c] = b[(size_t)c * ld + r] = w;
            row_sums[r] += w;
            column_sums[c] += w;
        }
}

static const nn_pair_kernels pair_kernels = {.sums = sums,
                                             .weights = weights,
                                             .shift = shift,
                                             .distance = distance,
                                             .gram_distances = gram_distances,
                                             .mirror = mirror,
                                             .symmetrize = symmetrize};
