/* runs.h - training the runs of studies and making what is made of them, one after another. */
#ifndef EXP_STUDY_RUNS_H
#define EXP_STUDY_RUNS_H

#include <signal.h>

#include "results.h"

typedef struct exp_runs_setting {
    const char *data;                  /* data root */
    uint64_t threads;                  /* of each run; 0: all processors */
    bool quiet;                        /* of failures alone it is spoken on stderr */
    const volatile sig_atomic_t *stop; /* once set, the run under way is ended, and no more are started */
} exp_runs_setting;

/* Trainings and analyses, each counted once. */
typedef struct exp_runs_tally {
    int runs;    /* that are to be done */
    int found;   /* of these: done before */
    int trained; /* done now */
    int failed, skipped;
    bool interrupted;
} exp_runs_tally;

/* Trains what is missing in the table's OUT folder, which is made if need be, then makes the analyses that are missing of
 * finished runs, and reads what came out into the table, whose files are written at the beginning and after every run. A
 * run that fails is reported, left in OUT/runs/NAME.failed and passed over. A training that this process did not see end,
 * however it ended, is gone on with from its last checkpoint by the next call, or done again where it has none: the
 * result is the same. NN_EARGUMENT where another program is at work in that folder, NN_EFILE where it cannot be written. */
nn_status exp_study_train(exp_study_table *table, const exp_runs_setting *setting, exp_runs_tally *tally,
                          nn_error *error);

#endif
