/* pictures.h - a descent as pictures, by gnuplot. */
#ifndef EXP_TOY_PICTURES_H
#define EXP_TOY_PICTURES_H

#include "record.h"

/* Draws into the folder: toy.png and toy.svg (all snapshots side by side on the same axes, the loss over the steps
 * below, and the temperature where it is the optimal one), snapshot-1.png and so on, and the animation toy.gif.
 * Each appears whole or not at all. NN_EFILE where gnuplot is missing or fails. */
nn_status exp_toy_draw(const char *folder, const exp_toy_record *record, const exp_toy_options *options,
                       nn_error *error);

#endif
