/* start.h - what a program does first. */
#ifndef EXP_START_H
#define EXP_START_H

/* Threads that wait for the rest of their team should spin for microseconds and then sleep. GNU OpenMP spins for
 * milliseconds by default: beside any other busy program training then takes twice as long and more (measured: 569
 * against 1,304 images/s). It reads its setting, GOMP_SPINCOUNT, while it is loaded: so the program sets it and starts
 * itself once more, unless the user has set a policy. Returns only when there is nothing (more) to set. */
void exp_start(char **argv);

#endif
