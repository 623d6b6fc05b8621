/* examine.h - the work of ./neighbors, from a run folder to the files and pictures. */
#ifndef EXP_NEIGHBORS_EXAMINE_H
#define EXP_NEIGHBORS_EXAMINE_H

#include "experiments/common/progress.h"
#include "files.h"

typedef struct exp_examine_options {
    char run[EXP_TEXT_MAX], data[EXP_TEXT_MAX], layers[EXP_TEXT_MAX], show[EXP_TEXT_MAX],
        outliers[EXP_TEXT_MAX], out[EXP_TEXT_MAX];
    uint64_t neighbors, calibration, examples, train_limit, seed, threads;
    int variant; /* exp_dknn_variant */
    bool skip_missing, json, quiet;
} exp_examine_options;

/* Once *stop is not 0 it ends early, at NN_OK: *interrupted says whether it did, and there is no summary then. */
nn_status exp_examine(const exp_examine_options *options, exp_progress *progress,
                      const volatile sig_atomic_t *stop, bool *interrupted, nn_error *error);

#endif
