#define _GNU_SOURCE /* O_CLOEXEC, sigtimedwait */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the training is given; removed after it, as its config.ini says the same. */
static const char options_file[] = "options.ini";

static nn_status write_options(const exp_child *child, const exp_train_options *options, nn_error *error) {
    char path[PATH_MAX], *text = NULL;
    size_t length = 0;
    snprintf(path, sizeof path, "%s/%s", child->folder, options_file);
    FILE *memory = open_memstream(&text, &length);
    if (!memory)
        return nn_fail_memory(error, path);
    exp_options_write(exp_train_table, options, memory);
    nn_status status =
        fclose(memory) == 0 ? nn_file_write_atomic(path, text, length, error) : nn_fail_memory(error, path);
    free(text);
    return status;
}

/* FOLDER/train, FOLDER being that of this program. */
static nn_status find_program(char path[PATH_MAX], nn_error *error) {
    ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 8);
    if (length <= 0)
        return nn_fail(error, NN_EFILE, "cannot tell where this program lies: %s", strerror(errno));
    path[length] = '\0';
    strcpy(strrchr(path, '/'), "/train");
    if (access(path, X_OK) != 0)
        return nn_fail(error, NN_EFILE, "%s: %s: build it with make", path, strerror(errno));
    return NN_OK;
}

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
    const int keep = child->resume ? O_APPEND : O_TRUNC;
    setpgid(0, 0);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent || chdir(child->folder) != 0)
        _exit(127);
    int log = open("train.log", O_WRONLY | O_CREAT | keep, 0666), nothing = open("/dev/null", O_RDONLY);
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
            return nn_fail(error, NN_EFILE, "cannot wait for the training: %s", strerror(errno));
        if (*child->stop && !asked)
            asked = kill(process, SIGINT) == 0;
        if (child->tick)
            child->tick(child->context);
        sigtimedwait(ends, NULL, &second);
    }
}

static nn_status start(const exp_child *child, const char *dataset, pid_t *process, nn_error *error) {
    char program[PATH_MAX], threads[32];
    snprintf(threads, sizeof threads, "%llu", (unsigned long long)child->threads);
    /* Named, the data set must be there: nothing may stand in for it. */
    char *const anew[] = {"train", "--preset", "./options.ini",     "--dataset", (char *)dataset, "--run",
                          ".",     "--data",   (char *)child->data, "--threads", threads,         "--quiet",
                          NULL};
    char *const resumed[] = {"train",     "--resume", "--run",   ".", "--data", (char *)child->data,
                             "--threads", threads,    "--quiet", NULL};
    pid_t parent = getpid();
    if (find_program(program, error) != NN_OK)
        return error->status;
    fflush(NULL);
    *process = fork();
    if (*process == 0)
        become(child, program, child->resume ? resumed : anew, parent);
    return *process > 0 ? NN_OK : nn_fail(error, NN_EFILE, "cannot start %s: %s", program, strerror(errno));
}

/* Starts the training and waits for its end. An interrupt that comes before the child is a program of its own is held back
 * from it until then; SIGCHLD is held back here until it is waited for. */
static nn_status start_and_wait(const exp_child *child, const char *dataset, int *ended, nn_error *error) {
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
    nn_status status = start(child, dataset, &process, error);
    sigprocmask(SIG_SETMASK, &waiting, NULL);
    if (status == NN_OK)
        status = wait_for(child, process, &ends, ended, error);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return status;
}

nn_status exp_child_train(const exp_child *child, const exp_train_options *options, int *ended,
                          nn_error *error) {
    char path[PATH_MAX];
    nn_status status = child->resume ? NN_OK : write_options(child, options, error);
    if (status == NN_OK)
        status = start_and_wait(child, options->dataset, ended, error);
    snprintf(path, sizeof path, "%s/%s", child->folder, options_file);
    if (status == NN_OK && WIFEXITED(*ended) && WEXITSTATUS(*ended) == 0)
        unlink(path);
    return status;
}
