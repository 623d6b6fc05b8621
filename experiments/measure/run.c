#include "run.h"

#include "dump.h"

/* Weights do not matter for measuring; the temperature is each batch's optimal one unless the request fixes it. */
static void apply_request(const exp_measure_request *request, exp_train_options *options) {
    options->snnl_weight = 0;
    options->temperature_mode = request->fixed ? NN_TEMPERATURE_FIXED : NN_TEMPERATURE_OPTIMAL;
    if (request->fixed)
        options->temperature = request->temperature;
    if (request->distance >= 0)
        options->distance = request->distance;
}

static nn_status run_tests(const exp_measure_request *request, exp_measured_run *m, nn_error *error) {
    data_loader *loader = NULL;
    exp_classifier *classifier = &m->run.classifier;
    nn_status status = exp_trained_run_tests(&m->run, &loader, error);
    if (status == NN_OK && request->dump)
        status = exp_dump(classifier, loader, m->run.set.test.count, request->dump, error);
    if (status == NN_OK)
        status = exp_classifier_evaluate(classifier, loader, true, &m->test, error);
    data_loader_free(loader);
    return status;
}

nn_status exp_measure_run(const exp_measure_request *request, exp_measured_run *m, nn_error *error) {
    exp_train_options options;
    *m = (exp_measured_run){0};
    nn_status status = exp_trained_run_options(&request->run, &options, error);
    if (status != NN_OK)
        return status;
    apply_request(request, &options);
    status = exp_trained_run_open(&m->run, &request->run, &options, request->dump ? EXP_DUMP : EXP_EVALUATE,
                                  error);
    return status == NN_OK ? run_tests(request, m, error) : status;
}

void exp_measured_run_free(exp_measured_run *m) {
    exp_trained_run_close(&m->run);
}
