/* summary.h - what the conditions of a block come to over their seeds. */
#ifndef EXP_STUDY_SUMMARY_H
#define EXP_STUDY_SUMMARY_H

#include "results.h"
#include "statistics.h"

typedef struct exp_condition_summary {
    const exp_study_result *first; /* of its runs: that of the first seed */
    int runs;                      /* that have the number */
    double mean, deviation;        /* NaN as in statistics.h */
    exp_difference
        difference; /* from the same seeds at weight 0; no pairs where the condition is weight 0 itself */
} exp_condition_summary;

/* What sets a run's condition apart, or its weight where it is the only one of its block. Returns text. */
const char *exp_condition_label(const exp_study_run *run, char text[EXP_CONDITION_MAX]);

/* Sums up one number of a condition's runs: `number` is its place in exp_study_result, such as
 * offsetof(exp_study_result, test_accuracy). */
exp_condition_summary exp_study_condition(const exp_study_table *table, const exp_study_block *block,
                                          int condition, size_t number);

/* A table for the terminal: for every block the conditions' accuracies and their differences from weight 0. */
void exp_study_print(const exp_study_table *table, const exp_study *study, FILE *file);

#endif
