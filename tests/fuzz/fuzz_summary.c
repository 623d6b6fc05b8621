/* summary.json of a run and of an analysis, by everyone who reads it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/common/summary.h"
#include "experiments/outliers/temperatures.h"
#include "experiments/study/results.h"
#include "fuzz.h"

static const exp_study *study(void) {
    static const char text[] = "[block]\npreset = shapes_resnet\nthen.attack = --run {run} --out {out}\n";
    static exp_study made;
    nn_error error = {0};
    if (!made.blocks)
        fuzz_require(exp_study_parse(&made, "study", EXP_SIZE_DEFAULT, "study.ini", text, &error) == NN_OK,
                     "the study is right");
    return &made;
}

static void read_temperatures(const char *folder) {
    enum { MOST = 4 };
    exp_tap_temperature taps[MOST];
    nn_error error = {0};
    int count;
    nn_status status = exp_temperatures_read(folder, taps, MOST, &count, &error);
    fuzz_require_reason(status, &error, "summary.json");
    fuzz_require(count >= 0 && count <= MOST, "no more taps than there is room for");
    for (int i = 0; i < count; i++)
        fuzz_require(taps[i].temperature > 0 && isfinite(taps[i].temperature), "temperatures are numbers");
}

static void read_finished(const char *folder) {
    char *line;
    nn_error error = {0};
    fuzz_require(exp_summary_of_finished(folder, &line, &error) == NN_OK, "there is memory for a summary");
    if (line)
        fuzz_read(line, strlen(line));
    free(line);
}

static void read_numbers(const char *path) {
    exp_named_numbers numbers;
    nn_error error = {0};
    fuzz_require_reason(exp_named_numbers_read(&numbers, path, &error), &error, path);
    for (int i = 0; i < numbers.count; i++)
        fuzz_require(numbers.items[i].name[0] != '\0', "every number has a name");
    exp_named_numbers_free(&numbers);
}

/* As the report does: the run's summary, and the tables made of it. */
static void read_table(const void *bytes, size_t count) {
    exp_study_table table;
    nn_error error = {0};
    char name[256];
    snprintf(name, sizeof name, "out/runs/%s/summary.json", study()->blocks[0].runs[0].name);
    fuzz_file(name, bytes, count);
    nn_status status = exp_study_table_new(&table, study(), 1, fuzz_path("out"), &error);
    fuzz_require_reason(status, &error, "summary.json");
    for (int i = 0; i < table.results[0].tap_count; i++)
        fuzz_read(table.results[0].taps[i].name, strlen(table.results[0].taps[i].name));
    exp_study_table_free(&table);
}

FUZZ_TARGET(summary) {
    const char *path = fuzz_file("run/summary.json", bytes, count);
    read_temperatures(fuzz_path("run"));
    read_finished(fuzz_path("run"));
    read_numbers(path);
    read_table(bytes, count);
}
