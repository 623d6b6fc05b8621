/* Building graphs: names, taps, and mistakes, of which the first one is told. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/support.h"

static nn_store store;
static nn_graph *graph;

static int begin(void **state) {
    (void)state;
    nn_store_begin(&store, 1);
    graph = nn_graph_new(&store);
    return graph ? 0 : -1;
}

static int end(void **state) {
    (void)state;
    nn_graph_free(graph);
    nn_store_free(&store);
    return 0;
}

static void expect_error(nn_status status, const char *part) {
    nn_error error = *nn_graph_error(graph);
    test_fails(error.status, status, &error, part);
}

static nn_node *image(const char *name) {
    return nn_input(graph, name, NN_SHAPE4(2, 4, 4, 3));
}

static void test_nodes(void **state) {
    (void)state;
    nn_node *x = image("image"), *y = nn_relu(x), *z = nn_dense(y, "layer", (nn_dense_options){.units = 2});
    char text[NN_SHAPE_TEXT];
    assert_int_equal(nn_graph_error(graph)->status, NN_OK);
    assert_string_equal(nn_node_name(x), "image");
    assert_string_equal(nn_node_name(y), "relu1"); /* the op's name and the node's number */
    assert_string_equal(nn_node_name(z), "layer");
    assert_string_equal(nn_shape_text(nn_node_shape(z), text), "2 x 2");
    assert_ptr_equal(nn_node_graph(z), graph);
    nn_graph_free(NULL);
}

/* Two layers of one name share their parameters. */
static void test_shared_parameters(void **state) {
    (void)state;
    nn_node *a = nn_dense(image("a"), "layer", (nn_dense_options){.units = 2});
    nn_node *b = nn_dense(image("b"), "layer", (nn_dense_options){.units = 2});
    assert_true(a && b && a != b);
    assert_int_equal(store.entry_count, 2);
}

/* After the first mistake everything is NULL, and its message stays. */
static void test_first_error_stays(void **state) {
    (void)state;
    nn_node *x = image("image"), *bad = nn_conv(x, "wrong", (nn_conv_options){.filters = 0, .kernel = 3});
    assert_null(bad);
    expect_error(NN_EARGUMENT, "conv 'wrong'");
    assert_null(nn_relu(bad));
    assert_null(nn_relu(x)); /* also from nodes that are fine */
    assert_null(nn_input(graph, "next", NN_SHAPE1(2)));
    assert_null(nn_dense(x, "other", (nn_dense_options){.units = -1}));
    assert_null(nn_flatten(nn_labels(graph, "labels", 2, 2)));
    expect_error(NN_EARGUMENT, "conv 'wrong'");
}

static void test_null_passes(void **state) {
    (void)state;
    nn_node *x = image("image"), *labels = nn_labels(graph, "labels", 2, 2);
    assert_null(nn_add(x, NULL));
    assert_null(nn_add(NULL, x));
    assert_null(nn_cross_entropy(NULL, labels));
    assert_null(nn_cross_entropy(x, NULL));
    assert_null(nn_tap(NULL, "tap"));
    assert_int_equal(nn_graph_error(graph)->status, NN_OK); /* NULL is a consequence, never the mistake */
    assert_non_null(nn_relu(x));
}

static void test_inputs_refused(void **state) {
    (void)state;
    const nn_shape bad[] = {NN_SCALAR, NN_SHAPE1(0), NN_SHAPE2(3, -1),
                            NN_SHAPE4(1 << 20, 1 << 20, 1 << 20, 4)};
    for (int i = 0; i < 4; i++) {
        assert_null(nn_input(graph, "odd", bad[i]));
        expect_error(NN_ESHAPE, "input 'odd': ");
        end(NULL);
        begin(NULL);
    }
    assert_null(nn_labels(graph, "classes", 4, 0));
    expect_error(NN_EARGUMENT, "labels 'classes': 0 classes");
}

static void test_labels_without_rows(void **state) {
    (void)state;
    assert_null(nn_labels(graph, "classes", 0, 3));
    expect_error(NN_ESHAPE, "'classes': 0 is not a batch");
}

static void test_two_graphs(void **state) {
    (void)state;
    nn_graph *other = nn_graph_new(&store);
    nn_node *x = image("here"), *y = nn_input(other, "there", NN_SHAPE4(2, 4, 4, 3));
    assert_null(nn_add(x, y));
    expect_error(NN_EARGUMENT, "'here' and 'there' belong to different graphs");
    assert_int_equal(nn_graph_error(other)->status, NN_OK);
    nn_graph_free(other);
}

static void test_output_too_large(void **state) {
    (void)state;
    nn_node *x = nn_input(graph, "x", NN_SHAPE4(1 << 20, 1 << 12, 1 << 12, 1)); /* 2^44 */
    assert_null(nn_conv(x, "wide", (nn_conv_options){.filters = 1 << 10, .kernel = 1}));
    expect_error(NN_ESHAPE, "conv 'wide': its output is too large");
}

static const char *name_of(size_t length) {
    static char name[256];
    memset(name, 'n', length);
    name[length] = 0;
    return name;
}

static void test_long_names(void **state) {
    (void)state;
    assert_non_null(nn_input(graph, name_of(NN_NAME_MAX - 1), NN_SHAPE1(2)));
    assert_null(nn_input(graph, name_of(NN_NAME_MAX), NN_SHAPE1(2)));
    expect_error(NN_EARGUMENT, "nnn...' is longer than 63 characters");
}

static void test_long_tap_name(void **state) {
    (void)state;
    nn_node *x = image("image");
    assert_ptr_equal(nn_tap(x, name_of(NN_NAME_MAX - 1)), x);
    assert_null(nn_tap(x, name_of(200)));
    expect_error(NN_EARGUMENT, "is longer than 63 characters");
}

static void test_taps(void **state) {
    (void)state;
    nn_node *x = image("image"), *y = nn_relu(x);
    assert_int_equal(nn_tap_count(graph), 0);
    assert_ptr_equal(nn_tap(y, "second"), y);
    assert_ptr_equal(nn_tap(x, "first"), x);
    assert_ptr_equal(nn_tap(y, "again"), y);
    const char *names[] = {"second", "first", "again"};
    nn_node *nodes[] = {y, x, y};
    assert_int_equal(nn_tap_count(graph), 3);
    for (int i = 0; i < 3; i++) {
        assert_string_equal(nn_tap_name(graph, i), names[i]);
        assert_ptr_equal(nn_tap_node(graph, i), nodes[i]);
    }
    assert_null(nn_tap(x, "again"));
    expect_error(NN_EARGUMENT, "tap 'again' is named twice");
}

static void test_too_many_taps(void **state) {
    (void)state;
    nn_node *x = image("image");
    char name[16];
    for (int i = 0; i < 64; i++) {
        snprintf(name, sizeof name, "tap%d", i);
        assert_ptr_equal(nn_tap(x, name), x);
    }
    assert_null(nn_tap(x, "one more"));
    expect_error(NN_EARGUMENT, "tap 'one more': a graph has at most 64 taps");
}

/* More nodes than the first table holds. */
static void test_long_chain(void **state) {
    (void)state;
    nn_node *x = image("image"), *y = x;
    for (int i = 0; i < 1000; i++)
        y = nn_relu(y);
    assert_non_null(y);
    assert_string_equal(nn_node_name(y), "relu1000");
}

static void test_print(void **state) {
    (void)state;
    nn_node *x = image("image");
    nn_tap(nn_dense(x, "layer", (nn_dense_options){.units = 2}), "features");
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    nn_graph_print(graph, file);
    fclose(file);
    const char *layer = strstr(text, "dense");
    assert_non_null(strstr(text, "2 x 4 x 4 x 3"));
    assert_non_null(layer);
    assert_non_null(strstr(layer, "layer"));
    assert_non_null(strstr(layer, "98")); /* 2 x 48 weights and 2 biases */
    assert_non_null(strstr(layer, "features"));
    free(text);
}

#define graph_test(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        graph_test(test_nodes),
        graph_test(test_shared_parameters),
        graph_test(test_first_error_stays),
        graph_test(test_null_passes),
        graph_test(test_inputs_refused),
        graph_test(test_labels_without_rows),
        graph_test(test_two_graphs),
        graph_test(test_output_too_large),
        graph_test(test_long_names),
        graph_test(test_long_tap_name),
        graph_test(test_taps),
        graph_test(test_too_many_taps),
        graph_test(test_long_chain),
        graph_test(test_print),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
