/* judgement.h - what Deep k-Nearest Neighbors said of images as they are, and under attack, as a picture. */
#ifndef EXP_ATTACK_JUDGEMENT_H
#define EXP_ATTACK_JUDGEMENT_H

#include "credibility.h"

/* Two panels: over credibility in 10 bins, how many images (bars) and how many of these the DkNN gets right (line), by the
 * trimmed p-values of the authors' code. NN_EFILE. */
nn_status exp_attack_judgement_draw(const exp_attack_credibility *credibility,
                                    const exp_attack_evaluation *evaluation, const char *png, const char *svg,
                                    nn_error *error);

#endif
