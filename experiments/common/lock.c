#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "options.h"

nn_status exp_lock_folder(const char *folder, const char *option, int *lock, nn_error *error) {
    char path[EXP_TEXT_MAX + 16];
    snprintf(path, sizeof path, "%s/lock", folder);
    *lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (*lock < 0)
        return nn_fail(error, NN_EFILE, "cannot write %s: %s", path, strerror(errno));
    if (flock(*lock, LOCK_EX | LOCK_NB) == 0)
        return NN_OK;
    int code = errno;
    close(*lock);
    *lock = -1;
    if (code == EWOULDBLOCK)
        return nn_fail(error, NN_EARGUMENT,
                       "another program is at work in %s: wait for its end, or name another folder with %s",
                       folder, option);
    return nn_fail(error, NN_EFILE, "cannot lock %s: %s", path, strerror(code));
}
