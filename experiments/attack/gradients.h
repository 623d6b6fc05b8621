/* gradients.h - the structure of input gradients: how far the signs of the loss's gradient with respect to the image are
 * alike for images of one class, so that one image's gradient tells of others'. Their SNNL by class, at its optimal
 * temperature, is small where they are apart by class and near its limit where they are mixed; and a picture by t-SNE. */
#ifndef EXP_ATTACK_GRADIENTS_H
#define EXP_ATTACK_GRADIENTS_H

#include "evaluate.h"
#include "experiments/tsne/tsne.h"

typedef struct exp_gradient_signs {
    int count;           /* images; 0: not asked for */
    float *signs;        /* [count][size]: -1, 0 or 1, of cross-entropy's gradient for the true class */
    double *y;           /* [count][2]: their t-SNE */
    double vanished;     /* share of the images whose gradient is 0 in every pixel */
    nn_snnl_result snnl; /* of the signs, by the images' true classes */
    double limit;        /* SNNL at infinite temperature: of points without any structure */
    double perplexity, kl;
} exp_gradient_signs;

/* Of the first `count` (4 or more) of the evaluation's images. The t-SNE has a perplexity of 30, or what so many points
 * allow. To be freed after a failure too. After an early end, at NN_OK, *stop is not 0. */
nn_status exp_gradient_signs_new(exp_gradient_signs *signs, const exp_attack_evaluation *evaluation,
                                 int count, nn_error *error);
void exp_gradient_signs_free(exp_gradient_signs *signs);

/* The t-SNE, colored by true class, into FOLDER/gradients.png and .svg. */
nn_status exp_gradient_signs_draw(const exp_gradient_signs *signs, const exp_attack_evaluation *evaluation,
                                  const char *folder, nn_error *error);

#endif
