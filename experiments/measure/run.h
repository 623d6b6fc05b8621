/* run.h - the soft nearest neighbor loss of every tap of a trained run. */
#ifndef EXP_MEASURE_RUN_H
#define EXP_MEASURE_RUN_H

#include "experiments/common/trained_run.h"

typedef struct exp_measure_request {
    exp_run_request run;
    bool fixed; /* at `temperature`, else at each batch's optimal one */
    double temperature;
    int distance;     /* nn_distance, or -1: the run's own */
    const char *dump; /* folder for every tap's representations as .npy, or NULL */
} exp_measure_request;

/* What was measured: owned by the caller, released with exp_measured_run_free. */
typedef struct exp_measured_run {
    exp_trained_run run;  /* its options are the run's, with what the request changed */
    exp_measurement test; /* means over the test set's batches, of the run's batch size */
} exp_measured_run;

/* Rebuilds the run's model from config.ini and model.safetensors and measures it on the test examples,
 * normalised as in training. A dump holds TAP.npy [examples, ...], labels.npy, predictions.npy and
 * logits.npy. */
nn_status exp_measure_run(const exp_measure_request *request, exp_measured_run *measured, nn_error *error);
void exp_measured_run_free(exp_measured_run *measured);

#endif
