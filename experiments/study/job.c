#define _GNU_SOURCE /* nftw */
#include "job.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int remove_one(const char *path, const struct stat *found, int kind, struct FTW *place) {
    (void)found, (void)kind, (void)place;
    return remove(path);
}

/* Removes FOLDER and the ending with all that is in it; none is fine. */
static nn_status remove_folder(const char *folder, const char *ending, nn_error *error) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s%s", folder, ending);
    if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT)
        return NN_OK;
    return nn_fail(error, NN_EFILE, "cannot remove %s: %s", path, strerror(errno));
}

nn_status exp_job_prepare(const char *folder, nn_error *error) {
    char partial[PATH_MAX];
    if (remove_folder(folder, ".partial", error) != NN_OK || remove_folder(folder, ".failed", error) != NN_OK)
        return error->status;
    if (access(folder, F_OK) == 0)
        return nn_fail(error, NN_EFILE, "%s holds no finished run: remove it", folder);
    snprintf(partial, sizeof partial, "%s.partial", folder);
    if (mkdir(partial, 0777) != 0)
        return nn_fail(error, NN_EFILE, "cannot make %s: %s", partial, strerror(errno));
    return NN_OK;
}

nn_status exp_job_run(const char *folder, const exp_child *child, exp_job_end *end, int *ended,
                      nn_error *error) {
    char path[PATH_MAX];
    nn_status status = exp_child_run(child, ended, error);
    if (status != NN_OK)
        return status;
    bool done = WIFEXITED(*ended) && WEXITSTATUS(*ended) == 0;
    *end = done ? EXP_JOB_DONE : *child->stop ? EXP_JOB_STOPPED : EXP_JOB_FAILED;
    if (*end == EXP_JOB_STOPPED)
        return NN_OK;
    snprintf(path, sizeof path, "%s%s", folder, done ? "" : ".failed");
    if (rename(child->folder, path) == 0)
        return NN_OK;
    return nn_fail(error, NN_EFILE, "cannot rename %s to %s: %s", child->folder, path, strerror(errno));
}
