#include "scores.h"

#include <math.h>

const char *const exp_score_names[EXP_SCORES] = {
    [EXP_SCORE_SOFTMAX] = "softmax", [EXP_SCORE_ENERGY] = "energy",   [EXP_SCORE_CREDIBILITY] = "credibility",
    [EXP_SCORE_SUPPORT] = "support", [EXP_SCORE_DENSITY] = "density", [EXP_SCORE_AGREEMENT] = "agreement"};

/* Of equal ones the first. */
static int largest(const float *x, int count) {
    int best = 0;
    for (int k = 1; k < count; k++)
        if (x[k] > x[best])
            best = k;
    return best;
}

/* log sum_k exp(x_k - x_best) */
static double log_sum_above(const float *x, int count, int best) {
    double others = 0;
    for (int k = 0; k < count; k++)
        if (k != best)
            others += exp((double)x[k] - x[best]);
    return log1p(others);
}

double exp_score_log_softmax(const float *logits, int classes) {
    return -log_sum_above(logits, classes, largest(logits, classes));
}

double exp_score_energy(const float *logits, int classes) {
    int best = largest(logits, classes);
    return logits[best] + log_sum_above(logits, classes, best);
}

/* log sum of exp(x_k) over all k but `left_out`; -1 leaves none out */
static double log_sum(const double *x, int count, int left_out) {
    double most = -INFINITY, sum = 0;
    for (int k = 0; k < count; k++)
        if (k != left_out)
            most = fmax(most, x[k]);
    if (isinf(most))
        return most;
    for (int k = 0; k < count; k++)
        if (k != left_out)
            sum += exp(x[k] - most);
    return most + log(sum);
}

double exp_score_density(const double *log_sums, int classes) {
    return log_sum(log_sums, classes, -1);
}

/* As minus the loss, softplus(log other - log same), which keeps the digits of values near 0. */
double exp_score_agreement(const double *log_sums, int classes, int predicted) {
    double same = log_sums[predicted];
    if (isinf(same))
        return -INFINITY;
    double difference = log_sum(log_sums, classes, predicted) - same;
    return difference > 0 ? -(difference + log1p(exp(-difference))) : -log1p(exp(difference));
}
