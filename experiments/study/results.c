#include "results.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis.h"
#include "experiments/common/json.h"
#include "experiments/common/text_file.h"

const char *const exp_run_states[] = {"missing", "done", "failed", "skipped"};

#define AT(field) offsetof(exp_study_result, field)

/* Numbers of summary.json; those before `unlisted` are columns of results.csv too. */
static const struct number {
    const char *name;
    size_t offset;
} numbers[] = {
    {"steps", AT(steps)},
    {"train_accuracy", AT(train_accuracy)},
    {"test_accuracy", AT(test_accuracy)},
    {"train_cross_entropy", AT(train_cross_entropy)},
    {"test_cross_entropy", AT(test_cross_entropy)},
    {"test_ece", AT(test_ece)},
    {"test_brier", AT(test_brier)},
    {"images_per_second", AT(images_per_second)},
    {"seconds", AT(seconds)},
    {"train_examples", AT(train_examples)},
    {"test_examples", AT(test_examples)},
};

enum { NUMBERS = sizeof numbers / sizeof *numbers, UNLISTED = 2 };

/* The options that results.csv shows. */
static const char *const shown[] = {"dataset",          "model",       "snnl-weight", "snnl-layers",
                                    "temperature-mode", "temperature", "distance",    "batch",
                                    "epochs",           "train-limit", "seed",        NULL};

static double *number_of(exp_study_result *result, int i) {
    return (double *)((char *)result + numbers[i].offset);
}

const char *exp_study_path(const exp_study_table *table, const exp_study_run *run, const char *ending) {
    static char paths[2][EXP_TEXT_MAX + EXP_RUN_NAME_MAX + 64];
    static int next;
    char *path = paths[next++ % 2];
    snprintf(path, sizeof paths[0], "%s/runs/%s%s", table->out, run->name, ending);
    return path;
}

/* --- reading -------------------------------------------------------------------------------------------- */

static double number_in(const cJSON *object, const char *name) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(item) ? item->valuedouble : NAN;
}

static void forget(exp_study_result *result, exp_run_state state) {
    free(result->taps);
    result->taps = NULL;
    result->tap_count = 0;
    result->state = state;
    for (int i = 0; i < NUMBERS; i++)
        *number_of(result, i) = NAN;
}

static void take_reliability(exp_study_result *result, const cJSON *bins) {
    for (int i = 0; i < EXP_CALIBRATION_BINS; i++) {
        const cJSON *bin = cJSON_GetArrayItem(bins, i);
        double count = number_in(bin, "count");
        result->reliability[i] = (exp_reliability){0};
        if (count > 0 && count < INT_MAX)
            result->reliability[i] =
                (exp_reliability){(int)count, number_in(bin, "confidence"), number_in(bin, "accuracy")};
    }
}

static nn_status take_summary(exp_study_result *result, const cJSON *json, nn_error *error) {
    const cJSON *taps = cJSON_GetObjectItemCaseSensitive(json, "taps"), *item;
    forget(result, EXP_RUN_DONE);
    for (int i = 0; i < NUMBERS; i++)
        *number_of(result, i) = number_in(json, numbers[i].name);
    const char *checksum = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "dataset_checksum"));
    snprintf(result->checksum, sizeof result->checksum, "%.16s", checksum ? checksum : "unknown");
    take_reliability(result, cJSON_GetObjectItemCaseSensitive(json, "reliability"));
    result->taps = calloc((size_t)cJSON_GetArraySize(taps) + 1, sizeof *result->taps);
    if (!result->taps)
        return nn_fail_memory(error, result->run->name);
    cJSON_ArrayForEach(item, taps) {
        exp_tap_result *tap = &result->taps[result->tap_count++];
        const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, "name"));
        snprintf(tap->name, sizeof tap->name, "%s", name ? name : "");
        tap->weight = number_in(item, "weight");
        tap->snnl = number_in(item, "snnl");
        tap->temperature = number_in(item, "temperature");
    }
    return NN_OK;
}

/* *json is NULL where the folder holds no finished run. */
static nn_status read_summary(const exp_study_table *table, const exp_study_run *run, cJSON **json,
                              nn_error *error) {
    const char *path = exp_study_path(table, run, "/summary.json");
    nn_error cause = {0};
    *json = NULL;
    if (access(path, F_OK) != 0)
        return NN_OK;
    nn_status status = exp_json_read(path, json, &cause);
    if (status != NN_OK && status != NN_EFORMAT)
        return nn_fail(error, status, "%s", cause.message);
    if (!cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(*json, "interrupted"))) {
        cJSON_Delete(*json);
        *json = NULL;
    }
    return NN_OK;
}

/* An analysis that is damaged counts as failed: it is made again. */
static nn_status read_analyses(const exp_study_table *table, exp_study_result *result, nn_error *error) {
    for (int i = 0; i < result->block->analysis_count; i++) {
        char folder[EXP_ANALYSIS_PATH_MAX], path[EXP_ANALYSIS_PATH_MAX + 32];
        exp_analysis_result *analysis = &result->analyses[i];
        nn_error damage = {0};
        exp_named_numbers_free(&analysis->numbers);
        exp_analysis_folder(table, result, &result->block->analyses[i], folder);
        snprintf(path, sizeof path, "%s.failed", folder);
        analysis->state = result->run->skipped      ? EXP_RUN_SKIPPED
                          : access(path, F_OK) == 0 ? EXP_RUN_FAILED
                                                    : EXP_RUN_MISSING;
        snprintf(path, sizeof path, "%s/summary.json", folder);
        if (access(path, F_OK) != 0)
            continue;
        nn_status status = exp_named_numbers_read(&analysis->numbers, path, &damage);
        if (status == NN_EMEMORY)
            return nn_fail(error, status, "%s", damage.message);
        analysis->state = status == NN_OK ? EXP_RUN_DONE : EXP_RUN_FAILED;
    }
    return NN_OK;
}

nn_status exp_study_table_read(exp_study_table *table, const exp_study_run *run, nn_error *error) {
    cJSON *json;
    nn_status status = read_summary(table, run, &json, error);
    bool failed = access(exp_study_path(table, run, ".failed"), F_OK) == 0;
    for (int i = 0; i < table->count && status == NN_OK; i++) {
        exp_study_result *result = &table->results[i];
        /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): every result has a run */
        if (strcmp(result->run->name, run->name) != 0)
            continue;
        if (json)
            status = take_summary(result, json, error);
        else
            forget(result, result->run->skipped ? EXP_RUN_SKIPPED
                           : failed             ? EXP_RUN_FAILED
                                                : EXP_RUN_MISSING);
        if (status == NN_OK)
            status = read_analyses(table, result, error);
    }
    cJSON_Delete(json);
    return status;
}

static int count_runs(const exp_study *studies, int count) {
    int runs = 0;
    for (int s = 0; s < count; s++)
        for (int b = 0; b < studies[s].block_count; b++)
            runs += studies[s].blocks[b].seeds * studies[s].blocks[b].conditions;
    return runs;
}

static bool is_listed(const exp_study_table *table, const exp_study_run *run) {
    for (int i = 0; i < table->count; i++)
        /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): every result has a run */
        if (strcmp(table->results[i].run->name, run->name) == 0)
            return true;
    return false;
}

static void add_block(exp_study_table *table, const exp_study *study, const exp_study_block *block) {
    for (int i = 0; i < block->seeds * block->conditions; i++) {
        bool repeated = is_listed(table, &block->runs[i]);
        table->results[table->count++] =
            (exp_study_result){.study = study, .block = block, .run = &block->runs[i], .repeated = repeated};
    }
}

nn_status exp_study_table_new(exp_study_table *table, const exp_study *studies, int count, const char *out,
                              nn_error *error) {
    *table = (exp_study_table){0};
    if (strlen(out) >= sizeof table->out - 16)
        return nn_fail(error, NN_EARGUMENT, "--out: the path is too long");
    strcpy(table->out, out);
    table->results = calloc((size_t)count_runs(studies, count) + 1, sizeof *table->results);
    if (!table->results)
        return nn_fail_memory(error, "the results");
    for (int s = 0; s < count; s++)
        for (int b = 0; b < studies[s].block_count; b++)
            add_block(table, &studies[s], &studies[s].blocks[b]);
    nn_status status = NN_OK;
    for (int i = 0; i < table->count && status == NN_OK; i++)
        status = exp_study_table_read(table, table->results[i].run, error);
    return status;
}

void exp_study_table_free(exp_study_table *table) {
    for (int i = 0; i < table->count; i++) {
        free(table->results[i].taps);
        for (int k = 0; k < EXP_ANALYSES_MAX; k++)
            exp_named_numbers_free(&table->results[i].analyses[k].numbers);
    }
    free(table->results);
    *table = (exp_study_table){0};
}

/* --- looking up ----------------------------------------------------------------------------------------- */

const exp_study_result *exp_study_table_block(const exp_study_table *table, const exp_study_block *block) {
    for (int i = 0; i < table->count; i++)
        if (table->results[i].block == block)
            return &table->results[i];
    return NULL;
}

const exp_study_result *exp_study_baseline(const exp_study_table *table, const exp_study_result *result) {
    for (int measured = 1; measured >= 0; measured--)
        for (int i = 0; i < table->count; i++) {
            const exp_study_result *other = &table->results[i];
            if (other->state == EXP_RUN_DONE && exp_study_is_baseline(result->run, other->run, measured))
                return other;
        }
    return NULL;
}

bool exp_study_analysis_repeated(const exp_study_table *table, const exp_study_result *result, int analysis) {
    char folder[EXP_ANALYSIS_PATH_MAX], other[EXP_ANALYSIS_PATH_MAX];
    exp_analysis_folder(table, result, &result->block->analyses[analysis], folder);
    for (const exp_study_result *r = table->results; r < result; r++)
        for (int k = 0; k < r->block->analysis_count; k++)
            if (strcmp(exp_analysis_folder(table, r, &r->block->analyses[k], other), folder) == 0)
                return true;
    return false;
}

/* --- files ---------------------------------------------------------------------------------------------- */

/* A field as RFC 4180 has it: quoted where it holds a comma, a quote or a line's end. */
static void put_text(FILE *file, const char *text) {
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, file);
        return;
    }
    putc('"', file);
    for (; *text; text++) {
        if (*text == '"')
            putc('"', file);
        putc(*text, file);
    }
    putc('"', file);
}

/* With 9 significant digits, as in summary.json; nothing for NaN. */
static void put_number(FILE *file, double value) {
    if (!isnan(value))
        fprintf(file, "%.9g", value);
}

static void put_option(FILE *file, const exp_train_options *options, const char *name) {
    const exp_option *option = exp_option_find(exp_train_table, name);
    if (strcmp(name, "epochs") == 0 && options->steps)
        return; /* the steps decide */
    if (option->kind == EXP_TEXT)
        put_text(file, (const char *)options + option->offset);
    else
        exp_option_write(option, options, file);
}

static void put_header(FILE *file) {
    fputs("study,block,run", file);
    for (int i = 0; shown[i]; i++) {
        putc(',', file);
        for (const char *byte = shown[i]; *byte; byte++)
            putc(*byte == '-' ? '_' : *byte, file);
    }
    for (int i = 0; i < NUMBERS - UNLISTED; i++)
        fprintf(file, ",%s", numbers[i].name);
    fputs(",status\n", file);
}

static void put_result(FILE *file, exp_study_result *result) {
    const char *const names[] = {result->study->name, result->block->name, result->run->name};
    for (int i = 0; i < 3; i++) {
        put_text(file, names[i]);
        putc(',', file);
    }
    for (int i = 0; shown[i]; i++) {
        put_option(file, &result->run->options, shown[i]);
        putc(',', file);
    }
    for (int i = 0; i < NUMBERS - UNLISTED; i++) {
        put_number(file, *number_of(result, i));
        putc(',', file);
    }
    fprintf(file, "%s\n", exp_run_states[result->state]);
}

static void put_results(FILE *file, const exp_study_table *table) {
    put_header(file);
    for (int i = 0; i < table->count; i++)
        put_result(file, &table->results[i]);
}

static void put_taps(FILE *file, const exp_study_table *table) {
    fputs("run,tap,weight,snnl,temperature\n", file);
    for (int i = 0; i < table->count; i++) {
        const exp_study_result *result = &table->results[i];
        for (int k = 0; k < result->tap_count && !result->repeated; k++) {
            const exp_tap_result *tap = &result->taps[k];
            put_text(file, result->run->name);
            putc(',', file);
            put_text(file, tap->name);
            const double values[] = {tap->weight, tap->snnl, tap->temperature};
            for (int v = 0; v < 3; v++) {
                putc(',', file);
                put_number(file, values[v]);
            }
            putc('\n', file);
        }
    }
}

static void put_analyses(FILE *file, const exp_study_table *table) {
    fputs("run,program,number,value\n", file);
    for (int i = 0; i < table->count; i++) {
        const exp_study_result *result = &table->results[i];
        for (int k = 0; k < result->block->analysis_count; k++) {
            const exp_named_numbers *made = &result->analyses[k].numbers;
            bool repeated = exp_study_analysis_repeated(table, result, k);
            for (int n = 0; n < made->count && !repeated; n++) {
                fprintf(file, "%s,%s,", result->run->name, result->block->analyses[k].program);
                put_text(file, made->items[n].name);
                putc(',', file);
                put_number(file, made->items[n].value);
                putc('\n', file);
            }
        }
    }
}

static nn_status write_file(const exp_study_table *table, const char *name,
                            void (*put)(FILE *, const exp_study_table *), nn_error *error) {
    char path[EXP_TEXT_MAX + 32], *text = NULL;
    size_t length = 0;
    snprintf(path, sizeof path, "%s/%s", table->out, name);
    FILE *memory = exp_memory_open(&text, &length);
    if (!memory)
        return nn_fail_memory(error, path);
    put(memory, table);
    nn_status status = exp_memory_close(memory, &text) ? nn_file_write_atomic(path, text, length, error)
                                                       : nn_fail_memory(error, path);
    free(text);
    return status;
}

nn_status exp_study_table_write(const exp_study_table *table, nn_error *error) {
    nn_status status = write_file(table, "results.csv", put_results, error);
    if (status == NN_OK)
        status = write_file(table, "taps.csv", put_taps, error);
    return status == NN_OK ? write_file(table, "analyses.csv", put_analyses, error) : status;
}
