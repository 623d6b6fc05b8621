#include "settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/common/data_options.h"
#include "experiments/common/train_options.h"

static const char *const objectives[] = {"adversarial", "snnl", "both", NULL};

const exp_gan_options exp_gan_defaults = {
    .dataset = "mnist",
    .snapshots = "0,400,800,2000",
    .snnl_weight = 1,
    .temperature = "0.3,0.1,0.03",
    .steps = 4000,
    .filters = 64,
    .seed = 1,
    .momentum = 0.5,
    .real_target = 1,
    .examples = 256,
    .log_every = 50,
    .pictures = true,
};

#define AT(field) offsetof(exp_gan_options, field)

const exp_option exp_gan_table[] = {
    {"dataset", EXP_TEXT, AT(dataset), "NAME|PATH", "mixture: 8 Gaussians on a circle; or " EXP_DATASET_HELP,
     .recorded = true},
    {"image-size", EXP_TEXT, AT(image_size), "N|WxH", EXP_IMAGE_SIZE_HELP, .recorded = true,
     .optional = true},
    {"data", EXP_TEXT, AT(data), "DIR", "data root (else $ENTANGLE_DATA, else ./data)", .recorded = false},
    {"train-limit", EXP_COUNT, AT(train_limit), "N", "use the first N training examples; 0: all", 0, 1e9,
     .recorded = true},
    {"objective", EXP_CHOICE, AT(objective), "NAME",
     "what the generator follows: adversarial, snnl (no discriminator), or both", .choices = objectives,
     .recorded = true},
    {"snnl-weight", EXP_NUMBER, AT(snnl_weight), "W",
     "of both: the generator's loss is the adversarial one minus W times SNNL", 0, 1e9, .recorded = true},
    {"temperature", EXP_TEXT, AT(temperature), "F,F,...",
     "of snnl and both: the generator follows the mean SNNL at these temperatures, in units of the mean "
     "squared "
     "distance between real examples; or optimal",
     .recorded = true},
    {"steps", EXP_COUNT, AT(steps), "N", "training steps", 0, 1e9, .recorded = true},
    {"batch", EXP_COUNT, AT(batch), "N", "real and as many generated examples; 0: 64, or 256 for snnl", 0,
     8192, .recorded = true},
    {"latent", EXP_COUNT, AT(latent), "N",
     "coordinates of the generator's input; 0: 64, or 2 for the mixture", 0, 4096, .recorded = true},
    {"filters", EXP_COUNT, AT(filters), "N", "width of both networks, an even number", 2, 1024,
     .recorded = true},
    {"lr", EXP_NUMBER, AT(rate), "RATE", "of Adam, for both networks; 0: 0.0002, or 0.005 for the mixture", 0,
     10, .recorded = true},
    {"beta1", EXP_NUMBER, AT(momentum), "B", "of Adam", 0.0001, 0.9999, .recorded = true},
    {"real-target", EXP_NUMBER, AT(real_target), "P",
     "what the discriminator is to say of real examples; below 1: label smoothing", 0.51, 1,
     .recorded = true},
    {"seed", EXP_COUNT, AT(seed), "N", "of everything that is drawn", 0, 9e15, .recorded = true},
    {"threads", EXP_COUNT, AT(threads), "N", "0: all processors; same results", 0, 256, .recorded = false},
    {"examples", EXP_COUNT, AT(examples), "N", "real and as many generated ones, whose SNNL is measured", 2,
     4096, .recorded = true},
    {"log-every", EXP_COUNT, AT(log_every), "N", "steps between rows of gan.csv; 0: snapshots only", 0, 1e9,
     .recorded = true},
    {"snapshots", EXP_TEXT, AT(snapshots), "N,N,...",
     "steps of which samples and t-SNE are shown (up to 5), and the last one", .recorded = true},
    {"classifier", EXP_TEXT, AT(classifier), "RUN",
     "a run of ./train on the same data: SNNL of its layers, classes of the samples", .recorded = true},
    {"config", EXP_TEXT, AT(config), "FILE", "options from a run's config.ini; the command line wins",
     .recorded = false},
    {"run", EXP_TEXT, AT(run), "DIR", "run folder, new or empty; else runs/gan-DATASET-OBJECTIVE-seedN...",
     .recorded = false},
    {"pictures", EXP_FLAG, AT(pictures), NULL, "curves and t-SNE (by gnuplot)", .recorded = false},
    {"quiet", EXP_FLAG, AT(quiet), NULL, "no progress on stderr", .recorded = false},
    {"json", EXP_FLAG, AT(json), NULL, "print the summary as one JSON line on stdout", .recorded = false},
    {0},
};

bool exp_gan_is_mixture(const exp_gan_options *options) {
    return strcmp(options->dataset, "mixture") == 0;
}

nn_status exp_gan_options_resolve(exp_gan_options *options, int argc, char **argv, nn_error *error) {
    char config[EXP_TEXT_MAX];
    *options = exp_gan_defaults;
    nn_status status = exp_options_parse(exp_gan_table, options, argc, argv, error);
    strcpy(config, options->config);
    if (status == NN_OK && config[0]) {
        *options = exp_gan_defaults;
        status = exp_options_read_file(exp_gan_table, options, config, error);
        if (status == NN_OK)
            status = exp_options_parse(exp_gan_table, options, argc, argv, error);
    }
    if (status != NN_OK)
        return status;
    if (!exp_gan_is_mixture(options) &&
        exp_dataset_settle(options->dataset, exp_data_root(options->data), error) != NN_OK)
        return error->status;
    if (exp_image_size_settle(options->image_size, error) != NN_OK)
        return error->status;
    if (!options->batch)
        options->batch = options->objective == EXP_GAN_SNNL ? 256 : 64;
    if (!options->latent)
        options->latent = exp_gan_is_mixture(options) ? 2 : 64;
    if (options->rate == 0)
        options->rate = exp_gan_is_mixture(options) ? 0.005 : 0.0002;
    if (options->batch < 2)
        return nn_fail(error, NN_EARGUMENT, "--batch: 1 is too small: a batch of 2 or more has statistics");
    if (options->filters % 2)
        return nn_fail(error, NN_EARGUMENT, "--filters: %llu is not an even number",
                       (unsigned long long)options->filters);
    if (options->classifier[0] && exp_gan_is_mixture(options))
        return nn_fail(error, NN_EARGUMENT, "--classifier: the mixture's points have no classes");
    uint64_t steps[EXP_GAN_SNAPSHOTS];
    double temperatures[EXP_GAN_TEMPERATURES];
    int count;
    status = exp_gan_snapshot_steps(options, steps, &count, error);
    return status == NN_OK ? exp_gan_temperatures(options, temperatures, &count, error) : status;
}

nn_status exp_gan_temperatures(const exp_gan_options *options, double temperatures[EXP_GAN_TEMPERATURES],
                               int *count, nn_error *error) {
    const char *at = options->temperature;
    *count = 0;
    if (strcmp(at, "optimal") == 0)
        return NN_OK;
    for (;; at++) {
        char *end;
        double value = strtod(at, &end);
        if (end == at || (*end && *end != ',') || !(value >= 1e-6 && value <= 1e6))
            return nn_fail(
                error, NN_EARGUMENT,
                "--temperature: '%s' is neither numbers between 1e-6 and 1e6, F,F,..., nor 'optimal'",
                options->temperature);
        if (*count == EXP_GAN_TEMPERATURES)
            return nn_fail(error, NN_EARGUMENT, "--temperature: '%s' has more than %d numbers",
                           options->temperature, EXP_GAN_TEMPERATURES);
        temperatures[(*count)++] = value;
        at = end;
        if (!*at)
            return NN_OK;
    }
}

nn_status exp_gan_snapshot_steps(const exp_gan_options *options, uint64_t steps[EXP_GAN_SNAPSHOTS],
                                 int *count, nn_error *error) {
    const char *at = options->snapshots;
    uint64_t last = 0;
    bool first = true;
    *count = 0;
    for (; *at; first = false) {
        char *end;
        errno = 0;
        unsigned long long step = strtoull(at, &end, 10);
        if (end == at || *at < '0' || *at > '9' || errno || (*end && (*end != ',' || !end[1])))
            return nn_fail(error, NN_EARGUMENT, "--snapshots: '%s' is not a list of steps, N,N,...",
                           options->snapshots);
        if (!first && step <= last)
            return nn_fail(error, NN_EARGUMENT, "--snapshots: '%s' does not rise from step to step",
                           options->snapshots);
        last = step;
        at = *end ? end + 1 : end;
        if (step >= options->steps)
            continue;
        if (*count == EXP_GAN_SNAPSHOTS - 1)
            return nn_fail(error, NN_EARGUMENT, "--snapshots: '%s' has more than %d steps before the last",
                           options->snapshots, EXP_GAN_SNAPSHOTS - 1);
        steps[(*count)++] = step;
    }
    steps[(*count)++] = options->steps;
    return NN_OK;
}
