#include "calibration.h"

#include <math.h>

int exp_calibration_bins(const exp_calibration *c) {
    return c->bin_count ? c->bin_count : EXP_CALIBRATION_BINS;
}

/* Compared with the edges themselves, so that a confidence on one falls below it. */
static int bin_of(const exp_calibration *c, double confidence) {
    const int bins = exp_calibration_bins(c);
    int bin = 0;
    while (bin < bins - 1 && confidence > (bin + 1) / (double)bins)
        bin++;
    return bin;
}

void exp_calibration_add(exp_calibration *c, double confidence, bool right, double squared_error) {
    const int bin = bin_of(c, confidence);
    c->bins[bin].count++;
    c->bins[bin].right += right;
    c->bins[bin].confidence += confidence;
    c->squared_error += squared_error;
}

void exp_calibration_add_logits(exp_calibration *c, const float *logits, int classes, int label) {
    int best = 0;
    for (int k = 1; k < classes; k++)
        if (logits[k] > logits[best])
            best = k;
    /* Relative to the largest, no exponential overflows and the sum is 1 at least. */
    double sum = 0, squares = 0;
    for (int k = 0; k < classes; k++)
        sum += exp((double)logits[k] - logits[best]);
    for (int k = 0; k < classes; k++) {
        const double difference = exp((double)logits[k] - logits[best]) / sum - (k == label);
        squares += difference * difference;
    }
    exp_calibration_add(c, 1 / sum, best == label, squares);
}

exp_reliability exp_calibration_bin(const exp_calibration *c, int bin) {
    const int count = c->bins[bin].count;
    if (count == 0)
        return (exp_reliability){0};
    return (exp_reliability){count, c->bins[bin].confidence / count, c->bins[bin].right / (double)count};
}

static double examples(const exp_calibration *c) {
    double count = 0;
    for (int m = 0; m < EXP_CALIBRATION_BINS; m++)
        count += c->bins[m].count;
    return count > 0 ? count : 1;
}

double exp_calibration_error(const exp_calibration *c) {
    double sum = 0;
    for (int m = 0; m < EXP_CALIBRATION_BINS; m++)
        sum += fabs(c->bins[m].right - c->bins[m].confidence); /* n_m |accuracy_m - confidence_m| */
    return sum / examples(c);
}

double exp_calibration_brier(const exp_calibration *c) {
    return c->squared_error / examples(c);
}

double exp_calibration_confidence(const exp_calibration *c) {
    double sum = 0;
    for (int m = 0; m < EXP_CALIBRATION_BINS; m++)
        sum += c->bins[m].confidence;
    return sum / examples(c);
}
