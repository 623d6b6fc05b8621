/* curves.h - gan.csv as curves over the steps. */
#ifndef EXP_GAN_CURVES_H
#define EXP_GAN_CURVES_H

#include "files.h"

/* Draws curves.png and curves.svg into the run folder: SNNL of real and generated examples, beside log 2 and, for
 * images, the values of the authors' talk; losses; the discriminator's accuracy. NN_EFILE where gnuplot is missing or fails. */
nn_status exp_gan_draw_curves(const exp_gan_outcome *outcome, nn_error *error);

#endif
