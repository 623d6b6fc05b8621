#include "statistics.h"

#include <math.h>

static int histogram_bin(double credibility) {
    int bin = 0;
    while (bin < EXP_HISTOGRAM_BINS - 1 && credibility > (bin + 1) / (double)EXP_HISTOGRAM_BINS)
        bin++;
    return bin;
}

static exp_credibility measure_variant(const exp_judged *j, exp_dknn_variant variant) {
    exp_credibility c = {.reliability.bin_count = EXP_CREDIBILITY_BINS};
    double sums[2] = {0};
    int counts[2] = {0};
    for (int i = 0; i < j->count; i++) {
        const exp_dknn_verdict *v = &j->verdicts[i];
        bool right = v->prediction == exp_judged_label(j, i);
        double credibility = v->credibility[variant];
        c.credibility += credibility / j->count;
        c.confidence += v->confidence[variant] / j->count;
        sums[right] += credibility;
        counts[right]++;
        (right ? c.right : c.wrong)[histogram_bin(credibility)]++;
        exp_calibration_add(&c.reliability, credibility, right, 0);
    }
    c.when_wrong = counts[0] ? sums[0] / counts[0] : NAN;
    c.when_right = counts[1] ? sums[1] / counts[1] : NAN;
    return c;
}

static void measure_layer(const exp_judged *j, int layer, exp_neighbors_statistics *s) {
    int classes = exp_dknn_classes(j->dknn), right = 0;
    double same = 0;
    for (int i = 0; i < j->count; i++) {
        const int32_t *votes = exp_judged_votes(j, i, layer);
        int best = 0, label = exp_judged_label(j, i);
        for (int class = 1; class < classes; class ++)
            if (votes[class] > votes[best])
                best = class;
        right += best == label;
        same += votes[label];
    }
    s->layers[layer].accuracy = right / (double)j->count;
    s->layers[layer].same_class = same / j->count / exp_dknn_neighbors(j->dknn);
}

exp_neighbors_statistics exp_neighbors_measure(const exp_judged *j) {
    exp_neighbors_statistics s = {.count = j->count};
    for (int i = 0; i < j->count; i++) {
        const exp_dknn_verdict *v = &j->verdicts[i];
        int label = exp_judged_label(j, i);
        s.accuracy += (v->prediction == label) / (double)j->count;
        s.network_accuracy += (v->network == label) / (double)j->count;
        s.agreement += (v->network == v->prediction) / (double)j->count;
        s.nonconformity += v->nonconformity / (double)j->count;
    }
    for (int v = 0; v < EXP_DKNN_VARIANTS; v++)
        s.variants[v] = measure_variant(j, (exp_dknn_variant)v);
    for (int l = 0; l < exp_dknn_layers(j->dknn); l++)
        measure_layer(j, l, &s);
    return s;
}
