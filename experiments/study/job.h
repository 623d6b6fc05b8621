/* job.h - the run of a program that leaves a whole folder or none.
 *
 * While it is under way the folder is called FOLDER.partial, after a failure FOLDER.failed. */
#ifndef EXP_STUDY_JOB_H
#define EXP_STUDY_JOB_H

#include "child.h"

typedef enum exp_job_end {
    EXP_JOB_DONE,   /* FOLDER is there */
    EXP_JOB_FAILED, /* FOLDER.failed is there */
    EXP_JOB_STOPPED /* FOLDER.partial is there, of no use */
} exp_job_end;

/* Makes an empty FOLDER.partial; removes what earlier tries have left. NN_EFILE, also where FOLDER is there. */
nn_status exp_job_prepare(const char *folder, nn_error *error);

/* Runs the child, whose folder is FOLDER.partial, and gives that the name that its end asks for. *ended is the child's wait
 * status. NN_EFILE where it cannot be started or the folder cannot be renamed. */
nn_status exp_job_run(const char *folder, const exp_child *child, exp_job_end *end, int *ended,
                      nn_error *error);

#endif
