/* model.h - a trained run as a classifier of images in 0..1: what is attacked, or shown an attack on another.
 *
 * The model's own normalisation, (x - mean) / deviation by channel, is part of it. */
#ifndef EXP_ATTACK_MODEL_H
#define EXP_ATTACK_MODEL_H

#include "experiments/common/trained_run.h"

typedef struct exp_attack_model {
    exp_trained_run run;
    const char *path; /* the run's folder, the caller's text */
    char name[128];   /* the last part of it */
    size_t size;      /* pixels (of all channels) of an image */
} exp_attack_model;

/* purpose: EXP_ATTACK, or EXP_EVALUATE for what is only shown images. Without `training` the run's training examples are
 * left out, but for one, to save memory. To be closed after a failure too. */
nn_status exp_attack_model_open(exp_attack_model *model, const exp_run_request *request, exp_purpose purpose,
                                bool training, nn_error *error);
void exp_attack_model_close(exp_attack_model *model);

/* Whether images of the one can be shown to the other: NN_ESHAPE where not. */
nn_status exp_attack_models_agree(const exp_attack_model *source, const exp_attack_model *target,
                                  nn_error *error);

/* "mnist_cnn, SNNL weight 0.1, seed 2" */
void exp_attack_model_describe(const exp_attack_model *model, char *text, size_t size);

/* normalised [count][size] = (images - mean) / deviation; may be images. */
void exp_attack_normalise(const exp_attack_model *model, int count, const float *images, float *normalised);

/* The first largest logit of each of the images [count][size]; and the first smallest, unless least is NULL. */
nn_status exp_attack_predict(exp_attack_model *model, int count, const float *images, int32_t *predictions,
                             int32_t *least, nn_error *error);

/* An exp_attack_gradient: of cross-entropy; the model was opened with EXP_ATTACK. */
nn_status exp_attack_model_gradient(void *attacked, int count, const float *images, const int32_t *classes,
                                    float *gradient, nn_error *error);

#endif
