/* pictures.h - a generator's training as pictures, by gnuplot. */
#ifndef EXP_GAN_PICTURES_H
#define EXP_GAN_PICTURES_H

#include "files.h"

/* Draws curves.png, curves.svg and snapshots.png into the run folder. NN_EFILE where gnuplot is missing or fails. */
nn_status exp_gan_draw(const exp_gan_outcome *outcome, nn_error *error);

#endif
