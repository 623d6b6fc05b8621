/* training.h - the steps of a generator's training.
 *
 *   adversarial  G follows  BCE(D(G(z)), 1),  D  BCE(D(x), 1) + BCE(D(G(z)), 0)
 *   snnl         G follows  -SNNL of the batch's real and generated examples: its mean over --temperature
 *   both         G follows  BCE(D(G(z)), 1) - weight * SNNL
 *
 * x are real examples, z latent vectors. What each needs of the generator is the gradient with respect to its images
 * (models/gan.h). Both networks move by Adam. */
#ifndef EXP_GAN_TRAINING_H
#define EXP_GAN_TRAINING_H

#include "contrast.h"
#include "models/gan.h"
#include "real.h"

/* Means over the steps since they were last taken; 0 steps: none. */
typedef struct exp_gan_losses {
    int steps;
    double discriminator, generator, accuracy_real, accuracy_generated;
    double snnl; /* of the training batches, where G follows it */
} exp_gan_losses;

typedef struct exp_gan_training {
    const exp_gan_options *options;
    exp_gan_real *real;
    bool judged, entangled; /* whether the objective has D, and SNNL */
    model_generator generator;
    model_discriminator discriminator; /* where judged */
    nn_optimizer generator_optimizer, discriminator_optimizer;
    exp_gan_contrast contrast; /* where entangled */
    double temperatures[EXP_GAN_TEMPERATURES];
    int temperature_count; /* 0: optimal */
    nn_stream latent;
    float *z;        /* [batch][latent] */
    float *gradient; /* [batch][row] of the images */
    uint64_t steps;  /* done */
    exp_gan_losses sums;
} exp_gan_training;

/* For open real examples, which must outlive the training. To be closed after a failure too. */
nn_status exp_gan_training_open(exp_gan_training *training, const exp_gan_options *options,
                                exp_gan_real *real, nn_error *error);
void exp_gan_training_close(exp_gan_training *training);

/* One step of D (where there is one) and of G, on the next batch. */
nn_status exp_gan_training_step(exp_gan_training *training, nn_error *error);

/* The means since the last call. */
exp_gan_losses exp_gan_training_losses(exp_gan_training *training);

/* `count` latent vectors of the stream `name`, freed by the caller; NULL without memory. */
float *exp_gan_latent(const exp_gan_options *options, const char *name, int count);

#endif
