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

static void weights(int count, const float *d, float b, float scale, float *c) {
    for (int j = 0; j < count; j++)
        c[j] = (float)(scale * exp(-(double)b * d[j]));
}

static double distance(int count, const float *x, const float *y, double ratio) {
    double sum = 0;
    for (int j = 0; j < count; j++) {
        double difference = x[j] - y[j] * ratio;
        sum += difference * difference;
    }
    return sum;
}

static const nn_pair_kernels pair_kernels = {.sums = sums, .weights = weights, .distance = distance};
