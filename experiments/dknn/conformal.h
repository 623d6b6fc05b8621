/* conformal.h - p-values from calibration scores.
 *
 * Scores are whole numbers 0..most, the larger the stranger. With n calibration scores s_1..s_n,
 *
 *   conformal:  p(s) = #{i: s_i >= s} / n
 *   trimmed:    the same over the scores above 0 only
 *
 * The first is plain conformal prediction (Papernot and McDaniel, "Deep k-Nearest Neighbors", 2018, section IV). The
 * second is what its authors' released code (cleverhans) does: it cuts the zeros that lead the sorted scores off, so
 * that an ordinary example, with one stray neighbour, is not already among the strange ones. Without any score above 0
 * the second is 1 for s = 0, and 0 else, as the first one. */
#ifndef EXP_DKNN_CONFORMAL_H
#define EXP_DKNN_CONFORMAL_H

#include "framework/error.h"

typedef enum exp_dknn_variant { EXP_DKNN_CONFORMAL, EXP_DKNN_TRIMMED, EXP_DKNN_VARIANTS } exp_dknn_variant;

/* "conformal", "trimmed", NULL. */
extern const char *const exp_dknn_variants[];

typedef struct exp_dknn_scores {
    int most;
    int *at_least; /* [most + 1]: how many calibration scores are so large or larger */
} exp_dknn_scores;

/* From `count` scores, 1 or more. Released with exp_dknn_scores_free, after a failure too. */
nn_status exp_dknn_scores_new(exp_dknn_scores *scores, int most, int count, const int *calibration,
                              nn_error *error);
void exp_dknn_scores_free(exp_dknn_scores *scores);

/* p(s), from 0 to 1; score: 0..most. */
double exp_dknn_p(const exp_dknn_scores *scores, exp_dknn_variant variant, int score);

#endif
