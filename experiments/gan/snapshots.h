/* snapshots.h - a generator's snapshots side by side. */
#ifndef EXP_GAN_SNAPSHOTS_H
#define EXP_GAN_SNAPSHOTS_H

#include "files.h"

/* Draws snapshots.png into the run folder: of images, samples of the same latent vectors, and below them t-SNE of real
 * and generated ones, under their SNNL; of points, the points themselves. NN_EFILE where gnuplot is missing or fails. */
nn_status exp_gan_draw_snapshots(const exp_gan_outcome *outcome, nn_error *error);

#endif
