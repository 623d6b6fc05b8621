/* lock.h - one program at a time in a folder. */
#ifndef EXP_LOCK_H
#define EXP_LOCK_H

#include "framework/error.h"

/* Takes the folder for this process, by a lock on its file `lock`, until *lock is closed or the process ends, however that
 * ends. NN_EARGUMENT where another program has it: the message says to wait or to name another folder with `option`.
 * NN_EFILE. *lock is -1 after a failure. */
nn_status exp_lock_folder(const char *folder, const char *option, int *lock, nn_error *error);

#endif
