/* progress.h - what a user sees on stderr while a run goes on.
 *
 * On a terminal one line that is rewritten a few times a second; elsewhere a plain line now and then. */
#ifndef EXP_PROGRESS_H
#define EXP_PROGRESS_H

#include "run_folder.h"

typedef struct exp_progress {
    bool quiet, terminal;
    double last;           /* when something was last shown, in seconds */
    double loss, accuracy; /* smoothed over steps */
    uint64_t shown;        /* steps seen so far */
} exp_progress;

exp_progress exp_progress_begin(bool quiet);

/* After each step. epochs and steps are the run's totals; per_second: images, of training alone. */
void exp_progress_step(exp_progress *progress, const exp_classifier *classifier, const exp_row *row,
                       double epochs, uint64_t steps, double per_second);

/* Work that is measured by its share done, 0 to 1: "judging test images  40%". */
void exp_progress_part(exp_progress *progress, const char *doing, double done);

/* A whole line, which stays. */
void exp_progress_say(exp_progress *progress, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same, said even when quiet. */
void exp_progress_warn(exp_progress *progress, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What is to be known of a data set, its note, unless that is "". */
void exp_progress_note(exp_progress *progress, const char *name, const char *note);

/* Rewrites the terminal's last line, as far as it is wide; "" clears it. */
void exp_terminal_line(const char *line);

/* Seconds on a clock that never goes back. */
double exp_seconds(void);

#endif
