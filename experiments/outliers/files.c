#include "files.h"

#include <stdlib.h>

#include "experiments/common/json.h"
#include "experiments/common/text_file.h"
#include "framework/file.h"
#include "pictures.h"

static void add_score(cJSON *scores, const exp_outlier_column *column, const exp_outlier_result *r) {
    cJSON *json = exp_json_add_object(scores);
    cJSON_AddStringToObject(json, "score", exp_score_names[column->score]);
    if (column->layer) {
        cJSON_AddStringToObject(json, "layer", column->layer);
        exp_json_number(json, "temperature", column->temperature);
    }
    exp_json_number(json, "auroc", r->detection.auroc);
    exp_json_number(json, "aupr_in", r->detection.aupr_in);
    exp_json_number(json, "aupr_out", r->detection.aupr_out);
    exp_json_number(json, "fpr95", r->detection.fpr95);
    exp_json_number(json, "mean_in", r->mean_in);
    exp_json_number(json, "mean_out", r->mean_out);
}

void exp_outliers_add_json(cJSON *summary, const exp_outliers *out) {
    cJSON_AddNumberToObject(summary, "outlier_references", out->references);
    cJSON *list = cJSON_AddArrayToObject(summary, "outliers");
    for (int k = 0; k < out->sources; k++) {
        const exp_outlier_source *s = &out->source[k];
        cJSON *json = exp_json_add_object(list);
        cJSON_AddStringToObject(json, "source", s->source.name);
        cJSON_AddNumberToObject(json, "examples", s->count);
        cJSON_AddNumberToObject(json, "in_distribution_examples", out->in);
        cJSON *scores = cJSON_AddArrayToObject(json, "scores");
        for (int c = 0; c < out->columns; c++)
            add_score(scores, &out->column[c], &s->results[c]);
    }
}

static void put_row(FILE *file, const exp_outliers *out, const exp_outlier_source *s, int column) {
    const exp_outlier_column *c = &out->column[column];
    const exp_outlier_result *r = &s->results[column];
    fprintf(file, "%s,%d,%d,%s,%s,", s->source.name, out->in, s->count, exp_score_names[c->score],
            c->layer ? c->layer : "");
    if (c->layer)
        fprintf(file, "%.9g", c->temperature);
    fprintf(file, ",%.9g,%.9g,%.9g,%.9g,%.9g,%.9g\n", r->detection.auroc, r->detection.aupr_in,
            r->detection.aupr_out, r->detection.fpr95, r->mean_in, r->mean_out);
}

static nn_status write_csv(const exp_outliers *out, const char *path, nn_error *error) {
    char *text = NULL;
    size_t size = 0;
    FILE *file = exp_memory_open(&text, &size);
    if (!file)
        return nn_fail_memory(error, path);
    fputs("source,in_distribution_examples,examples,score,layer,temperature,auroc,aupr_in,aupr_out,fpr95,"
          "mean_in,mean_out\n",
          file);
    for (int k = 0; k < out->sources; k++)
        for (int c = 0; c < out->columns; c++)
            put_row(file, out, &out->source[k], c);
    bool whole = exp_memory_close(file, &text);
    nn_status status = whole ? nn_file_write_atomic(path, text, size, error) : nn_fail_memory(error, path);
    free(text);
    return status;
}

nn_status exp_outliers_write(const exp_outliers *out, const char *folder, nn_error *error) {
    char path[2][EXP_TEXT_MAX + 64];
    snprintf(path[0], sizeof path[0], "%s/outliers.csv", folder);
    nn_status status = write_csv(out, path[0], error);
    if (status == NN_OK) {
        snprintf(path[0], sizeof path[0], "%s/outliers-credibility.png", folder);
        snprintf(path[1], sizeof path[1], "%s/outliers-credibility.svg", folder);
        status = exp_outliers_draw_credibility(out, path[0], path[1], error);
    }
    if (status == NN_OK) {
        snprintf(path[0], sizeof path[0], "%s/outliers-roc.png", folder);
        snprintf(path[1], sizeof path[1], "%s/outliers-roc.svg", folder);
        status = exp_outliers_draw_roc(out, path[0], path[1], error);
    }
    return status;
}

/* The scores of the network, and of those of layers the best one. */
const char *exp_outliers_line(const exp_outliers *out, int k, char line[EXP_OUTLIER_LINE_MAX]) {
    const exp_outlier_source *s = &out->source[k];
    size_t length = (size_t)snprintf(line, EXP_OUTLIER_LINE_MAX, "%d of %s: AUROC", s->count, s->source.name);
    int best = -1;
    for (int c = 0; c < out->columns; c++)
        if (!out->column[c].layer)
            length += (size_t)snprintf(line + length, EXP_OUTLIER_LINE_MAX - length, " %s %.3f,",
                                       exp_score_names[out->column[c].score], s->results[c].detection.auroc);
        else if (best < 0 || s->results[c].detection.auroc > s->results[best].detection.auroc)
            best = c;
    line[length - 1] = '\0';
    if (best >= 0)
        snprintf(line + length - 1, EXP_OUTLIER_LINE_MAX - length + 1,
                 "; the best of a layer: %s of %.64s %.3f", exp_score_names[out->column[best].score],
                 out->column[best].layer, s->results[best].detection.auroc);
    return line;
}
