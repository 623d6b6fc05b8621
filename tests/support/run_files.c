#include "run_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "program.h"

char *run_files_metrics(const char *path) {
    char *text = program_file(path), *rest = text, *kept = NULL, *line;
    size_t size;
    int seconds = -1;
    FILE *file = open_memstream(&kept, &size);
    assert_true(text[0] && text[strlen(text) - 1] == '\n');
    while ((line = strsep(&rest, "\n")) && rest) {
        int column = 0;
        for (char *cell; (cell = strsep(&line, ",")); column++) {
            if (strcmp(cell, "seconds") == 0)
                seconds = column;
            if (column != seconds)
                fprintf(file, "%s%s", column ? "," : "", cell);
        }
        fputc('\n', file);
    }
    assert_int_equal(seconds, 3);
    fclose(file);
    free(text);
    return kept;
}

static void expect_same_text(const char *what, char *a, char *b) {
    if (strcmp(a, b) != 0)
        fail_msg("%s: '%s' is not '%s'", what, a, b);
    free(a);
    free(b);
}

static void expect_same_bytes(const char *a, const char *b) {
    size_t a_count, b_count;
    unsigned char *a_bytes, *b_bytes;
    nn_error error = {0};
    test_ok(nn_file_read(a, 1 << 26, &a_bytes, &a_count, &error), &error);
    test_ok(nn_file_read(b, 1 << 26, &b_bytes, &b_count, &error), &error);
    assert_int_equal(a_count, b_count);
    test_same_bits(b, a_bytes, b_bytes, a_count);
    free(a_bytes);
    free(b_bytes);
}

static char *lasting_summary(const char *path) {
    static const char *const passing[] = {
        "seconds", "images_per_second", "peak_memory_bytes", "planned_memory_bytes", "threads", "run"};
    cJSON *json = json_file(path);
    for (int i = 0; i < 6; i++) {
        assert_true(cJSON_HasObjectItem(json, passing[i]));
        cJSON_DeleteItemFromObjectCaseSensitive(json, passing[i]);
    }
    char *text = cJSON_Print(json);
    cJSON_Delete(json);
    return text;
}

static char *options_of(const char *path) {
    char *text = program_file(path), *options = strdup(strchr(text, '\n'));
    free(text);
    return options;
}

void run_files_same(const char *a, const char *b) {
    char x[256], y[256];
    snprintf(x, sizeof x, "%s/metrics.csv", a);
    snprintf(y, sizeof y, "%s/metrics.csv", b);
    expect_same_text(y, run_files_metrics(x), run_files_metrics(y));
    snprintf(x, sizeof x, "%s/summary.json", a);
    snprintf(y, sizeof y, "%s/summary.json", b);
    expect_same_text(y, lasting_summary(x), lasting_summary(y));
    snprintf(x, sizeof x, "%s/config.ini", a);
    snprintf(y, sizeof y, "%s/config.ini", b);
    expect_same_text(y, options_of(x), options_of(y));
    snprintf(x, sizeof x, "%s/model.safetensors", a);
    snprintf(y, sizeof y, "%s/model.safetensors", b);
    expect_same_bytes(x, y);
}
