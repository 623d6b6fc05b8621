/* initial.h - a training that begins with the weights of a file: --init. */
#ifndef EXP_INITIAL_H
#define EXP_INITIAL_H

#include "classifier.h"
#include "progress.h"

/* Fills the classifier's store from the file of options->init, or model.safetensors of the folder, leaving out what
 * options->init_skip says, and sets options->init_checksum. Says what was taken and what was left, and each tensor that does
 * not fit. NN_EFORMAT where one does not, or where the file is not the one of a checksum that is given; nothing is
 * changed then. */
nn_status exp_initial_load(exp_train_options *options, const data_set *set, exp_classifier *classifier,
                           exp_progress *progress, nn_error *error);

#endif
