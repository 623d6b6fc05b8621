/* profile.h - where the time of a plan's runs goes: by node, forward and backward. */
#ifndef NN_PROFILE_H
#define NN_PROFILE_H

#include "plan.h"

NN_API_BEGIN

/* What one node did in one direction, in all runs since the profile was started. */
typedef struct nn_profile_line {
    const char *op, *layer; /* names of the node and its op */
    bool backward;
    uint64_t runs;
    double seconds; /* of all threads, divided by their number */
    double flop;  /* of matrix products, as by the formulas: a faster algorithm does fewer; 0 for other ops */
    double bytes; /* that are to be read and written at least, if nothing stays in a cache */
} nn_profile_line;

/* From now on the plan's runs are timed. */
nn_status nn_plan_profile(nn_plan *plan, nn_error *error);

/* Lines 0..count-1, in the order of a run. */
int nn_profile_count(const nn_plan *plan);
nn_profile_line nn_profile_line_at(const nn_plan *plan, int index);

/* Seconds of all runs, and those of them in which threads waited for each other, divided by their number: with the
 * lines' seconds they add up to all. */
double nn_profile_seconds(const nn_plan *plan);
double nn_profile_waiting(const nn_plan *plan);

NN_API_END

#endif
