/* settings.h - which attacks a call of ./attack makes. */
#ifndef EXP_ATTACK_SETTINGS_H
#define EXP_ATTACK_SETTINGS_H

#include "attack.h"
#include "datasets/datasets.h"
#include "experiments/common/options.h"

enum { EXP_EPSILONS_MAX = 16, EXP_EPSILON_TEXT = 16, EXP_TARGETS_MAX = 16 };

/* A size of attacks, as written: "0.25" or "8/255". */
typedef struct exp_epsilon {
    double value;
    char text[EXP_EPSILON_TEXT];
} exp_epsilon;

/* What attacks aim for. */
typedef enum exp_attack_aim {
    EXP_AIM_NONE,  /* any class but the true one */
    EXP_AIM_CLASS, /* one class for all */
    EXP_AIM_NEXT,  /* the one after the true one, by number; the first after the last */
    EXP_AIM_LEAST  /* that of the model's smallest logit for the image itself */
} exp_attack_aim;

typedef struct exp_attack_settings {
    int method_count, epsilon_count;
    exp_attack_method methods[EXP_ATTACK_METHODS];
    exp_epsilon epsilons[EXP_EPSILONS_MAX]; /* ascending */
    exp_attack_aim aim;
    int target; /* of EXP_AIM_CLASS */
    int iterations;
    double step; /* 0: see exp_attack_step */
    uint64_t seed;
} exp_attack_settings;

exp_attack exp_attack_with(const exp_attack_settings *settings, exp_attack_method method, double epsilon);

/* Words separated by commas; NN_EARGUMENT naming --methods for an unknown or repeated one. */
nn_status exp_attack_read_methods(const char *text, exp_attack_method methods[EXP_ATTACK_METHODS], int *count,
                                  nn_error *error);

/* A number from 0 to 1, or a fraction of whole numbers of that range; `option` is named in messages. */
nn_status exp_attack_read_epsilon(const char *option, const char *text, exp_epsilon *epsilon,
                                  nn_error *error);

/* Some of them, separated by commas, into ascending order; each once. */
nn_status exp_attack_read_epsilons(const char *text, exp_epsilon epsilons[EXP_EPSILONS_MAX], int *count,
                                   nn_error *error);

/* The form of --target: "none", "next", "least-likely", or else a class, to be found once the data is there. */
exp_attack_aim exp_attack_read_aim(const char *text);

/* Sets the class that each image's attack is computed with: aims [count], which hold the least likely classes; labels
 * are the true ones. */
void exp_attack_take_aim(const exp_attack_settings *settings, int classes, int count, const int32_t *labels,
                         int32_t *aims);

/* A class by name or number. NN_EARGUMENT with the names there are. */
nn_status exp_attack_read_class(const char *text, const data_set *set, int *class, nn_error *error);

/* The paths of `text`, separated by commas, which are cut there; at most EXP_TARGETS_MAX. */
nn_status exp_attack_read_runs(char *text, const char *runs[EXP_TARGETS_MAX], int *count, nn_error *error);

/* Epsilons for images of so many channels: gray ones as digits, on which 0.3 is usual, else steps of a byte. */
const char *exp_attack_default_epsilons(int channels);
const char *exp_attack_default_epsilon(int channels);

#endif
