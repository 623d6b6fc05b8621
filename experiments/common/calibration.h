/* calibration.h - whether a classifier is as often right as it is confident.
 *
 * Of n examples with probabilities p_ik = softmax(logits_i)_k and labels y_i, the prediction is the first largest
 * logit, the confidence c_i its probability, a_i is 1 where it is right and 0 where not. Bin m of M = 15 holds the
 * examples with (m - 1)/M < c_i <= m/M, the first one c_i = 0 too.
 *
 *   confidence = 1/n sum_i c_i
 *   ECE        = sum_m n_m/n |accuracy_m - confidence_m|      expected calibration error, 0 to 1: Guo, Pleiss, Sun
 *                and Weinberger, "On Calibration of Modern Neural Networks", ICML 2017, equations 2 and 3
 *   Brier      = 1/n sum_i sum_k (p_ik - [k = y_i])^2         over all classes, 0 to 2: Brier, "Verification of
 *                Forecasts Expressed in Terms of Probability", 1950
 *
 * with n_m, accuracy_m and confidence_m the examples of a bin and the means of their a_i and c_i. All in double. */
#ifndef EXP_CALIBRATION_H
#define EXP_CALIBRATION_H

#include <stdbool.h>

enum { EXP_CALIBRATION_BINS = 15 }; /* M, at most */

/* Sums over the examples added so far; zeroed to start. */
typedef struct exp_calibration {
    int bin_count; /* M; 0: EXP_CALIBRATION_BINS */
    struct {
        int count, right;
        double confidence;
    } bins[EXP_CALIBRATION_BINS];
    double squared_error;
} exp_calibration;

/* Adds an example: its confidence from 0 to 1, and the sum over k of its Brier score. */
void exp_calibration_add(exp_calibration *calibration, double confidence, bool right, double squared_error);

/* Adds an example by its logits, which are finite; classes of 1 or more, label below them. */
void exp_calibration_add_logits(exp_calibration *calibration, const float *logits, int classes, int label);

int exp_calibration_bins(const exp_calibration *calibration); /* M */

/* One point of the reliability diagram; all 0 where the bin is empty. */
typedef struct exp_reliability {
    int count;
    double confidence, accuracy; /* means */
} exp_reliability;
exp_reliability exp_calibration_bin(const exp_calibration *calibration, int bin);

/* 0 without examples. */
double exp_calibration_error(const exp_calibration *calibration);
double exp_calibration_brier(const exp_calibration *calibration);
double exp_calibration_confidence(const exp_calibration *calibration);

#endif
