/* run.h - one run of ./toy, from options to a finished run folder:
 *
 *   config.ini            every option, resolved
 *   toy.csv               a row per step: step,snnl,temperature
 *   points.csv            where the points are in every snapshot: step,x,y,label
 *   toy.png .svg          all snapshots side by side, and the loss over the steps
 *   snapshot-1.png ...    each snapshot
 *   toy.gif               the points moving
 *   summary.json          how it ended */
#ifndef EXP_TOY_RUN_H
#define EXP_TOY_RUN_H

#include <signal.h>

#include "record.h"
#include "settings.h"

typedef struct exp_toy_snapshot {
    uint64_t step;
    double snnl, temperature;
    double threshold; /* NAN: the start, the end, or an evenly spaced step */
} exp_toy_snapshot;

typedef struct exp_toy_result {
    char run[EXP_TEXT_MAX]; /* the folder */
    uint64_t steps;
    double start_snnl, end_snnl;
    double limit; /* see exp_toy_record_new */
    int snapshot_count, threshold_count;
    exp_toy_snapshot
        snapshots[EXP_TOY_SNAPSHOTS]; /* the first one is of the start, the last one of the end */
    exp_toy_threshold thresholds[EXP_TOY_THRESHOLDS];
    double seconds; /* of the descent alone */
    bool interrupted;
} exp_toy_result;

/* Runs and leaves a folder: options->run (an existing folder must hold no run), or a new one in runs/. `*stop`
 * becoming non-zero ends the descent after the current step, and the folder is completed. Tells on stderr which
 * thresholds were not reached and, unless options->quiet, of every snapshot. With options->json the summary also
 * goes to stdout. NN_EARGUMENT for options that are wrong or do not fit together, NN_ENUMERIC for points that
 * fly apart, NN_EFILE, NN_EMEMORY. */
nn_status exp_toy_run(const exp_toy_options *options, const volatile sig_atomic_t *stop,
                      exp_toy_result *result, nn_error *error);

#endif
