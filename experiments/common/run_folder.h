/* run_folder.h - the folder in which a training run leaves what it did.
 *
 *   config.ini              every option, resolved
 *   metrics.csv             a row per logged step
 *   summary.json            how it ended; not there while it goes on
 *   model.safetensors       the weights
 *   checkpoint.safetensors  what --resume needs (checkpoint.h)
 *   curves.png .svg         drawn from metrics.csv
 *   events.out.tfevents.*   the same for TensorBoard (events.h), with --tensorboard
 *   lock                    held while a program trains here */
#ifndef EXP_RUN_FOLDER_H
#define EXP_RUN_FOLDER_H

#include <stdio.h>

#include "classifier.h"
#include "events.h"

typedef struct exp_run_folder {
    char path[EXP_TEXT_MAX];
    FILE *metrics;
    exp_events events; /* not open without --tensorboard */
    bool locked;
    int lock; /* a descriptor */
} exp_run_folder;

/* One row of metrics.csv. */
typedef struct exp_row {
    uint64_t step, images;
    double epoch, seconds, rate;
    exp_measurement training;
    bool evaluated;
    double test_loss, test_accuracy; /* the loss is the cross-entropy alone */
} exp_row;

/* Makes options->run (an existing folder must hold no run), or a new folder of runs/ named after preset, seed and weight.
 * With options->resume: takes options->run, which holds a run, and removes what a killed one left of unfinished files.
 * NN_EARGUMENT where another program trains there. To be closed after a failure too. */
nn_status exp_run_folder_open(exp_run_folder *folder, const exp_train_options *options, nn_error *error);
void exp_run_folder_close(exp_run_folder *folder);

/* Either of these follows. Begin: config.ini and the header of metrics.csv, in place of what there is. Go on: config.ini
 * with the options of now, and metrics.csv cut to the rows up to `step`, after `seconds` of training. Both: with
 * options->tensorboard the events of the rows that there are, else none. */
nn_status exp_run_folder_begin(exp_run_folder *folder, const exp_train_options *options,
                               const exp_classifier *classifier, nn_error *error);
nn_status exp_run_folder_go_on(exp_run_folder *folder, const exp_train_options *options,
                               const exp_classifier *classifier, uint64_t step, double seconds,
                               nn_error *error);

/* Writes the row through to the file, so that it can be read while training goes on. */
nn_status exp_run_folder_log(exp_run_folder *folder, const exp_classifier *classifier, const exp_row *row,
                             nn_error *error);

/* Waits until all rows are on the disk. */
nn_status exp_run_folder_sync(exp_run_folder *folder, nn_error *error);

/* FOLDER/name; the text is valid until the next call. */
const char *exp_run_folder_file(const exp_run_folder *folder, const char *name);

#endif
