/* pictures.h - outliers beside in-distribution examples, a panel for each source. */
#ifndef EXP_OUTLIERS_PICTURES_H
#define EXP_OUTLIERS_PICTURES_H

#include "outliers.h"

/* Each draws a PNG and an SVG file. NN_EFILE where gnuplot is missing or fails.
 *
 * How the DkNN's credibilities are spread, of both kinds of examples. */
nn_status exp_outliers_draw_credibility(const exp_outliers *outliers, const char *png, const char *svg,
                                        nn_error *error);

/* ROC curves with their areas: the scores of the network, and of at most four layers. */
nn_status exp_outliers_draw_roc(const exp_outliers *outliers, const char *png, const char *svg,
                                nn_error *error);

#endif
