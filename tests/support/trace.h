/* trace.h - the first steps of four small training runs, which PyTorch repeats
 * (tests/golden/pytorch_losses.py).
 *
 * Images and initial weights are pure functions of their seeds, so that the losses in pytorch_losses.csv
 * there, which PyTorch computed from the same numbers, hold on every machine. */
#ifndef TEST_TRACE_H
#define TEST_TRACE_H

#include "experiments/common/classifier.h"

enum { TRACE_STEPS = 20, TRACE_BATCH = 64 };

typedef struct trace_case {
    const char *model;
    const char *snnl_layers;
    double snnl_weight;
    double temperature; /* 0: each batch's optimal one */
    double rate;
    const char *name;
} trace_case;

/* Ends with a NULL name. */
extern const trace_case trace_cases[];

/* Called before the first step with batch NULL, and after each step with its batch and loss. */
typedef nn_status trace_watch(void *context, const exp_classifier *classifier, int step,
                              const data_batch *batch, double loss, nn_error *error);

/* The images of all cases, released with data_free. */
nn_status trace_load(data_set *set, nn_error *error);

/* Trains for `steps` (at most TRACE_STEPS) by SGD with momentum 0.9 and weight decay 5e-4 on all parameters.
 */
nn_status trace_run(const trace_case *what, const data_set *set, int steps, trace_watch *watch, void *context,
                    nn_error *error);

#endif
