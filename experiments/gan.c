/* gan - a generator trained against real data, and how entangled real and generated examples are on the way. */
#include <signal.h>

#include "common/program.h"
#include "framework/threads.h"
#include "gan/run.h"

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

int main(int argc, char **argv) {
    exp_gan_options options;
    exp_gan_result result;
    nn_error error = {0};
    exp_start(argv);
    if (exp_options_informed(exp_gan_table, &exp_gan_defaults, "gan", usage, argc, argv))
        return 0;
    if (exp_gan_options_resolve(&options, argc, argv, &error) != NN_OK)
        return exp_refuse("gan", &error);

    exp_catch_interrupts();
    nn_threads_set((int)options.threads);
    if (exp_gan_run(&options, &exp_stop, &result, &error) != NN_OK)
        return exp_fail("gan", &error);
    if (!options.quiet)
        fprintf(stderr, "%s after %llu steps, %.0f s of training: SNNL %.4f, see %s\n",
                result.interrupted ? "interrupted" : "done", (unsigned long long)result.steps, result.seconds,
                result.snnl, result.run);
    return result.interrupted ? EXP_INTERRUPTED : 0;
}
