/* contrast.h - the soft nearest neighbor loss of two classes of equal size: real and generated examples.
 *
 * High where they are entangled. At the temperature that minimises it the loss is at most log((2n - 1) / (n - 1)),
 * which is little above log 2: what two sets from the same distribution come to. */
#ifndef EXP_GAN_CONTRAST_H
#define EXP_GAN_CONTRAST_H

#include "framework/framework.h"

typedef struct exp_gan_contrast {
    int count, dims; /* of each class */
    float *x;        /* [2 * count][dims]: real, then generated */
    float *gradient; /* of the same shape; NULL where none is wanted */
    int32_t *labels; /* 0: real, 1: generated */
    void *workspace;
    nn_snnl_result result;
} exp_gan_contrast;

/* To be freed, after a failure too. */
nn_status exp_gan_contrast_new(exp_gan_contrast *contrast, int count, size_t dims, bool gradient,
                               nn_error *error);
void exp_gan_contrast_free(exp_gan_contrast *contrast);

/* Where examples are to be put, [count][dims] of each class. */
float *exp_gan_contrast_real(const exp_gan_contrast *contrast);
float *exp_gan_contrast_generated(const exp_gan_contrast *contrast);

/* Puts both there. */
void exp_gan_contrast_set(exp_gan_contrast *contrast, const float *real, const float *generated);

/* Sets the result: the loss at its optimal temperature. NN_ENUMERIC where an example is not finite. */
nn_status exp_gan_contrast_measure(exp_gan_contrast *contrast, nn_error *error);

/* Sets the result: the mean loss at `count` temperatures, in units of the mean squared distance between the real
 * examples; or at the optimal one where count is 0. Sets *gradient, which was asked for, to its gradient with respect
 * to the generated examples, [count][dims]. NN_ENUMERIC as above. */
nn_status exp_gan_contrast_follow(exp_gan_contrast *contrast, const double *temperatures, int count,
                                  const float **gradient, nn_error *error);

#endif
