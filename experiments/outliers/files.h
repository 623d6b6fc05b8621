/* files.h - what is left of a comparison with outliers: numbers and pictures. */
#ifndef EXP_OUTLIERS_FILES_H
#define EXP_OUTLIERS_FILES_H

#include "outliers.h"

/* Adds to the summary
 *   outlier_references          training examples that densities rest on
 *   outliers                    an array, for each source:
 *     source, examples, in_distribution_examples
 *     scores                    an array: score, layer and temperature (of a layer's), auroc, aupr_in, aupr_out, fpr95,
 *                               mean_in, mean_out (null where infinite) */
void exp_outliers_add_json(cJSON *summary, const exp_outliers *outliers);

/* FOLDER/outliers.csv, the same as a table: a line for each source and score; outliers-credibility.png and .svg,
 * outliers-roc.png and .svg (pictures.h). */
nn_status exp_outliers_write(const exp_outliers *outliers, const char *folder, nn_error *error);

/* What source k came to, for a terminal; returns line. */
enum { EXP_OUTLIER_LINE_MAX = 400 };
const char *exp_outliers_line(const exp_outliers *outliers, int k, char line[EXP_OUTLIER_LINE_MAX]);

#endif
