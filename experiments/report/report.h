/* report.h - studies as one page that needs nothing but itself. */
#ifndef EXP_REPORT_H
#define EXP_REPORT_H

#include "experiments/study/results.h"

/* What the page says beside the results. */
typedef struct exp_report_facts {
    const char *command; /* that made it */
    const char *size;    /* "quick", "default" or "full" */
    const char *note;    /* of the caller on its data; NULL: none */
    const char *data;    /* data root: layers of the trained networks are drawn on test examples */
    const char *toy;     /* run folder of ./toy; NULL: none */
    double seconds; /* that this call took; those of earlier ones, which it went on with, are in the runs */
} exp_report_facts;

/* Writes OUT/report.html from what is in OUT (see study_results.h), and its figures to OUT/figures/. NN_EFILE where that
 * fails; a report that was there stays as it was then. */
nn_status exp_report_write(const exp_study_table *table, const exp_study *studies, int count,
                           const exp_report_facts *facts, nn_error *error);

#endif
