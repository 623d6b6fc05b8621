#include "weights.h"

#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layout.h"

/* --- element types -------------------------------------------------------------------------------------- */

static uint64_t bits_of(const unsigned char *bytes, size_t size) {
    uint64_t bits = 0;
    for (size_t k = 0; k < size; k++)
        bits |= (uint64_t)bytes[k] << 8 * k;
    return bits;
}

static float from_f32(const unsigned char *bytes) {
    uint32_t bits = (uint32_t)bits_of(bytes, 4);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static float from_f64(const unsigned char *bytes) {
    uint64_t bits = bits_of(bytes, 8);
    double value;
    memcpy(&value, &bits, sizeof value);
    return (float)value;
}

/* The upper half of a float32. */
static float from_bf16(const unsigned char *bytes) {
    uint32_t bits = (uint32_t)bits_of(bytes, 2) << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* 1 sign, 5 exponent (bias 15) and 10 fraction bits. */
static float from_f16(const unsigned char *bytes) {
    const int bits = (int)bits_of(bytes, 2), exponent = bits >> 10 & 31, fraction = bits & 1023;
    float value = exponent == 31 ? (fraction ? NAN : INFINITY)
                                 : ldexpf((float)(exponent ? fraction + 1024 : fraction),
                                          (exponent ? exponent : 1) - 25);
    return bits >> 15 ? -value : value;
}

typedef struct element {
    const char *type;
    size_t size;
    float (*read)(const unsigned char *bytes);
} element;

static const element elements[] = {
    {"F32", 4, from_f32}, {"F64", 8, from_f64}, {"F16", 2, from_f16}, {"BF16", 2, from_bf16}, {0}};

static const element *find_element(const char *type) {
    for (const element *e = elements; e->type; e++)
        if (strcmp(e->type, type) == 0)
            return e;
    return NULL;
}

/* --- what fits what ------------------------------------------------------------------------------------- */

typedef struct taking {
    nn_store *store;
    const nn_safetensors *file;
    nn_weights_report *report;
    FILE *text;
    char **patterns; /* ended by NULL */
    bool *met;       /* [patterns]: it left something out */
    bool *found;     /* [entries]: the file has it */
    float *values;   /* all parameters, then all statistics, as they will be */
} taking;

static bool is_skipped(const taking *t, const char *name) {
    bool skipped = false;
    for (int i = 0; t->patterns[i]; i++)
        if (fnmatch(t->patterns[i], name, 0) == 0)
            skipped = t->met[i] = true;
    return skipped;
}

/* What PyTorch's batch norm counts; nothing depends on it. */
static bool is_counter(const char *name) {
    return fnmatch("*.num_batches_tracked", name, 0) == 0 || strcmp(name, "num_batches_tracked") == 0;
}

static void write_dims(FILE *text, const nn_stored_tensor *tensor) {
    for (int i = 0; i < tensor->rank; i++)
        fprintf(text, i ? " x %zu" : "%zu", tensor->dims[i]);
    if (tensor->rank == 0)
        fputs("scalar", text);
}

static bool same_dims(const nn_stored_tensor *tensor, nn_shape shape) {
    bool same = tensor->rank == shape.rank;
    for (int i = 0; same && i < shape.rank; i++)
        same = tensor->dims[i] == (size_t)shape.dims[i];
    return same;
}

/* Whether the entry can be filled from the tensor; else says why not. */
static bool fits(taking *t, const nn_entry *entry, const nn_stored_tensor *tensor, const element *e) {
    char text[NN_SHAPE_TEXT];
    const nn_shape shape = nn_layout_shape(entry);
    if (!e)
        fprintf(t->text, "type       %s: %s in the file; F32, F64, F16 and BF16 can be taken\n", tensor->name,
                tensor->type);
    else if (!same_dims(tensor, shape)) {
        fprintf(t->text, "shape      %s: ", tensor->name);
        write_dims(t->text, tensor);
        fprintf(t->text, " in the file, %s in the model\n", nn_shape_text(shape, text));
    } else
        return true;
    t->report->misfits++;
    return false;
}

static float *place_of(const taking *t, const nn_entry *entry) {
    return t->values + (entry->kind == NN_PARAMETER ? 0 : t->store->parameter_count) + entry->offset;
}

static nn_status convert(taking *t, const nn_entry *entry, const nn_stored_tensor *tensor, const element *e,
                         nn_error *error) {
    float *values = malloc(entry->count * sizeof *values);
    if (!values)
        return nn_fail_memory(error, tensor->name);
    nn_status status = NN_OK;
    for (size_t i = 0; i < entry->count && status == NN_OK; i++) {
        values[i] = e->read(tensor->bytes + i * e->size);
        if (!isfinite(values[i]))
            status = nn_fail(error, NN_ENUMERIC, "its tensor '%s' has a value that is NaN or infinite",
                             tensor->name);
    }
    if (status == NN_OK)
        nn_layout_import(entry, (const unsigned char *)values, place_of(t, entry));
    free(values);
    return status;
}

/* One tensor of the file. */
static nn_status take(taking *t, const nn_stored_tensor *tensor, nn_error *error) {
    const nn_entry *entry = nn_store_find(t->store, tensor->name);
    const element *e = find_element(tensor->type);
    if (is_skipped(t, tensor->name) || (is_counter(tensor->name) && !entry))
        return NN_OK;
    if (!entry || entry->internal) {
        fprintf(t->text, "unexpected %s: ", tensor->name);
        write_dims(t->text, tensor);
        fprintf(t->text, " in the file, not in the model\n");
        t->report->misfits++;
        return NN_OK;
    }
    t->found[entry - t->store->entries] = true;
    if (!fits(t, entry, tensor, e))
        return NN_OK;
    if (tensor->size != entry->count * e->size)
        return nn_fail(error, NN_EFORMAT, "its tensor '%s' has %zu bytes, but its shape needs %zu",
                       tensor->name, tensor->size, entry->count * e->size);
    t->report->taken++;
    return convert(t, entry, tensor, e, error);
}

static nn_status take_all(taking *t, nn_error *error) {
    nn_stored_tensor tensor = {0};
    bool found;
    nn_status status;
    while ((status = nn_safetensors_next(t->file, &tensor, &found, error)) == NN_OK && found)
        if ((status = take(t, &tensor, error)) != NN_OK)
            break;
    return status;
}

/* Entries that the file has nothing for. */
static void find_missing(taking *t) {
    char text[NN_SHAPE_TEXT];
    for (int i = 0; i < t->store->entry_count; i++) {
        const nn_entry *entry = &t->store->entries[i];
        if (entry->internal)
            continue;
        if (is_skipped(t, entry->name)) {
            fprintf(t->text, "left       %s: as it was\n", entry->name);
            t->report->left++;
        } else if (!t->found[i]) {
            fprintf(t->text, "missing    %s: not in the file, %s in the model\n", entry->name,
                    nn_shape_text(nn_layout_shape(entry), text));
            t->report->misfits++;
        }
    }
}

static nn_status check_patterns(const taking *t, nn_error *error) {
    for (int i = 0; t->patterns[i]; i++)
        if (!t->met[i])
            return nn_fail(error, NN_EARGUMENT, "'%s' meets no tensor of the model or the file",
                           t->patterns[i]);
    return NN_OK;
}

/* --- all of it ------------------------------------------------------------------------------------------ */

static nn_status try(taking *t, nn_error *error) {
    const size_t parameters = t->store->parameter_count, statistics = t->store->statistic_count;
    memcpy(t->values, t->store->parameters, parameters * sizeof *t->values);
    if (statistics)
        memcpy(t->values + parameters, t->store->statistics, statistics * sizeof *t->values);
    nn_status status = take_all(t, error);
    if (status != NN_OK)
        return status;
    find_missing(t);
    if (t->report->misfits)
        return nn_fail(error, NN_EFORMAT, "%d of its tensors do not fit the model", t->report->misfits);
    status = check_patterns(t, error);
    if (status != NN_OK)
        return status;
    memcpy(t->store->parameters, t->values, parameters * sizeof *t->values);
    if (statistics)
        memcpy(t->store->statistics, t->values + parameters, statistics * sizeof *t->values);
    return NN_OK;
}

nn_status nn_weights_take(nn_store *store, const nn_safetensors *file, const char *skip,
                          nn_weights_report *report, nn_error *error) {
    taking t = {.store = store, .file = file, .report = report};
    size_t length = 0, most = strlen(skip) / 2 + 2;
    char *copy = strdup(skip), *rest = NULL;
    *report = (nn_weights_report){0};
    t.patterns = calloc(most, sizeof *t.patterns);
    t.met = calloc(most, sizeof *t.met);
    t.found = calloc((size_t)store->entry_count + 1, sizeof *t.found);
    t.values = malloc((store->parameter_count + store->statistic_count + 1) * sizeof *t.values);
    t.text = open_memstream(&report->text, &length);
    nn_status status = NN_OK;
    if (!copy || !t.patterns || !t.met || !t.found || !t.values || !t.text)
        status = nn_fail_memory(error, "the weights");
    if (status == NN_OK) {
        int count = 0;
        for (char *word = strtok_r(copy, ", ", &rest); word; word = strtok_r(NULL, ", ", &rest))
            t.patterns[count++] = word;
        status = try(&t, error);
    }
    if (t.text && fclose(t.text) != 0 && status == NN_OK)
        status = nn_fail_memory(error, "the weights");
    if (length == 0) {
        free(report->text);
        report->text = NULL;
    }
    free(copy);
    free(t.patterns);
    free(t.met);
    free(t.found);
    free(t.values);
    return status;
}
