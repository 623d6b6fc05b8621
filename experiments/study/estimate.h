/* estimate.h - how long the runs that are still missing will take. */
#ifndef EXP_STUDY_ESTIMATE_H
#define EXP_STUDY_ESTIMATE_H

#include "results.h"

/* A run's work and, once it has been done, its time. */
typedef struct exp_timing {
    const char *model, *dataset;
    double images;  /* trained on, over all epochs */
    double seconds; /* NaN: still to be done */
} exp_timing;

/* Seconds for those still to be done, at the mean speed of finished runs of the same model and data set; where there is
 * none, of the same model; else of any. NaN where nothing has been done yet, 0 where nothing is left. */
double exp_seconds_left(const exp_timing *timings, int count);

/* The same for a table's runs and analyses, each counted once; failed ones count as still to be done, skipped ones not at
 * all. An analysis takes as long as those of the same kind have taken, of the same network if there are such; one of a
 * kind that has never been done is taken for a minute. */
nn_status exp_study_seconds_left(const exp_study_table *table, double *seconds, nn_error *error);

#endif
