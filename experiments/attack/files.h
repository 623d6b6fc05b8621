/* files.h - what ./attack leaves in a folder:
 *
 *   attack.csv            a row for every attack and run; method "none" for the images left alone
 *   curves.png .svg       accuracy against epsilon
 *   examples-METHOD.png   adversarial examples
 *   gradients.png .svg    the signs of input gradients by t-SNE
 *   credibility.png .svg  what Deep k-Nearest Neighbors say
 *   summary.json          all numbers; written last */
#ifndef EXP_ATTACK_FILES_H
#define EXP_ATTACK_FILES_H

#include <stdio.h>

#include "credibility.h"
#include "gradients.h"
#include "sheet.h"

typedef struct exp_attack_findings {
    const exp_attack_evaluation *evaluation;
    const exp_attack_sheet *sheet;
    const exp_gradient_signs *gradients;       /* count 0: none */
    const exp_attack_credibility *credibility; /* NULL: none */
    double seconds;
} exp_attack_findings;

/* Writes everything; the summary also as a line to `output`, unless that is NULL. */
nn_status exp_attack_write(const exp_attack_findings *findings, const char *folder, FILE *output,
                           nn_error *error);

/* An attack's images as STEM-METHOD-EPSILON.npy, float32 [examples][height][width][channels] in 0..1; a / in the epsilon
 * becomes _. */
nn_status exp_attack_dump(const exp_attack_evaluation *evaluation, const exp_attack_made *made,
                          const char *stem, nn_error *error);

/* The true classes as STEM-labels.npy, int64 [examples]; of a targeted attack, those aimed for as STEM-targets.npy. */
nn_status exp_attack_dump_classes(const exp_attack_evaluation *evaluation, const char *stem, nn_error *error);

#endif
