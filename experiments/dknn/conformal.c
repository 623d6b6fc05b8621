#include "conformal.h"

#include <stdlib.h>

const char *const exp_dknn_variants[] = {"conformal", "trimmed", NULL};

nn_status exp_dknn_scores_new(exp_dknn_scores *scores, int most, int count, const int *calibration,
                              nn_error *error) {
    *scores = (exp_dknn_scores){.most = most, .at_least = calloc((size_t)most + 1, sizeof(int))};
    if (!scores->at_least)
        return nn_fail_memory(error, "the calibration scores");
    for (int i = 0; i < count; i++)
        scores->at_least[calibration[i]]++;
    for (int s = most; s > 0; s--)
        scores->at_least[s - 1] += scores->at_least[s];
    return NN_OK;
}

void exp_dknn_scores_free(exp_dknn_scores *scores) {
    free(scores->at_least);
    *scores = (exp_dknn_scores){0};
}

double exp_dknn_p(const exp_dknn_scores *scores, exp_dknn_variant variant, int score) {
    const int *at_least = scores->at_least;
    int above_zero = scores->most > 0 ? at_least[1] : 0;
    if (variant == EXP_DKNN_CONFORMAL || above_zero == 0)
        return at_least[score] / (double)at_least[0];
    return score == 0 ? 1 : at_least[score] / (double)above_zero;
}
