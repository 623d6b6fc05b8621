#include "files.h"

#include <math.h>
#include <string.h>

#include "experiments/common/json.h"
#include "framework/kernels/kernels.h"
#include "sheet.h"

enum { COLUMNS = 10, LINES = 10, SCALE = 2 };

void exp_gan_sheet_name(uint64_t step, char name[32]) {
    snprintf(name, 32, "samples-%06llu.png", (unsigned long long)step);
}

nn_status exp_gan_write_sheet(const exp_gan_record *record, const exp_gan_real *real, const float *images,
                              int count, nn_error *error) {
    char name[32];
    exp_gan_sheet sheet = {.images = images,
                           .count = count < COLUMNS * LINES ? count : COLUMNS * LINES,
                           .columns = COLUMNS,
                           .height = real->height,
                           .width = real->width,
                           .channels = real->channels,
                           .scale = SCALE};
    if (!real->loader)
        return NN_OK;
    exp_gan_sheet_name(record->rows[record->row_count - 1].step, name);
    return exp_gan_sheet_write(&sheet, record->folder, name, error);
}

/* --- networks ------------------------------------------------------------------------------------------- */

static nn_status save(const exp_gan_outcome *o, const nn_store *store, const char *name, nn_error *error) {
    char path[EXP_TEXT_MAX + 64], image[64], latent[32], filters[32];
    snprintf(path, sizeof path, "%s/%s.safetensors", o->record->folder, name);
    snprintf(image, sizeof image, "%d %d %d", o->real->height, o->real->width, o->real->channels);
    snprintf(latent, sizeof latent, "%llu", (unsigned long long)o->options->latent);
    snprintf(filters, sizeof filters, "%llu", (unsigned long long)o->options->filters);
    nn_metadata metadata[] = {{"model", name},    {"dataset", o->real->name}, {"image", image},
                              {"latent", latent}, {"filters", filters},       {0}};
    return nn_safetensors_save(store, metadata, path, error);
}

nn_status exp_gan_write_networks(const exp_gan_outcome *o, nn_error *error) {
    nn_status status = save(o, &o->training->generator.store, "generator", error);
    if (status == NN_OK && o->training->judged)
        status = save(o, &o->training->discriminator.store, "discriminator", error);
    return status;
}

/* --- summary.json --------------------------------------------------------------------------------------- */

static void add_quality(cJSON *parent, const char *name, const exp_gan_quality *q,
                        const exp_gan_judge *judge) {
    cJSON *json = cJSON_AddObjectToObject(parent, name);
    exp_json_count(json, "count", (unsigned long long)q->samples);
    exp_json_number(json, "top_probability", q->top_probability);
    exp_json_number(json, "class_entropy", q->entropy);
    exp_json_number(json, "least_share", q->least_share);
    cJSON *shares = cJSON_AddObjectToObject(json, "shares");
    for (int k = 0; k < q->classes; k++)
        exp_json_number(shares, judge->run.set.class_names[k], q->share[k]);
}

static void add_snapshot(cJSON *snapshots, const exp_gan_outcome *o, const exp_gan_row *row) {
    cJSON *json = exp_json_add_object(snapshots);
    exp_json_count(json, "step", row->step);
    exp_json_number(json, "snnl", row->snnl);
    exp_json_number(json, "temperature", row->temperature);
    if (!o->judge)
        return;
    cJSON *taps = cJSON_AddArrayToObject(json, "taps");
    for (int i = 0; i < o->record->taps; i++) {
        cJSON *tap = exp_json_add_object(taps);
        cJSON_AddStringToObject(tap, "name", o->record->tap_names[i]);
        exp_json_number(tap, "snnl", row->tap_snnl[i]);
        exp_json_number(tap, "temperature", row->tap_temperature[i]);
    }
    add_quality(json, "samples", &row->quality, o->judge);
}

static void add_settings(cJSON *json, const exp_gan_outcome *o) {
    const exp_gan_options *s = o->options;
    static const char *const objectives[] = {"adversarial", "snnl", "both"};
    cJSON_AddStringToObject(json, "dataset", o->real->name);
    if (o->real->loader)
        exp_json_count(json, "train_examples", (unsigned long long)o->real->set.train.count);
    cJSON_AddStringToObject(json, "objective", objectives[s->objective]);
    if (s->objective == EXP_GAN_BOTH)
        exp_json_number(json, "snnl_weight", s->snnl_weight);
    exp_json_count(json, "seed", s->seed);
    exp_json_count(json, "steps", o->training->steps);
    exp_json_count(json, "batch", s->batch);
    exp_json_count(json, "latent", s->latent);
    exp_json_count(json, "filters", s->filters);
    exp_json_number(json, "lr", s->rate);
    exp_json_count(json, "generator_parameters", o->training->generator.store.parameter_count);
    if (o->training->judged)
        exp_json_count(json, "discriminator_parameters", o->training->discriminator.store.parameter_count);
}

static cJSON *describe(const exp_gan_outcome *o) {
    cJSON *json = exp_json_new();
    const exp_gan_row *last = &o->record->rows[o->record->row_count - 1];
    add_settings(json, o);
    exp_json_count(json, "examples", (unsigned long long)o->real->examples);
    exp_json_number(json, "snnl", last->snnl);
    exp_json_number(json, "temperature", last->temperature);
    exp_json_number(json, "snnl_of_real_with_real", o->reference.value);
    cJSON *snapshots = cJSON_AddArrayToObject(json, "snapshots");
    for (int i = 0; i < o->record->snapshot_count; i++)
        add_snapshot(snapshots, o, exp_gan_record_at(o->record, i));
    if (o->judge) {
        cJSON_AddStringToObject(json, "classifier", o->options->classifier);
        add_quality(json, "real_samples", &o->judge->real, o->judge);
    }
    exp_json_number(json, "seconds", last->seconds);
    exp_json_number(json, "steps_per_second",
                    last->seconds > 0 ? (double)o->training->steps / last->seconds : NAN);
    exp_json_count(json, "threads", (unsigned long long)nn_threads());
    cJSON_AddBoolToObject(json, "interrupted", o->interrupted);
    cJSON_AddStringToObject(json, "run", o->record->folder);
    cJSON_AddStringToObject(json, "version", exp_version);
    return json;
}

nn_status exp_gan_write_summary(const exp_gan_outcome *o, nn_error *error) {
    char path[EXP_TEXT_MAX + 64];
    snprintf(path, sizeof path, "%s/summary.json", o->record->folder);
    return exp_json_write(describe(o), path, o->options->json ? stdout : NULL, error);
}
