/* classifier.h - a model with its losses, ready to train and to evaluate.
 *
 *   loss = cross-entropy - sum over taps of weight * SNNL
 *
 * Every tap is measured; one of weight 0 only in runs that log. */
#ifndef EXP_CLASSIFIER_H
#define EXP_CLASSIFIER_H

#include "calibration.h"
#include "datasets/datasets.h"
#include "framework/framework.h"
#include "models/models.h"
#include "train_options.h"

enum { EXP_TAPS_MAX = 64 };

typedef struct exp_classifier {
    nn_store store;
    nn_graph *graph;
    nn_node *images, *labels, *logits, *cross_entropy, *accuracy, *loss;
    int taps;
    nn_node *snnl[EXP_TAPS_MAX];
    double weight[EXP_TAPS_MAX]; /* the W of each tap */
    nn_plan *training, *evaluation;
    nn_plan *attack; /* cross-entropy's gradient with respect to the images, as evaluated; no parameter's */
    int batch;
} exp_classifier;

typedef enum exp_purpose {
    EXP_TRAIN,    /* training and evaluation */
    EXP_EVALUATE, /* evaluation only */
    EXP_DUMP,     /* evaluation that keeps every tap's values readable */
    EXP_ATTACK    /* the same, and attacks */
} exp_purpose;

/* What one batch, or the mean over the batches of a data set, came out as. */
typedef struct exp_measurement {
    double loss, cross_entropy, accuracy;
    double snnl[EXP_TAPS_MAX], temperature[EXP_TAPS_MAX];
    exp_calibration calibration; /* of evaluations */
    int examples;
} exp_measurement;

/* Builds the model of the options for the data set's images.
 * Released with exp_classifier_free, after a failure too. */
nn_status exp_classifier_build(exp_classifier *classifier, const exp_train_options *options,
                               const data_set *set, exp_purpose purpose, nn_error *error);
void exp_classifier_free(exp_classifier *classifier);

/* Whether there is such a model, and whether --snnl-layers names taps of it: without data, and before any run. */
nn_status exp_classifier_check(const exp_train_options *options, nn_error *error);

/* Copies a batch to the inputs of a plan. */
void exp_classifier_feed(const exp_classifier *classifier, nn_plan *plan, const data_batch *batch);

/* Reads what the last run of a plan came out as; SNNL and temperature only where they were computed. */
void exp_classifier_read(const exp_classifier *classifier, const nn_plan *plan, bool metrics,
                         exp_measurement *measurement);

/* Runs the evaluation plan over all batches of the loader: loss, cross-entropy and accuracy as means over
 * examples, calibration over all of them, and with `taps` each tap's SNNL and temperature (geometric) as means over the batches, weighted
 * by size. */
nn_status exp_classifier_evaluate(exp_classifier *classifier, data_loader *loader, bool taps,
                                  exp_measurement *measurement, nn_error *error);

/* A loader's options for evaluation: in order, nothing changed, nothing left out. */
data_batch_options exp_evaluation_batches(int batch);

const char *exp_tap_name(const exp_classifier *classifier, int tap);

#endif
