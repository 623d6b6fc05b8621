#include "optimizer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "graph_internal.h"
#include "kernels/kernels.h"
#include "plan_internal.h"

static float *zeros(size_t count) {
    return calloc(count ? count : 1, sizeof(float));
}

static bool in_unit_range(float x) {
    return x >= 0 && x < 1;
}

static nn_status check_options(const nn_optimizer_options *o, const nn_store *store, nn_error *error) {
    if (!store->frozen)
        return nn_fail(error, NN_EARGUMENT, "optimizer: the store is not frozen: make a plan first");
    if (!in_unit_range(o->momentum) || !(o->weight_decay >= 0))
        return nn_fail(error, NN_EARGUMENT,
                       "optimizer: momentum %g must be in [0, 1), weight decay %g at least 0", o->momentum,
                       o->weight_decay);
    if (!in_unit_range(o->beta1) || !in_unit_range(o->beta2) || !(o->epsilon > 0))
        return nn_fail(error, NN_EARGUMENT,
                       "optimizer: beta1 %g and beta2 %g must be in [0, 1), epsilon %g above 0", o->beta1,
                       o->beta2, o->epsilon);
    return NN_OK;
}

nn_status nn_optimizer_begin(nn_optimizer *optimizer, nn_store *store, nn_optimizer_options options,
                             nn_error *error) {
    if (options.beta1 == 0)
        options.beta1 = 0.9f;
    if (options.beta2 == 0)
        options.beta2 = 0.999f;
    if (options.epsilon == 0)
        options.epsilon = 1e-8f;
    *optimizer = (nn_optimizer){.options = options, .store = store};
    nn_status status = check_options(&options, store, error);
    if (status != NN_OK)
        return status;
    optimizer->first = zeros(store->parameter_count);
    optimizer->second = options.kind == NN_ADAM ? zeros(store->parameter_count) : NULL;
    if (!optimizer->first || (options.kind == NN_ADAM && !optimizer->second)) {
        nn_optimizer_free(optimizer);
        return nn_fail_memory(error, "the optimizer's state");
    }
    return NN_OK;
}

void nn_optimizer_free(nn_optimizer *optimizer) {
    free(optimizer->first);
    free(optimizer->second);
    *optimizer = (nn_optimizer){0};
}

typedef struct update {
    const nn_optimizer *optimizer;
    size_t offset; /* of the entry */
    float rate, decay, correction1, correction2;
} update;

static void update_range(void *context, size_t first, size_t count) {
    const update *u = context;
    const nn_optimizer *optimizer = u->optimizer;
    const nn_optimizer_options *o = &optimizer->options;
    const nn_vector_kernels *vector = nn_kernels_active()->vector;
    size_t at = u->offset + first;
    float *parameter = optimizer->store->parameters + at;
    const float *gradient = optimizer->store->gradients + at;
    if (o->kind == NN_SGD)
        vector->sgd(count, u->rate, o->momentum, o->nesterov, u->decay, gradient, optimizer->first + at,
                    parameter);
    else
        vector->adam(count, u->rate, o->beta1, o->beta2, o->epsilon, u->correction1, u->correction2, u->decay,
                     gradient, optimizer->first + at, optimizer->second + at, parameter);
}

void nn_optimizer_step(nn_optimizer *optimizer, float rate) {
    const nn_optimizer_options *o = &optimizer->options;
    double t = (double)++optimizer->steps;
    for (int i = 0; i < optimizer->store->entry_count; i++) {
        const nn_entry *entry = &optimizer->store->entries[i];
        if (entry->kind != NN_PARAMETER)
            continue;
        update u = {.optimizer = optimizer,
                    .offset = entry->offset,
                    .rate = rate,
                    .decay = entry->decay || o->decay_all ? o->weight_decay : 0,
                    .correction1 = (float)(1 - pow(o->beta1, t)),
                    .correction2 = (float)(1 - pow(o->beta2, t))};
        nn_parallel_ranges(entry->count, update_range, &u);
    }
}

nn_status nn_optimizer_train(nn_optimizer *optimizer, nn_plan *plan, nn_run run, float rate,
                             nn_error *error) {
    if (plan->graph->store != optimizer->store)
        return nn_fail(error, NN_EARGUMENT, "optimizer: the plan's parameters are in another store");
    nn_status status = nn_plan_forward(plan, run, error);
    if (status == NN_OK)
        status = nn_plan_backward(plan, run, error);
    if (status == NN_OK)
        nn_optimizer_step(optimizer, rate);
    return status;
}
