/* evaluate.h - what attacks on one run do to it and, shown to them, to other runs.
 *
 *   accuracy  share of the adversarial images that a run gives their true class
 *   success   of the images that the attacked run and this one classify rightly while they are left alone ("counted"):
 *             the share that this one, shown the adversarial image, gives another class; in a targeted attack, the class
 *             aimed for, and images of that class do not count */
#ifndef EXP_ATTACK_EVALUATE_H
#define EXP_ATTACK_EVALUATE_H

#include <signal.h>

#include "model.h"
#include "settings.h"

/* What one attack did to one run. */
typedef struct exp_attack_row {
    int method, epsilon;      /* places in the settings */
    int model;                /* 0: the attacked one */
    double accuracy, success; /* success is NaN where nothing counted */
    int counted;
} exp_attack_row;

/* Images that one attack has made, [examples][size], and what the attacked run takes them for. */
typedef struct exp_attack_made {
    int method, epsilon; /* as above */
    const float *adversarial;
    const int32_t *predictions;
} exp_attack_made;

typedef struct exp_attack_evaluation {
    const exp_attack_settings *settings;
    exp_attack_model *models; /* [model_count]: the first is attacked */
    int model_count;
    int examples; /* the first so many of its test examples */
    /* Called, unless NULL, after each batch, with the share of all work that is done; and with each attack's images. */
    void (*report)(void *context, double done);
    nn_status (*made)(void *context, const exp_attack_made *made, nn_error *error);
    void *context;
    const volatile sig_atomic_t *stop; /* once it is not 0 the work ends early */

    float *images;        /* [examples][size], 0..1 */
    int32_t *labels;      /* [examples] */
    int32_t *classes;     /* [examples]: those that attacks are computed with */
    int32_t *predictions; /* [model_count][examples], of the images left alone */
    double *clean;        /* [model_count]: their accuracy */
    int row_count;
    exp_attack_row *rows; /* by method, epsilon, model */
} exp_attack_evaluation;

/* Sets images, labels, classes, predictions and clean, of the fields above report. To be closed after a failure too. */
nn_status exp_attack_evaluation_open(exp_attack_evaluation *evaluation, nn_error *error);
void exp_attack_evaluation_close(exp_attack_evaluation *evaluation);

/* What attacks aim for: "none", "next", "least-likely", or the class's name. Returns text. */
const char *exp_attack_target_text(const exp_attack_evaluation *evaluation, char *text, size_t size);

/* Makes all attacks and sets rows. After an early end, at NN_OK, *stop is not 0 and rows are incomplete. */
nn_status exp_attack_evaluate(exp_attack_evaluation *evaluation, nn_error *error);

/* Images of the first model's test set, in 0..1, from example `first` on. */
void exp_attack_test_images(const exp_attack_model *model, int first, int count, float *images,
                            int32_t *labels);

/* Attacks all images, batch by batch; *stop as above, done is called with the images attacked so far. */
nn_status exp_attack_all(const exp_attack *attack, exp_attack_model *model, const exp_attack_batch *all,
                         float *adversarial, const volatile sig_atomic_t *stop,
                         void (*done)(void *context, int images), void *context, nn_error *error);

#endif
