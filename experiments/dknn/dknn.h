/* dknn.h - the Deep k-Nearest Neighbors: how well the training examples near an input, layer by layer, support a
 * prediction (Papernot and McDaniel, "Deep k-Nearest Neighbors: Towards Confident, Interpretable and Robust Deep
 * Learning", 2018).
 *
 * Each of L layers makes a point on the unit sphere of an input (bank.h). Of its k nearest training points there, by
 * Euclidean distance, n_l(c) are of class c. With p(s) the share of calibration scores that are s or more (conformal.h),
 * which are the nonconformities of test examples with their true classes:
 *
 *   nonconformity(c) = sum over layers of k - n_l(c)          0 .. k L
 *   p(c)             = p(nonconformity(c))
 *   prediction       = the class of the largest p(c): the one of the least nonconformity, of several the first
 *   credibility      = the largest p(c)                       low: no class is supported as training would have it
 *   confidence       = 1 - the second largest p(c)            low: another class is supported too
 *
 * The authors' code also subtracts the mean of the training points: no distance depends on it.
 *
 *   exp_trained_run run;  ... exp_trained_run_open(&run, &request, &train_options, EXP_DUMP, error) ...
 *   exp_dknn *dknn;
 *   exp_dknn_new(&dknn, &run, &exp_dknn_defaults, error);
 *   exp_dknn_judge(dknn, images, count, verdicts, NULL, error);     verdicts[i].credibility[EXP_DKNN_CONFORMAL]
 *   exp_dknn_free(dknn);
 *
 * The same bits for every number of threads. What is judged together matters no more than the rounding of a network
 * that computes other images beside. */
#ifndef EXP_DKNN_H
#define EXP_DKNN_H

#include <signal.h>

#include "bank.h"
#include "conformal.h"

typedef struct exp_dknn_options {
    const char *layers; /* as for exp_bank_open: "" is all taps and the logits */
    int neighbors;      /* k of each layer: 1 to the number of training examples */
    int calibration;    /* the first so many test examples are the calibration set: 1 or more */
    int training;       /* the first so many training examples; 0: all that the run was trained on */
    size_t memory; /* bytes for training points that are kept between calls; 0: a quarter of the machine's */
    /* Called, unless NULL, now and then with how much of a call's work is done, 0 to 1. */
    void (*report)(void *context, double done);
    void *context;
    const volatile sig_atomic_t *stop; /* once it is not 0 calls end early, in order; may be NULL */
} exp_dknn_options;

/* All layers, k = 75, 750 calibration examples. */
extern const exp_dknn_options exp_dknn_defaults;

typedef struct exp_dknn exp_dknn;

/* Over a run that was opened with EXP_DUMP on its own data set: its first test examples calibrate. The run is used and
 * must stay open. NN_EARGUMENT for options that do not fit the data. */
nn_status exp_dknn_new(exp_dknn **dknn, exp_trained_run *run, const exp_dknn_options *options,
                       nn_error *error);
void exp_dknn_free(exp_dknn *dknn); /* NULL is fine */

/* What is said of one input. */
typedef struct exp_dknn_verdict {
    int network;       /* the network's own prediction: the first largest of its logits */
    int prediction;    /* the DkNN's, in every variant */
    int nonconformity; /* of that */
    double credibility[EXP_DKNN_VARIANTS], confidence[EXP_DKNN_VARIANTS];
} exp_dknn_verdict;

/* What it rests on: arrays for all inputs of a call, the caller's, each NULL where it is not wanted. */
typedef struct exp_dknn_evidence {
    int32_t *neighbors; /* [count][layers][k]: places in the training set, nearest first */
    double *distances;  /* [count][layers][k]: squared */
    int32_t *votes;     /* [count][layers][classes]: n_l(c) */
    double *p;          /* [count][EXP_DKNN_VARIANTS][classes] */
} exp_dknn_evidence;

/* Judges `count` images, [count][height][width][channels], of any origin, normalised as the run's training images were
 * (run.mean, run.deviation). evidence may be NULL. Many images in one call take less time than in many calls. The first call
 * calibrates too. After an early end verdicts and evidence are undefined. */
nn_status exp_dknn_judge(exp_dknn *dknn, const float *images, int count, exp_dknn_verdict *verdicts,
                         const exp_dknn_evidence *evidence, nn_error *error);

int exp_dknn_layers(const exp_dknn *dknn);
const char *exp_dknn_layer(const exp_dknn *dknn, int layer); /* from the input's side to the output's */
int exp_dknn_dims(const exp_dknn *dknn, int layer);
int exp_dknn_neighbors(const exp_dknn *dknn); /* k */
int exp_dknn_classes(const exp_dknn *dknn);
int exp_dknn_training(const exp_dknn *dknn); /* training examples among which neighbours are looked for */

/* The calibration scores: none, at_least being NULL, before images were judged. */
const exp_dknn_scores *exp_dknn_calibration(const exp_dknn *dknn);

#endif
