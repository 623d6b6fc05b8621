/* credibility.h - whether Deep k-Nearest Neighbors notice an attack: they judge test images as they are, and under one
 * attack on the network whose layers they look at. */
#ifndef EXP_ATTACK_CREDIBILITY_H
#define EXP_ATTACK_CREDIBILITY_H

#include "evaluate.h"
#include "experiments/dknn/dknn.h"

enum { EXP_JUDGEMENT_BINS = 10 };

/* What was said of one set of inputs. */
typedef struct exp_credibility_judgement {
    double network_accuracy, accuracy; /* of the network, and of the DkNN */
    exp_calibration
        reliability[EXP_DKNN_VARIANTS]; /* credibility as confidence in the DkNN's prediction, in 10 bins */
} exp_credibility_judgement;

typedef struct exp_attack_credibility {
    /* Set by the caller. */
    exp_attack_method method;
    exp_epsilon epsilon;
    int neighbors, calibration, training; /* as in exp_dknn_options */
    int examples;                         /* the first so many test examples behind those for calibration */
    void (*report)(void *context, double done);
    void *context;

    exp_credibility_judgement clean, adversarial;
    double auroc[EXP_DKNN_VARIANTS]; /* of telling clean from adversarial inputs by their credibility */
} exp_attack_credibility;

/* NN_EARGUMENT where there are not enough test examples: to be known before the work is done. */
nn_status exp_attack_credibility_check(const exp_attack_credibility *credibility,
                                       const exp_attack_model *model, nn_error *error);

/* Attacks the evaluation's first model with its settings, but the method and epsilon given here. `examples` becomes the
 * number judged, fewer where there are not so many. After an early end, at NN_OK, the evaluation's *stop is not 0. */
nn_status exp_attack_credibility_measure(exp_attack_credibility *credibility,
                                         const exp_attack_evaluation *evaluation, nn_error *error);

#endif
