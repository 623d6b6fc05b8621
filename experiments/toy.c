/* toy - points in the plane, moved by gradient descent on their soft nearest neighbor loss. */
#include <signal.h>

#include "common/program.h"
#include "toy/run.h"

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

int main(int argc, char **argv) {
    exp_toy_options options;
    exp_toy_result result;
    nn_error error = {0};
    exp_start(argv);
    if (exp_options_informed(exp_toy_table, &exp_toy_minimising, "toy", usage, argc, argv))
        return 0;
    if (exp_toy_options_resolve(&options, argc, argv, &error) != NN_OK)
        return exp_refuse("toy", &error);

    exp_catch_interrupts();
    nn_status status = exp_toy_run(&options, &exp_stop, &result, &error);
    if (status == NN_OK)
        status = exp_check_output(&error);
    if (status != NN_OK)
        return exp_fail("toy", &error);
    if (!options.quiet)
        fprintf(stderr, "%s after %llu steps: SNNL %.6g to %.6g, see %s\n",
                result.interrupted ? "interrupted" : "done", (unsigned long long)result.steps,
                result.start_snnl, result.end_snnl, result.run);
    return result.interrupted ? EXP_INTERRUPTED : 0;
}
