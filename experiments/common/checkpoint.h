/* checkpoint.h - the checkpoints in a run folder: from the newest a stopped run goes on, to the same bits.
 *
 *   checkpoint.safetensors           the newest (framework/checkpoint.h says what it holds)
 *   checkpoint.previous.safetensors  the one before, while the run goes on: should the newest be damaged
 *
 * The metadata of each: every option and the data set's checksum, by which a run that is not the same is refused, and where
 * the run stood. Nothing else decides what follows: batches, augmentation, dropout and learning rate are pure functions of
 * seed and step. */
#ifndef EXP_CHECKPOINT_H
#define EXP_CHECKPOINT_H

#include "run_folder.h"

/* Where a run stands. */
typedef struct exp_position {
    uint64_t step, images; /* taken so far */
    uint64_t steps;        /* planned in all */
    double seconds;        /* trained so far, over all its parts */
    double timed_seconds;  /* for the images per second: of timed steps alone, and their images */
    uint64_t timed_images;
} exp_position;

/* Of what, and where. */
typedef struct exp_checkpoint {
    const exp_run_folder *folder;
    const exp_train_options *options;
    const data_set *set;
    nn_optimizer *optimizer; /* and its store */
} exp_checkpoint;

/* What was found in a folder. */
typedef struct exp_checkpoint_found {
    bool any;
    exp_position position;
    char damage[256]; /* what is wrong with the newest checkpoint, where the previous was taken; else "" */
    char version[64]; /* of the program that wrote it */
} exp_checkpoint_found;

/* Makes the checkpoint the newest, and that the previous. At no moment is there none. On failure the old ones stay; where
 * the optimizer or its store has become NaN or infinite (NN_ENUMERIC) too. */
nn_status exp_checkpoint_save(const exp_checkpoint *checkpoint, const exp_position *position,
                              nn_error *error);

/* Puts optimizer and store where the newest checkpoint has them that is not damaged. Without any file found->any is false.
 * NN_EFORMAT where there are only damaged ones, or the data set is another; NN_EARGUMENT where an option is. */
nn_status exp_checkpoint_load(const exp_checkpoint *checkpoint, exp_checkpoint_found *found, nn_error *error);

/* Whether there is anything to load in a folder. */
bool exp_checkpoint_exists(const char *run);

/* For a run that is done: one is enough. */
void exp_checkpoint_drop_previous(const exp_run_folder *folder);

#endif
