/* schedule.h - the learning rate as a pure function of the step. */
#ifndef NN_SCHEDULE_H
#define NN_SCHEDULE_H

#include <stdint.h>

#include "api.h"

NN_API_BEGIN

typedef enum nn_schedule_kind {
    NN_SCHEDULE_CONSTANT,
    NN_SCHEDULE_STEP, /* a tenth after half of the steps, a hundredth after three quarters (He et al. 2016) */
    NN_SCHEDULE_COSINE,     /* half a cosine wave from the rate to 0 */
    NN_SCHEDULE_EXPONENTIAL /* falls by the same factor each step, to a thousandth at the end */
} nn_schedule_kind;

typedef struct nn_schedule {
    nn_schedule_kind kind;
    double rate;     /* the highest */
    uint64_t steps;  /* of the whole run */
    uint64_t warmup; /* the first steps rise linearly to the rate; the kind's curve spans the others */
} nn_schedule;

/* The rate of step 0..steps-1; with a warm-up of n steps, step i < n has rate (i + 1) / n of it. */
double nn_schedule_rate(const nn_schedule *schedule, uint64_t step);

NN_API_END

#endif
