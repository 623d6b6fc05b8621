/* summary.h - summary.json: how a run ended, for programs and people. */
#ifndef EXP_SUMMARY_H
#define EXP_SUMMARY_H

#include "run_folder.h"

/* How a run ended: what summary.json holds. */
typedef struct exp_summary {
    char run[EXP_TEXT_MAX];
    uint64_t steps;
    double epochs, images_per_second, seconds;
    size_t plan_bytes, peak_bytes;
    /* Of the final weights on the first training examples, 10,000 at most and not augmented, and on the test
     * set; examples 0 where there was no evaluation. */
    exp_measurement train, test;
    bool interrupted;
} exp_summary;

/* Writes FOLDER/summary.json, and with --json the same as one line to stdout. */
nn_status exp_summary_write(const exp_run_folder *folder, const exp_train_options *options,
                            const data_set *set, const exp_classifier *classifier, const exp_summary *summary,
                            nn_error *error);

/* The summary of the run in a folder as one line, for the caller to free; NULL where it has not come to its end. */
nn_status exp_summary_of_finished(const char *run, char **line, nn_error *error);

#endif
