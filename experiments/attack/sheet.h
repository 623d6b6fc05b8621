/* sheet.h - adversarial examples to look at: a row for an image, a column for an epsilon. */
#ifndef EXP_ATTACK_SHEET_H
#define EXP_ATTACK_SHEET_H

#include "evaluate.h"

enum { EXP_SHEET_ROWS = 10 };

/* The images shown, and what each attack made of them. */
typedef struct exp_attack_sheet {
    const exp_attack_evaluation *evaluation;
    int count;
    int chosen[EXP_SHEET_ROWS]; /* places among the evaluation's images */
    float *adversarial;         /* [method][epsilon][count][size] */
    int32_t *predictions;       /* [method][epsilon][count] */
} exp_attack_sheet;

/* Of an evaluation that is open: of each class, in their order, the first image that the attacked run classifies
 * rightly. To be freed after a failure too. */
nn_status exp_attack_sheet_new(exp_attack_sheet *sheet, const exp_attack_evaluation *evaluation,
                               nn_error *error);
void exp_attack_sheet_free(exp_attack_sheet *sheet);

/* Keeps what is to be shown of an attack's images. */
void exp_attack_sheet_take(exp_attack_sheet *sheet, const exp_attack_made *made);

/* Draws the images left alone and under a method's attacks, each with the class that the attacked run gives it. With no
 * image to show nothing is drawn. NN_EFILE. */
nn_status exp_attack_sheet_draw(const exp_attack_sheet *sheet, int method, const char *png, nn_error *error);

#endif
