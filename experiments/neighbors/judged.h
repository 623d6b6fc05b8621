/* judged.h - examples with what the Deep k-Nearest Neighbors says of each. */
#ifndef EXP_NEIGHBORS_JUDGED_H
#define EXP_NEIGHBORS_JUDGED_H

#include "experiments/dknn/dknn.h"

typedef struct exp_judged {
    const exp_dknn *dknn;
    const data_split *split; /* the examples first .. first + count - 1 of it */
    int first, count;
    exp_dknn_verdict *verdicts; /* [count] */
    int32_t *neighbors;         /* [count][layers][k]: places in the training set, nearest first */
    int32_t *votes;             /* [count][layers][classes] */
} exp_judged;

/* Judges examples of a split whose images have the size of the run's. Released with exp_judged_free, after a failure
 * too. Ends early as the DkNN does. */
nn_status exp_judged_new(exp_judged *judged, exp_dknn *dknn, const exp_trained_run *run,
                         const data_split *split, int first, int count, nn_error *error);
void exp_judged_free(exp_judged *judged);

/* The true class of example i, from 0. */
int exp_judged_label(const exp_judged *judged, int i);

/* The k neighbours of example i in a layer, and how many of them are of each class. */
const int32_t *exp_judged_neighbors(const exp_judged *judged, int i, int layer);
const int32_t *exp_judged_votes(const exp_judged *judged, int i, int layer);

/* The examples of the largest and of the least credibility: of several the one of the least, or the largest,
 * nonconformity, of several such ones the first. */
int exp_judged_most_credible(const exp_judged *judged, exp_dknn_variant variant);
int exp_judged_least_credible(const exp_judged *judged, exp_dknn_variant variant);

#endif
