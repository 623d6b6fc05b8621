/* run.h - one run of ./gan, from options to a finished run folder:
 *
 *   config.ini                 every option, resolved
 *   gan.csv                    a row at every look: losses, SNNL of real and generated examples (record.h)
 *   samples-STEP.png           images of the same latent vectors at every snapshot
 *   curves.png .svg            gan.csv over the steps
 *   snapshots.png              every snapshot: samples, and t-SNE of real and generated examples, or the points
 *   generator.safetensors, discriminator.safetensors
 *   summary.json               how it ended; written last */
#ifndef EXP_GAN_RUN_H
#define EXP_GAN_RUN_H

#include <signal.h>

#include "record.h"

typedef struct exp_gan_result {
    char run[EXP_TEXT_MAX]; /* the folder */
    uint64_t steps;
    double snnl, seconds; /* of the last row; of training alone */
    bool interrupted;
} exp_gan_result;

/* Runs and leaves a folder. `*stop` becoming non-zero ends training after the current step, and the folder is
 * completed. With options->json the summary also goes to stdout. NN_EARGUMENT for options that are wrong or do not fit
 * together, NN_ENUMERIC where training leaves the range of numbers, NN_EFILE, NN_EMEMORY. */
nn_status exp_gan_run(const exp_gan_options *options, const volatile sig_atomic_t *stop,
                      exp_gan_result *result, nn_error *error);

#endif
