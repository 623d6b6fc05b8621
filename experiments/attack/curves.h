/* curves.h - accuracy against epsilon. */
#ifndef EXP_ATTACK_CURVES_H
#define EXP_ATTACK_CURVES_H

#include "evaluate.h"

/* Draws both files. With one run a line for each method; with several a panel for each method, a line for each run.
 * NN_EFILE. */
nn_status exp_attack_curves_draw(const exp_attack_evaluation *evaluation, const char *png, const char *svg,
                                 nn_error *error);

#endif
