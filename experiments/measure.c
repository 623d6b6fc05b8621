/* measure - the soft nearest neighbor loss of stored representations, or of every tap of a trained run. */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "common/calibration_json.h"
#include "common/program.h"
#include "framework/threads.h"
#include "measure/arrays.h"
#include "measure/run.h"

static const char usage[] =
    "usage: ./measure --features X.npy --labels Y.npy [--temperature T] [--distance D] [--gradient G.npy]\n"
    "       ./measure --run DIR [--dataset NAME] [--examples N] [--dump DIR|OUT.npz] [--json]\n"
    "Measures the soft nearest neighbor loss. The first form takes float32 or float64 points [b, ...] and "
    "integer\n"
    "labels [b], from .npy files or as FILE.npz:NAME, works in double precision and prints one line of JSON. "
    "The\n"
    "second takes a run folder of ./train and measures every tap on the test examples, as the mean over "
    "batches "
    "of the\n"
    "run's size, and the classifier's accuracy and calibration.\n";

typedef struct measure_options {
    char features[EXP_TEXT_MAX], labels[EXP_TEXT_MAX], gradient[EXP_TEXT_MAX];
    char temperature[EXP_TEXT_MAX];
    int distance; /* nn_distance; 2: not given */
    char run[EXP_TEXT_MAX], dataset[EXP_TEXT_MAX], data[EXP_TEXT_MAX], dump[EXP_TEXT_MAX];
    uint64_t examples, threads;
    bool json;
} measure_options;

enum { DISTANCE_NOT_GIVEN = 2 };
static const char *const distances[] = {"euclidean", "cosine", "the run's", NULL};
static const measure_options defaults = {.temperature = "optimal", .distance = DISTANCE_NOT_GIVEN};

#define AT(field) offsetof(measure_options, field)

static const exp_option table[] = {
    {"features", EXP_TEXT, AT(features), "X.npy", "representations, [b, ...]; or FILE.npz:NAME",
     .recorded = false},
    {"labels", EXP_TEXT, AT(labels), "Y.npy", "their classes, [b]; or FILE.npz:NAME", .recorded = false},
    {"gradient", EXP_TEXT, AT(gradient), "G.npy", "write d SNNL / d X, float32", .recorded = false},
    {"temperature", EXP_TEXT, AT(temperature), "T", "a number, or optimal", .recorded = false},
    {"distance", EXP_CHOICE, AT(distance), "D", "", .choices = distances},
    {"run", EXP_TEXT, AT(run), "DIR", "run folder", .recorded = false},
    {"dataset", EXP_TEXT, AT(dataset), "NAME|PATH",
     "measure another data set than the run's; pictures are made of its size", .recorded = false},
    {"data", EXP_TEXT, AT(data), "DIR", "data root (else $ENTANGLE_DATA, else ./data)", .recorded = false},
    {"examples", EXP_COUNT, AT(examples), "N", "the first N test examples; 0: all", 0, 1e9,
     .recorded = false},
    {"dump", EXP_TEXT, AT(dump), "PATH", "write every tap's representations: .npy in a folder, or one .npz",
     .recorded = false},
    {"threads", EXP_COUNT, AT(threads), "N", "0: all processors", 0, 256, .recorded = false},
    {"json", EXP_FLAG, AT(json), NULL, "one line of JSON instead of a table", .recorded = false},
    {0},
};

/* 0 for "optimal". */
static nn_status read_temperature(const char *text, double *temperature, nn_error *error) {
    char *end;
    *temperature = 0;
    if (strcmp(text, "optimal") == 0)
        return NN_OK;
    *temperature = strtod(text, &end);
    if (end == text || *end || !(*temperature > 0 && *temperature < 1e300))
        return nn_fail(error, NN_EARGUMENT, "--temperature: '%s' is neither a positive number nor 'optimal'",
                       text);
    return NN_OK;
}

static void print_table(const exp_measured_run *m) {
    printf("%s, %d test examples of %s in batches of %d: accuracy %.2f%%, cross-entropy %.4f, "
           "ECE %.4f\n",
           m->run.options.model, m->test.examples, m->run.set.name, m->run.classifier.batch,
           100 * m->test.accuracy, m->test.cross_entropy, exp_calibration_error(&m->test.calibration));
    printf("%-20s %12s %14s\n", "tap", "SNNL", "temperature");
    for (int i = 0; i < m->run.classifier.taps; i++)
        printf("%-20s %12.6f %14.6g\n", exp_tap_name(&m->run.classifier, i), m->test.snnl[i],
               m->test.temperature[i]);
}

static nn_status print_json(const exp_measured_run *m, nn_error *error) {
    cJSON *json = cJSON_CreateObject(), *taps = cJSON_CreateArray();
    cJSON_AddStringToObject(json, "model", m->run.options.model);
    cJSON_AddStringToObject(json, "dataset", m->run.set.name);
    cJSON_AddNumberToObject(json, "examples", m->test.examples);
    cJSON_AddNumberToObject(json, "batch", m->run.classifier.batch);
    cJSON_AddStringToObject(json, "distance", distances[m->run.options.distance]);
    cJSON_AddNumberToObject(json, "accuracy", m->test.accuracy);
    cJSON_AddNumberToObject(json, "cross_entropy", m->test.cross_entropy);
    exp_calibration_add_json(json, "", &m->test.calibration);
    cJSON_AddItemToObject(json, "taps", taps);
    for (int i = 0; i < m->run.classifier.taps; i++) {
        cJSON *tap = cJSON_CreateObject();
        cJSON_AddStringToObject(tap, "name", exp_tap_name(&m->run.classifier, i));
        cJSON_AddNumberToObject(tap, "snnl", m->test.snnl[i]);
        cJSON_AddNumberToObject(tap, "temperature", m->test.temperature[i]);
        cJSON_AddItemToArray(taps, tap);
    }
    char *line = cJSON_PrintUnformatted(json);
    nn_status status = line ? NN_OK : nn_fail_memory(error, "the result");
    if (line)
        puts(line);
    free(line);
    cJSON_Delete(json);
    return status;
}

static nn_status measure_run(const measure_options *o, double temperature, nn_error *error) {
    exp_measure_request request = {.run = {.run = o->run,
                                           .dataset = o->dataset[0] ? o->dataset : NULL,
                                           .data = o->data,
                                           .examples = o->examples},
                                   .fixed = temperature > 0,
                                   .temperature = temperature,
                                   .distance = o->distance == DISTANCE_NOT_GIVEN ? -1 : o->distance,
                                   .dump = o->dump[0] ? o->dump : NULL};
    exp_measured_run measured;
    nn_status status = exp_measure_run(&request, &measured, error);
    if (status == NN_OK && measured.run.set.note[0])
        fprintf(stderr, "NOTE: %s: %s\n", measured.run.set.name, measured.run.set.note);
    if (status == NN_OK && o->json)
        status = print_json(&measured, error);
    else if (status == NN_OK)
        print_table(&measured);
    exp_measured_run_free(&measured);
    return status;
}

static nn_status measure_arrays(const measure_options *o, double temperature, nn_error *error) {
    exp_arrays arrays = {.features = o->features,
                         .labels = o->labels,
                         .gradient = o->gradient[0] ? o->gradient : NULL,
                         .temperature = temperature,
                         .distance = o->distance == NN_COSINE ? NN_COSINE : NN_EUCLIDEAN};
    return exp_measure_arrays(&arrays, stdout, error);
}

static nn_status check_usage(const measure_options *o, nn_error *error) {
    bool arrays = o->features[0] || o->labels[0] || o->gradient[0];
    bool run = o->run[0] || o->dataset[0] || o->dump[0] || o->examples;
    if (arrays == run || (arrays && !(o->features[0] && o->labels[0])) || (run && !o->run[0]))
        return nn_fail(error, NN_EARGUMENT, "give either --features and --labels, or --run (see --help)");
    return NN_OK;
}

int main(int argc, char **argv) {
    measure_options options = defaults;
    nn_error error = {0};
    double temperature;
    exp_start(argv);
    if (exp_options_informed(table, &defaults, "measure", usage, argc, argv))
        return 0;
    nn_status status = exp_options_parse(table, &options, argc, argv, &error);
    if (status == NN_OK)
        status = check_usage(&options, &error);
    if (status == NN_OK)
        status = read_temperature(options.temperature, &temperature, &error);
    if (status != NN_OK)
        return exp_refuse("measure", &error);

    nn_threads_set((int)options.threads);
    status = options.run[0] ? measure_run(&options, temperature, &error)
                            : measure_arrays(&options, temperature, &error);
    if (status == NN_OK)
        status = exp_check_output(&error);
    if (status != NN_OK)
        return exp_fail("measure", &error);

    return 0;
}
