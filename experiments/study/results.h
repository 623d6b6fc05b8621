/* results.h - what the runs of studies came out as: a table in memory, and results.csv, taps.csv and analyses.csv.
 *
 * A run's folder is OUT/runs/NAME; while it is trained OUT/runs/NAME.partial, after a failure OUT/runs/NAME.failed. */
#ifndef EXP_STUDY_RESULTS_H
#define EXP_STUDY_RESULTS_H

#include "experiments/common/calibration.h"
#include "named_numbers.h"
#include "study.h"

typedef enum exp_run_state {
    EXP_RUN_MISSING, /* not trained yet */
    EXP_RUN_DONE,
    EXP_RUN_FAILED, /* the last try */
    EXP_RUN_SKIPPED /* no data */
} exp_run_state;

typedef struct exp_tap_result {
    char name[NN_NAME_MAX];
    double weight, snnl, temperature; /* on the test set */
} exp_tap_result;

/* What another program has made of a run. */
typedef struct exp_analysis_result {
    exp_run_state state;
    exp_named_numbers numbers; /* of its summary.json */
} exp_analysis_result;

/* One run of one block: numbers of its summary.json, NaN where that has none. */
typedef struct exp_study_result {
    const exp_study *study;
    const exp_study_block *block;
    const exp_study_run *run;
    bool repeated; /* an earlier result of the table is of the same run */
    exp_run_state state;
    double steps, train_examples, images_per_second, seconds;
    double train_accuracy, test_accuracy, train_cross_entropy, test_cross_entropy, test_ece, test_brier;
    double test_examples;
    char checksum[24]; /* of the data set */
    exp_reliability reliability[EXP_CALIBRATION_BINS];
    int tap_count;
    exp_tap_result *taps;                           /* [tap_count], in forward order */
    exp_analysis_result analyses[EXP_ANALYSES_MAX]; /* [block->analysis_count] */
} exp_study_result;

typedef struct exp_study_table {
    char out[EXP_TEXT_MAX];
    int count;
    exp_study_result
        *results; /* [count]: the runs of all studies, in order; one that several blocks share comes several
                                  times */
} exp_study_table;

extern const char *const exp_run_states[]; /* by exp_run_state: "missing", ... */

/* The table of studies[0..count-1], which must outlive it, with what is in OUT already. Released with
 * exp_study_table_free, also after a failure. */
nn_status exp_study_table_new(exp_study_table *table, const exp_study *studies, int count, const char *out,
                              nn_error *error);
void exp_study_table_free(exp_study_table *table);

/* Reads the run's state and numbers, and those of its analyses, from its folder into all results of that run. */
nn_status exp_study_table_read(exp_study_table *table, const exp_study_run *run, nn_error *error);

/* The first result of the block's first condition: those of a block are [seeds][conditions]. NULL: none. */
const exp_study_result *exp_study_table_block(const exp_study_table *table, const exp_study_block *block);

/* The finished run that `result` is to be compared with: the same training and seed at weight 0, measured alike if there is
 * such a one. NULL where there is none. */
const exp_study_result *exp_study_baseline(const exp_study_table *table, const exp_study_result *result);

/* OUT/runs/NAME and an ending ("", ".partial/train.log"); the text is valid until the next call but one. */
const char *exp_study_path(const exp_study_table *table, const exp_study_run *run, const char *ending);

/* Whether an earlier result of the table has the same analysis of the same run. */
bool exp_study_analysis_repeated(const exp_study_table *table, const exp_study_result *result, int analysis);

/* Writes OUT/results.csv, a row for every result, OUT/taps.csv, a row for every tap of every finished run, and
 * OUT/analyses.csv, a row for every number of every analysis. */
nn_status exp_study_table_write(const exp_study_table *table, nn_error *error);

#endif
