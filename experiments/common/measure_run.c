#include "measure_run.h"

#include <stdlib.h>
#include <string.h>

#include "dump.h"

static nn_status read_config(const exp_measure_request *request, exp_train_options *options,
                             nn_error *error) {
    char path[EXP_TEXT_MAX + 16];
    snprintf(path, sizeof path, "%s/config.ini", request->run);
    *options = exp_train_defaults;
    return exp_options_read_file(exp_train_table, options, path, error);
}

/* Weights do not matter for measuring; the temperature is each batch's optimal one unless the request fixes it. */
static void apply_request(const exp_measure_request *request, exp_train_options *options) {
    options->snnl_weight = 0;
    options->temperature_mode = request->fixed ? NN_TEMPERATURE_FIXED : NN_TEMPERATURE_OPTIMAL;
    if (request->fixed)
        options->temperature = request->temperature;
    if (request->distance >= 0)
        options->distance = request->distance;
    if (request->dataset)
        snprintf(options->dataset, sizeof options->dataset, "%s", request->dataset);
}

static nn_status read_numbers(const char *path, const char *key, int count, float *numbers, nn_error *error) {
    char text[256];
    nn_status status = nn_safetensors_metadata(path, key, text, sizeof text, error);
    char *next = text;
    for (int i = 0; i < count && status == NN_OK; i++) {
        char *end;
        numbers[i] = strtof(next, &end);
        if (end == next)
            status = nn_fail(error, NN_EFORMAT, "%s: its metadata '%s' has fewer than %d numbers", path, key,
                             count);
        next = end;
    }
    return status;
}

static nn_status load_model(exp_measured_run *measured, const char *path, float *normalisation,
                            nn_error *error) {
    const data_set *set = &measured->set;
    float image[3];
    nn_status status = read_numbers(path, "image", 3, image, error);
    if (status == NN_OK &&
        ((int)image[0] != set->height || (int)image[1] != set->width || (int)image[2] != set->channels))
        status = nn_fail(error, NN_ESHAPE,
                         "%s was trained on images of %g x %g x %g, those of %s are %d x %d x %d", path,
                         image[0], image[1], image[2], set->name, set->height, set->width, set->channels);
    if (status == NN_OK)
        status = read_numbers(path, "mean", set->channels, normalisation, error);
    if (status == NN_OK)
        status = read_numbers(path, "deviation", set->channels, normalisation + DATA_CHANNELS_MAX, error);
    if (status == NN_OK)
        status = nn_safetensors_load(&measured->classifier.store, path, error);
    return status;
}

static nn_status run_tests(const exp_measure_request *request, exp_measured_run *m,
                           const float *normalisation, nn_error *error) {
    data_loader *loader = NULL;
    data_batch_options batches = exp_evaluation_batches(m->classifier.batch);
    batches.mean = normalisation;
    batches.deviation = normalisation + DATA_CHANNELS_MAX;
    nn_status status = data_loader_new(&loader, &m->set, &m->set.test, batches, error);
    if (status == NN_OK && request->dump)
        status = exp_dump(&m->classifier, loader, m->set.test.count, request->dump, error);
    if (status == NN_OK)
        status = exp_classifier_evaluate(&m->classifier, loader, true, &m->test, error);
    data_loader_free(loader);
    return status;
}

nn_status exp_measure_run(const exp_measure_request *request, exp_measured_run *m, nn_error *error) {
    char path[EXP_TEXT_MAX + 32];
    float normalisation[2 * DATA_CHANNELS_MAX];
    *m = (exp_measured_run){0};
    if (strlen(request->run) >= EXP_TEXT_MAX)
        return nn_fail(error, NN_EARGUMENT, "--run: the path is too long");
    snprintf(path, sizeof path, "%s/model.safetensors", request->run);
    nn_status status = read_config(request, &m->options, error);
    if (status != NN_OK)
        return status;
    apply_request(request, &m->options);
    status = data_load(&m->set, m->options.dataset, exp_data_root(request->data), 0, (int)request->examples,
                       error);
    if (status == NN_OK && m->set.test.count == 0)
        status = nn_fail(error, NN_EARGUMENT, "%s has no test examples", m->set.name);
    if (status == NN_OK)
        status = exp_classifier_build(&m->classifier, &m->options, &m->set,
                                      request->dump ? EXP_DUMP : EXP_EVALUATE, error);
    if (status == NN_OK)
        status = load_model(m, path, normalisation, error);
    return status == NN_OK ? run_tests(request, m, normalisation, error) : status;
}

void exp_measured_run_free(exp_measured_run *m) {
    exp_classifier_free(&m->classifier);
    data_free(&m->set);
}
