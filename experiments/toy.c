/* toy - points in the plane, moved by gradient descent on their soft nearest neighbor loss. */
#include <signal.h>

#include "common/start.h"
#include "toy/run.h"

enum { FAILED = 1, WRONG_USAGE = 2, INTERRUPTED = 130 };

static const char usage[] =
    "usage: ./toy [--maximise] [options]\n"
    "Draws points from a normal distribution in the plane, labels them at random, and moves them by "
    "gradient\n"
    "descent on their soft nearest neighbor loss until classes are apart. Leaves a run folder with pictures "
    "of\n"
    "the points at the start and where the loss first comes down to each value of --snapshots (toy.png,\n"
    "snapshot-1.png, ...), an animation (toy.gif), toy.csv, points.csv and summary.json. The run ends with "
    "the\n"
    "last of these values, or after --steps.\n"
    "With --maximise classes start apart and are entangled: the defaults are then --apart 2 --temperature\n"
    "optimal --steps 300 --snapshots even, which means after each quarter of the steps. At a fixed "
    "temperature\n"
    "the loss can be raised without bound by moving points away from each other.\n"
    "In a step each point moves by RATE * T * (gradient of the sum of all points' losses): the same share "
    "of\n"
    "the distances between points for every number of points and every temperature.\n";

static volatile sig_atomic_t stop;

/* The first Ctrl-C ends the descent after the current step, the second one at once. */
static void on_interrupt(int signal_number) {
    stop = 1;
    signal(signal_number, SIG_DFL);
}

static int fail(const nn_error *error) {
    fprintf(stderr, "toy: %s\n", error->message);
    return error->status == NN_EARGUMENT ? WRONG_USAGE : FAILED;
}

int main(int argc, char **argv) {
    exp_toy_options options;
    exp_toy_result result;
    nn_error error = {0};
    exp_start(argv);
    if (exp_options_informed(exp_toy_table, &exp_toy_minimising, "toy", usage, argc, argv))
        return 0;
    if (exp_toy_options_resolve(&options, argc, argv, &error) != NN_OK) {
        fprintf(stderr, "toy: %s\n", error.message);
        return WRONG_USAGE;
    }
    signal(SIGINT, on_interrupt);
    signal(SIGTERM, on_interrupt);
    nn_status status = exp_toy_run(&options, &stop, &result, &error);
    if (status == NN_OK && (fflush(stdout) != 0 || ferror(stdout)))
        status = nn_fail(&error, NN_EFILE, "cannot write the summary to standard output");
    if (status != NN_OK)
        return fail(&error);
    if (!options.quiet)
        fprintf(stderr, "%s after %llu steps: SNNL %.6g to %.6g, see %s\n",
                result.interrupted ? "interrupted" : "done", (unsigned long long)result.steps,
                result.start_snnl, result.end_snnl, result.run);
    return result.interrupted ? INTERRUPTED : 0;
}
