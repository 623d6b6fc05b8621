/* files.h - what ./neighbors finds, as files. */
#ifndef EXP_NEIGHBORS_FILES_H
#define EXP_NEIGHBORS_FILES_H

#include <stdio.h>

#include "experiments/outliers/outliers.h"
#include "statistics.h"

enum { EXP_SHOWN_MAX = 16 };

/* All that the files and the pictures tell of. */
typedef struct exp_neighbors_result {
    const char *run_folder, *out;
    const exp_trained_run *run;
    const exp_judged *judged;
    exp_neighbors_statistics statistics;
    exp_dknn_variant variant;
    int calibration;                       /* examples */
    int shown_count, shown[EXP_SHOWN_MAX]; /* places among the judged examples */
    bool chosen; /* by their credibility: the first one is the most, the second one the least credible */
    const exp_outliers *outliers; /* NULL: none were asked for */
    double seconds;
} exp_neighbors_result;

/* OUT/neighbors.csv, a row per example:
 *   index,label,network,prediction,credibility,confidence,nonconformity,neighbors/LAYER, ...
 * index: in the test set; label to prediction: classes, by number; nonconformity and neighbors: of the predicted class. */
nn_status exp_neighbors_write_table(const exp_neighbors_result *result, nn_error *error);

/* OUT/summary.json, to be written last; and the same as a line to `output`, unless that is NULL. */
nn_status exp_neighbors_write_summary(const exp_neighbors_result *result, FILE *output, nn_error *error);

#endif
