/* real.h - the real examples that a generator is to imitate: images of a data set, or points of a mixture. */
#ifndef EXP_GAN_REAL_H
#define EXP_GAN_REAL_H

#include "datasets/datasets.h"
#include "settings.h"

/* The mixture: EXP_GAN_CENTERS Gaussians in the plane, equally likely, on a circle. */
enum { EXP_GAN_CENTERS = 8 };
extern const double exp_gan_circle, exp_gan_deviation; /* radius; standard deviation of a coordinate */

typedef struct exp_gan_real {
    data_set set; /* empty for the mixture */
    data_loader *loader;
    nn_stream stream; /* of the mixture's points */
    char name[DATA_NAME_MAX];
    int height, width, channels;
    size_t row; /* numbers of an example */
    int batch;
    float *points; /* the mixture's last batch */
    int examples;  /* to be measured with: what was asked for, or half of what there is */
    float *held;   /* [2 * examples][row], of the test set where there is one: never trained on */
} exp_gan_real;

/* Images are B,H,W,C from -1 to 1; the mixture's examples are points, as images of 1 x 1 x 2. NN_EFILE where the
 * data set is missing, NN_EARGUMENT where it has too few examples. To be closed after a failure too. */
nn_status exp_gan_real_open(exp_gan_real *real, const exp_gan_options *options, nn_error *error);
void exp_gan_real_close(exp_gan_real *real);

/* The next batch, [batch][row]: valid until the next call. */
const float *exp_gan_real_next(exp_gan_real *real);

#endif
