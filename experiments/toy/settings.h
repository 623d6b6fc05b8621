/* settings.h - everything that decides a run of ./toy, and where it comes from.
 *
 * Defaults (of minimising or of maximising), then --config FILE, then the command line. config.ini in the run
 * folder records the result. */
#ifndef EXP_TOY_OPTIONS_H
#define EXP_TOY_OPTIONS_H

#include "experiments/common/options.h"

enum { EXP_TOY_THRESHOLDS = 6 };                     /* at most */
enum { EXP_TOY_SNAPSHOTS = EXP_TOY_THRESHOLDS + 2 }; /* those, the start and the end */

typedef struct exp_toy_options {
    char config[EXP_TEXT_MAX], run[EXP_TEXT_MAX];
    uint64_t points, classes;
    double apart; /* what a class mean is from the origin; 0: labels are independent of the points */
    bool maximise;
    char temperature[EXP_TEXT_MAX]; /* a number, or "optimal" */
    char snapshots[EXP_TEXT_MAX];   /* "1.36,1.27", or "even" */
    double rate;
    uint64_t steps, seed, threads;
    bool pictures, quiet, json;
} exp_toy_options;

extern const exp_option exp_toy_table[];

/* What the options are where nothing else is said. Maximising starts from classes that are apart, at the optimal
 * temperature: independent labels are as entangled as can be already, and at a fixed temperature the loss has no
 * bound. */
extern const exp_toy_options exp_toy_minimising, exp_toy_maximising;

/* Resolves the three sources. NN_EARGUMENT for wrong usage, NN_EFILE for a --config that cannot be read. */
nn_status exp_toy_options_resolve(exp_toy_options *options, int argc, char **argv, nn_error *error);

/* The temperature as nn_snnl_measure takes it: 0 for optimal. NN_EARGUMENT. */
nn_status exp_toy_temperature(const exp_toy_options *options, double *temperature, nn_error *error);

/* The values at which snapshots are taken, in the order in which a run comes to them (falling where it minimises,
 * else rising); *count 0 for "even". NN_EARGUMENT. */
nn_status exp_toy_thresholds(const exp_toy_options *options, double thresholds[EXP_TOY_THRESHOLDS],
                             int *count, nn_error *error);

#endif
