/* bench_step.c - the time of one kind of work, on random data:
 *
 *   bench_step train|infer MODEL none|fixed|optimal STEPS
 *   bench_step snnl POINTS DIMS fixed|optimal STEPS
 *
 * A training step is forward, losses, backward and SGD with momentum for a batch of 128; inference is the
 * evaluation plan. With `fixed` (T = 100) or `optimal` the loss has the SNNL of the nine blocks, weight 0.01.
 * `snnl` is the loss alone, forward and backward. Prints one line: milliseconds (median, shortest, longest),
 * peak memory of the process and the GFLOP of the matrix products and convolutions, as by the formulas.
 * pytorch_step.py takes the same arguments and prints the same line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "experiments/common/classifier.h"
#include "framework/kernels/kernels.h"

enum { BATCH = 128, CLASSES = 10, WARM_UP_STEPS = 3, STEPS_MAX = 1000 };

typedef nn_status step_function(void *context, nn_error *error);

/* --- time ----------------------------------------------------------------------------------------------- */

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Warms up (memory touched, threads on cores of their own, clocks settled), then times each step. */
static nn_status time_steps(step_function *step, void *context, int steps, nn_error *error) {
    double times[STEPS_MAX], begin = seconds();
    for (int i = 0; i < WARM_UP_STEPS || seconds() - begin < 0.5; i++)
        if (step(context, error) != NN_OK)
            return error->status;
    for (int i = 0; i < steps; i++) {
        double start = seconds();
        if (step(context, error) != NN_OK)
            return error->status;
        times[i] = 1e3 * (seconds() - start);
    }
    qsort(times, (size_t)steps, sizeof *times, compare);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("ms=%.3f min=%.3f max=%.3f mib=%.0f ", (times[(steps - 1) / 2] + times[steps / 2]) / 2, times[0],
           times[steps - 1], (double)usage.ru_maxrss / 1024);
    return NN_OK;
}

static void fill(size_t n, float *x, int32_t *labels, size_t label_count) {
    nn_stream stream = nn_stream_named(1, "bench");
    for (size_t i = 0; i < n; i++)
        x[i] = nn_random_normal(&stream);
    for (size_t i = 0; i < label_count; i++)
        labels[i] = (int32_t)nn_random_below(&stream, CLASSES);
}

/* --- networks ------------------------------------------------------------------------------------------- */

typedef struct network {
    exp_classifier classifier;
    nn_optimizer optimizer;
} network;

static nn_status train(void *context, nn_error *error) {
    network *n = context;
    nn_run run = {.rows = BATCH};
    nn_status status = nn_plan_forward(n->classifier.training, run, error);
    if (status == NN_OK)
        status = nn_plan_backward(n->classifier.training, run, error);
    if (status == NN_OK)
        nn_optimizer_step(&n->optimizer, 1e-4f);
    return status;
}

static nn_status infer(void *context, nn_error *error) {
    network *n = context;
    return nn_plan_forward(n->classifier.evaluation, (nn_run){.rows = BATCH}, error);
}

/* Floating-point operations of one more step: what the plan's ops say of themselves. */
static nn_status count_gflop(network *n, bool training, double *gflop, nn_error *error) {
    nn_plan *plan = training ? n->classifier.training : n->classifier.evaluation;
    if (nn_plan_profile(plan, error) != NN_OK || (training ? train : infer)(n, error) != NN_OK)
        return error->status;
    for (int i = 0; i < nn_profile_count(plan); i++)
        *gflop += 1e-9 * nn_profile_line_at(plan, i).flop;
    return NN_OK;
}

static nn_status bench_network(bool training, const char *name, const char *snnl, int steps,
                               nn_error *error) {
    bool digits = strcmp(name, "mnist_cnn") == 0;
    int side = digits ? 28 : 32;
    data_set set = {.height = side, .width = side, .channels = digits ? 1 : 3, .classes = CLASSES};
    exp_train_options options = exp_train_defaults;
    snprintf(options.model, sizeof options.model, "%s", name);
    options.batch = BATCH;
    if (strcmp(snnl, "none") != 0) {
        strcpy(options.snnl_layers, "block[1-9]");
        options.snnl_weight = 0.01;
        options.temperature_mode = strcmp(snnl, "fixed") == 0 ? NN_TEMPERATURE_FIXED : NN_TEMPERATURE_OPTIMAL;
    }
    network n = {0};
    exp_classifier *c = &n.classifier;
    nn_status status = exp_classifier_build(c, &options, &set, training ? EXP_TRAIN : EXP_EVALUATE, error);
    if (status == NN_OK)
        status = nn_optimizer_begin(&n.optimizer, &c->store, (nn_optimizer_options){.momentum = 0.9f}, error);
    if (status == NN_OK) {
        nn_plan *plan = training ? c->training : c->evaluation;
        fill(nn_shape_count(nn_node_shape(c->images)), nn_plan_data(plan, c->images),
             nn_plan_labels(plan, c->labels), BATCH);
        double gflop = 0;
        status = time_steps(training ? train : infer, &n, steps, error);
        if (status == NN_OK)
            status = count_gflop(&n, training, &gflop, error);
        printf("gflop=%.3f\n", gflop);
    }
    nn_optimizer_free(&n.optimizer);
    exp_classifier_free(c);
    return status;
}

/* --- SNNL alone ----------------------------------------------------------------------------------------- */

typedef struct loss {
    nn_snnl_points points;
    void *workspace;
    float *gradient;
    bool optimal;
} loss;

static nn_status measure(void *context, nn_error *error) {
    (void)error;
    loss *l = context;
    nn_snnl_begin(&l->points, l->workspace);
    nn_snnl_result result =
        l->optimal ? nn_snnl_optimal(&l->points, l->workspace) : nn_snnl_at(&l->points, l->workspace, 100);
    nn_snnl_gradient(&l->points, l->workspace, &result, 1, false, l->gradient);
    return NN_OK;
}

static nn_status bench_snnl(int count, int dims, bool optimal, int steps, nn_error *error) {
    size_t values = (size_t)count * (size_t)dims;
    float *x = malloc(values * sizeof *x);
    int32_t *labels = malloc((size_t)count * sizeof *labels);
    loss l = {.points = {.count = count, .dims = dims, .x32 = x, .labels = labels},
              .workspace = aligned_alloc(64, (nn_snnl_workspace(count, dims, false) + 63) / 64 * 64),
              .gradient = malloc(values * sizeof *l.gradient),
              .optimal = optimal};
    nn_status status = NN_OK;
    if (x && labels && l.workspace && l.gradient) {
        fill(values, x, labels, (size_t)count);
        status = time_steps(measure, &l, steps, error);
        /* Half of the points' Gram matrix and the product of all weights with the points. */
        printf("gflop=%.3f\n", 3e-9 * count * (double)count * dims);
    } else {
        status = nn_fail_memory(error, "the points");
    }
    free(x), free(labels), free(l.workspace), free(l.gradient);
    return status;
}

/* --- command line --------------------------------------------------------------------------------------- */

static bool number(const char *text, int largest, int *value) {
    char *end;
    long n = strtol(text, &end, 10);
    *value = (int)n;
    return *text && !*end && n >= 1 && n <= largest;
}

static int usage(void) {
    fprintf(stderr, "usage: bench_step train|infer MODEL none|fixed|optimal STEPS\n"
                    "       bench_step snnl POINTS DIMS fixed|optimal STEPS\n");
    return 2;
}

int main(int count, char **arguments) {
    int steps, points, dims;
    nn_error error = {0};
    if (count < 5 || !number(arguments[count - 1], STEPS_MAX, &steps))
        return usage();
    const char *what = arguments[1], *mode = arguments[count - 2];
    bool none = strcmp(mode, "none") == 0, optimal = strcmp(mode, "optimal") == 0;
    if (!none && !optimal && strcmp(mode, "fixed") != 0)
        return usage();
    bool training = strcmp(what, "train") == 0;
    if (count == 5 && (training || strcmp(what, "infer") == 0))
        bench_network(training, arguments[2], mode, steps, &error);
    else if (count == 6 && strcmp(what, "snnl") == 0 && !none && number(arguments[2], 1 << 20, &points) &&
             number(arguments[3], 1 << 20, &dims))
        bench_snnl(points, dims, optimal, steps, &error);
    else
        return usage();
    if (error.status != NN_OK)
        fprintf(stderr, "bench_step: %s\n", error.message);
    return error.status != NN_OK;
}
