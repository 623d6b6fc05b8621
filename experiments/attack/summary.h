/* summary.h - all numbers of a call of ./attack as JSON. */
#ifndef EXP_ATTACK_SUMMARY_H
#define EXP_ATTACK_SUMMARY_H

#include <cjson/cJSON.h>

#include "files.h"

/* {run, path, model, dataset, snnl_weight, seed, examples, clean_accuracy, target, iterations, start_seed,
 *  targets: [{run, path, model, snnl_weight, seed, clean_accuracy}],
 *  attacks: [{method, epsilon, step, accuracy, success, counted,
 *             transfer: [{run, accuracy, success, counted}]}],
 *  gradients: {examples, snnl, temperature, limit, vanished, perplexity, kl},
 *  credibility: {method, epsilon, neighbors, calibration, examples,
 *                clean, adversarial: {network_accuracy, dknn_accuracy, VARIANT: {mean, bins: [{count, accuracy}]}},
 *                auroc: {VARIANT}},
 *  seconds, threads, kernels, version}
 *
 * with VARIANT "conformal" and "trimmed"; bin m of the 10 holds credibilities above (m - 1) / 10 and up
 * to m / 10, the first one 0 too; accuracy of an empty bin and success where nothing counted are null. */
cJSON *exp_attack_summary(const exp_attack_findings *findings);

#endif
