/* export - the model of a trained run as an ONNX file, for other runtimes. */
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/program.h"
#include "export/export.h"

static const char usage[] = "usage: ./export --run DIR [--out FILE.onnx] [options]\n"
                            "Writes the model of a run folder of ./train as an ONNX file (opset 13). Its "
                            "input `image` holds any number of "
                            "images\n"
                            "with values from 0 to 1, float32, batch x channels x height x width; the file "
                            "normalises them itself. Its "
                            "output is\n"
                            "`logits`, batch x classes. Parameters have the names and values that they have "
                            "in model.safetensors. Needs no "
                            "data.\n";

typedef struct export_options {
    char run[EXP_TEXT_MAX], out[EXP_TEXT_MAX];
    int layout;
    bool taps, normalized, json, quiet;
} export_options;

enum { CHANNELS_FIRST, CHANNELS_LAST };
static const char *const layouts[] = {"channels-first", "channels-last", NULL};
static const export_options defaults = {.layout = CHANNELS_FIRST};

#define AT(field) offsetof(export_options, field)

static const exp_option table[] = {
    {"run", EXP_TEXT, AT(run), "DIR", "run folder", .recorded = false},
    {"out", EXP_TEXT, AT(out), "FILE", "the file to write (else RUN/model.onnx)", .recorded = false},
    {"taps", EXP_FLAG, AT(taps), NULL, "each layer that ./train measures is an output too, under its name",
     .recorded = false},
    {"layout", EXP_CHOICE, AT(layout), "LAYOUT", "of images that go in and come out", .choices = layouts},
    {"normalized", EXP_FLAG, AT(normalized), NULL,
     "images come normalised, by the mean and deviation in the file's metadata", .recorded = false},
    {"json", EXP_FLAG, AT(json), NULL, "what was written as one line of JSON on standard output",
     .recorded = false},
    {"quiet", EXP_FLAG, AT(quiet), NULL, "nothing on stderr", .recorded = false},
    {0},
};

static nn_status check_usage(export_options *o, nn_error *error) {
    if (!o->run[0])
        return nn_fail(error, NN_EARGUMENT, "which run? name its folder with --run DIR");
    if (!o->out[0] && snprintf(o->out, sizeof o->out, "%s/model.onnx", o->run) >= (int)sizeof o->out)
        return nn_fail(error, NN_EARGUMENT, "--run: the path is too long");
    return NN_OK;
}

/* What was written, for people and for programs. */
static nn_status report(const export_options *o, const exp_trained_run *run, nn_error *error) {
    const exp_classifier *c = &run->classifier;
    const data_set *set = &run->set;
    const int dims[] = {set->height, set->width, set->channels};
    static const int order[2][3] = {{2, 0, 1}, {0, 1, 2}};
    const int *at = order[o->layout];
    if (!o->quiet)
        fprintf(stderr, "%s: %s, %zu parameters; image (batch x %d x %d x %d, %s) -> logits (batch x %d)%s\n",
                o->out, run->options.model, c->store.parameter_count, dims[at[0]], dims[at[1]], dims[at[2]],
                o->normalized ? "normalised" : "values 0 to 1", set->classes,
                o->taps ? " and every tap" : "");
    if (!o->json)
        return NN_OK;
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "onnx", o->out);
    cJSON_AddStringToObject(json, "model", run->options.model);
    exp_json_count(json, "parameters", c->store.parameter_count);
    cJSON_AddStringToObject(json, "layout", layouts[o->layout]);
    cJSON_AddBoolToObject(json, "normalized", o->normalized);
    cJSON *image = cJSON_AddArrayToObject(json, "image"), *outputs = cJSON_AddArrayToObject(json, "outputs");
    for (int i = 0; i < 3; i++)
        cJSON_AddItemToArray(image, cJSON_CreateNumber(dims[at[i]]));
    cJSON_AddItemToArray(outputs, cJSON_CreateString("logits"));
    for (int i = 0; o->taps && i < c->taps; i++)
        cJSON_AddItemToArray(outputs, cJSON_CreateString(exp_tap_name(c, i)));
    return exp_json_write(json, NULL, stdout, error);
}

int main(int argc, char **argv) {
    export_options options = defaults;
    exp_trained_run run;
    nn_error error = {0};
    exp_start(argv);
    if (exp_options_informed(table, &defaults, "export", usage, argc, argv))
        return 0;
    nn_status status = exp_options_parse(table, &options, argc, argv, &error);
    if (status == NN_OK)
        status = check_usage(&options, &error);
    if (status != NN_OK)
        return exp_refuse("export", &error);

    exp_export_request request = {.run = options.run,
                                  .out = options.out,
                                  .taps = options.taps,
                                  .channels_last = options.layout == CHANNELS_LAST,
                                  .normalized = options.normalized};
    status = exp_export(&request, &run, &error);
    if (status == NN_OK)
        status = report(&options, &run, &error);
    exp_trained_run_close(&run);
    return status == NN_OK ? 0 : exp_fail("export", &error);
}
