#include "detection.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

typedef struct scored {
    double score;
    bool in;
} scored;

/* Examples with equal scores. */
typedef struct tie {
    int in, out;
} tie;

static int from_high_to_low(const void *a, const void *b) {
    double x = ((const scored *)a)->score, y = ((const scored *)b)->score;
    return (x < y) - (x > y);
}

static nn_status put(const double *scores, int count, bool in, scored *to, nn_error *error) {
    if (count < 1)
        return nn_fail(error, NN_EARGUMENT, "detection: there are no scores of %s-distribution examples",
                       in ? "in" : "out-of");
    for (int i = 0; i < count; i++) {
        if (isnan(scores[i]))
            return nn_fail(error, NN_ENUMERIC, "detection: the score of %s-distribution example %d is NaN",
                           in ? "in" : "out-of", i);
        to[i] = (scored){scores[i], in};
    }
    return NN_OK;
}

/* Sorted scores to ties, from the highest down; returns how many there are. */
static int count_ties(const scored *sorted, int count, tie *ties) {
    int found = 0;
    for (int i = 0; i < count; i++) {
        if (i == 0 || sorted[i].score != sorted[i - 1].score)
            ties[found++] = (tie){0};
        if (sorted[i].in)
            ties[found - 1].in++;
        else
            ties[found - 1].out++;
    }
    return found;
}

/* Average precision with the in-distribution examples (or the others) as positives, over the ties in their order or from
 * the last one up. */
static double average_precision(const tie *ties, int count, bool in, int positives) {
    double sum = 0;
    int64_t accepted = 0, right = 0;
    for (int k = 0; k < count; k++) {
        const tie *t = in ? &ties[k] : &ties[count - 1 - k];
        int gained = in ? t->in : t->out;
        accepted += t->in + t->out;
        right += gained;
        sum += (double)gained * (double)right / (double)accepted;
    }
    return sum / positives;
}

/* Both need TPR and FPR, threshold by threshold. */
static void measure_roc(const tie *ties, int count, exp_detection *d) {
    int64_t in = 0, out = 0, twice = 0; /* twice: pairs in the right order, two for each, and one for a tie */
    d->fpr95 = NAN;
    for (int k = 0; k < count; k++) {
        twice += ties[k].out * (2 * in + ties[k].in);
        in += ties[k].in;
        out += ties[k].out;
        if (isnan(d->fpr95) && 20 * in >= 19 * (int64_t)d->in)
            d->fpr95 = (double)out / d->out;
    }
    d->auroc = (double)twice / (2.0 * d->in * d->out);
}

static int put_roc(const tie *ties, int count, const exp_detection *d, exp_roc_point *roc) {
    int in = 0, out = 0;
    roc[0] = (exp_roc_point){0, 0};
    for (int k = 0; k < count; k++) {
        in += ties[k].in;
        out += ties[k].out;
        roc[k + 1] = (exp_roc_point){(double)out / d->out, (double)in / d->in};
    }
    return count + 1;
}

nn_status exp_detect(const double *in, int ins, const double *out, int outs, exp_detection *detection,
                     exp_roc_point *roc, int *roc_points, nn_error *error) {
    size_t count = (size_t)ins + (size_t)outs;
    scored *all = calloc(count + 1, sizeof *all);
    tie *ties = calloc(count + 1, sizeof *ties);
    nn_status status = all && ties ? NN_OK : nn_fail_memory(error, "the scores");
    if (status == NN_OK)
        status = put(in, ins, true, all, error);
    if (status == NN_OK)
        status = put(out, outs, false, all + ins, error);
    if (status == NN_OK) {
        qsort(all, count, sizeof *all, from_high_to_low);
        int found = count_ties(all, (int)count, ties);
        *detection = (exp_detection){.in = ins, .out = outs};
        detection->aupr_in = average_precision(ties, found, true, ins);
        detection->aupr_out = average_precision(ties, found, false, outs);
        measure_roc(ties, found, detection);
        if (roc)
            *roc_points = put_roc(ties, found, detection, roc);
    }
    free(all);
    free(ties);
    return status;
}
