#include "program.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "program_names.h"

void exp_start(char **argv) {
    if (getenv("GOMP_SPINCOUNT") || getenv("OMP_WAIT_POLICY"))
        return;
    if (setenv("GOMP_SPINCOUNT", "10000", 1) == 0)
        execv("/proc/self/exe", argv); /* where that fails the program goes on as it is */
}

volatile sig_atomic_t exp_stop;

static void on_interrupt(int signal_number) {
    exp_stop = signal_number;
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
}

void exp_catch_interrupts(void) {
    signal(SIGINT, on_interrupt);
    signal(SIGTERM, on_interrupt);
}

int exp_refuse(const char *program, const nn_error *error) {
    fprintf(stderr, "%s: ", program);
    exp_print_calls(error->message, stderr);
    putc('\n', stderr);
    return EXP_WRONG_USAGE;
}

int exp_fail(const char *program, const nn_error *error) {
    exp_refuse(program, error);
    return error->status == NN_EARGUMENT ? EXP_WRONG_USAGE : EXP_FAILED;
}

nn_status exp_check_output(nn_error *error) {
    if (fflush(stdout) == 0 && !ferror(stdout))
        return NN_OK;
    return nn_fail(error, NN_EFILE, "cannot write to standard output");
}
