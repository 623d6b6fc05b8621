/* section.h - what the parts of the report share.
 *
 *   report.c             the page: head, findings, sections, how it was made
 *   report_findings.c    what the numbers say, in sentences
 *   report_study.c       a study: its text, tables and figures
 *   report_curves.c      a run's layers over the training steps
 *   numbers.c            the numbers of a block's runs
 *   report_conditions.c  numbers by condition, with their intervals
 *   report_embeddings.c  layers of trained networks in the plane
 *   report_analyses.c    what other programs have made of the runs: analyses.h
 *   machine.c            what it was computed on
 *   chart.c, html.c      one picture, and the page's elements */
#ifndef EXP_REPORT_SECTION_H
#define EXP_REPORT_SECTION_H

#include "experiments/study/results.h"
#include "html.h"

/* Where a section writes. */
typedef struct exp_section {
    FILE *page;
    const char *folder; /* for the figures' files: OUT/figures */
    const char *data;   /* data root */
    int figures;        /* drawn so far: numbers their files */
} exp_section;

/* Draws the chart as the section's next figure, with its legend under it if it has several series; frees the chart. A
 * NULL chart is one for which there was no memory. */
nn_status exp_section_chart(exp_section *section, exp_chart *chart, nn_error *error);

/* The file's picture with a caption; one that cannot be shown has a line that says why. */
nn_status exp_section_image(exp_section *section, const char *png, const char *caption, nn_error *error);
nn_status exp_section_picture(exp_section *section, const char *svg, const char *caption, nn_error *error);

/* Removes figures that a report of before has left in the folder, and that are not of this one. */
void exp_section_remove_older(const exp_section *section);

/* Says on the page what could not be shown, and why, and clears the error: a page with all the rest is worth more than
 * none. Without memory it stays. */
nn_status exp_section_omit(exp_section *section, const char *what, nn_error *error);

/* Begins a row of figures, wide or small ones, and ends it. */
void exp_section_grid(exp_section *section, bool small);
void exp_section_grid_end(exp_section *section);

/* A block and its results, [seeds][conditions]. */
typedef struct exp_block_results {
    const exp_study_table *table;
    const exp_study_block *block;
    const exp_study_result *results;
} exp_block_results;

exp_block_results exp_block_results_of(const exp_study_table *table, const exp_study_block *block);
const exp_study_result *exp_block_finished(const exp_block_results *b); /* the first that is; NULL: none */

/* The mean over the seeds of a tap's SNNL on the test set; NaN where there is none. */
double exp_block_tap(const exp_block_results *b, int condition, const char *tap);

/* What the studies found, as a list of sentences with their numbers. */
void exp_report_findings(exp_section *section, const exp_study_table *table, const exp_study *studies,
                         int count);

nn_status exp_report_study(exp_section *section, const exp_study_table *table, const exp_study *study,
                           nn_error *error);

/* A row for every condition: accuracy, cross-entropy and calibration, with their differences from weight 0. */
void exp_report_table(exp_section *section, const exp_block_results *b);

/* The same numbers and every layer's SNNL over the conditions; nothing where there is but one. */
nn_status exp_report_charts(exp_section *section, const exp_block_results *b, nn_error *error);

/* Reliability: one diagram with a curve for every condition, or, of many conditions, a diagram for each. */
nn_status exp_report_reliability(exp_section *section, const exp_block_results *b, nn_error *error);

/* Every tap's SNNL and temperature over the steps of a run folder: the layers, those inside the last block where the
 * model has such taps, and the temperatures. A run that logged nothing has a line that says so. */
nn_status exp_report_curves(exp_section *section, const char *run, const char *heading, nn_error *error);

/* t-SNE of the test set's pixels and of layers of a block's networks, first seed, plain and entangled; what cannot be
 * embedded has a line that says why. */
nn_status exp_report_embeddings(exp_section *section, const exp_block_results *b, nn_error *error);

/* What other programs have made of the block's runs. */
nn_status exp_report_analyses(exp_section *section, const exp_block_results *b, nn_error *error);

#endif
