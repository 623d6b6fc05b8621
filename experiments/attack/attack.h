/* attack.h - adversarial examples: images moved by at most epsilon in every pixel, so that a classifier errs.
 *
 *   FGSM   x' = x + epsilon sign(g(x))                                        Goodfellow et al. 2015
 *   BIM    x_0 = x,      x_t+1 = P(x_t + step sign(g(x_t))), iterated         Kurakin et al. 2017
 *   PGD    as BIM, but x_0 is drawn evenly from the ball around x             Madry et al. 2018
 *
 * g(x) is the gradient of the loss with respect to the image, P brings every pixel back to within epsilon of x and to
 * 0..1. An untargeted attack lets the loss of the true class rise; a targeted one lets that of a chosen class fall (with
 * -g for g). All images are in 0..1: normalisation is the gradient's matter. */
#ifndef EXP_ATTACK_ATTACK_H
#define EXP_ATTACK_ATTACK_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "framework/error.h"

typedef enum exp_attack_method { EXP_FGSM, EXP_BIM, EXP_PGD, EXP_ATTACK_METHODS } exp_attack_method;

extern const char *const exp_attack_methods[]; /* "fgsm", ..., NULL */
extern const char *const exp_attack_titles[];  /* "FGSM", ...: for pictures */

typedef struct exp_attack {
    exp_attack_method method;
    double epsilon; /* 0..1 */
    int iterations; /* of BIM and PGD: 1 or more */
    double step;    /* of BIM and PGD; 0: see exp_attack_step */
    bool targeted;
    uint64_t seed; /* of PGD's start */
} exp_attack;

/* The size of a step: epsilon for FGSM; else as given, or, where that is 0, 2.5 epsilon / iterations, at most epsilon:
 * with it an image can cross the ball and come back (Madry et al.). */
double exp_attack_step(const exp_attack *attack);

/* gradient [count][size] = the gradient of each image's loss, for the class given, times any positive number: only
 * signs are used. */
typedef nn_status (*exp_attack_gradient)(void *context, int count, const float *images,
                                         const int32_t *classes, float *gradient, nn_error *error);

/* Images of `size` pixels, in 0..1. */
typedef struct exp_attack_batch {
    int count;
    size_t size;
    uint64_t first;                    /* place of the first one among all: PGD's start depends on it */
    const float *images;               /* [count][size] */
    const int32_t *classes;            /* [count]: the true ones, or those to be reached */
    const volatile sig_atomic_t *stop; /* once it is not 0 iterations end early; may be NULL */
} exp_attack_batch;

/* Writes adversarial [count][size]; gradient [count][size] is scratch. For every pixel |x' - x| <= epsilon and
 * 0 <= x' <= 1 hold exactly, in the floats that are written; epsilon 0 gives x itself. Each image's result depends on
 * nothing but its pixels, class and place. What the gradient fails with is passed on. */
nn_status exp_attack_images(const exp_attack *attack, exp_attack_gradient compute, void *context,
                            const exp_attack_batch *batch, float *adversarial, float *gradient,
                            nn_error *error);

#endif
