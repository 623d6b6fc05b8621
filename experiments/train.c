/* train - trains a classifier with cross-entropy minus the weighted soft nearest neighbor loss of its layers,
 * logs every layer's loss over the steps, evaluates and saves. */
#include <stdlib.h>
#include <string.h>

#include "common/data_options.h"
#include "common/program.h"
#include "common/training.h"
#include "framework/threads.h"

static const char usage[] =
    "usage: ./train [--preset NAME] [--snnl-weight [W]] [options]\n"
    "Trains a classifier with cross-entropy - W * (soft nearest neighbor loss of the hidden layers): W > 0 "
    "keeps\n"
    "classes entangled, W < 0 pulls them apart, 0 only measures. Leaves a run folder with metrics.csv, "
    "curves.png,\n"
    "summary.json, model.safetensors and a checkpoint: stopped in whatever way, it goes on with --run DIR "
    "--resume\n"
    "and ends with the same bits. Options, with their defaults before a preset is read:\n";

/* Loads the data set; where a preset's own one is missing, the built-in shapes stand in for it, and say so.
 */
static nn_status load(exp_train_options *options, data_set *set, nn_error *error) {
    const char *root = exp_data_root(options->data);
    char command[DATA_COMMAND_MAX];
    if (!options->dataset_named && data_is_named(options->dataset) && !data_present(options->dataset, root)) {
        fprintf(stderr,
                "NOTE: the data set %s is not in %s: training on the built-in 'shapes' instead. To get it: "
                "%s\n",
                options->dataset, root, data_fetch_command(options->dataset, root, command));
        strcpy(options->dataset, "shapes");
    }
    return data_load_as(set, options->dataset, root, exp_image_form(options->image_size),
                        (int)options->train_limit, (int)options->test_limit, error);
}

/* Whether the run to go on with is done already; then says so. */
static bool is_finished(const exp_train_options *options) {
    char *line;
    if (!options->resume || options->lengthened || !exp_summary_of_finished(options->run, &line))
        return false;
    if (!options->quiet)
        fprintf(stderr, "%s is finished: nothing to do (--epochs or --steps makes it longer)\n",
                options->run);
    if (options->json)
        puts(line);
    free(line);
    return true;
}

static void report(const exp_train_options *options, const exp_summary *summary) {
    char command[EXP_COMMAND_MAX];
    fprintf(stderr, "%s after %llu steps: %s (%.0f images/s, %.1f s)\n",
            summary->interrupted ? "interrupted" : "done", (unsigned long long)summary->steps, summary->run,
            summary->images_per_second, summary->seconds);
    if (summary->interrupted)
        fprintf(stderr, "to go on: %s\n", exp_resume_command(options, summary->run, command));
}

int main(int argc, char **argv) {
    exp_train_options options;
    data_set set;
    exp_summary summary;
    nn_error error = {0};
    exp_start(argv);
    if (exp_options_informed(exp_train_table, &exp_train_defaults, "train", usage, argc, argv))
        return 0;
    if (exp_train_options_resolve(&options, argc, argv, &error) != NN_OK)
        return exp_refuse("train", &error);

    if (is_finished(&options))
        return 0;
    exp_catch_interrupts();
    nn_threads_set((int)options.threads);
    if (load(&options, &set, &error) != NN_OK)
        return exp_fail("train", &error);
    nn_status status = exp_train(&options, &set, &exp_stop, &summary, &error);
    data_free(&set);
    if (status == NN_OK)
        status = exp_check_output(&error);
    if (status != NN_OK)
        return exp_fail("train", &error);
    if (!options.quiet)
        report(&options, &summary);
    return summary.interrupted ? EXP_INTERRUPTED : 0;
}
