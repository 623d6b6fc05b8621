/* The networks: parameters, taps, shapes, and that each learns. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/models.h"
#include "tests/support/support.h"

typedef struct network {
    nn_store store;
    nn_graph *graph;
    nn_node *images, *labels, *logits;
} network;

/* NULL logits where the images do not fit. */
static void build(network *n, const char *name, int batch, int side, int channels, int classes) {
    const model_network *m = model_find(name);
    assert_non_null(m);
    nn_store_begin(&n->store, 1);
    n->graph = nn_graph_new(&n->store);
    n->images = nn_input(n->graph, "image", NN_SHAPE4(batch, side, side, channels));
    n->labels = nn_labels(n->graph, "label", batch, classes);
    n->logits = m->build(n->images, classes);
}

static void end(network *n) {
    nn_graph_free(n->graph);
    nn_store_free(&n->store);
}

/* --- parameters ----------------------------------------------------------------------------------------- */

static size_t conv(size_t in, size_t out, size_t kernel) {
    return in * out * kernel * kernel;
}

static size_t batch_norm(size_t channels) {
    return 2 * channels;
}

static size_t dense(size_t in, size_t out) {
    return in * out + out;
}

/* Two 3x3 convolutions with batch norm, and a 1x1 one on a shortcut that changes shape. */
static size_t residual_block(size_t in, size_t out) {
    size_t count = conv(in, out, 3) + batch_norm(out) + conv(out, out, 3) + batch_norm(out);
    return in == out ? count : count + conv(in, out, 1) + batch_norm(out);
}

static size_t residual_network(const size_t *channels, int stages, int blocks, size_t in, size_t classes) {
    size_t count = conv(in, channels[0], 3) + batch_norm(channels[0]);
    for (int s = 0; s < stages; s++)
        for (int b = 0; b < blocks; b++)
            count += residual_block(b == 0 && s > 0 ? channels[s - 1] : channels[s], channels[s]);
    return count + dense(channels[stages - 1], classes);
}

static void expect_parameters(const char *name, int side, int channels, size_t expected) {
    network n;
    build(&n, name, 2, side, channels, 10);
    if (!n.logits || n.store.parameter_count != expected)
        fail_msg("%s: %zu parameters, expected %zu (%s)", name, n.store.parameter_count, expected,
                 nn_graph_error(n.graph)->message);
    end(&n);
}

static void parameter_counts(void **state) {
    (void)state;
    const size_t twenty[] = {16, 32, 64}, eighteen[] = {64, 128, 256, 512};
    assert_int_equal(residual_network(twenty, 3, 3, 3, 10), 272474); /* PyTorch's counts */
    assert_int_equal(residual_network(eighteen, 4, 2, 3, 10), 11173962);
    expect_parameters("cifar_resnet", 32, 3, 272474);
    expect_parameters("cifar_resnet", 28, 1, residual_network(twenty, 3, 3, 1, 10));
    expect_parameters("resnet18", 32, 3, 11173962);
    size_t cnn = conv(1, 64, 8) + 64 + conv(64, 128, 6) + 128 + conv(128, 128, 5) + 128 + dense(128, 10);
    assert_int_equal(cnn, 710218);
    expect_parameters("mnist_cnn", 28, 1, cnn);
    expect_parameters("mlp", 28, 1, dense(784, 256) + dense(256, 256) + dense(256, 10));
    expect_parameters("mlp", 32, 3, dense(3072, 256) + dense(256, 256) + dense(256, 10));
}

/* --- taps and shapes ------------------------------------------------------------------------------------ */

typedef struct expected_tap {
    const char *name;
    int side, channels; /* side 0: a vector */
} expected_tap;

static const expected_tap mlp_taps[] = {{"dense1", 0, 256}, {"dense2", 0, 256}, {0}};
static const expected_tap cnn_taps[] = {{"conv1", 14, 64}, {"conv2", 5, 128}, {"conv3", 1, 128}, {0}};
static const expected_tap resnet20_taps[] = {
    {"block1", 32, 16},    {"block2", 32, 16},      {"block3", 32, 16},
    {"block4", 16, 32},    {"block5", 16, 32},      {"block6", 16, 32},
    {"block7", 8, 64},     {"block8", 8, 64},       {"block9.conv1", 8, 64},
    {"block9.bn1", 8, 64}, {"block9.relu1", 8, 64}, {"block9.conv2", 8, 64},
    {"block9.bn2", 8, 64}, {"block9", 8, 64},       {0}};
static const expected_tap resnet18_taps[] = {{"block1", 32, 64},       {"block2", 32, 64},
                                             {"block3", 16, 128},      {"block4", 16, 128},
                                             {"block5", 8, 256},       {"block6", 8, 256},
                                             {"block7", 4, 512},       {"block8.conv1", 4, 512},
                                             {"block8.bn1", 4, 512},   {"block8.relu1", 4, 512},
                                             {"block8.conv2", 4, 512}, {"block8.bn2", 4, 512},
                                             {"block8", 4, 512},       {0}};

static void expect_taps(const char *name, int side, int channels, const expected_tap *taps) {
    const int batch = 3, classes = 7;
    network n;
    build(&n, name, batch, side, channels, classes);
    int count = 0;
    for (; taps[count].name; count++) {
        const expected_tap *t = &taps[count];
        nn_shape shape =
            t->side ? NN_SHAPE4(batch, t->side, t->side, t->channels) : NN_SHAPE2(batch, t->channels);
        char has[NN_SHAPE_TEXT];
        if (count >= nn_tap_count(n.graph))
            fail_msg("%s: tap %s is missing", name, t->name);
        assert_string_equal(nn_tap_name(n.graph, count), t->name);
        nn_shape actual = nn_node_shape(nn_tap_node(n.graph, count));
        if (!nn_shape_equal(actual, shape))
            fail_msg("%s: tap %s is %s", name, t->name, nn_shape_text(actual, has));
    }
    assert_int_equal(nn_tap_count(n.graph), count);
    assert_true(nn_shape_equal(nn_node_shape(n.logits), NN_SHAPE2(batch, classes)));
    end(&n);
}

static void taps_and_shapes(void **state) {
    (void)state;
    expect_taps("mlp", 28, 1, mlp_taps);
    expect_taps("mnist_cnn", 28, 1, cnn_taps);
    expect_taps("cifar_resnet", 32, 3, resnet20_taps);
    expect_taps("resnet18", 32, 3, resnet18_taps);
}

/* The names under which PyTorch finds the parameters. */
static void parameter_names(void **state) {
    (void)state;
    network n;
    build(&n, "cifar_resnet", 2, 32, 3, 10);
    const char *names[] = {"conv.weight",
                           "bn.weight",
                           "bn.bias",
                           "bn.running_mean",
                           "bn.running_var",
                           "block1.conv1.weight",
                           "block4.shortcut.conv.weight",
                           "block7.shortcut.bn.running_var",
                           "block9.bn2.bias",
                           "logits.weight",
                           "logits.bias"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!nn_store_find(&n.store, names[i]))
            fail_msg("there is no %s", names[i]);
    assert_null(nn_store_find(&n.store, "block1.shortcut.conv.weight"));
    end(&n);
}

/* --- limits --------------------------------------------------------------------------------------------- */

/* The table's smallest images are taken; the network without padding cannot take smaller ones. */
static void smallest_images(void **state) {
    (void)state;
    for (const model_network *m = model_networks; m->name; m++) {
        network n;
        build(&n, m->name, 2, m->smallest, 3, 10);
        if (!n.logits)
            fail_msg("%s refuses %d x %d: %s", m->name, m->smallest, m->smallest,
                     nn_graph_error(n.graph)->message);
        end(&n);
    }
    network n;
    build(&n, "mnist_cnn", 2, model_find("mnist_cnn")->smallest - 1, 3, 10);
    assert_null(n.logits);
    nn_error error = *nn_graph_error(n.graph);
    test_fails(error.status, NN_ESHAPE, &error, "conv3");
    end(&n);
    assert_null(model_find("nosuch"));
    assert_null(model_find(""));
}

/* --- learning ------------------------------------------------------------------------------------------- */

static double train(network *n, int batch, int classes, int steps, float rate) {
    nn_error error = {0};
    nn_plan *plan;
    nn_optimizer optimizer;
    nn_node *loss = nn_cross_entropy(n->logits, n->labels);
    nn_plan_options options = {.training = true, .loss = loss};
    test_ok(nn_plan_new(&plan, n->graph, options, &error), &error);
    nn_optimizer_options recipe = {.momentum = 0.9f};
    test_ok(nn_optimizer_begin(&optimizer, &n->store, recipe, &error), &error);
    size_t count = nn_shape_count(nn_node_shape(n->images));
    float *pixels = test_normal(count, "images");
    memcpy(nn_plan_data(plan, n->images), pixels, count * sizeof *pixels);
    free(pixels);
    for (int i = 0; i < batch; i++)
        nn_plan_labels(plan, n->labels)[i] = i % classes;
    double first = 0, last = 0;
    for (int step = 0; step <= steps; step++) {
        nn_run run = {.rows = batch, .step = (uint64_t)step};
        test_ok(nn_plan_forward(plan, run, &error), &error);
        test_ok(nn_plan_backward(plan, run, &error), &error);
        nn_optimizer_step(&optimizer, rate);
        last = nn_plan_scalar(plan, loss);
        first = step == 0 ? last : first;
    }
    nn_optimizer_free(&optimizer);
    nn_plan_free(plan);
    return last / first;
}

/* Random pictures with random classes are learned by heart. */
static void each_learns(void **state) {
    (void)state;
    for (const model_network *m = model_networks; m->name; m++) {
        const int batch = 6, classes = 3;
        network n;
        build(&n, m->name, batch, m->smallest < 8 ? 8 : m->smallest, 1, classes);
        double ratio = train(&n, batch, classes, 10, 0.01f);
        if (!(ratio < 0.5))
            fail_msg("%s: the loss after 10 steps is %g of the first", m->name, ratio);
        end(&n);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameter_counts), cmocka_unit_test(taps_and_shapes),
        cmocka_unit_test(parameter_names),  cmocka_unit_test(smallest_images),
        cmocka_unit_test(each_learns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
