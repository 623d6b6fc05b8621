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
    double train_accuracy; /* of the final weights on (at most 10,000) training examples, not augmented */
    exp_measurement test;  /* of the final weights; examples 0 where there was no evaluation */
    bool interrupted;
} exp_summary;

/* Writes FOLDER/summary.json, and with --json the same as one line to stdout. */
nn_status exp_summary_write(const exp_run_folder *folder, const exp_train_options *options,
                            const data_set *set, const exp_classifier *classifier, const exp_summary *summary,
                            nn_error *error);

#endif
