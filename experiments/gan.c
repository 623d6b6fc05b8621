/* gan - a generator trained against real data, and how entangled real and generated examples are on the way. */
#include <signal.h>

#include "common/start.h"
#include "framework/kernels/kernels.h"
#include "gan/run.h"

enum { FAILED = 1, WRONG_USAGE = 2, INTERRUPTED = 130 };

static const char usage[] =
    "usage: ./gan [--dataset NAME] [--objective NAME] [--classifier RUN] [options]\n"
    "Trains a generator and a discriminator against each other (a DCGAN), and measures over the steps the "
    "soft "
    "nearest\n"
    "neighbor loss of two classes, real and generated examples: as they become alike it rises to log 2 = "
    "0.693. "
    "With\n"
    "--objective snnl there is no discriminator: the generator raises that loss of its batches itself. "
    "Leaves a "
    "run\n"
    "folder with curves.png, snapshots.png (samples and t-SNE), samples-STEP.png, gan.csv, "
    "generator.safetensors "
    "and\n"
    "summary.json. With --classifier, a run folder of ./train, SNNL is also measured in its layers, and the "
    "samples'\n"
    "classes are counted. --dataset mixture: points in the plane, done in seconds. Ctrl-C ends in order.\n";

static volatile sig_atomic_t stop;

/* The first Ctrl-C ends training after the current step, the second one the program at once. */
static void on_interrupt(int signal_number) {
    stop = 1;
    signal(signal_number, SIG_DFL);
}

static int fail(const nn_error *error) {
    fprintf(stderr, "gan: %s\n", error->message);
    return error->status == NN_EARGUMENT ? WRONG_USAGE : FAILED;
}

int main(int argc, char **argv) {
    exp_gan_options options;
    exp_gan_result result;
    nn_error error = {0};
    exp_start(argv);
    if (exp_options_informed(exp_gan_table, &exp_gan_defaults, "gan", usage, argc, argv))
        return 0;
    if (exp_gan_options_resolve(&options, argc, argv, &error) != NN_OK) {
        fprintf(stderr, "gan: %s\n", error.message);
        return WRONG_USAGE;
    }
    signal(SIGINT, on_interrupt);
    signal(SIGTERM, on_interrupt);
    nn_threads_set((int)options.threads);
    if (exp_gan_run(&options, &stop, &result, &error) != NN_OK)
        return fail(&error);
    if (!options.quiet)
        fprintf(stderr, "%s after %llu steps, %.0f s of training: SNNL %.4f, see %s\n",
                result.interrupted ? "interrupted" : "done", (unsigned long long)result.steps, result.seconds,
                result.snnl, result.run);
    return result.interrupted ? INTERRUPTED : 0;
}
