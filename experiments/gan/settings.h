/* settings.h - everything that decides a run of ./gan, and where it comes from.
 *
 * Defaults, then --config FILE, then the command line. config.ini in the run folder records the result. */
#ifndef EXP_GAN_SETTINGS_H
#define EXP_GAN_SETTINGS_H

#include "experiments/common/options.h"

enum {
    EXP_GAN_SNAPSHOTS = 6,   /* at most, the end included */
    EXP_GAN_TEMPERATURES = 8 /* at most */
};

typedef enum exp_gan_objective {
    EXP_GAN_ADVERSARIAL, /* the discriminator's verdict */
    EXP_GAN_SNNL,        /* the entanglement of real and generated examples; no discriminator */
    EXP_GAN_BOTH         /* the first one minus snnl_weight times the second one */
} exp_gan_objective;

typedef struct exp_gan_options {
    char config[EXP_TEXT_MAX], dataset[EXP_TEXT_MAX], data[EXP_TEXT_MAX], run[EXP_TEXT_MAX],
        classifier[EXP_TEXT_MAX], image_size[EXP_TEXT_MAX];
    char snapshots[EXP_TEXT_MAX]; /* "0,400,800" */
    int objective;                /* exp_gan_objective */
    double snnl_weight;
    char temperature[EXP_TEXT_MAX]; /* "optimal", or "1,0.1" */
    uint64_t steps, batch, latent, filters, seed, threads;
    double rate, momentum; /* of Adam; momentum is its beta1 */
    double real_target;
    uint64_t examples, log_every, train_limit;
    bool pictures, quiet, json;
} exp_gan_options;

extern const exp_option exp_gan_table[];
extern const exp_gan_options exp_gan_defaults;

/* Resolves the three sources and what is 0 for "usual" (exp_gan_table). NN_EARGUMENT for wrong usage, NN_EFILE for a --config that cannot be read. */
nn_status exp_gan_options_resolve(exp_gan_options *options, int argc, char **argv, nn_error *error);

/* Whether examples are points of the built-in mixture, not images. */
bool exp_gan_is_mixture(const exp_gan_options *options);

/* The steps of snapshots, rising, those above the number of steps left out, the last step always included.
 * NN_EARGUMENT. */
nn_status exp_gan_snapshot_steps(const exp_gan_options *options, uint64_t steps[EXP_GAN_SNAPSHOTS],
                                 int *count, nn_error *error);

/* The temperatures at which the generator follows SNNL, in units of the mean squared distance between real examples;
 * *count 0 for "optimal". NN_EARGUMENT. */
nn_status exp_gan_temperatures(const exp_gan_options *options, double temperatures[EXP_GAN_TEMPERATURES],
                               int *count, nn_error *error);

#endif
