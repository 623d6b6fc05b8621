/* profile_table.h - how the time of a training step divides: ./train --profile. */
#ifndef EXP_PROFILE_TABLE_H
#define EXP_PROFILE_TABLE_H

#include <stdint.h>
#include <stdio.h>

#include "framework/framework.h"

/* Seconds of all steps of a run, and those of them outside the plan. */
typedef struct exp_step_times {
    uint64_t steps;
    double all;
    double data;      /* waiting for the next batch */
    double feed;      /* copying it to the plan's inputs */
    double optimizer; /* updates */
} exp_step_times;

/* Prints two tables of a profiled plan: one line for each op and direction, those that take longest first, and the
 * slowest layers. */
nn_status exp_profile_print(const nn_plan *plan, const exp_step_times *times, FILE *file, nn_error *error);

#endif
