/* judge.h - what a trained classifier makes of generated images: how entangled its layers find them with real ones,
 * and which classes it sees in them. */
#ifndef EXP_GAN_JUDGE_H
#define EXP_GAN_JUDGE_H

#include "contrast.h"
#include "experiments/common/trained_run.h"
#include "real.h"

/* The classes that the classifier sees. */
typedef struct exp_gan_quality {
    int samples; /* 0: not measured */
    int classes;
    double top_probability;         /* mean probability of each sample's most probable class */
    double share[DATA_CLASSES_MAX]; /* of the samples whose most probable class it is */
    double least_share, entropy;    /* of the shares; log(classes) nats where they are equal */
} exp_gan_quality;

typedef struct exp_gan_judge {
    exp_trained_run run;
    int taps;
    exp_gan_contrast contrast[EXP_TAPS_MAX]; /* of each tap; the real examples' representations are set */
    exp_gan_quality real;                    /* of real images, for comparison */
} exp_gan_judge;

/* The classifier of a run folder of ./train on the same data. NN_EARGUMENT for one of other data. To be closed
 * after a failure too. */
nn_status exp_gan_judge_open(exp_gan_judge *judge, const exp_gan_options *options, const exp_gan_real *real,
                             nn_error *error);
void exp_gan_judge_close(exp_gan_judge *judge);

/* Sets the results of the taps' contrasts from the first images [as many as real->examples], and the quality of all
 * `count` of them; images are from -1 to 1. */
nn_status exp_gan_judge_look(exp_gan_judge *judge, const float *images, int count, exp_gan_quality *quality,
                             nn_error *error);

const char *exp_gan_judge_tap(const exp_gan_judge *judge, int tap);

#endif
