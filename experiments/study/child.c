#define _GNU_SOURCE /* O_CLOEXEC, sigtimedwait */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "experiments/common/program_names.h"

/* Signals as in a new process, so that an early one ends it, and nothing blocked. */
static void reset_signals(void) {
    sigset_t none;
    sigemptyset(&none);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* In the child: never returns. Only what is allowed between fork and exec. */
static void become(const exp_child *child, const char *program, char *const *argv, pid_t parent) {
    setpgid(0, 0);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent || chdir(child->folder) != 0)
        _exit(127);
    int log = open(child->log, O_WRONLY | O_CREAT | (child->append ? O_APPEND : O_TRUNC), 0666),
        nothing = open("/dev/null", O_RDONLY);
    if (log < 0 || nothing < 0)
        _exit(127);
    dup2(nothing, STDIN_FILENO);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    close(log);
    close(nothing);
    reset_signals();
    execv(program, argv);
    _exit(127);
}

static nn_status wait_for(const exp_child *child, pid_t process, const sigset_t *ends, int *ended,
                          nn_error *error) {
    const struct timespec second = {.tv_sec = 1};
    bool asked = false;
    for (;;) {
        pid_t found = waitpid(process, ended, WNOHANG);
        if (found == process)
            return NN_OK;
        if (found < 0 && errno != EINTR)
            return nn_fail(error, NN_EFILE, "cannot wait for %s: %s", child->program, strerror(errno));
        if (*child->stop && !asked)
            asked = kill(process, SIGINT) == 0;
        if (child->tick)
            child->tick(child->context);
        sigtimedwait(ends, NULL, &second);
    }
}

static nn_status start(const exp_child *child, pid_t *process, nn_error *error) {
    char program[PATH_MAX];
    pid_t parent = getpid();
    size_t count = 0;
    if (exp_program_find(child->program, program, error) != NN_OK)
        return error->status;
    while (child->words[count])
        count++;
    char **argv = calloc(count + 2, sizeof *argv);
    if (!argv)
        return nn_fail_memory(error, child->program);
    argv[0] = (char *)child->program;
    memcpy(argv + 1, child->words, count * sizeof *argv);
    fflush(NULL);
    *process = fork();
    if (*process == 0)
        become(child, program, argv, parent);
    free(argv);
    return *process > 0 ? NN_OK : nn_fail(error, NN_EFILE, "cannot start %s: %s", program, strerror(errno));
}

/* An interrupt that comes before the child is a program of its own is held back
 * from it until then; SIGCHLD is held back here until it is waited for. */
nn_status exp_child_run(const exp_child *child, int *ended, nn_error *error) {
    sigset_t ends, starting, before, waiting;
    pid_t process = 0;
    sigemptyset(&ends);
    sigaddset(&ends, SIGCHLD);
    starting = ends;
    sigaddset(&starting, SIGINT);
    sigaddset(&starting, SIGTERM);
    signal(SIGCHLD, SIG_DFL); /* ignored, as some parents leave it, children would end without a word */
    sigprocmask(SIG_BLOCK, &starting, &before);
    waiting = before;
    sigaddset(&waiting, SIGCHLD);
    nn_status status = start(child, &process, error);
    sigprocmask(SIG_SETMASK, &waiting, NULL);
    if (status == NN_OK)
        status = wait_for(child, process, &ends, ended, error);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return status;
}
