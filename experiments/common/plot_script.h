/* plot_script.h - a run's curves as a text for gnuplot. */
#ifndef EXP_PLOT_SCRIPT_H
#define EXP_PLOT_SCRIPT_H

#include <stdio.h>

#include "metrics.h"

/* Writes the gnuplot script (data included) that draws the curves under the title `title`, as PNG into
 * the file `png` and as SVG into `svg`. Any bytes may be in the title and in the taps' names. */
nn_status exp_plot_script(FILE *script, const exp_metrics *metrics, const char *title, const char *png,
                          const char *svg, nn_error *error);

#endif
