/* analyses.h - what the sections on other programs' work share.
 *
 *   report_analyses.c   which section tells of which program; the table of numbers by condition
 *   report_neighbors.c  ./neighbors: the Deep k-Nearest Neighbors and outliers
 *   report_attack.c     ./attack: adversarial examples
 *   report_gan.c        ./gan: generators */
#ifndef EXP_REPORT_ANALYSES_H
#define EXP_REPORT_ANALYSES_H

#include <limits.h>

#include "section.h"

nn_status exp_report_neighbors(exp_section *section, const exp_block_results *b, int analysis,
                               nn_error *error);
nn_status exp_report_attack(exp_section *section, const exp_block_results *b, int analysis, nn_error *error);
nn_status exp_report_gan(exp_section *section, const exp_block_results *b, int analysis, nn_error *error);

/* A condition's first seed for which the analysis is done; NULL: none. */
const exp_study_result *exp_block_analysed(const exp_block_results *b, int condition, int analysis);

/* The first such one of the block; NULL: none. */
const exp_study_result *exp_block_first_analysed(const exp_block_results *b, int analysis);

/* The path of a file that an analysis of a run has left. Returns path. */
const char *exp_block_analysis_file(const exp_block_results *b, const exp_study_result *result, int analysis,
                                    const char *name, char path[PATH_MAX]);

/* One line of a table: a number, by its name in the summary, as a mean over the seeds of every condition, with the
 * difference from weight 0. */
typedef struct exp_line {
    const char *label, *name;
    double scale; /* by which it is multiplied */
    int digits;   /* behind the point */
} exp_line;

void exp_report_lines_begin(exp_section *section, const exp_block_results *b, const char *heading);
void exp_report_line(exp_section *section, const exp_block_results *b, const char *program,
                     const exp_line *line);
void exp_report_lines_end(exp_section *section);

/* A PNG picture that the analysis has left of each condition's first seed, side by side or, `wide`, one under the other;
 * of the study's first block alone, as pictures make a page large. */
nn_status exp_report_pictures(exp_section *section, const exp_block_results *b, int analysis,
                              const char *name, bool wide, nn_error *error);

#endif
