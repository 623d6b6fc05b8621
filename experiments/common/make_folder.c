#include "make_folder.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_NAME_MAX = 64 }; /* what stays free for "/NAME" behind a run folder's path */

nn_status exp_make_folders(const char *path, nn_error *error) {
    char part[EXP_TEXT_MAX];
    snprintf(part, sizeof part, "%s", path);
    for (char *slash = part + 1;; slash++) {
        if (*slash != '/' && *slash != '\0')
            continue;
        char kept = *slash;
        *slash = '\0';
        if (mkdir(part, 0777) != 0 && errno != EEXIST)
            return nn_fail(error, NN_EFILE, "cannot make the folder %s: %s", part, strerror(errno));
        *slash = kept;
        if (!kept)
            return NN_OK;
    }
}

nn_status exp_folder_without_run(const char *path, nn_error *error) {
    char config[EXP_TEXT_MAX + FILE_NAME_MAX];
    snprintf(config, sizeof config, "%s/config.ini", path);
    if (access(config, F_OK) != 0)
        return NN_OK;
    return nn_fail(error, NN_EARGUMENT,
                   "--run: %s holds a run already: name another folder, or remove that one", path);
}

nn_status exp_make_folder_named(char path[EXP_TEXT_MAX], const char *named, nn_error *error) {
    if (strlen(named) >= EXP_TEXT_MAX - FILE_NAME_MAX)
        return nn_fail(error, NN_EARGUMENT, "--run: the path is too long");
    strcpy(path, named);
    nn_status status = exp_make_folders(path, error);
    return status == NN_OK ? exp_folder_without_run(path, error) : status;
}

nn_status exp_make_folder_new(char path[EXP_TEXT_MAX], const char *stem, nn_error *error) {
    char again[16] = "";
    nn_status status = exp_make_folders("runs", error);
    for (int i = 1; status == NN_OK; i++) {
        if (i > 1)
            snprintf(again, sizeof again, "-%d", i);
        snprintf(path, EXP_TEXT_MAX, "runs/%s%s", stem, again);
        if (mkdir(path, 0777) == 0)
            break;
        if (errno != EEXIST)
            status = nn_fail(error, NN_EFILE, "cannot make the folder %s: %s", path, strerror(errno));
    }
    return status;
}
