#include "train_options.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data_options.h"
#include "presets.h"
#include "program_names.h"

static const char *const distances[] = {"euclidean", "cosine", NULL};
static const char *const modes[] = {"optimal", "learned", "fixed", NULL};
static const char *const optimizers[] = {"sgd", "adam", NULL};
static const char *const schedules[] = {"constant", "step", "cosine", "exponential", NULL};

const exp_train_options exp_train_defaults = {
    .model = "cifar_resnet",
    .dataset = "shapes",
    .entangling_weight = 0.1,
    .snnl_layers = "*",
    .temperature = 100,
    .epochs = 5,
    .batch = 128,
    .seed = 1,
    .optimizer = NN_SGD,
    .rate = 0.1,
    .momentum = 0.9,
    .schedule = NN_SCHEDULE_COSINE,
    .log_every = 10,
    .eval_every = 1,
    .save_every = 500,
};

#define AT(field) offsetof(exp_train_options, field)
static const double any_count = 9e15; /* exact in a double */

const exp_option exp_train_table[] = {
    {"preset", EXP_TEXT, AT(preset), "NAME", "settings of experiments/NAME.ini, or of an ini file",
     .recorded = false},
    {"model", EXP_TEXT, AT(model), "NAME", "network", .recorded = true},
    {"dataset", EXP_TEXT, AT(dataset), "NAME|PATH", EXP_DATASET_HELP, .recorded = true},
    {"image-size", EXP_TEXT, AT(image_size), "N|WxH", EXP_IMAGE_SIZE_HELP, .recorded = true,
     .optional = true},
    {"data", EXP_TEXT, AT(data), "DIR", "data root (else $ENTANGLE_DATA, else ./data)", .recorded = false},
    {"init", EXP_TEXT, AT(init), "FILE",
     "begin with the weights of a safetensors file, PyTorch's too, or of a run folder", .recorded = true,
     .optional = true},
    {"init-skip", EXP_TEXT, AT(init_skip), "GLOB,...",
     "tensors of --init that are not taken: they begin afresh (logits.*: for other classes)",
     .recorded = true, .optional = true},
    {"init-checksum", EXP_TEXT, AT(init_checksum), "HEX",
     "refuse another file than the one with this checksum; config.ini records it", .recorded = true,
     .optional = true},
    {"snnl-weight", EXP_NUMBER, AT(snnl_weight), "W",
     "loss = cross-entropy - W * sum of the layers' SNNL; alone: the preset's weight", -1e6, 1e6,
     .bare = AT(entangling_weight), .recorded = true},
    {"entangling-weight", EXP_NUMBER, AT(entangling_weight), "W", "what --snnl-weight alone means", -1e6, 1e6,
     .recorded = true},
    {"snnl-layers", EXP_TEXT, AT(snnl_layers), "GLOB[=W],...",
     "taps that carry a weight, each perhaps its own; all are measured (a preset's choice: with its model)",
     .recorded = true},
    {"distance", EXP_CHOICE, AT(distance), "D", "", .choices = distances, .recorded = true},
    {"temperature", EXP_NUMBER, AT(temperature), "T", "temperature if fixed, start if learned", 1e-6, 1e9,
     .recorded = true},
    {"temperature-mode", EXP_CHOICE, AT(temperature_mode), "MODE", "", .choices = modes, .recorded = true},
    {"epochs", EXP_NUMBER, AT(epochs), "N", "passes over the training set", 0, 1e6, .recorded = true},
    {"steps", EXP_COUNT, AT(steps), "N", "training steps in place of epochs; 0: by epochs", 0, any_count,
     .recorded = true},
    {"batch", EXP_COUNT, AT(batch), "N", "examples per step", 1, 65536, .recorded = true},
    {"seed", EXP_COUNT, AT(seed), "N", "of weights, order, augmentation", 0, any_count, .recorded = true},
    {"threads", EXP_COUNT, AT(threads), "N", "0: all processors; results do not depend on it", 0, 256,
     .recorded = false},
    {"optimizer", EXP_CHOICE, AT(optimizer), "NAME", "", .choices = optimizers, .recorded = true},
    {"lr", EXP_NUMBER, AT(rate), "RATE", "highest learning rate", 0, 1e3, .recorded = true},
    {"momentum", EXP_NUMBER, AT(momentum), "M", "of sgd", 0, 0.9999, .recorded = true},
    {"nesterov", EXP_FLAG, AT(nesterov), NULL, "Nesterov's form of momentum", .recorded = true},
    {"weight-decay", EXP_NUMBER, AT(weight_decay), "D", "on all but batch norm's parameters", 0, 1e3,
     .recorded = true},
    {"decay-all", EXP_FLAG, AT(decay_all), NULL, "weight decay on batch norm's parameters too",
     .recorded = true},
    {"schedule", EXP_CHOICE, AT(schedule), "KIND", "learning rate", .choices = schedules, .recorded = true},
    {"warmup", EXP_NUMBER, AT(warmup), "N", "epochs in which the learning rate rises", 0, 1e6,
     .recorded = true},
    {"augment", EXP_FLAG, AT(augment), NULL, "random crop and horizontal flip", .recorded = true},
    {"balanced", EXP_FLAG, AT(balanced), NULL, "the same number of each class in every batch",
     .recorded = true},
    {"train-limit", EXP_COUNT, AT(train_limit), "N", "use the first N training examples; 0: all", 0, 1e9,
     .recorded = true},
    {"test-limit", EXP_COUNT, AT(test_limit), "N", "use the first N test examples; 0: all", 0, 1e9,
     .recorded = true},
    {"run", EXP_TEXT, AT(run), "DIR", "run folder, new or empty, or that of --resume; else runs/PRESET-...",
     .recorded = false},
    {"log-every", EXP_COUNT, AT(log_every), "N", "steps between rows of metrics.csv; 0: no rows", 0,
     any_count, .recorded = true},
    {"eval-every", EXP_COUNT, AT(eval_every), "N", "epochs between evaluations; 0: none", 0, any_count,
     .recorded = true},
    {"save-every", EXP_COUNT, AT(save_every), "N",
     "steps between checkpoints, for --resume; the end has one too; 0: only when interrupted", 0, any_count,
     .recorded = true},
    {"resume", EXP_FLAG, AT(resume), NULL,
     "go on with the run in --run DIR: same options, same result (--epochs, --steps may grow)",
     .recorded = false},
    {"tensorboard", EXP_FLAG, AT(tensorboard), NULL,
     "the rows of metrics.csv also as an event file for TensorBoard, in the run folder", .recorded = true,
     .optional = true},
    {"profile", EXP_FLAG, AT(profile), NULL, "print how the time of a step divides, by op and by layer",
     .recorded = false},
    {"quiet", EXP_FLAG, AT(quiet), NULL, "no progress on stderr", .recorded = false},
    {"json", EXP_FLAG, AT(json), NULL, "print the summary as one JSON line on stdout", .recorded = false},
    {0},
};

/* --- presets -------------------------------------------------------------------------------------------- */

static bool is_path(const char *preset) {
    return strchr(preset, '/') || strstr(preset, ".ini");
}

static nn_status unknown_preset(const char *name, nn_error *error) {
    char all[256] = "";
    for (const exp_preset *p = exp_presets; p->name; p++)
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", p == exp_presets ? "" : ", ", p->name);
    return nn_fail(error, NN_EARGUMENT,
                   "--preset: there is no '%s'; there are: %s; or give a path to an ini file", name, all);
}

static const char *compiled_in(const char *name) {
    for (const exp_preset *p = exp_presets; p->name; p++)
        if (strcmp(p->name, name) == 0)
            return p->text;
    return NULL;
}

/* The file as it is now, so that an edited preset takes effect without a build; else the text compiled in. */
static nn_status apply_preset(exp_train_options *options, nn_error *error) {
    char path[EXP_TEXT_MAX + 32];
    bool given = is_path(options->preset);
    snprintf(path, sizeof path, given ? "%s" : "experiments/%s.ini", options->preset);
    if (given || access(path, R_OK) == 0)
        return exp_options_read_file(exp_train_table, options, path, error);
    const char *text = compiled_in(options->preset);
    return text ? exp_options_read(exp_train_table, options, path, text, error)
                : unknown_preset(options->preset, error);
}

static bool is_named(int argc, char **argv, const char *option) {
    size_t length = strlen(option);
    for (int i = 1; i < argc; i++)
        if (strncmp(argv[i], option, length) == 0 && (argv[i][length] == '\0' || argv[i][length] == '='))
            return true;
    return false;
}

/* The last --preset on the command line, looked up before the other options so that those win over it. */
static const char *named_preset(int argc, char **argv) {
    const char *name = exp_default_preset;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--preset") == 0 && i + 1 < argc)
            name = argv[i + 1];
        else if (strncmp(argv[i], "--preset=", 9) == 0)
            name = argv[i] + 9;
    }
    return name;
}

/* A preset's options, unless that is NULL, and the command line's on top. */
static nn_status apply(exp_train_options *options, const char *preset, int argc, char **argv,
                       nn_error *error) {
    char model[EXP_TEXT_MAX];
    nn_status status = NN_OK;
    if (preset)
        status = exp_option_set(exp_train_table, options, "--", "preset", preset, error);
    if (preset && status == NN_OK)
        status = apply_preset(options, error);
    strcpy(model, options->model);
    if (status == NN_OK)
        status = exp_options_parse(exp_train_table, options, argc, argv, error);
    if (status == NN_OK)
        status = exp_dataset_settle(options->dataset, exp_data_root(options->data), error);
    if (status == NN_OK)
        status = exp_image_size_settle(options->image_size, error);
    /* The layers that a preset chooses are those of its own model. */
    if (strcmp(options->model, model) != 0 && !is_named(argc, argv, "--snnl-layers"))
        strcpy(options->snnl_layers, exp_train_defaults.snnl_layers);
    return status;
}

/* --- a run that goes on --------------------------------------------------------------------------------- */

bool exp_train_option_decides(const exp_option *o) {
    static const char *const free_to_change[] = {"epochs", "steps", "save-every", "tensorboard"};
    for (int i = 0; i < 4; i++)
        if (strcmp(o->name, free_to_change[i]) == 0)
            return false;
    return o->recorded;
}

bool exp_train_option_changed(const exp_option *o, const char *before, const char *now) {
    if (!exp_train_option_decides(o) || strcmp(before, now) == 0)
        return false;
    return strcmp(o->name, "dataset") != 0 || !data_is_path(before, "") || !data_is_path(now, "");
}

nn_status exp_train_options_of_run(const char *run, exp_train_options *options, nn_error *error) {
    char path[EXP_TEXT_MAX + 16];
    if (strlen(run) >= EXP_TEXT_MAX)
        return nn_fail(error, NN_EARGUMENT, "--run: the path is too long");
    snprintf(path, sizeof path, "%s/config.ini", run);
    *options = exp_train_defaults;
    return exp_options_read_file(exp_train_table, options, path, error);
}

static nn_status check_unchanged(const exp_train_options *options, const exp_train_options *run,
                                 nn_error *error) {
    char now[EXP_TEXT_MAX], before[EXP_TEXT_MAX];
    for (const exp_option *o = exp_train_table; o->name; o++)
        if (exp_train_option_changed(o, exp_option_text(o, run, before), exp_option_text(o, options, now)))
            return nn_fail(
                error, NN_EARGUMENT,
                "--%s: with %.100s it would be another run than that in %s, which has %.100s: leave it "
                "out, or start a new run",
                o->name, now, options->run, before);
    return NN_OK;
}

/* The options of the run, with those of the command line (and of a preset named there) on top. */
static nn_status resolve_resumed(exp_train_options *options, const char *run, int argc, char **argv,
                                 nn_error *error) {
    char path[EXP_TEXT_MAX + 16];
    exp_train_options before = exp_train_defaults;
    snprintf(path, sizeof path, "%s/config.ini", run);
    if (!run[0])
        return nn_fail(error, NN_EARGUMENT, "--resume: which run? name its folder with --run DIR");
    if (access(path, F_OK) != 0)
        return nn_fail(error, NN_EARGUMENT, "--resume: %s holds no run (there is no config.ini in it)", run);
    nn_status status = exp_train_options_of_run(run, &before, error);
    *options = before;
    if (status == NN_OK)
        status = apply(options, is_named(argc, argv, "--preset") ? named_preset(argc, argv) : NULL, argc,
                       argv, error);
    if (is_named(argc, argv, "--epochs") && !is_named(argc, argv, "--steps"))
        options->steps = 0;
    options->dataset_named = true;
    options->lengthened = options->epochs != before.epochs || options->steps != before.steps;
    return status == NN_OK ? check_unchanged(options, &before, error) : status;
}

/* --- all sources ---------------------------------------------------------------------------------------- */

static nn_status check_initial(const exp_train_options *o, nn_error *error) {
    const char *lone = o->init_skip[0] ? "skip" : o->init_checksum[0] ? "checksum" : NULL;
    if (lone && !o->init[0])
        return nn_fail(error, NN_EARGUMENT, "--init-%s: of which file? name it with --init FILE", lone);
    return NN_OK;
}

nn_status exp_train_options_resolve(exp_train_options *options, int argc, char **argv, nn_error *error) {
    exp_train_options alone = exp_train_defaults; /* the command line's own */
    if (exp_options_parse(exp_train_table, &alone, argc, argv, error) != NN_OK)
        return error->status;
    if (alone.resume)
        return resolve_resumed(options, alone.run, argc, argv, error);
    *options = exp_train_defaults;
    options->dataset_named = is_named(argc, argv, "--dataset");
    nn_status status = apply(options, named_preset(argc, argv), argc, argv, error);
    if (is_named(argc, argv, "--init") && !is_named(argc, argv, "--init-checksum"))
        options->init_checksum[0] = '\0'; /* a preset's is that of the preset's file */
    return status == NN_OK ? check_initial(options, error) : status;
}

const char *exp_data_root(const char *data) {
    const char *environment = getenv("ENTANGLE_DATA");
    if (data[0])
        return data;
    return environment && environment[0] ? environment : "data";
}

const char *exp_resume_command(const exp_train_options *options, const char *run,
                               char text[EXP_COMMAND_MAX]) {
    const char *data = options->data;
    char call[EXP_CALL_MAX];
    snprintf(text, EXP_COMMAND_MAX, "%s --run %s --resume%s%s", exp_program_call("train", call), run,
             data[0] ? " --data " : "", data);
    return text;
}
