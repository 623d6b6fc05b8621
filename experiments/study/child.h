/* child.h - one training as a process of its own. */
#ifndef EXP_STUDY_CHILD_H
#define EXP_STUDY_CHILD_H

#include <signal.h>

#include "experiments/common/train_options.h"

typedef struct exp_child {
    const char *folder; /* exists: the training runs in it */
    bool resume;        /* it holds a run with a checkpoint: that is gone on with; else it is empty */
    const char *data;   /* data root, from / on */
    uint64_t threads;
    const volatile sig_atomic_t *stop; /* once set, the training is asked to end */
    void (*tick)(void *context);       /* called about once a second, and NULL is fine */
    void *context;
} exp_child;

/* Trains `options`, which are those of the run to be gone on with too, by the program `train` beside this one and waits for its end. Leaves a run folder, and there train.log:
 * what the program said. *ended is the wait status. NN_EFILE where the program cannot be started.
 *
 * The training ends with this process, however that ends, and is in a process group of its own: of a terminal's interrupt
 * it hears through `stop` alone. Signals to the caller should interrupt it without SA_RESTART. */
nn_status exp_child_train(const exp_child *child, const exp_train_options *options, int *ended,
                          nn_error *error);

#endif
