#include "results.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program.h"

static int column_of(const char *header, const char *name) {
    size_t length = strlen(name);
    int column = 0;
    for (const char *at = header;; at++, column++) {
        if (strncmp(at, name, length) == 0 && strchr(",\n", at[length]))
            return column;
        at = strpbrk(at, ",\n");
        if (!at || *at == '\n')
            fail_msg("there is no column %s", name);
    }
}

/* Field `column` of a line without quotes. */
static const char *field(const char *line, int column, char text[192]) {
    for (; column > 0; column--)
        line = strchr(line, ',') + 1;
    snprintf(text, 192, "%.*s", (int)strcspn(line, ",\n"), line);
    return text;
}

static double number(const char *header, const char *line, const char *name) {
    char text[192];
    field(line, column_of(header, name), text);
    return text[0] ? strtod(text, NULL) : NAN;
}

int results_read(const char *out, result results[RESULTS_MAX]) {
    char path[128], text[192];
    int count = 0;
    snprintf(path, sizeof path, "%s/results.csv", out);
    char *file = program_file(path);
    for (const char *line = strchr(file, '\n') + 1; *line; line = strchr(line, '\n') + 1) {
        result *r = &results[count++];
        snprintf(r->block, sizeof r->block, "%.31s", field(line, column_of(file, "block"), text));
        snprintf(r->run, sizeof r->run, "%s", field(line, column_of(file, "run"), text));
        r->batch = number(file, line, "batch");
        r->weight = number(file, line, "snnl_weight");
        r->seed = number(file, line, "seed");
        r->train_accuracy = number(file, line, "train_accuracy");
        r->accuracy = number(file, line, "test_accuracy");
        r->cross_entropy = number(file, line, "test_cross_entropy");
        r->ece = number(file, line, "test_ece");
        assert_true(count < RESULTS_MAX);
    }
    free(file);
    return count;
}

const result *results_find(const result *results, int count, const char *block, double batch, double weight,
                           double seed) {
    for (int i = 0; i < count; i++)
        if (strcmp(results[i].block, block) == 0 && results[i].batch == batch &&
            results[i].weight == weight && results[i].seed == seed)
            return &results[i];
    fail_msg("no run of [%s] with batch %g, weight %g, seed %g", block, batch, weight, seed);
    return NULL;
}

int results_layers(const char *out, const char *run, result_layer layers[RESULTS_LAYERS_MAX]) {
    char path[128], text[192];
    int count = 0;
    snprintf(path, sizeof path, "%s/taps.csv", out);
    char *file = program_file(path);
    for (const char *line = strchr(file, '\n') + 1; *line; line = strchr(line, '\n') + 1) {
        if (strcmp(field(line, 0, text), run) != 0)
            continue;
        assert_true(count < RESULTS_LAYERS_MAX);
        snprintf(layers[count].name, sizeof layers[count].name, "%.63s", field(line, 1, text));
        layers[count].weight = strtod(field(line, 2, text), NULL);
        layers[count++].snnl = strtod(field(line, 3, text), NULL);
    }
    free(file);
    return count;
}
