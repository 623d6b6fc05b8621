/* scores.h - what an example's scores are: the larger one is, the more the example looks like the training examples.
 *
 *   softmax      max_c p_c, p = softmax(logits): Hendrycks and Gimpel, "A Baseline for Detecting Misclassified and
 *                Out-of-Distribution Examples in Neural Networks", 2017
 *   energy       log sum_c exp(logit_c): the negative energy at temperature 1 of Liu, Wang, Owens and Li, "Energy-based
 *                Out-of-distribution Detection", 2020
 *   credibility  of the Deep k-Nearest Neighbors (experiments/dknn/dknn.h)
 *   support      how many of the k L nearest training points in all layers are of the class that most of them are of.
 *                Credibility is a function of it that takes few values: 0 for everything less supported than the least
 *                supported calibration example.
 *
 * and, for a layer with reference points x_j of classes y_j (training examples) at a temperature T, as the soft nearest
 * neighbor loss has them:
 *
 *   density      log sum_k exp(-d_k / T)                                   d_k = |x - x_k|^2
 *   agreement    log( sum_{j: y_j = predicted} exp(-d_j / T) / sum_k exp(-d_k / T) )
 *
 * Density is low far from all training examples, whatever the network makes of the example. Agreement is minus the SNNL
 * of the point alone with the network's prediction as its label: it is low, whether near or far, where the neighbours are of
 * other classes than the prediction; far away from everything one class is often the nearest by much, and it is near 0
 * there, its largest value. So the former asks whether the point lies where training points lie, the latter whether
 * they are of one mind with the prediction. */
#ifndef EXP_OUTLIERS_SCORES_H
#define EXP_OUTLIERS_SCORES_H

typedef enum exp_score {
    EXP_SCORE_SOFTMAX,
    EXP_SCORE_ENERGY,
    EXP_SCORE_CREDIBILITY,
    EXP_SCORE_SUPPORT,
    EXP_SCORE_DENSITY, /* this and the next: one for each layer */
    EXP_SCORE_AGREEMENT,
    EXP_SCORES
} exp_score;

/* "softmax", ... */
extern const char *const exp_score_names[EXP_SCORES];

/* The logarithm of the largest probability, finite for finite logits: it ranks as the probability does, but does not
 * round to the same number, 1, for all that the network is very sure of. */
double exp_score_log_softmax(const float *logits, int classes);

double exp_score_energy(const float *logits, int classes);

/* From log S_c (density.h): log_sums[classes]. Without any reference point -inf. */
double exp_score_density(const double *log_sums, int classes);

/* At most 0; -inf where there is no reference point of the predicted class. */
double exp_score_agreement(const double *log_sums, int classes, int predicted);

#endif
