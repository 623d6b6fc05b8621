#include "source.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/common/points_file.h"
#include "experiments/common/representations.h"

static nn_status allocate(exp_embed_source *s, int count, size_t dims, int classes, nn_error *error) {
    size_t values;
    s->count = count;
    s->dims = (int)dims;
    s->classes = classes;
    s->x = nn_multiply((size_t)count, dims, &values) ? calloc(values, sizeof *s->x) : NULL;
    s->labels = calloc((size_t)count, sizeof *s->labels);
    s->names = calloc((size_t)classes + 1, sizeof *s->names);
    if (s->x && s->labels && s->names)
        return NN_OK;
    return nn_fail(error, NN_EMEMORY, "not enough memory for %d points of %zu dimensions", count, dims);
}

/* --- files ---------------------------------------------------------------------------------------------- */

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

nn_status exp_embed_source_files(exp_embed_source *s, const char *features, const char *labels,
                                 nn_error *error) {
    exp_points_file points;
    *s = (exp_embed_source){0};
    snprintf(s->title, sizeof s->title, "%s", base_name(features));
    nn_status status = exp_points_file_read(&points, features, labels, error);
    if (status == NN_OK)
        status = allocate(s, points.count, (size_t)points.dims, points.classes, error);
    for (size_t k = 0; status == NN_OK && k < points.features.count; k++)
        s->x[k] = (float)nn_npy_number(&points.features, k);
    for (int k = 0; status == NN_OK && k < points.classes; k++)
        snprintf(s->names[k], sizeof s->names[k], "%" PRId64, points.class_values[k]);
    if (status == NN_OK && labels) {
        memcpy(s->labels, points.labels, (size_t)s->count * sizeof *s->labels);
    } else {
        free(s->labels);
        s->labels = NULL;
    }
    exp_points_file_free(&points);
    return status;
}

/* --- runs ----------------------------------------------------------------------------------------------- */

static nn_status read_tap(exp_embed_source *s, exp_trained_run *run, const char *tap, nn_error *error) {
    const nn_node *node;
    data_loader *loader = NULL;
    nn_status status = exp_representation_node(&run->classifier, tap, &node, error);
    if (status == NN_OK)
        status = allocate(s, run->set.test.count, nn_shape_row(nn_node_shape(node)), run->set.classes, error);
    if (status == NN_OK)
        status = exp_trained_run_tests(run, &loader, error);
    if (status == NN_OK)
        status = exp_representations(&run->classifier, loader, node, s->x, s->labels, error);
    for (int k = 0; status == NN_OK && k < s->classes; k++)
        memcpy(s->names[k], run->set.class_names[k], sizeof s->names[k]);
    data_loader_free(loader);
    return status;
}

nn_status exp_embed_source_run(exp_embed_source *s, const exp_run_request *request, const char *tap,
                               nn_error *error) {
    exp_train_options options;
    exp_trained_run run = {0};
    *s = (exp_embed_source){0};
    nn_status status = exp_trained_run_options(request, &options, error);
    if (status == NN_OK)
        status = exp_trained_run_open(&run, request, &options, EXP_DUMP, error);
    if (status == NN_OK)
        status = read_tap(s, &run, tap, error);
    if (status == NN_OK && strcmp(tap, "input") == 0)
        snprintf(s->title, sizeof s->title, "pixels of %s", run.set.name);
    else if (status == NN_OK)
        snprintf(s->title, sizeof s->title, "%s of %s on %s", tap, options.model, run.set.name);
    strcpy(s->note, run.set.note);
    exp_trained_run_close(&run);
    return status;
}

void exp_embed_source_free(exp_embed_source *s) {
    free(s->x);
    free(s->labels);
    free(s->names);
    *s = (exp_embed_source){0};
}
