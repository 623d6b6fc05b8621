/* neighbors - the Deep k-Nearest Neighbors of a trained run. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "common/program.h"
#include "common/progress.h"
#include "framework/threads.h"
#include "neighbors/examine.h"

static const char usage[] =
    "usage: ./neighbors --run DIR [options]\n"
    "The Deep k-Nearest Neighbors of a run of ./train: for each test image the nearest training images in "
    "every\n"
    "layer, and by their labels a prediction, its credibility (how well the training set supports it) and "
    "its\n"
    "confidence (how little it supports any other). The first test images calibrate, the others are judged.\n"
    "Writes to OUT: neighbors.csv (a row per image), neighbors.png and .svg (images with their neighbors),\n"
    "credibility.png and .svg (reliability diagram, histogram) and, last, summary.json. With --outliers also "
    "how "
    "well\n"
    "its credibility and other scores tell the test images from images of another kind: outliers.csv,\n"
    "outliers-credibility.png and .svg (histograms), outliers-roc.png and .svg.\n";

static const exp_examine_options defaults = {
    .neighbors = 75, .calibration = 750, .variant = EXP_DKNN_CONFORMAL, .seed = 1};

#define AT(field) offsetof(exp_examine_options, field)

static const exp_option table[] = {
    {"run", EXP_TEXT, AT(run), "DIR", "run folder", .recorded = false},
    {"data", EXP_TEXT, AT(data), "DIR", "data root (else $ENTANGLE_DATA, else ./data)", .recorded = false},
    {"layers", EXP_TEXT, AT(layers), "GLOB,...",
     "which: taps, logits, input (the pixels); else all taps and the logits", .recorded = false},
    {"neighbors", EXP_COUNT, AT(neighbors), "K", "nearest training images in each layer", 1, 1e6,
     .recorded = false},
    {"calibration", EXP_COUNT, AT(calibration), "N", "the first N test images calibrate", 1, 1e9,
     .recorded = false},
    {"variant", EXP_CHOICE, AT(variant), "NAME",
     "calibration scores as they are, or without those of 0 as in the authors' code",
     .choices = exp_dknn_variants, .recorded = false},
    {"examples", EXP_COUNT, AT(examples), "N", "judge the next N test images; 0: all", 0, 1e9,
     .recorded = false},
    {"train-limit", EXP_COUNT, AT(train_limit), "N", "the first N training images; 0: all of the run's", 0,
     1e9, .recorded = false},
    {"show", EXP_TEXT, AT(show), "I,J,...",
     "test images to draw, by number (from 0); else the most and the least credible one", .recorded = false},
    {"outliers", EXP_TEXT, AT(outliers), "NAME,...",
     "compare with other data sets, paths of pictures, uniform, gaussian, noise (both), or test images "
     "changed: "
     "rotation:DEGREES, "
     "blur:SIGMA, noise:SIGMA",
     .recorded = false},
    {"skip-missing", EXP_FLAG, AT(skip_missing), NULL,
     "leave out those of --outliers that are not there, and the run's own data set", .recorded = false},
    {"seed", EXP_COUNT, AT(seed), "N", "of the noise", 0, 9e15, .recorded = false},
    {"out", EXP_TEXT, AT(out), "DIR", "folder for the results (else RUN/neighbors)", .recorded = false},
    {"threads", EXP_COUNT, AT(threads), "N", "0: all processors; results do not depend on it", 0, 256,
     .recorded = false},
    {"json", EXP_FLAG, AT(json), NULL, "the summary as one line of JSON on standard output",
     .recorded = false},
    {"quiet", EXP_FLAG, AT(quiet), NULL, "no progress", .recorded = false},
    {0},
};

static nn_status check_usage(exp_examine_options *o, nn_error *error) {
    if (!o->run[0])
        return nn_fail(error, NN_EARGUMENT, "give --run DIR, a run folder of ./train (see --help)");
    if (!o->out[0] && snprintf(o->out, sizeof o->out, "%s/neighbors", o->run) >= (int)sizeof o->out)
        return nn_fail(error, NN_EARGUMENT, "--run: the path is too long");
    return NN_OK;
}

int main(int argc, char **argv) {
    exp_examine_options options = defaults;
    nn_error error = {0};
    bool interrupted;
    exp_start(argv);
    if (exp_options_informed(table, &defaults, "neighbors", usage, argc, argv))
        return 0;
    nn_status status = exp_options_parse(table, &options, argc, argv, &error);
    if (status == NN_OK)
        status = check_usage(&options, &error);
    if (status != NN_OK)
        return exp_refuse("neighbors", &error);

    exp_catch_interrupts();
    nn_threads_set((int)options.threads);
    exp_progress progress = exp_progress_begin(options.quiet);
    status = exp_examine(&options, &progress, &exp_stop, &interrupted, &error);
    if (status != NN_OK)
        return exp_fail("neighbors", &error);

    if (interrupted)
        exp_progress_say(&progress, "interrupted: no result written");
    return interrupted ? EXP_INTERRUPTED : 0;
}
