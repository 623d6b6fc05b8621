#include "settings.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const exp_toy_options exp_toy_minimising = {
    .points = 200,
    .classes = 4,
    .temperature = "10",
    .snapshots = "1.36,1.27,0.99,0.28",
    .rate = 0.005,
    .steps = 500,
    .seed = 1,
    .threads = 1,
    .pictures = true,
};

const exp_toy_options exp_toy_maximising = {
    .points = 200,
    .classes = 4,
    .apart = 2,
    .maximise = true,
    .temperature = "optimal",
    .snapshots = "even",
    .rate = 0.005,
    .steps = 300,
    .seed = 1,
    .threads = 1,
    .pictures = true,
};

#define AT(field) offsetof(exp_toy_options, field)

const exp_option exp_toy_table[] = {
    {"points", EXP_COUNT, AT(points), "N", "from a standard normal distribution in the plane", 2, 20000,
     .recorded = true},
    {"classes", EXP_COUNT, AT(classes), "K", "each point's label is drawn at random among them", 2, 100,
     .recorded = true},
    {"apart", EXP_NUMBER, AT(apart), "D", "class means start on a circle of this radius", 0, 1e3,
     .recorded = true},
    {"maximise", EXP_FLAG, AT(maximise), NULL, "ascend: entangle classes", .recorded = true},
    {"temperature", EXP_TEXT, AT(temperature), "T",
     "a number, or optimal: what minimises the loss, anew in every step", .recorded = true},
    {"snapshots", EXP_TEXT, AT(snapshots), "V,V,...", "values of the loss (up to 6), or even",
     .recorded = true},
    {"lr", EXP_NUMBER, AT(rate), "RATE", "step size", 1e-9, 1e3, .recorded = true},
    {"steps", EXP_COUNT, AT(steps), "N", "at most so many steps", 1, 1e6, .recorded = true},
    {"seed", EXP_COUNT, AT(seed), "N", "of points and labels", 0, 9e15, .recorded = true},
    {"threads", EXP_COUNT, AT(threads), "N", "0: all processors, for thousands of points; same results", 0,
     256, .recorded = false},
    {"config", EXP_TEXT, AT(config), "FILE", "options from a run's config.ini; the command line wins",
     .recorded = false},
    {"run", EXP_TEXT, AT(run), "DIR", "run folder, new or empty; else runs/toy-seedN...", .recorded = false},
    {"pictures", EXP_FLAG, AT(pictures), NULL, "draw them (by gnuplot)", .recorded = false},
    {"quiet", EXP_FLAG, AT(quiet), NULL, "no progress on stderr", .recorded = false},
    {"json", EXP_FLAG, AT(json), NULL, "print the summary as one JSON line on stdout", .recorded = false},
    {0},
};

nn_status exp_toy_options_resolve(exp_toy_options *options, int argc, char **argv, nn_error *error) {
    /* Once for --config, once more for the direction, whose defaults the rest starts from. */
    exp_toy_options found = exp_toy_minimising;
    nn_status status = exp_options_parse(exp_toy_table, &found, argc, argv, error);
    char config[EXP_TEXT_MAX];
    strcpy(config, found.config);
    if (status == NN_OK && config[0]) {
        found = exp_toy_minimising;
        status = exp_options_read_file(exp_toy_table, &found, config, error);
        if (status == NN_OK)
            status = exp_options_parse(exp_toy_table, &found, argc, argv, error);
    }
    *options = found.maximise ? exp_toy_maximising : exp_toy_minimising;
    if (status == NN_OK && config[0])
        status = exp_options_read_file(exp_toy_table, options, config, error);
    if (status == NN_OK)
        status = exp_options_parse(exp_toy_table, options, argc, argv, error);
    return status;
}

nn_status exp_toy_temperature(const exp_toy_options *options, double *temperature, nn_error *error) {
    const char *text = options->temperature;
    char *end;
    *temperature = 0;
    if (strcmp(text, "optimal") == 0)
        return NN_OK;
    *temperature = strtod(text, &end);
    if (end == text || *end || !(*temperature >= 1e-6 && *temperature <= 1e9))
        return nn_fail(error, NN_EARGUMENT,
                       "--temperature: '%s' is neither a number between 1e-6 and 1e9 nor 'optimal'", text);
    return NN_OK;
}

nn_status exp_toy_thresholds(const exp_toy_options *options, double thresholds[EXP_TOY_THRESHOLDS],
                             int *count, nn_error *error) {
    const char *at = options->snapshots;
    *count = 0;
    if (strcmp(at, "even") == 0)
        return NN_OK;
    for (;; at++) {
        char *end;
        double value = strtod(at, &end);
        if (end == at || (*end && *end != ',') || !(value >= 0 && isfinite(value)))
            return nn_fail(error, NN_EARGUMENT,
                           "--snapshots: '%s' is neither values of the loss, V,V,..., nor 'even'",
                           options->snapshots);
        if (*count == EXP_TOY_THRESHOLDS)
            return nn_fail(error, NN_EARGUMENT, "--snapshots: '%s' has more than %d values",
                           options->snapshots, EXP_TOY_THRESHOLDS);
        double last = *count ? thresholds[*count - 1] : options->maximise ? -INFINITY : INFINITY;
        if (options->maximise ? value <= last : value >= last)
            return nn_fail(error, NN_EARGUMENT, "--snapshots: '%s' does not %s from value to value",
                           options->snapshots, options->maximise ? "rise" : "fall");
        thresholds[(*count)++] = value;
        at = end;
        if (!*at)
            return NN_OK;
    }
}
