/* metrics.c - reading metrics.csv: the text is cut at commas and newlines in place. */
#include "metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "framework/file.h"

static const char *const leading[] = {"step", "epoch", "images",        "seconds",
                                      "lr",   "loss",  "cross_entropy", "accuracy"};
static const char *const trailing[] = {"test_loss", "test_accuracy"};

enum { LEADING = sizeof leading / sizeof *leading, TRAILING = sizeof trailing / sizeof *trailing };

/* Where the reader stands. */
struct reader {
    const char *path;
    char *position, *end; /* what is left: whole lines */
    size_t line;          /* the current one, from 1 */
    nn_error *error;
};

static size_t count_bytes(const char *begin, const char *end, char wanted) {
    size_t count = 0;
    for (const char *byte = begin; byte < end; byte++)
        count += *byte == wanted;
    return count;
}

/* Cuts the next line off; returns where it ends (at a NUL in place of its newline). */
static char *next_line(struct reader *reader, char **line) {
    *line = reader->position;
    char *newline = memchr(reader->position, '\n', (size_t)(reader->end - reader->position));
    reader->position = newline + 1;
    reader->line++;
    if (newline > *line && newline[-1] == '\r')
        newline--;
    *newline = '\0';
    return newline;
}

/* Cuts the next field off a line that ends at `end`; returns where the field ends. */
static char *next_field(char **rest, char *end, char **field) {
    *field = *rest;
    char *comma = memchr(*rest, ',', (size_t)(end - *rest));
    if (!comma)
        return end;
    *comma = '\0';
    *rest = comma + 1;
    return comma;
}

static nn_status read_names(struct reader *reader, exp_metrics *metrics) {
    char *rest;
    char *end = next_line(reader, &rest);
    metrics->columns = count_bytes(rest, end, ',') + 1;
    metrics->names = calloc(metrics->columns, sizeof *metrics->names);
    if (!metrics->names)
        return nn_fail_memory(reader->error, reader->path);
    for (size_t c = 0; c < metrics->columns; c++) {
        char *name;
        next_field(&rest, end, &name);
        metrics->names[c] = name;
    }
    return NN_OK;
}

static nn_status want_name(const struct reader *reader, const exp_metrics *metrics, size_t column,
                           const char *prefix, const char *name) {
    const char *found = column < metrics->columns ? metrics->names[column] : "the end of the line";
    size_t length = strlen(prefix);
    if (column < metrics->columns && strncmp(found, prefix, length) == 0 && strcmp(found + length, name) == 0)
        return NN_OK;
    return nn_fail(reader->error, NN_EFORMAT, "%s: line 1, column %zu: wanted '%s%s', found '%s'",
                   reader->path, column + 1, prefix, name, found);
}

/* Are these the columns of a metrics.csv? Finds the taps' names. */
static nn_status read_taps(const struct reader *reader, exp_metrics *metrics) {
    for (size_t c = 0; c < LEADING; c++)
        if (want_name(reader, metrics, c, "", leading[c]) != NN_OK)
            return NN_EFORMAT;
    metrics->taps = calloc(metrics->columns, sizeof *metrics->taps);
    if (!metrics->taps)
        return nn_fail_memory(reader->error, reader->path);
    size_t c = LEADING;
    for (; c < metrics->columns && strncmp(metrics->names[c], "snnl/", 5) == 0; c += 2) {
        const char *name = metrics->names[c] + 5;
        if (want_name(reader, metrics, c + 1, "temperature/", name) != NN_OK)
            return NN_EFORMAT;
        metrics->taps[metrics->tap_count++].name = name;
    }
    for (size_t i = 0; i < TRAILING; i++)
        if (want_name(reader, metrics, c + i, "", trailing[i]) != NN_OK)
            return NN_EFORMAT;
    return NN_OK;
}

static nn_status read_row(struct reader *reader, exp_metrics *metrics, size_t row) {
    size_t may_be_empty = LEADING + 2 * metrics->tap_count;
    char *rest;
    char *end = next_line(reader, &rest);
    size_t found = count_bytes(rest, end, ',') + 1;
    if (found != metrics->columns)
        return nn_fail(reader->error, NN_EFORMAT, "%s: line %zu: %zu columns, but the header has %zu",
                       reader->path, reader->line, found, metrics->columns);
    for (size_t c = 0; c < metrics->columns; c++) {
        char *field, *parsed;
        char *field_end = next_field(&rest, end, &field);
        double *value = &metrics->values[c * metrics->rows + row];
        if (field == field_end && c >= may_be_empty) {
            *value = NAN;
            continue;
        }
        *value = strtod(field, &parsed);
        if (field == field_end || parsed != field_end)
            return nn_fail(reader->error, NN_EFORMAT,
                           "%s: line %zu, column %zu (%s): '%.40s' is not a number", reader->path,
                           reader->line, c + 1, metrics->names[c], field);
    }
    return NN_OK;
}

static nn_status read_rows(struct reader *reader, exp_metrics *metrics) {
    metrics->rows = count_bytes(reader->position, reader->end, '\n');
    if (metrics->rows == 0)
        return nn_fail(reader->error, NN_EFORMAT, "%s: line 2: no step has been logged yet", reader->path);
    size_t count = 0;
    /* A field takes a byte at least, so that a short file cannot ask for much memory. */
    if (!nn_multiply(metrics->columns, metrics->rows, &count) ||
        count > (size_t)(reader->end - reader->position))
        return nn_fail(reader->error, NN_EFORMAT,
                       "%s: %zu lines behind the header are too short for its %zu columns", reader->path,
                       metrics->rows, metrics->columns);
    metrics->values = calloc(count, sizeof *metrics->values);
    if (!metrics->values)
        return nn_fail_memory(reader->error, reader->path);
    for (size_t row = 0; row < metrics->rows; row++)
        if (read_row(reader, metrics, row) != NN_OK)
            return NN_EFORMAT;
    for (size_t i = 0; i < metrics->tap_count; i++) {
        metrics->taps[i].snnl = metrics->values + (LEADING + 2 * i) * metrics->rows;
        metrics->taps[i].temperature = metrics->taps[i].snnl + metrics->rows;
    }
    return NN_OK;
}

nn_status exp_metrics_read(const char *path, exp_metrics *metrics, nn_error *error) {
    *metrics = (exp_metrics){0};
    unsigned char *bytes;
    size_t count;
    nn_status status = nn_file_read(path, EXP_METRICS_LARGEST, &bytes, &count, error);
    if (status != NN_OK)
        return status;
    metrics->text = (char *)bytes;
    while (count > 0 && bytes[count - 1] != '\n')
        count--;

    struct reader reader = {path, metrics->text, metrics->text + count, 0, error};
    if (count == 0)
        status = nn_fail(error, NN_EFORMAT, "%s: line 1: no header line", path);
    if (status == NN_OK)
        status = read_names(&reader, metrics);
    if (status == NN_OK)
        status = read_taps(&reader, metrics);
    if (status == NN_OK)
        status = read_rows(&reader, metrics);
    if (status != NN_OK)
        exp_metrics_free(metrics);
    return status;
}

void exp_metrics_free(exp_metrics *metrics) {
    free(metrics->names);
    free(metrics->values);
    free(metrics->taps);
    free(metrics->text);
    *metrics = (exp_metrics){0};
}

const double *exp_metrics_column(const exp_metrics *metrics, const char *name) {
    for (size_t c = 0; c < metrics->columns; c++)
        if (strcmp(metrics->names[c], name) == 0)
            return metrics->values + c * metrics->rows;
    return NULL;
}

size_t exp_metrics_half_window(const exp_metrics *metrics) {
    enum { WINDOWS = 60 };
    return metrics->rows / WINDOWS;
}

double exp_metrics_average(const double *column, size_t rows, size_t row, size_t half_window,
                           bool logarithmic) {
    size_t before = half_window < row ? half_window : row;
    size_t end = row + before < rows - 1 ? row + before : rows - 1;
    double sum = 0;
    size_t count = 0;
    for (size_t i = row - before; i <= end; i++) {
        double value = logarithmic ? log(column[i]) : column[i];
        if (isfinite(value)) {
            sum += value;
            count++;
        }
    }
    if (count == 0)
        return NAN;
    return logarithmic ? exp(sum / (double)count) : sum / (double)count;
}
