/* training.h - one training run, from options to a finished run folder. */
#ifndef EXP_TRAINING_H
#define EXP_TRAINING_H

#include <signal.h>

#include "summary.h"

/* Trains on the set's training examples and leaves a run folder; with options->resume goes on with the one that is there,
 * to the same bits. `*stop` becoming non-zero ends the run after the current step: checkpoint and model are saved, the final
 * evaluation is left out. With `json` the summary also goes to stdout. */
nn_status exp_train(const exp_train_options *options, const data_set *set, const volatile sig_atomic_t *stop,
                    exp_summary *summary, nn_error *error);

#endif
