/* child.h - another of these programs as a process of its own. */
#ifndef EXP_STUDY_CHILD_H
#define EXP_STUDY_CHILD_H

#include <signal.h>
#include <stdbool.h>

#include "framework/error.h"

typedef struct exp_child {
    const char *program;               /* its name: it lies beside this one */
    char *const *words;                /* of its command line, without the name; ended by NULL */
    const char *folder;                /* exists: the program runs in it */
    const char *log;                   /* file in the folder for all that it says */
    bool append;                       /* to what is in there */
    const volatile sig_atomic_t *stop; /* once set, the program is asked to end */
    void (*tick)(void *context);       /* called about once a second, and NULL is fine */
    void *context;
} exp_child;

/* Runs the program and waits for its end; *ended is the wait status. NN_EFILE where it cannot be started.
 *
 * It ends with this process, however that ends, and is in a process group of its own: of a terminal's interrupt
 * it hears through `stop` alone. Signals to the caller should interrupt it without SA_RESTART. */
nn_status exp_child_run(const exp_child *child, int *ended, nn_error *error);

#endif
