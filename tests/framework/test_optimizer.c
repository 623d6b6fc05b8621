/* Updates against PyTorch's formulas in double precision, over several steps. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "framework/kernels/kernels.h"
#include "tests/support/support.h"

enum { DECAYING = 1037, FIXED = 35, COUNT = DECAYING + FIXED, STEPS = 6 };

static void begin_store(nn_store *store) {
    nn_error error = {0};
    int index;
    nn_entry weight = {.name = "weight", .shape = NN_SHAPE1(DECAYING), .init = {.fan_in = 2}, .decay = true};
    nn_entry scale = {.name = "scale", .shape = NN_SHAPE1(FIXED), .init = {.fan_in = 2}};
    nn_entry mean = {.name = "mean", .kind = NN_STATISTIC, .shape = NN_SHAPE1(5), .init = {.fan_in = 2}};
    nn_store_begin(store, 1);
    test_ok(nn_store_declare(store, weight, &index, &error), &error);
    test_ok(nn_store_declare(store, mean, &index, &error), &error);
    test_ok(nn_store_declare(store, scale, &index, &error), &error);
    test_ok(nn_store_freeze(store, &error), &error);
}

/* The parameters of torch.optim, under its names. */
typedef struct torch {
    double p[COUNT], momentum_buffer[COUNT], exp_avg[COUNT], exp_avg_sq[COUNT];
} torch;

/* torch.optim.SGD, dampening 0: the first momentum buffer is the gradient itself. */
static void torch_sgd(torch *t, const nn_optimizer_options *o, const float *gradient, double lr, int step) {
    for (int i = 0; i < COUNT; i++) {
        double g = gradient[i];
        if (i < DECAYING || o->decay_all)
            g += o->weight_decay * t->p[i];
        if (o->momentum > 0) {
            t->momentum_buffer[i] = step == 1 ? g : o->momentum * t->momentum_buffer[i] + g;
            g = o->nesterov ? g + o->momentum * t->momentum_buffer[i] : t->momentum_buffer[i];
        }
        t->p[i] -= lr * g;
    }
}

/* torch.optim.Adam. */
static void torch_adam(torch *t, const nn_optimizer_options *o, const float *gradient, double lr, int step) {
    double beta1 = o->beta1 > 0 ? o->beta1 : 0.9, beta2 = o->beta2 > 0 ? o->beta2 : 0.999;
    double eps = o->epsilon > 0 ? o->epsilon : 1e-8;
    for (int i = 0; i < COUNT; i++) {
        double g = gradient[i];
        if (i < DECAYING || o->decay_all)
            g += o->weight_decay * t->p[i];
        t->exp_avg[i] += (1 - beta1) * (g - t->exp_avg[i]);
        t->exp_avg_sq[i] = beta2 * t->exp_avg_sq[i] + (1 - beta2) * g * g;
        double denominator = sqrt(t->exp_avg_sq[i]) / sqrt(1 - pow(beta2, step)) + eps;
        t->p[i] -= lr / (1 - pow(beta1, step)) * t->exp_avg[i] / denominator;
    }
}

static void set_gradients(nn_store *store, int step) {
    char name[16] = "gradient";
    name[8] = (char)('0' + step);
    float *gradient = test_normal(COUNT, name);
    memcpy(store->gradients, gradient, COUNT * sizeof *gradient);
    free(gradient);
}

static void check_options(nn_optimizer_options options) {
    nn_store store;
    nn_optimizer optimizer;
    nn_error error = {0};
    torch *oracle = test_bytes(sizeof *oracle);
    begin_store(&store);
    test_ok(nn_optimizer_begin(&optimizer, &store, options, &error), &error);
    for (int i = 0; i < COUNT; i++)
        oracle->p[i] = store.parameters[i];
    float statistics[5];
    memcpy(statistics, store.statistics, sizeof statistics);
    for (int step = 1; step <= STEPS; step++) {
        float rate = 0.1f / (float)step;
        set_gradients(&store, step);
        nn_optimizer_step(&optimizer, rate);
        (options.kind == NN_ADAM ? torch_adam : torch_sgd)(oracle, &options, store.gradients, rate, step);
        test_close("parameters", store.parameters, oracle->p, COUNT, 2e-6);
    }
    assert_true(optimizer.steps == STEPS);
    test_same_bits("statistics", store.statistics, statistics, sizeof statistics);
    nn_optimizer_free(&optimizer);
    nn_store_free(&store);
    free(oracle);
}

static void test_sgd(void **state) {
    (void)state;
    for (int decay = 0; decay < 3; decay++) {
        nn_optimizer_options o = {.kind = NN_SGD, .weight_decay = decay ? 0.05f : 0, .decay_all = decay == 2};
        check_options(o);
        o.momentum = 0.9f;
        check_options(o);
        o.nesterov = true;
        check_options(o);
    }
}

static void test_adam(void **state) {
    (void)state;
    for (int decay = 0; decay < 3; decay++) {
        nn_optimizer_options o = {
            .kind = NN_ADAM, .weight_decay = decay ? 0.05f : 0, .decay_all = decay == 2};
        check_options(o);
        o.beta1 = 0.5f;
        o.beta2 = 0.99f;
        o.epsilon = 0.01f;
        check_options(o);
    }
}

/* Parameters without a gradient ever: adam divides 0 by epsilon. */
static void test_zero_gradients(void **state) {
    (void)state;
    for (int kind = NN_SGD; kind <= NN_ADAM; kind++) {
        nn_store store;
        nn_optimizer optimizer;
        nn_error error = {0};
        begin_store(&store);
        test_ok(nn_optimizer_begin(&optimizer, &store, (nn_optimizer_options){.kind = kind}, &error), &error);
        float before[COUNT];
        memcpy(before, store.parameters, sizeof before);
        for (int step = 0; step < 3; step++)
            nn_optimizer_step(&optimizer, 0.1f);
        test_same_bits("parameters", store.parameters, before, sizeof before);
        nn_optimizer_free(&optimizer);
        nn_store_free(&store);
    }
}

/* More parameters than one chunk of work. */
static void test_same_for_threads(void **state) {
    (void)state;
    enum { MANY = 70001 };
    for (int kind = NN_SGD; kind <= NN_ADAM; kind++) {
        float *first = NULL;
        for (int threads = 1; threads <= 7; threads += 3) {
            nn_threads_set(threads);
            nn_store store;
            nn_optimizer optimizer;
            nn_error error = {0};
            int index;
            nn_store_begin(&store, 1);
            nn_entry entry = {.name = "w", .shape = NN_SHAPE1(MANY), .decay = true};
            test_ok(nn_store_declare(&store, entry, &index, &error), &error);
            test_ok(nn_store_freeze(&store, &error), &error);
            nn_optimizer_options options = {.kind = kind, .momentum = 0.9f, .weight_decay = 0.01f};
            test_ok(nn_optimizer_begin(&optimizer, &store, options, &error), &error);
            float *gradient = test_normal(MANY, "gradient");
            memcpy(store.gradients, gradient, MANY * sizeof *gradient);
            free(gradient);
            nn_optimizer_step(&optimizer, 0.1f);
            nn_optimizer_step(&optimizer, 0.1f);
            if (first)
                test_same_bits("parameters", store.parameters, first, MANY * sizeof *first);
            else
                first = memcpy(test_zeros(MANY), store.parameters, MANY * sizeof *first);
            nn_optimizer_free(&optimizer);
            nn_store_free(&store);
        }
        free(first);
    }
    nn_threads_set(0);
}

static void test_refusals(void **state) {
    (void)state;
    nn_store store;
    nn_optimizer optimizer;
    nn_error error = {0};
    begin_store(&store);
    const nn_optimizer_options bad[] = {
        {.momentum = -0.1f},   {.momentum = 1},     {.momentum = NAN}, {.weight_decay = -1},
        {.weight_decay = NAN}, {.beta1 = 1},        {.beta1 = -0.5f},  {.beta2 = 1.5f},
        {.beta2 = NAN},        {.epsilon = -1e-8f}, {.epsilon = NAN},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        test_fails(nn_optimizer_begin(&optimizer, &store, bad[i], &error), NN_EARGUMENT, &error,
                   "optimizer: ");
    nn_store_free(&store);
    nn_store_begin(&store, 1);
    test_fails(nn_optimizer_begin(&optimizer, &store, (nn_optimizer_options){0}, &error), NN_EARGUMENT,
               &error, "frozen");
    nn_store_free(&store);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sgd),
        cmocka_unit_test(test_adam),
        cmocka_unit_test(test_zero_gradients),
        cmocka_unit_test(test_same_for_threads),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
