/* train_options.h - everything that decides a training run, and where it comes from.
 *
 * Defaults, then the preset (experiments/NAME.ini), then the command line. config.ini in the run folder
 * records the result; `--preset RUN/config.ini` repeats the run. */
#ifndef EXP_TRAIN_OPTIONS_H
#define EXP_TRAIN_OPTIONS_H

#include "framework/framework.h"
#include "options.h"

typedef struct exp_train_options {
    char preset[EXP_TEXT_MAX], model[EXP_TEXT_MAX], dataset[EXP_TEXT_MAX], data[EXP_TEXT_MAX],
        run[EXP_TEXT_MAX];
    double snnl_weight, entangling_weight;
    char snnl_layers[EXP_TEXT_MAX];
    int distance; /* nn_distance */
    double temperature;
    int temperature_mode; /* nn_temperature_mode */
    double epochs;
    uint64_t steps, batch, seed, threads;
    int optimizer; /* nn_optimizer_kind */
    double rate, momentum;
    bool nesterov;
    double weight_decay;
    bool decay_all;
    int schedule;  /* nn_schedule_kind */
    double warmup; /* epochs */
    bool augment, balanced;
    uint64_t train_limit, test_limit;
    uint64_t log_every, eval_every, save_every;
    bool resume, quiet, json, profile;
    bool dataset_named; /* on the command line: must be there, nothing may stand in for it */
} exp_train_options;

extern const exp_option exp_train_table[];
extern const exp_train_options exp_train_defaults;

/* Resolves the three sources. NN_EARGUMENT for wrong usage. */
nn_status exp_train_options_resolve(exp_train_options *options, int argc, char **argv, nn_error *error);

/* The data root: --data, else $ENTANGLE_DATA, else "data". */
const char *exp_data_root(const char *data);

#endif
