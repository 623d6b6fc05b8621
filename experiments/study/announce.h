/* announce.h - what a user sees on stderr while studies go on: on a terminal one line that is rewritten, elsewhere one
 * line for every run that ends. */
#ifndef EXP_STUDY_ANNOUNCE_H
#define EXP_STUDY_ANNOUNCE_H

#include <stdbool.h>

#include "study.h"

typedef struct exp_announcer {
    bool quiet, terminal;
    int total; /* of all runs */
    /* of the run under way: */
    int number; /* from 1 */
    char name[EXP_RUN_NAME_MAX + EXP_STUDY_NAME_MAX];
    double begin, left; /* exp_seconds() then; seconds left for all then, NaN: unknown */
    double accuracy;    /* of the training that ended last, 0 to 1, NaN: unknown */
} exp_announcer;

/* The run under way; `context` is the announcer. For exp_child's tick. */
void exp_announce_running(void *context);

/* The run has ended well; accuracy is NaN where it has none. */
void exp_announce_done(const exp_announcer *announcer, double accuracy);

/* The run has failed, with this wait status and this log. */
void exp_announce_failure(const exp_announcer *announcer, int ended, const char *log);

/* Nothing is under way any more. */
void exp_announce_end(const exp_announcer *announcer);

#endif
