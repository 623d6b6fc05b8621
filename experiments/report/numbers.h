/* numbers.h - the numbers of a block's runs that tables, charts and findings are made of. */
#ifndef EXP_REPORT_NUMBERS_H
#define EXP_REPORT_NUMBERS_H

#include "experiments/study/statistics.h"
#include "section.h"

/* Cells of a table: a number with so many digits behind the point, empty where it is not finite; and a difference with
 * its interval. */
void exp_put_number(FILE *page, double value, int digits);
void exp_put_difference(FILE *page, const exp_difference *difference, int digits);

/* A number of a finished run, NaN where it has none. */
typedef double exp_number(const exp_study_result *result);

double exp_number_accuracy(const exp_study_result *result);          /* on the test set, percent */
double exp_number_cross_entropy(const exp_study_result *result);     /* on the test set, nats */
double exp_number_calibration_error(const exp_study_result *result); /* on the test set, percent */
double exp_number_generalisation_gap(
    const exp_study_result *result); /* training less test accuracy, points */

/* A number of one condition for every seed; NaN where there is none. */
void exp_block_numbers(const exp_block_results *b, int condition, exp_number *of,
                       double values[EXP_VALUES_MAX]);

/* Its differences from the same seeds at weight 0; no pairs where the condition is weight 0 itself. */
exp_difference exp_block_difference(const exp_block_results *b, int condition, exp_number *of);

/* A number that `program` has found of a run, by its name in the summary (see named_numbers.h), for every seed, and its
 * differences from the same seeds at weight 0. */
double exp_analysis_number(const exp_study_result *result, const char *program, const char *name);
void exp_block_analysis(const exp_block_results *b, int condition, const char *program, const char *name,
                        double values[EXP_VALUES_MAX]);
exp_difference exp_block_analysis_difference(const exp_block_results *b, int condition, const char *program,
                                             const char *name);

#endif
