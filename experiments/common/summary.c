#include "summary.h"

#include <stdlib.h>
#include <string.h>

#include "calibration_json.h"
#include "framework/kernels/kernels.h"
#include "json.h"

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
        exp_json_number(tap, "snnl", m->snnl[i]);
        exp_json_number(tap, "temperature", m->temperature[i]);
        exp_json_number(tap, "weight", c->weight[i]);
        cJSON_AddItemToArray(taps, tap);
    }
}

static cJSON *describe(const exp_train_options *options, const data_set *set, const exp_classifier *c,
                       const exp_summary *s) {
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "model", options->model);
    cJSON_AddStringToObject(json, "dataset", set->name);
    exp_json_count(json, "seed", options->seed);
    exp_json_number(json, "snnl_weight", options->snnl_weight);
    if (options->init[0]) {
        cJSON_AddStringToObject(json, "init", options->init);
        cJSON_AddStringToObject(json, "init_checksum", options->init_checksum);
    }
    exp_json_count(json, "steps", s->steps);
    exp_json_number(json, "epochs", s->epochs);
    if (s->train.examples > 0) {
        exp_json_number(json, "train_accuracy", s->train.accuracy);
        exp_json_number(json, "train_cross_entropy", s->train.cross_entropy);
    }
    if (s->test.examples > 0) {
        exp_json_number(json, "test_accuracy", s->test.accuracy);
        exp_json_number(json, "test_cross_entropy", s->test.cross_entropy);
        exp_calibration_add_json(json, "test_", &s->test.calibration);
    }
    exp_json_number(json, "images_per_second", s->images_per_second);
    exp_json_number(json, "seconds", s->seconds);
    exp_json_count(json, "peak_memory_bytes", s->peak_bytes);
    exp_json_count(json, "planned_memory_bytes", s->plan_bytes);
    exp_json_count(json, "parameters", c->store.parameter_count);
    exp_json_count(json, "train_examples", (unsigned)set->train.count);
    exp_json_count(json, "test_examples", (unsigned)set->test.count);
    if (set->unreadable > 0)
        exp_json_count(json, "unreadable_pictures", (unsigned)set->unreadable);
    add_checksum(json, "dataset_checksum", set->checksum);
    cJSON_AddBoolToObject(json, "interrupted", s->interrupted);
    cJSON_AddStringToObject(json, "run", s->run);
    cJSON_AddStringToObject(json, "version", exp_version);
    cJSON_AddStringToObject(json, "kernels", nn_kernels_active()->name);
    exp_json_count(json, "threads", (unsigned)nn_threads());
    add_taps(json, c, &s->test);
    return json;
}

nn_status exp_summary_write(const exp_run_folder *folder, const exp_train_options *options,
                            const data_set *set, const exp_classifier *classifier, const exp_summary *summary,
                            nn_error *error) {
    return exp_json_write(describe(options, set, classifier, summary),
                          exp_run_folder_file(folder, "summary.json"), options->json ? stdout : NULL, error);
}

bool exp_summary_of_finished(const char *run, char **line) {
    char path[EXP_TEXT_MAX + 16];
    cJSON *json;
    nn_error unreadable = {0};
    *line = NULL;
    snprintf(path, sizeof path, "%s/summary.json", run);
    if (exp_json_read(path, &json, &unreadable) != NN_OK)
        return false;
    if (cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(json, "interrupted")))
        *line = cJSON_PrintUnformatted(json);
    cJSON_Delete(json);
    return *line != NULL;
}
