/* run_folder.h - the folder in which a training run leaves what it did.
 *
 *   config.ini         every option, resolved
 *   metrics.csv        a row per logged step
 *   summary.json       how it ended
 *   model.safetensors  the weights
 *   curves.png .svg    drawn from metrics.csv */
#ifndef EXP_RUN_FOLDER_H
#define EXP_RUN_FOLDER_H

#include <stdio.h>

#include "classifier.h"

typedef struct exp_run_folder {
    char path[EXP_TEXT_MAX];
    FILE *metrics;
} exp_run_folder;

/* One row of metrics.csv. */
typedef struct exp_row {
    uint64_t step, images;
    double epoch, seconds, rate;
    exp_measurement training;
    bool evaluated;
    double test_loss, test_accuracy; /* the loss is the cross-entropy alone */
} exp_row;

/* Makes options->run (an existing folder must hold no run), or a new folder of runs/ named after preset, seed
 * and weight, and puts config.ini and the header of metrics.csv there. */
nn_status exp_run_folder_open(exp_run_folder *folder, const exp_train_options *options,
                              const exp_classifier *classifier, nn_error *error);
void exp_run_folder_close(exp_run_folder *folder);

/* Writes the row through to the file, so that it can be read while training goes on. */
nn_status exp_run_folder_log(exp_run_folder *folder, const exp_classifier *classifier, const exp_row *row,
                             nn_error *error);

/* Makes a folder and those above it; one that exists is fine. */
nn_status exp_make_folders(const char *path, nn_error *error);

/* FOLDER/name; the text is valid until the next call. */
const char *exp_run_folder_file(const exp_run_folder *folder, const char *name);

#endif
