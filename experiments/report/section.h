/* section.h - what the parts of the report share.
 *
 *   report.c             the page: head, findings, sections, how it was made
 *   report_findings.c    what the numbers say, in sentences
 *   report_study.c       a study: its text, tables and figures
 *   report_curves.c      a run's layers over the training steps
 *   report_conditions.c  numbers by condition, with their intervals
 *   chart.c, html.c      one picture, and the page's elements */
#ifndef EXP_REPORT_SECTION_H
#define EXP_REPORT_SECTION_H

#include "html.h"

/* Where a section writes. */
typedef struct exp_section {
    FILE *page;
    const char *folder; /* for the figures' files: OUT/figures */
    int figures;        /* drawn so far: numbers their files */
} exp_section;

/* Draws the chart as the section's next figure, with its legend under it if it has several series; frees the chart. A
 * NULL chart is one for which there was no memory. */
nn_status exp_section_chart(exp_section *section, exp_chart *chart, nn_error *error);

/* Begins and ends a row of figures. */
void exp_section_grid(exp_section *section, bool begin);

/* Every tap's SNNL and temperature over the steps of a run folder: the layers, those inside the last block where the
 * model has such taps, and the temperatures. */
nn_status exp_report_curves(exp_section *section, const char *run, const char *heading, nn_error *error);

#endif
