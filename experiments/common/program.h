/* program.h - what every program does in the same way: its start, its interruption, its exit code. */
#ifndef EXP_PROGRAM_H
#define EXP_PROGRAM_H

#include <signal.h>

#include "framework/error.h"

/* Exit codes beside 0. */
enum { EXP_FAILED = 1, EXP_WRONG_USAGE = 2, EXP_INTERRUPTED = 130 };

/* Threads that wait for the rest of their team should spin for microseconds and then sleep. GNU OpenMP spins for
 * milliseconds by default: beside any other busy program training then takes twice as long and more (measured: 569
 * against 1,304 images/s). It reads its setting, GOMP_SPINCOUNT, while it is loaded: so the program sets it and starts
 * itself once more, unless the user has set a policy. Returns only when there is nothing (more) to set. */
void exp_start(char **argv);

/* The first Ctrl-C or SIGTERM sets exp_stop to its number, so that the program ends in order; the second one ends it at
 * once. */
extern volatile sig_atomic_t exp_stop;
void exp_catch_interrupts(void);

/* Prints "PROGRAM: message" to stderr, and gives the exit code: wrong usage for NN_EARGUMENT, else failed. */
int exp_fail(const char *program, const nn_error *error);

/* The same for options that cannot be taken: wrong usage. */
int exp_refuse(const char *program, const nn_error *error);

/* NN_EFILE where what was printed to standard output has not all been written. */
nn_status exp_check_output(nn_error *error);

#endif
