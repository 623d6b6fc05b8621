/* train - trains a classifier with cross-entropy minus the weighted soft nearest neighbor loss of its layers,
 * logs every layer's loss over the steps, evaluates and saves. */
#include <stdlib.h>
#include <string.h>

#include "common/training.h"
#include "framework/kernels/kernels.h"

enum { FAILED = 1, WRONG_USAGE = 2, INTERRUPTED = 130 };

static const char usage[] =
    "usage: ./train [--preset NAME] [--snnl-weight [W]] [options]\n"
    "Trains a classifier with cross-entropy - W * (soft nearest neighbor loss of the hidden layers): W > 0 "
    "keeps\n"
    "classes entangled, W < 0 pulls them apart, 0 only measures. Leaves a run folder with metrics.csv, "
    "curves.png,\n"
    "summary.json and model.safetensors. Options, with their defaults before a preset is read:\n";

static volatile sig_atomic_t stop;

/* The first Ctrl-C ends the run after the current step, the second one at once. */
static void on_interrupt(int signal_number) {
    stop = 1;
    signal(signal_number, SIG_DFL);
}

/* Loads the data set; where a preset's own one is missing, the built-in shapes stand in for it, and say so.
 */
static nn_status load(exp_train_options *options, data_set *set, nn_error *error) {
    const char *root = exp_data_root(options->data);
    if (!options->dataset_named && !data_present(options->dataset, root)) {
        fprintf(stderr,
                "NOTE: the data set %s is not in %s: training on the built-in 'shapes' instead. To get it: "
                "scripts/fetch %s\n",
                options->dataset, root, options->dataset);
        strcpy(options->dataset, "shapes");
    }
    return data_load(set, options->dataset, root, (int)options->train_limit, (int)options->test_limit, error);
}

static void describe(const data_set *set) {
    fprintf(stderr, "data     %s from %s, checksum %016llx\n", set->name, set->source,
            (unsigned long long)set->checksum);
    fprintf(stderr, "         %d training and %d test images of %d x %d x %d, %d classes:", set->train.count,
            set->test.count, set->height, set->width, set->channels, set->classes);
    for (int i = 0; i < set->classes; i++)
        fprintf(stderr, " %s", set->class_names[i]);
    fputc('\n', stderr);
}

static int fail(const nn_error *error) {
    fprintf(stderr, "train: %s\n", error->message);
    return error->status == NN_EARGUMENT ? WRONG_USAGE : FAILED;
}

int main(int argc, char **argv) {
    exp_train_options options;
    data_set set;
    exp_summary summary;
    nn_error error = {0};
    if (exp_options_informed(exp_train_table, &exp_train_defaults, "train", usage, argc, argv))
        return 0;
    if (exp_train_options_resolve(&options, argc, argv, &error) != NN_OK) {
        fprintf(stderr, "train: %s\n", error.message);
        return WRONG_USAGE;
    }
    signal(SIGINT, on_interrupt);
    signal(SIGTERM, on_interrupt);
    nn_threads_set((int)options.threads);
    if (load(&options, &set, &error) != NN_OK)
        return fail(&error);
    if (!options.quiet)
        describe(&set);
    nn_status status = exp_train(&options, &set, &stop, &summary, &error);
    data_free(&set);
    if (status != NN_OK)
        return fail(&error);
    if (!options.quiet)
        fprintf(stderr, "%s after %llu steps: %s (%.0f images/s, %.1f s)\n",
                summary.interrupted ? "interrupted" : "done", (unsigned long long)summary.steps, summary.run,
                summary.images_per_second, summary.seconds);
    return summary.interrupted ? INTERRUPTED : 0;
}
