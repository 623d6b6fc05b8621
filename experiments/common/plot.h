/* plot.h - a training run's curves as a picture, by gnuplot. */
#ifndef EXP_PLOT_H
#define EXP_PLOT_H

#include "framework/framework.h"

/* Draws curves.png and curves.svg in a run folder from its metrics.csv; the heading is from its config.ini.
 *
 * `background`: returns once gnuplot has started, for drawing while training goes on; a thread puts the
 * pictures in place. While one drawing is under way a background call draws nothing, and a foreground call
 * waits for it before it draws: end a run with one. What goes wrong after a background call's return is not
 * reported. To be called from one thread.
 *
 * Each picture appears whole or not at all, and an interruption leaves nothing behind.
 *
 * NN_EFILE where the folder cannot be read or written, or gnuplot is missing or fails; NN_EFORMAT where
 * metrics.csv is malformed. */
nn_status exp_plot_run(const char *folder, bool background, nn_error *error);

#endif
