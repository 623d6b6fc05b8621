/* measure_arrays.c - two .npy files in, one line of JSON and perhaps a gradient out. */
#include "measure_arrays.h"

#include <cjson/cJSON.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>

#include "framework/npy.h"

/* Features [count][dims] and labels [count], as the measurement takes them. */
typedef struct arrays {
    nn_npy features, labels;
    int count, dims;
    double *x;
    int32_t *classes;
} arrays;

static nn_status check_shapes(const exp_arrays *options, arrays *a, nn_error *error) {
    if (a->features.kind != 'f')
        return nn_fail(error, NN_EFORMAT, "%s: features of an integer type; save them as float32 or float64",
                       options->features);
    if (a->features.rank < 1 || a->features.count == 0)
        return nn_fail(error, NN_ESHAPE, "%s: no features; the shape must be [points, ...], none of them 0",
                       options->features);
    if (a->labels.kind == 'f')
        return nn_fail(error, NN_EFORMAT, "%s: labels of a floating-point type; save them as integers",
                       options->labels);
    if (a->labels.rank != 1)
        return nn_fail(error, NN_ESHAPE, "%s: labels of rank %d; the shape must be [points]", options->labels,
                       a->labels.rank);
    if (a->labels.count != a->features.dims[0])
        return nn_fail(error, NN_ESHAPE,
                       "%s has %zu labels, %s %zu points; one label for each point is needed",
                       options->labels, a->labels.count, options->features, a->features.dims[0]);
    size_t dims = a->features.count / a->features.dims[0];
    if (a->labels.count > INT_MAX || dims > INT_MAX)
        return nn_fail(error, NN_ESHAPE,
                       "%s: %zu points of %zu dimensions; at most %d of each can be measured",
                       options->features, a->labels.count, dims, INT_MAX);
    a->count = (int)a->labels.count;
    a->dims = (int)dims;
    return NN_OK;
}

static nn_status convert_features(const exp_arrays *options, arrays *a, nn_error *error) {
    a->x = calloc(a->features.count, sizeof *a->x);
    if (!a->x)
        return nn_fail_memory(error, options->features);
    for (size_t k = 0; k < a->features.count; k++) {
        a->x[k] = nn_npy_number(&a->features, k);
        if (!isfinite(a->x[k]))
            return nn_fail(error, NN_ENUMERIC, "%s: point %zu has a feature that is %s; remove it first",
                           options->features, k / (size_t)a->dims, isnan(a->x[k]) ? "NaN" : "infinite");
    }
    return NN_OK;
}

static int compare_integers(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Labels of any size become the places of their values among all distinct ones. */
static nn_status convert_labels(const exp_arrays *options, arrays *a, nn_error *error) {
    size_t count = (size_t)a->count, distinct = 0;
    int64_t *values = calloc(count, sizeof *values);
    a->classes = calloc(count, sizeof *a->classes);
    if (!values || !a->classes) {
        free(values);
        return nn_fail_memory(error, options->labels);
    }
    for (size_t i = 0; i < count; i++)
        values[i] = nn_npy_integer(&a->labels, i);
    qsort(values, count, sizeof *values, compare_integers);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || values[i] != values[distinct - 1])
            values[distinct++] = values[i];
    for (size_t i = 0; i < count; i++) {
        int64_t label = nn_npy_integer(&a->labels, i);
        const int64_t *place = bsearch(&label, values, distinct, sizeof *values, compare_integers);
        a->classes[i] = (int32_t)(place - values);
    }
    free(values);
    return NN_OK;
}

static nn_status load(const exp_arrays *options, arrays *a, nn_error *error) {
    nn_status status = nn_npy_read(options->features, &a->features, error);
    if (status == NN_OK)
        status = nn_npy_read(options->labels, &a->labels, error);
    if (status == NN_OK)
        status = check_shapes(options, a, error);
    if (status == NN_OK)
        status = convert_features(options, a, error);
    if (status == NN_OK)
        status = convert_labels(options, a, error);
    return status;
}

static nn_status write_gradient(const exp_arrays *options, const arrays *a, const double *gradient,
                                nn_error *error) {
    float *single = calloc(a->features.count, sizeof *single);
    if (!single)
        return nn_fail_memory(error, options->gradient);
    for (size_t k = 0; k < a->features.count; k++)
        single[k] = (float)gradient[k];
    nn_status status =
        nn_npy_write_floats(options->gradient, a->features.rank, a->features.dims, single, error);
    free(single);
    return status;
}

/* cJSON prints numbers with as many digits (up to 17) as it takes to read the same number back. */
static nn_status print(const exp_arrays *options, const arrays *a, const nn_snnl_result *result, FILE *output,
                       nn_error *error) {
    cJSON *json = cJSON_CreateObject();
    const char *distance = options->distance == NN_COSINE ? "cosine" : "euclidean";
    bool complete = json && cJSON_AddNumberToObject(json, "snnl", result->value) &&
                    cJSON_AddNumberToObject(json, "temperature", result->temperature) &&
                    cJSON_AddStringToObject(json, "distance", distance) &&
                    cJSON_AddNumberToObject(json, "points", a->count) &&
                    cJSON_AddNumberToObject(json, "usable", result->usable) &&
                    cJSON_AddNumberToObject(json, "skipped", result->skipped);
    char *line = complete ? cJSON_PrintUnformatted(json) : NULL;
    cJSON_Delete(json);
    if (!line)
        return nn_fail_memory(error, "the result");
    bool written = fprintf(output, "%s\n", line) >= 0 && fflush(output) == 0;
    cJSON_free(line);
    return written ? NN_OK : nn_fail(error, NN_EFILE, "cannot write the result");
}

nn_status exp_measure_arrays(const exp_arrays *options, FILE *output, nn_error *error) {
    arrays a = {0};
    double *gradient = NULL;
    nn_status status = load(options, &a, error);
    if (status == NN_OK && options->gradient) {
        gradient = calloc(a.features.count, sizeof *gradient);
        if (!gradient)
            status = nn_fail_memory(error, "the gradient");
    }
    if (status == NN_OK) {
        nn_snnl_points points = {
            .count = a.count, .dims = a.dims, .x64 = a.x, .labels = a.classes, .distance = options->distance};
        nn_snnl_result result;
        status = nn_snnl_measure(&points, options->temperature, &result, gradient, error);
        if (status == NN_OK && gradient)
            status = write_gradient(options, &a, gradient, error);
        if (status == NN_OK)
            status = print(options, &a, &result, output, error);
    }
    free(gradient);
    free(a.x);
    free(a.classes);
    nn_npy_free(&a.features);
    nn_npy_free(&a.labels);
    return status;
}
