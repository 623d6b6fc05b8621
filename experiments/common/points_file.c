#include "points_file.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>

static nn_status read_array(const char *path, nn_npy *array, nn_error *error) {
    return nn_npz_is(path) ? nn_npz_read(path, array, error) : nn_npy_read(path, array, error);
}

static nn_status read_features(exp_points_file *p, const char *path, nn_error *error) {
    if (read_array(path, &p->features, error) != NN_OK)
        return error->status;
    if (p->features.kind != 'f')
        return nn_fail(error, NN_EFORMAT, "%s: features of an integer type; save them as float32 or float64",
                       path);
    if (p->features.rank < 1 || p->features.count == 0)
        return nn_fail(error, NN_ESHAPE, "%s: no features; the shape must be [points, ...], none of them 0",
                       path);
    size_t count = p->features.dims[0], dims = p->features.count / count;
    if (count > INT_MAX || dims > INT_MAX)
        return nn_fail(error, NN_ESHAPE, "%s: %zu points of %zu dimensions; at most %d of each can be taken",
                       path, count, dims, INT_MAX);
    p->count = (int)count;
    p->dims = (int)dims;
    for (size_t k = 0; k < p->features.count; k++) {
        double x = nn_npy_number(&p->features, k);
        if (!isfinite(x))
            return nn_fail(error, NN_ENUMERIC, "%s: point %zu has a feature that is %s; remove it first",
                           path, k / dims, isnan(x) ? "NaN" : "infinite");
    }
    return NN_OK;
}

static nn_status check_labels(const exp_points_file *p, const nn_npy *labels, const char *path,
                              const char *features, nn_error *error) {
    if (labels->kind == 'f')
        return nn_fail(error, NN_EFORMAT, "%s: labels of a floating-point type; save them as integers", path);
    if (labels->rank != 1)
        return nn_fail(error, NN_ESHAPE, "%s: labels of rank %d; the shape must be [points]", path,
                       labels->rank);
    if (labels->count != (size_t)p->count)
        return nn_fail(error, NN_ESHAPE,
                       "%s has %zu labels, %s %d points; one label for each point is needed", path,
                       labels->count, features, p->count);
    return NN_OK;
}

static int compare_integers(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Labels of any size become the places of their values among all distinct ones. */
static nn_status take_labels(exp_points_file *p, const nn_npy *labels, const char *path, nn_error *error) {
    size_t count = (size_t)p->count, distinct = 0;
    int64_t *values = p->class_values = calloc(count, sizeof *values);
    p->labels = calloc(count, sizeof *p->labels);
    if (!values || !p->labels)
        return nn_fail_memory(error, path);
    for (size_t i = 0; i < count; i++)
        values[i] = nn_npy_integer(labels, i);
    qsort(values, count, sizeof *values, compare_integers);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || values[i] != values[distinct - 1])
            values[distinct++] = values[i];
    p->classes = (int)distinct;
    for (size_t i = 0; i < count; i++) {
        int64_t label = nn_npy_integer(labels, i);
        const int64_t *place = bsearch(&label, values, distinct, sizeof *values, compare_integers);
        p->labels[i] = (int32_t)(place - values);
    }
    return NN_OK;
}

nn_status exp_points_file_read(exp_points_file *p, const char *features, const char *labels,
                               nn_error *error) {
    nn_npy array = {0};
    *p = (exp_points_file){0};
    nn_status status = read_features(p, features, error);
    if (status != NN_OK || !labels)
        return status;
    status = read_array(labels, &array, error);
    if (status == NN_OK)
        status = check_labels(p, &array, labels, features, error);
    if (status == NN_OK)
        status = take_labels(p, &array, labels, error);
    nn_npy_free(&array);
    return status;
}

void exp_points_file_free(exp_points_file *p) {
    nn_npy_free(&p->features);
    free(p->labels);
    free(p->class_values);
    *p = (exp_points_file){0};
}
