#include "trace.h"

#include <stdio.h>
#include <string.h>

const trace_case trace_cases[] = {
    {"mnist_cnn", "*", 0, 100, 0.001, "mnist_cnn"},
    {"mnist_cnn", "*", 0.05, 10000, 0.001, "mnist_cnn-snnl"},
    {"cifar_resnet", "block[1-9]", 0, 100, 0.0003, "cifar_resnet"},
    {"cifar_resnet", "block[1-9]", 0.02, 10000, 0.0003, "cifar_resnet-snnl"},
    {0},
};

static nn_status train(exp_classifier *c, data_loader *loader, nn_optimizer *optimizer, double rate,
                       int steps, trace_watch *watch, void *context, nn_error *error) {
    nn_status status = watch(context, c, 0, NULL, 0, error);
    for (int step = 1; step <= steps && status == NN_OK; step++) {
        const data_batch *batch = data_loader_next(loader);
        nn_run run = {.rows = batch->count};
        exp_classifier_feed(c, c->training, batch);
        status = nn_plan_forward(c->training, run, error);
        if (status == NN_OK)
            status = nn_plan_backward(c->training, run, error);
        if (status != NN_OK)
            return status;
        nn_optimizer_step(optimizer, (float)rate);
        exp_measurement m;
        exp_classifier_read(c, c->training, false, &m);
        status = watch(context, c, step, batch, m.loss, error);
    }
    return status;
}

nn_status trace_load(data_set *set, nn_error *error) {
    return data_load(set, "shapes", "", TRACE_BATCH * TRACE_STEPS, 100, error);
}

nn_status trace_run(const trace_case *what, const data_set *set, int steps, trace_watch *watch, void *context,
                    nn_error *error) {
    exp_train_options options = exp_train_defaults;
    snprintf(options.model, sizeof options.model, "%s", what->model);
    snprintf(options.snnl_layers, sizeof options.snnl_layers, "%s", what->snnl_layers);
    options.snnl_weight = what->snnl_weight;
    options.temperature_mode = NN_TEMPERATURE_OPTIMAL;
    if (what->temperature > 0) {
        options.temperature_mode = NN_TEMPERATURE_FIXED;
        options.temperature = what->temperature;
    }
    options.batch = TRACE_BATCH;
    nn_optimizer_options recipe = {.momentum = 0.9f, .weight_decay = 5e-4f, .decay_all = true};
    data_batch_options batches = {.batch = TRACE_BATCH, .shuffle = true, .augment = true, .seed = 1};
    data_loader *loader = NULL;
    exp_classifier classifier = {0};
    nn_optimizer optimizer = {0};
    nn_status status = data_loader_new(&loader, set, &set->train, batches, error);
    if (status == NN_OK)
        status = exp_classifier_build(&classifier, &options, set, EXP_TRAIN, error);
    if (status == NN_OK)
        status = nn_optimizer_begin(&optimizer, &classifier.store, recipe, error);
    if (status == NN_OK)
        status = train(&classifier, loader, &optimizer, what->rate, steps, watch, context, error);
    nn_optimizer_free(&optimizer);
    exp_classifier_free(&classifier);
    data_loader_free(loader);
    return status;
}
