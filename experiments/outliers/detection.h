/* detection.h - how well a score tells in-distribution examples from others.
 *
 * A score is larger the more an example looks in-distribution. At a threshold t the examples with score >= t are
 * accepted; lowering t from score to score accepts more and more, equal scores together:
 *
 *   TPR(t) = accepted in-distribution examples / all of them        FPR(t) = the same of the others
 *
 *   AUROC     P(in > out) + P(in = out) / 2: the area under TPR over FPR by the trapezoid rule (Hanley and McNeil, "The
 *             Meaning and Use of the Area under a Receiver Operating Characteristic (ROC) Curve", 1982; Fawcett, "An
 *             Introduction to ROC Analysis", 2006)
 *   AUPR      average precision, sum over thresholds of (recall_k - recall_{k-1}) precision_k, without interpolation
 *             (Davis and Goadrich, "The Relationship Between Precision-Recall and ROC Curves", 2006, on why not). "in":
 *             the in-distribution examples are the positives; "out": the others are, by the negated score (both as in
 *             Hendrycks and Gimpel, "A Baseline for Detecting Misclassified and Out-of-Distribution Examples in Neural
 *             Networks", 2017)
 *   FPR95     the least FPR(t) at which TPR(t) >= 95%: how many of the others pass when at most one in twenty
 *             in-distribution examples may be turned away (Liang, Li and Srikant, "Enhancing the Reliability of
 *             Out-of-distribution Image Detection in Neural Networks", 2018)
 *
 * A score without information has AUROC 1/2; AUPR then is the share of the positives, so that it means nothing without
 * the numbers of examples. Exact: by sorting, counts in whole numbers. */
#ifndef EXP_OUTLIERS_DETECTION_H
#define EXP_OUTLIERS_DETECTION_H

#include "framework/error.h"

typedef struct exp_detection {
    int in, out; /* examples */
    double auroc, aupr_in, aupr_out, fpr95;
} exp_detection;

/* A point of the ROC curve. */
typedef struct exp_roc_point {
    double fpr, tpr;
} exp_roc_point;

/* Scores in[ins] and out[outs], of 1 or more examples each, may be infinite; NN_ENUMERIC where one is NaN. roc, unless
 * NULL, takes the whole curve from (0, 0) to (1, 1), a point for each distinct score behind the first one: room for ins +
 * outs + 1 points, of which *roc_points are filled. */
nn_status exp_detect(const double *in, int ins, const double *out, int outs, exp_detection *detection,
                     exp_roc_point *roc, int *roc_points, nn_error *error);

#endif
