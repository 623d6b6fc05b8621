#include "files.h"

#include "experiments/common/json.h"
#include "experiments/common/program_names.h"
#include "experiments/common/text_file.h"

nn_status exp_toy_write_config(const char *folder, const exp_toy_options *options, nn_error *error) {
    exp_text_file t;
    char call[EXP_CALL_MAX];
    if (exp_text_begin(&t, folder, "config.ini", error) != NN_OK)
        return error->status;
    fprintf(t.file, "# a run of entangle %s; to repeat it: %s --config %s\n", exp_version,
            exp_program_call("toy", call), t.path);
    exp_options_write(exp_toy_table, options, t.file);
    return exp_text_end(&t, error);
}

nn_status exp_toy_write_values(const char *folder, const exp_toy_record *record, nn_error *error) {
    exp_text_file t;
    if (exp_text_begin(&t, folder, "toy.csv", error) != NN_OK)
        return error->status;
    fputs("step,snnl,temperature\n", t.file);
    for (uint64_t step = 0; step <= record->steps; step++)
        fprintf(t.file, "%llu,%.9g,%.9g\n", (unsigned long long)step, record->rows[step].value,
                record->rows[step].temperature);
    return exp_text_end(&t, error);
}

nn_status exp_toy_write_points(const char *folder, const exp_toy_record *record, nn_error *error) {
    exp_text_file t;
    if (exp_text_begin(&t, folder, "points.csv", error) != NN_OK)
        return error->status;
    fputs("step,x,y,label\n", t.file);
    for (int s = 0; s < record->snapshot_count; s++) {
        const exp_toy_picture *snapshot = &record->snapshots[s];
        for (int i = 0; i < record->points; i++)
            fprintf(t.file, "%llu,%.9g,%.9g,%d\n", (unsigned long long)snapshot->step, snapshot->x[2 * i],
                    snapshot->x[2 * i + 1], record->labels[i]);
    }
    return exp_text_end(&t, error);
}

/* --- summary.json --------------------------------------------------------------------------------------- */

static void add_snapshots(cJSON *json, const exp_toy_result *result) {
    cJSON *snapshots = cJSON_AddArrayToObject(json, "snapshots");
    for (int i = 0; i < result->snapshot_count; i++) {
        const exp_toy_snapshot *s = &result->snapshots[i];
        cJSON *snapshot = cJSON_CreateObject();
        exp_json_count(snapshot, "step", s->step);
        exp_json_number(snapshot, "snnl", s->snnl);
        exp_json_number(snapshot, "temperature", s->temperature);
        exp_json_number(snapshot, "threshold", s->threshold);
        cJSON_AddItemToArray(snapshots, snapshot);
    }
}

static void add_thresholds(cJSON *json, const exp_toy_result *result) {
    cJSON *thresholds = cJSON_AddArrayToObject(json, "thresholds");
    for (int i = 0; i < result->threshold_count; i++) {
        const exp_toy_threshold *t = &result->thresholds[i];
        cJSON *threshold = cJSON_CreateObject();
        exp_json_number(threshold, "threshold", t->value);
        cJSON_AddBoolToObject(threshold, "reached", t->reached);
        if (t->reached)
            exp_json_count(threshold, "step", t->step);
        cJSON_AddItemToArray(thresholds, threshold);
    }
}

static cJSON *describe(const exp_toy_options *o, const exp_toy_result *result) {
    cJSON *json = cJSON_CreateObject();
    exp_json_count(json, "seed", o->seed);
    exp_json_count(json, "points", o->points);
    exp_json_count(json, "classes", o->classes);
    exp_json_number(json, "apart", o->apart);
    cJSON_AddBoolToObject(json, "maximise", o->maximise);
    cJSON_AddStringToObject(json, "temperature", o->temperature);
    exp_json_number(json, "lr", o->rate);
    exp_json_count(json, "steps", result->steps);
    exp_json_number(json, "start_snnl", result->start_snnl);
    exp_json_number(json, "end_snnl", result->end_snnl);
    exp_json_number(json, "limit_snnl", result->limit);
    add_snapshots(json, result);
    add_thresholds(json, result);
    exp_json_number(json, "seconds", result->seconds);
    cJSON_AddBoolToObject(json, "interrupted", result->interrupted);
    cJSON_AddStringToObject(json, "run", result->run);
    cJSON_AddStringToObject(json, "version", exp_version);
    return json;
}

nn_status exp_toy_write_summary(const exp_toy_options *options, const exp_toy_result *result,
                                nn_error *error) {
    char path[EXP_TEXT_MAX + 64];
    snprintf(path, sizeof path, "%s/summary.json", result->run);
    return exp_json_write(describe(options, result), path, options->json ? stdout : NULL, error);
}
