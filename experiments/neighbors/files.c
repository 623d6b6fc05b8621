#include "files.h"

#include <stdlib.h>
#include <string.h>

#include "experiments/common/json.h"
#include "experiments/common/text_file.h"
#include "experiments/outliers/files.h"
#include "framework/file.h"
#include "framework/kernels/kernels.h"

enum { PATH_SIZE = EXP_TEXT_MAX + 64 };

/* --- table ---------------------------------------------------------------------------------------------- */

static void put_row(FILE *file, const exp_neighbors_result *r, int i) {
    const exp_judged *j = r->judged;
    const exp_dknn_verdict *v = &j->verdicts[i];
    fprintf(file, "%d,%d,%d,%d,%.9g,%.9g,%d", j->first + i, exp_judged_label(j, i), v->network, v->prediction,
            v->credibility[r->variant], v->confidence[r->variant], v->nonconformity);
    for (int l = 0; l < exp_dknn_layers(j->dknn); l++)
        fprintf(file, ",%d", exp_judged_votes(j, i, l)[v->prediction]);
    putc('\n', file);
}

nn_status exp_neighbors_write_table(const exp_neighbors_result *r, nn_error *error) {
    char path[PATH_SIZE], *text = NULL;
    size_t length;
    FILE *file = exp_memory_open(&text, &length);
    snprintf(path, sizeof path, "%s/neighbors.csv", r->out);
    if (!file)
        return nn_fail_memory(error, path);
    fputs("index,label,network,prediction,credibility,confidence,nonconformity", file);
    for (int l = 0; l < exp_dknn_layers(r->judged->dknn); l++)
        fprintf(file, ",neighbors/%s", exp_dknn_layer(r->judged->dknn, l));
    putc('\n', file);
    for (int i = 0; i < r->judged->count; i++)
        put_row(file, r, i);
    bool whole = exp_memory_close(file, &text);
    nn_status status = whole ? nn_file_write_atomic(path, text, length, error) : nn_fail_memory(error, path);
    free(text);
    return status;
}

/* --- summary -------------------------------------------------------------------------------------------- */

static void add_layers(cJSON *json, const exp_neighbors_result *r) {
    cJSON *layers = cJSON_AddArrayToObject(json, "layers");
    const exp_dknn *dknn = r->judged->dknn;
    for (int l = 0; l < exp_dknn_layers(dknn); l++) {
        cJSON *layer = exp_json_add_object(layers);
        cJSON_AddStringToObject(layer, "name", exp_dknn_layer(dknn, l));
        cJSON_AddNumberToObject(layer, "dims", exp_dknn_dims(dknn, l));
        exp_json_number(layer, "same_class", r->statistics.layers[l].same_class);
        exp_json_number(layer, "accuracy", r->statistics.layers[l].accuracy);
    }
}

static void add_reliability(cJSON *json, const exp_calibration *reliability) {
    cJSON *bins = cJSON_AddArrayToObject(json, "reliability");
    for (int m = 0; m < exp_calibration_bins(reliability); m++) {
        exp_reliability bin = exp_calibration_bin(reliability, m);
        cJSON *item = exp_json_add_object(bins);
        exp_json_number(item, "from", m / (double)exp_calibration_bins(reliability));
        exp_json_number(item, "to", (m + 1) / (double)exp_calibration_bins(reliability));
        cJSON_AddNumberToObject(item, "count", bin.count);
        exp_json_number(item, "credibility", bin.count ? bin.confidence : 0);
        exp_json_number(item, "accuracy", bin.count ? bin.accuracy : 0);
    }
}

static void add_counts(cJSON *histogram, const char *name, const int *counts) {
    cJSON *list = cJSON_CreateIntArray(counts, EXP_HISTOGRAM_BINS);
    if (!cJSON_AddItemToObject(histogram, name, list))
        cJSON_Delete(list);
}

static void add_variant(cJSON *json, const exp_neighbors_result *r, exp_dknn_variant variant) {
    const exp_credibility *c = &r->statistics.variants[variant];
    cJSON *item = cJSON_AddObjectToObject(json, exp_dknn_variants[variant]);
    exp_json_number(item, "credibility", c->credibility);
    exp_json_number(item, "credibility_when_right", c->when_right);
    exp_json_number(item, "credibility_when_wrong", c->when_wrong);
    exp_json_number(item, "confidence", c->confidence);
    exp_json_number(item, "ece", exp_calibration_error(&c->reliability));
    add_reliability(item, &c->reliability);
    cJSON *histogram = cJSON_AddObjectToObject(item, "histogram");
    add_counts(histogram, "right", c->right);
    add_counts(histogram, "wrong", c->wrong);
}

static void add_shown(cJSON *json, const exp_neighbors_result *r) {
    cJSON *shown = cJSON_AddArrayToObject(json, "shown");
    for (int k = 0; k < r->shown_count; k++) {
        const exp_dknn_verdict *v = &r->judged->verdicts[r->shown[k]];
        cJSON *item = exp_json_add_object(shown);
        cJSON_AddNumberToObject(item, "index", r->judged->first + r->shown[k]);
        cJSON_AddNumberToObject(item, "label", exp_judged_label(r->judged, r->shown[k]));
        cJSON_AddNumberToObject(item, "network", v->network);
        cJSON_AddNumberToObject(item, "prediction", v->prediction);
        cJSON_AddNumberToObject(item, "nonconformity", v->nonconformity);
        exp_json_number(item, "credibility", v->credibility[r->variant]);
        exp_json_number(item, "confidence", v->confidence[r->variant]);
    }
}

static cJSON *describe(const exp_neighbors_result *r) {
    const exp_neighbors_statistics *s = &r->statistics;
    const exp_dknn *dknn = r->judged->dknn;
    cJSON *json = exp_json_new();
    cJSON_AddStringToObject(json, "run", r->run_folder);
    cJSON_AddStringToObject(json, "model", r->run->options.model);
    cJSON_AddStringToObject(json, "dataset", r->run->set.name);
    cJSON_AddNumberToObject(json, "neighbors", exp_dknn_neighbors(dknn));
    cJSON_AddNumberToObject(json, "training_examples", exp_dknn_training(dknn));
    cJSON_AddNumberToObject(json, "calibration_examples", r->calibration);
    cJSON_AddNumberToObject(json, "calibration_above_zero", exp_dknn_calibration(dknn)->at_least[1]);
    cJSON_AddNumberToObject(json, "examples", s->count);
    exp_json_number(json, "accuracy", s->accuracy);
    exp_json_number(json, "network_accuracy", s->network_accuracy);
    exp_json_number(json, "agreement", s->agreement);
    exp_json_number(json, "nonconformity", s->nonconformity);
    add_layers(json, r);
    cJSON_AddStringToObject(json, "variant", exp_dknn_variants[r->variant]);
    cJSON *variants = cJSON_AddObjectToObject(json, "variants");
    for (int v = 0; v < EXP_DKNN_VARIANTS; v++)
        add_variant(variants, r, (exp_dknn_variant)v);
    add_shown(json, r);
    if (r->outliers)
        exp_outliers_add_json(json, r->outliers);
    exp_json_number(json, "seconds", r->seconds);
    cJSON_AddNumberToObject(json, "threads", nn_threads());
    cJSON_AddStringToObject(json, "kernels", nn_kernels_active()->name);
    cJSON_AddStringToObject(json, "version", exp_version);
    return json;
}

nn_status exp_neighbors_write_summary(const exp_neighbors_result *r, FILE *output, nn_error *error) {
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/summary.json", r->out);
    return exp_json_write(describe(r), path, output, error);
}
