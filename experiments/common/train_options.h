/* train_options.h - everything that decides a training run, and where it comes from.
 *
 * Defaults, then the preset (experiments/NAME.ini), then the command line. config.ini in the run folder
 * records the result; `--preset RUN/config.ini` repeats the run, `--run RUN --resume` goes on with it. */
#ifndef EXP_TRAIN_OPTIONS_H
#define EXP_TRAIN_OPTIONS_H

#include "framework/framework.h"
#include "options.h"

typedef struct exp_train_options {
    char preset[EXP_TEXT_MAX], model[EXP_TEXT_MAX], dataset[EXP_TEXT_MAX], data[EXP_TEXT_MAX],
        run[EXP_TEXT_MAX];
    char image_size[EXP_TEXT_MAX]; /* "", "N" or "WIDTHxHEIGHT" */
    char init[EXP_TEXT_MAX], init_skip[EXP_TEXT_MAX], init_checksum[EXP_TEXT_MAX];
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
    bool resume, tensorboard, quiet, json, profile;
    bool dataset_named; /* on the command line: must be there, nothing may stand in for it */
    bool lengthened;    /* of a resumed run: it is to have another number of epochs or steps than before */
} exp_train_options;

extern const exp_option exp_train_table[];
extern const exp_train_options exp_train_defaults;

/* Resolves the three sources. With --resume config.ini of the run stands for defaults and preset, and the command line may
 * not change what exp_train_option_decides. NN_EARGUMENT for wrong usage. */
nn_status exp_train_options_resolve(exp_train_options *options, int argc, char **argv, nn_error *error);

/* The options of the run in a folder, by its config.ini. */
nn_status exp_train_options_of_run(const char *run, exp_train_options *options, nn_error *error);

/* Whether another value would make another run of it: all recorded options do but those that say how far it goes, how
 * often it is saved, and what is drawn from it. */
bool exp_train_option_decides(const exp_option *option);

/* Whether an option that decides has another value than before. The path of pictures may be another one: that they are the
 * same, the data set's checksum says. */
bool exp_train_option_changed(const exp_option *option, const char *before, const char *now);

/* The command that goes on with the run in a folder; returns `text`. */
enum { EXP_COMMAND_MAX = 2 * EXP_TEXT_MAX + 64 };
const char *exp_resume_command(const exp_train_options *options, const char *run, char text[EXP_COMMAND_MAX]);

/* The data root: --data, else $ENTANGLE_DATA, else "data". */
const char *exp_data_root(const char *data);

#endif
