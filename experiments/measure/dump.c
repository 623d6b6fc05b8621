#include "dump.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "experiments/common/representations.h"

typedef struct dump {
    exp_classifier *classifier;
    data_loader *loader;
    size_t examples;
    const char *folder;
    nn_npz *archive; /* in place of the folder */
    char path[EXP_TEXT_MAX + NN_NAME_MAX + 8];
} dump;

static const char *file_of(dump *d, const char *name) {
    snprintf(d->path, sizeof d->path, "%s/%s.npy", d->folder, name);
    return d->path;
}

static nn_status put_floats(dump *d, const char *name, int rank, const size_t *dims, const float *values,
                            nn_error *error) {
    return d->archive ? nn_npz_floats(d->archive, name, rank, dims, values, error)
                      : nn_npy_write_floats(file_of(d, name), rank, dims, values, error);
}

static nn_status put_integers(dump *d, const char *name, const int64_t *values, nn_error *error) {
    return d->archive ? nn_npz_integers(d->archive, name, 1, &d->examples, values, error)
                      : nn_npy_write_integers(file_of(d, name), 1, &d->examples, values, error);
}

static nn_status dump_node(dump *d, const nn_node *node, const char *name, nn_error *error) {
    nn_shape shape = nn_node_shape(node);
    size_t dims[NN_MAX_RANK] = {d->examples};
    for (int i = 1; i < shape.rank; i++)
        dims[i] = (size_t)shape.dims[i];
    float *values = calloc(d->examples * nn_shape_row(shape), sizeof *values);
    if (!values)
        return nn_fail(error, NN_EMEMORY, "not enough memory for the representations of '%s': use --examples",
                       name);
    nn_status status = exp_representations(d->classifier, d->loader, node, values, NULL, error);
    if (status == NN_OK)
        status = put_floats(d, name, shape.rank, dims, values, error);
    free(values);
    return status;
}

static int64_t first_largest(const float *values, int count) {
    int best = 0;
    for (int k = 1; k < count; k++)
        if (values[k] > values[best])
            best = k;
    return best;
}

static nn_status dump_classes(dump *d, nn_error *error) {
    const nn_node *logits = d->classifier->logits;
    int classes = nn_node_shape(logits).dims[1];
    float *values = calloc(d->examples * (size_t)classes, sizeof *values);
    int32_t *labels = calloc(d->examples, sizeof *labels);
    int64_t *integers = calloc(d->examples, sizeof *integers);
    nn_status status = values && labels && integers
                           ? exp_representations(d->classifier, d->loader, logits, values, labels, error)
                           : nn_fail_memory(error, "the predictions");
    for (size_t i = 0; i < d->examples && status == NN_OK; i++)
        integers[i] = labels[i];
    if (status == NN_OK)
        status = put_integers(d, "labels", integers, error);
    for (size_t i = 0; i < d->examples && status == NN_OK; i++)
        integers[i] = first_largest(values + i * (size_t)classes, classes);
    if (status == NN_OK)
        status = put_integers(d, "predictions", integers, error);
    free(values);
    free(labels);
    free(integers);
    return status;
}

static nn_status dump_all(dump *d, nn_error *error) {
    exp_classifier *c = d->classifier;
    nn_status status = dump_classes(d, error);
    if (status == NN_OK)
        status = dump_node(d, c->logits, "logits", error);
    for (int i = 0; i < c->taps && status == NN_OK; i++)
        status = dump_node(d, nn_tap_node(c->graph, i), exp_tap_name(c, i), error);
    return status;
}

static nn_status dump_to_archive(dump *d, nn_error *error) {
    nn_status status = nn_npz_begin(&d->archive, d->folder, error);
    if (status == NN_OK)
        status = dump_all(d, error);
    nn_status ended = nn_npz_end(d->archive, status == NN_OK, error);
    return status == NN_OK ? ended : status;
}

nn_status exp_dump(exp_classifier *classifier, data_loader *loader, int examples, const char *path,
                   nn_error *error) {
    dump d = {.classifier = classifier, .loader = loader, .examples = (size_t)examples, .folder = path};
    if (strlen(path) >= EXP_TEXT_MAX)
        return nn_fail(error, NN_EARGUMENT, "--dump: the path is too long");
    if (nn_npz_is(path))
        return dump_to_archive(&d, error);
    if (mkdir(path, 0777) != 0 && errno != EEXIST)
        return nn_fail(error, NN_EFILE, "cannot make the folder %s: %s", path, strerror(errno));
    return dump_all(&d, error);
}
