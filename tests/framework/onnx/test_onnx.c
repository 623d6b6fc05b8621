/* Networks as ONNX files, run by an interpreter that shares nothing with the framework. */
#include <stdlib.h>
#include <string.h>

#include "tests/support/onnx_run.h"
#include "tests/support/test_ops.h"

enum { BATCH = 3, SIDE = 9, CHANNELS = 2, MOST = 24, IMAGE = SIDE * SIDE * CHANNELS };

typedef struct network {
    nn_store store;
    nn_graph *graph;
    nn_node *image;
    nn_onnx_output outputs[MOST];
    int count;
    nn_plan *plan;
} network;

static const float mean[] = {0.4f, -0.25f}, deviation[] = {0.5f, 1.75f};

static void begin(network *n) {
    *n = (network){0};
    nn_store_begin(&n->store, 7);
    n->graph = nn_graph_new(&n->store);
    n->image = nn_input(n->graph, "picture", NN_SHAPE4(BATCH, SIDE, SIDE, CHANNELS));
}

static nn_node *out(network *n, const char *name, nn_node *node) {
    n->outputs[n->count++] = (nn_onnx_output){node, name};
    return node;
}

/* Plans all outputs, with random parameters and statistics, and runs them on random images. */
static void run(network *n, const float *images) {
    nn_error error = {0};
    nn_node *keep[MOST];
    for (int i = 0; i < n->count; i++)
        keep[i] = (nn_node *)n->outputs[i].node;
    test_ok(nn_plan_new(&n->plan, n->graph, (nn_plan_options){.keep = keep, .keep_count = n->count}, &error),
            &error);
    nn_stream stream = nn_stream_named(3, "values");
    for (size_t i = 0; i < n->store.parameter_count; i++)
        n->store.parameters[i] += 0.1f * (float)nn_random_normal(&stream);
    for (size_t i = 0; i < n->store.statistic_count; i++)
        n->store.statistics[i] += 0.5f * (float)nn_random_uniform(&stream);
    float *x = nn_plan_data(n->plan, n->image);
    for (int i = 0; i < BATCH * IMAGE; i++)
        x[i] = (images[i] - mean[i % CHANNELS]) / deviation[i % CHANNELS];
    test_ok(nn_plan_forward(n->plan, (nn_run){.rows = BATCH}, &error), &error);
}

static void end(network *n) {
    nn_plan_free(n->plan);
    nn_graph_free(n->graph);
    nn_store_free(&n->store);
}

/* Channels second. */
static float *turned(const float *images) {
    float *second = test_zeros(BATCH * IMAGE);
    for (int i = 0; i < BATCH * IMAGE; i++) {
        int pixel = i % IMAGE / CHANNELS, channel = i % CHANNELS;
        second[i / IMAGE * IMAGE + channel * SIDE * SIDE + pixel] = images[i];
    }
    return second;
}

static void expect(const network *n, const onnx_file *file, bool last) {
    for (int k = 0; k < n->count; k++) {
        const onnx_tensor *found = onnx_find(file, n->outputs[k].name);
        const float *ours = nn_plan_data(n->plan, n->outputs[k].node);
        nn_shape s = nn_node_shape(n->outputs[k].node);
        size_t count = nn_shape_count(s);
        assert_true(found->count == count && found->rank == s.rank);
        double *expected = test_bytes(count * sizeof *expected);
        for (size_t i = 0; i < count; i++) {
            size_t at = i, pixels = s.rank == 4 && !last ? (size_t)s.dims[1] * (size_t)s.dims[2] : 1;
            if (pixels > 1) {
                size_t channels = (size_t)s.dims[3], pixel = i / channels % pixels;
                at = i / (pixels * channels) * pixels * channels + i % channels * pixels + pixel;
            }
            expected[i] = found->values[at];
        }
        test_close(n->outputs[k].name, ours, expected, count, 2e-6);
        free(expected);
    }
}

/* In both layouts. */
static void compare(const network *n, const float *images) {
    for (int last = 0; last < 2; last++) {
        nn_error error = {0};
        onnx_file file;
        float *second = turned(images);
        const char *path = test_path("network.onnx");
        nn_onnx_model model = {.name = "network",
                               .producer = "test",
                               .version = "1",
                               .input = n->image,
                               .input_name = "image",
                               .channels_last = last,
                               .mean = mean,
                               .deviation = deviation,
                               .outputs = n->outputs,
                               .output_count = n->count};
        test_ok(nn_onnx_write(&model, path, &error), &error);
        onnx_open(&file, path);
        assert_true(file.inputs == 1 && file.outputs == n->count);
        assert_string_equal(onnx_dimensions(&file, "image"), last ? "batch 9 9 2" : "batch 2 9 9");
        onnx_run(&file, "image", 4,
                 last ? (size_t[]){BATCH, SIDE, SIDE, CHANNELS} : (size_t[]){BATCH, CHANNELS, SIDE, SIDE},
                 last ? images : second);
        expect(n, &file, last);
        onnx_close(&file);
        free(second);
    }
}

static void check(network *n) {
    float *images = test_normal(BATCH * IMAGE, "images");
    run(n, images);
    compare(n, images);
    free(images);
    end(n);
}

/* --- ops ------------------------------------------------------------------------------------------------ */

/* Paddings that are even, odd, none, and with a remainder of the image left over. */
static void windows(void **state) {
    (void)state;
    static const nn_conv_options convs[] = {
        {.filters = 3, .kernel = 3, .padding = 1, .bias = true},
        {.filters = 4, .kernel = 4, .stride = 2, .padding = NN_SAME},
        {.filters = 2, .kernel_height = 2, .kernel_width = 5, .stride = 3, .padding = NN_SAME, .bias = true},
        {.filters = 2, .kernel = 4, .stride = 3, .padding = 1},
        {.filters = 16, .kernel = 2, .stride = 2},
    };
    static const char *const names[] = {"a", "b", "c", "d", "e"};
    static const nn_pool_options pools[] = {
        {.size = 2}, {.size = 3, .stride = 2, .padding = 1}, {.size = 4, .stride = 3, .padding = NN_SAME}};
    static const char *const pooled[][2] = {{"max0", "mean0"}, {"max1", "mean1"}, {"max2", "mean2"}};
    network n;
    begin(&n);
    for (int i = 0; i < 5; i++)
        out(&n, names[i], nn_conv(n.image, names[i], convs[i]));
    for (int i = 0; i < 3; i++) {
        out(&n, pooled[i][0], nn_max_pool(n.image, pools[i]));
        out(&n, pooled[i][1], nn_average_pool(n.image, pools[i]));
    }
    check(&n);
}

static void activations_and_sums(void **state) {
    (void)state;
    network n;
    begin(&n);
    nn_node *h = out(&n, "norm", nn_batch_norm(n.image, "bn", (nn_batch_norm_options){.epsilon = 0.01f}));
    nn_node *relu = out(&n, "relu", nn_relu(h)), *leaky = out(&n, "leaky", nn_leaky_relu(h, 0.3f));
    out(&n, "tanh", nn_tanh(h));
    out(&n, "sigmoid", nn_sigmoid(h));
    nn_node *sum = out(&n, "sum", nn_add(relu, nn_scale(leaky, -1.5f)));
    out(&n, "dropped", nn_dropout(sum, "drop", 0.5f));
    out(&n, "again", sum); /* one node under two names */
    out(&n, "normalised", n.image);
    out(&n, "upsampled", nn_upsample(sum, 3));
    out(&n, "mean", nn_global_average_pool(sum));
    check(&n);
}

/* The order of a flattened image's numbers, wherever it is seen. */
static void shapes(void **state) {
    (void)state;
    network n;
    begin(&n);
    nn_dense_options five = {.units = 5};
    nn_node *h = nn_max_pool(n.image, (nn_pool_options){.size = 3}); /* 3 x 3 x 2 */
    nn_node *flat = nn_flatten(h);
    out(&n, "direct", nn_dense(h, "direct", five));
    out(&n, "flattened", nn_dense(flat, "flattened", five));
    out(&n, "behind", nn_dense(nn_tanh(flat), "behind", five));
    out(&n, "flat", flat);
    nn_node *image = out(&n, "image again", nn_reshape(nn_tanh(flat), NN_SHAPE4(BATCH, 2, 3, 3)));
    out(&n, "matrix", nn_reshape(image, NN_SHAPE2(BATCH, 18)));
    nn_node *norm = nn_batch_norm(flat, "norm", (nn_batch_norm_options){0});
    out(&n, "sum",
        nn_dense(nn_add(norm, nn_dense(flat, "wide", (nn_dense_options){.units = 18})), "sum", five));
    check(&n);
}

/* One layer used twice has its weights once. */
static void shared_layers(void **state) {
    (void)state;
    network n;
    begin(&n);
    nn_conv_options same = {.filters = CHANNELS, .kernel = 3, .padding = 1};
    nn_node *h = nn_conv(nn_relu(nn_conv(n.image, "conv", same)), "conv", same);
    out(&n, "twice", h);
    check(&n);
}

static void what_cannot_be_written(void **state) {
    (void)state;
    network n;
    nn_error error = {0};
    begin(&n);
    out(&n, "relu", nn_relu(test_barrier(n.image)));
    float *images = test_normal(BATCH * IMAGE, "images");
    run(&n, images);
    nn_onnx_model model = {.name = "",
                           .producer = "",
                           .version = "",
                           .input = n.image,
                           .input_name = "image",
                           .outputs = n.outputs,
                           .output_count = 1};
    test_fails(nn_onnx_write(&model, test_path("never.onnx"), &error), NN_EARGUMENT, &error,
               "ONNX has no counterpart of the op 'barrier'");
    nn_onnx_output fine = {n.image, "x"};
    model.outputs = &fine;
    test_fails(nn_onnx_write(&model, "/nowhere/x.onnx", &error), NN_EFILE, &error, "/nowhere/x.onnx");
    free(images);
    end(&n);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows),       cmocka_unit_test(activations_and_sums),   cmocka_unit_test(shapes),
        cmocka_unit_test(shared_layers), cmocka_unit_test(what_cannot_be_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
