/* Gradients with respect to images through whole networks as they are evaluated (running statistics, fused plans,
 * fixed parameters): slopes of the loss by central differences. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/models.h"
#include "tests/support/support.h"

enum { ROWS = 3, CLASSES = 5 };

typedef struct fixture {
    nn_store store;
    nn_graph *graph;
    nn_node *images, *labels, *loss;
    nn_plan *plan;
    size_t count; /* of pixels, all rows */
    float *pixels, *gradient;
} fixture;

/* Running statistics as after training: not those of a network that has seen nothing. */
static void fill_statistics(nn_store *store) {
    for (int e = 0; e < store->entry_count; e++) {
        const nn_entry *entry = &store->entries[e];
        if (entry->kind != NN_STATISTIC)
            continue;
        float *values = nn_store_values(store, entry), *random = test_normal(entry->count, entry->name);
        bool variance = strstr(entry->name, "running_var") != NULL;
        for (size_t i = 0; i < entry->count; i++)
            values[i] = variance ? 0.5f + fabsf(random[i]) : 0.2f * random[i];
        free(random);
    }
}

static void begin(fixture *f, const char *name, int side, int channels, nn_plan_options options) {
    nn_error error = {0};
    nn_store_begin(&f->store, 3);
    f->graph = nn_graph_new(&f->store);
    f->images = nn_input(f->graph, "image", NN_SHAPE4(ROWS + 1, side, side, channels));
    f->labels = nn_labels(f->graph, "label", ROWS + 1, CLASSES);
    f->loss = nn_cross_entropy(model_find(name)->build(f->images, CLASSES), f->labels);
    options.loss = f->loss;
    options.gradients = &f->images;
    options.gradients_count = 1;
    test_ok(nn_plan_new(&f->plan, f->graph, options, &error), &error);
    fill_statistics(&f->store);
    f->count = ROWS * nn_shape_row(nn_node_shape(f->images));
    f->pixels = test_normal(f->count, "pixels");
    f->gradient = test_zeros(f->count);
    for (int i = 0; i < ROWS; i++)
        nn_plan_labels(f->plan, f->labels)[i] = (2 * i + 1) % CLASSES;
    memcpy(nn_plan_data(f->plan, f->images), f->pixels, f->count * sizeof(float));
    nn_run run = {.rows = ROWS, .step = 5};
    test_ok(nn_plan_forward(f->plan, run, &error), &error);
    test_ok(nn_plan_backward(f->plan, run, &error), &error);
    memcpy(f->gradient, nn_plan_gradient(f->plan, f->images), f->count * sizeof(float));
}

static void end(fixture *f) {
    nn_plan_free(f->plan);
    nn_graph_free(f->graph);
    nn_store_free(&f->store);
    free(f->pixels);
    free(f->gradient);
}

static double loss_at(fixture *f, const float *direction, double distance) {
    nn_error error = {0};
    float *x = nn_plan_data(f->plan, f->images);
    for (size_t i = 0; i < f->count; i++)
        x[i] = (float)(f->pixels[i] + distance * direction[i]);
    test_ok(nn_plan_forward(f->plan, (nn_run){.rows = ROWS}, &error), &error);
    return nn_plan_scalar(f->plan, f->loss);
}

/* Along a direction of length 1; relative to the gradient's length. */
static void expect_slope(fixture *f, const char *what, const float *direction, double tolerance) {
    const double h = 0.02;
    double slope = (loss_at(f, direction, h) - loss_at(f, direction, -h)) / (2 * h), expected = 0, length = 0;
    for (size_t i = 0; i < f->count; i++) {
        expected += (double)f->gradient[i] * direction[i];
        length += (double)f->gradient[i] * f->gradient[i];
    }
    if (!(fabs(slope - expected) <= tolerance * sqrt(length)))
        fail_msg("%s: the slope is %g, by the gradient %g of at most %g", what, slope, expected,
                 sqrt(length));
}

static void normalise(float *x, size_t count) {
    double length = 0;
    for (size_t i = 0; i < count; i++)
        length += (double)x[i] * x[i];
    for (size_t i = 0; i < count; i++)
        x[i] = (float)(x[i] / sqrt(length));
}

/* Each image along its own gradient alone: there every missing part would be seen. Then in random directions. */
static void check_slopes(const char *name, int side, int channels) {
    fixture f = {0};
    char what[64];
    begin(&f, name, side, channels, (nn_plan_options){.fixed = true});
    size_t image = f.count / ROWS;
    for (int row = 0; row < ROWS; row++) {
        float *direction = test_zeros(f.count);
        memcpy(direction + (size_t)row * image, f.gradient + (size_t)row * image, image * sizeof(float));
        normalise(direction, f.count);
        snprintf(what, sizeof what, "%s, along the gradient of image %d", name, row);
        expect_slope(&f, what, direction, 0.01);
        free(direction);
    }
    for (int k = 0; k < 8; k++) {
        snprintf(what, sizeof what, "%s, direction %d", name, k);
        float *direction = test_normal(f.count, what);
        normalise(direction, f.count);
        expect_slope(&f, what, direction, 0.002);
        free(direction);
    }
    end(&f);
}

static void slopes_of_the_convolutional_network(void **state) {
    (void)state;
    check_slopes("mnist_cnn", 28, 1);
}

static void slopes_of_the_residual_network(void **state) {
    (void)state;
    check_slopes("cifar_resnet", 16, 3);
}

/* Neither fusion nor what is left out for parameters changes a bit. */
static void plans_agree(void **state) {
    (void)state;
    static const nn_plan_options plans[] = {{0}, {.unfused = true}, {.unfused = true, .fixed = true}};
    static const char *const names[] = {"mnist_cnn", "cifar_resnet", "mlp"};
    for (int m = 0; m < 3; m++) {
        fixture f = {0};
        begin(&f, names[m], 28, 1, (nn_plan_options){.fixed = true});
        for (int p = 0; p < 3; p++) {
            fixture other = {0};
            begin(&other, names[m], 28, 1, plans[p]);
            double *expected = test_bytes(f.count * sizeof *expected);
            for (size_t i = 0; i < f.count; i++)
                expected[i] = f.gradient[i];
            test_close(names[m], other.gradient, expected, f.count, 1e-6);
            free(expected);
            if (!plans[p].unfused)
                test_same_bits(names[m], other.gradient, f.gradient, f.count * sizeof(float));
            end(&other);
        }
        end(&f);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slopes_of_the_convolutional_network),
        cmocka_unit_test(slopes_of_the_residual_network),
        cmocka_unit_test(plans_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
