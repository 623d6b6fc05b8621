#include "summary.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "calibration_json.h"
#include "framework/file.h"
#include "framework/kernels/kernels.h"

/* A number with at most 9 significant digits: what float32 results are worth. */
static void add_number(cJSON *object, const char *name, double value) {
    char text[32];
    snprintf(text, sizeof text, "%.9g", value);
    cJSON_AddRawToObject(object, name, text);
}

static void add_count(cJSON *object, const char *name, unsigned long long value) {
    char text[32];
    snprintf(text, sizeof text, "%llu", value);
    cJSON_AddRawToObject(object, name, text);
}

static void add_checksum(cJSON *object, const char *name, unsigned long long value) {
    char text[32];
    snprintf(text, sizeof text, "%016llx", value);
    cJSON_AddStringToObject(object, name, text);
}

static void add_taps(cJSON *object, const exp_classifier *c, const exp_measurement *m) {
    cJSON *taps = cJSON_AddArrayToObject(object, "taps");
    for (int i = 0; i < c->taps && m->examples > 0; i++) {
        cJSON *tap = cJSON_CreateObject();
        cJSON_AddStringToObject(tap, "name", exp_tap_name(c, i));
        add_number(tap, "snnl", m->snnl[i]);
        add_number(tap, "temperature", m->temperature[i]);
        add_number(tap, "weight", c->weight[i]);
        cJSON_AddItemToArray(taps, tap);
    }
}

static cJSON *describe(const exp_train_options *options, const data_set *set, const exp_classifier *c,
                       const exp_summary *s) {
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "model", options->model);
    cJSON_AddStringToObject(json, "dataset", set->name);
    add_count(json, "seed", options->seed);
    add_number(json, "snnl_weight", options->snnl_weight);
    add_count(json, "steps", s->steps);
    add_number(json, "epochs", s->epochs);
    if (s->train.examples > 0) {
        add_number(json, "train_accuracy", s->train.accuracy);
        add_number(json, "train_cross_entropy", s->train.cross_entropy);
    }
    if (s->test.examples > 0) {
        add_number(json, "test_accuracy", s->test.accuracy);
        add_number(json, "test_cross_entropy", s->test.cross_entropy);
        exp_calibration_add_json(json, "test_", &s->test.calibration);
    }
    add_number(json, "images_per_second", s->images_per_second);
    add_number(json, "seconds", s->seconds);
    add_count(json, "peak_memory_bytes", s->peak_bytes);
    add_count(json, "planned_memory_bytes", s->plan_bytes);
    add_count(json, "parameters", c->store.parameter_count);
    add_count(json, "train_examples", (unsigned)set->train.count);
    add_count(json, "test_examples", (unsigned)set->test.count);
    add_checksum(json, "dataset_checksum", set->checksum);
    cJSON_AddBoolToObject(json, "interrupted", s->interrupted);
    cJSON_AddStringToObject(json, "run", s->run);
    cJSON_AddStringToObject(json, "version", exp_version);
    cJSON_AddStringToObject(json, "kernels", nn_kernels_active()->name);
    add_count(json, "threads", (unsigned)nn_threads());
    add_taps(json, c, &s->test);
    return json;
}

nn_status exp_summary_write(const exp_run_folder *folder, const exp_train_options *options,
                            const data_set *set, const exp_classifier *classifier, const exp_summary *summary,
                            nn_error *error) {
    cJSON *json = describe(options, set, classifier, summary);
    char *pretty = cJSON_Print(json), *line = cJSON_PrintUnformatted(json);
    nn_status status = NN_OK;
    if (!pretty || !line)
        status = nn_fail_memory(error, "summary.json");
    else
        status =
            nn_file_write_atomic(exp_run_folder_file(folder, "summary.json"), pretty, strlen(pretty), error);
    if (status == NN_OK && options->json)
        puts(line);
    free(pretty);
    free(line);
    cJSON_Delete(json);
    return status;
}
