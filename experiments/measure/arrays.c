/* arrays.c - two .npy files in, one line of JSON and perhaps a gradient out. */
#include "arrays.h"

#include <stdlib.h>

#include "experiments/common/json.h"
#include "experiments/common/points_file.h"

static nn_status convert_features(const exp_points_file *points, double **x, nn_error *error) {
    *x = calloc(points->features.count, sizeof **x);
    if (!*x)
        return nn_fail_memory(error, "the features");
    for (size_t k = 0; k < points->features.count; k++)
        (*x)[k] = nn_npy_number(&points->features, k);
    return NN_OK;
}

static nn_status write_gradient(const exp_arrays *options, const exp_points_file *points,
                                const double *gradient, nn_error *error) {
    float *single = calloc(points->features.count, sizeof *single);
    if (!single)
        return nn_fail_memory(error, options->gradient);
    for (size_t k = 0; k < points->features.count; k++)
        single[k] = (float)gradient[k];
    nn_status status =
        nn_npy_write_floats(options->gradient, points->features.rank, points->features.dims, single, error);
    free(single);
    return status;
}

/* cJSON prints numbers with as many digits (up to 17) as it takes to read the same number back. */
static nn_status print(const exp_arrays *options, const exp_points_file *points, const nn_snnl_result *result,
                       FILE *output, nn_error *error) {
    cJSON *json = exp_json_new();
    const char *distance = options->distance == NN_COSINE ? "cosine" : "euclidean";
    cJSON_AddNumberToObject(json, "snnl", result->value);
    cJSON_AddNumberToObject(json, "temperature", result->temperature);
    cJSON_AddStringToObject(json, "distance", distance);
    cJSON_AddNumberToObject(json, "points", points->count);
    cJSON_AddNumberToObject(json, "usable", result->usable);
    cJSON_AddNumberToObject(json, "skipped", result->skipped);
    char *line = exp_json_line(json);
    cJSON_Delete(json);
    if (!line)
        return nn_fail_memory(error, "the result");
    bool written = fprintf(output, "%s\n", line) >= 0 && fflush(output) == 0;
    cJSON_free(line);
    return written ? NN_OK : nn_fail(error, NN_EFILE, "cannot write the result");
}

nn_status exp_measure_arrays(const exp_arrays *options, FILE *output, nn_error *error) {
    exp_points_file points;
    double *x = NULL, *gradient = NULL;
    nn_status status = exp_points_file_read(&points, options->features, options->labels, error);
    if (status == NN_OK)
        status = convert_features(&points, &x, error);
    if (status == NN_OK && options->gradient) {
        gradient = calloc(points.features.count, sizeof *gradient);
        if (!gradient)
            status = nn_fail_memory(error, "the gradient");
    }
    if (status == NN_OK) {
        nn_snnl_points measured = {.count = points.count,
                                   .dims = points.dims,
                                   .x64 = x,
                                   .labels = points.labels,
                                   .distance = options->distance};
        nn_snnl_result result;
        status = nn_snnl_measure(&measured, options->temperature, &result, gradient, error);
        if (status == NN_OK && gradient)
            status = write_gradient(options, &points, gradient, error);
        if (status == NN_OK)
            status = print(options, &points, &result, output, error);
    }
    free(gradient);
    free(x);
    exp_points_file_free(&points);
    return status;
}
