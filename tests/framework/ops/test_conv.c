/* The convolution op: its options, shapes and gradients. The arithmetic has tests of its own beside the
 * kernels. */
#include <limits.h>

#include "tests/support/op_check.h"

enum { X, WEIGHT, BIAS };

/* What the test works out for itself from the options and the input. */
typedef struct geometry {
    int rows, height, width, channels, filters, r, s, stride, top, left, p, q;
} geometry;

static int padding_of(int in, int size, int stride, int padding, int *out) {
    if (padding != NN_SAME) {
        *out = (in + 2 * padding - size) / stride + 1;
        return padding;
    }
    *out = (in + stride - 1) / stride;
    int missing = (*out - 1) * stride + size - in;
    return missing > 0 ? missing / 2 : 0;
}

static geometry geometry_of(const op_check *check) {
    const nn_conv_options *o = check->detail;
    const int *dims = check->inputs[0].dims;
    geometry g = {.rows = op_rows(check),
                  .height = dims[1],
                  .width = dims[2],
                  .channels = dims[3],
                  .filters = o->filters,
                  .r = o->kernel ? o->kernel : o->kernel_height,
                  .s = o->kernel ? o->kernel : o->kernel_width,
                  .stride = o->stride ? o->stride : 1};
    g.top = padding_of(g.height, g.r, g.stride, o->padding, &g.p);
    g.left = padding_of(g.width, g.s, g.stride, o->padding, &g.q);
    return g;
}

/* Calls visit for each product in the sum over the kernel, with the places of y, x and w. */
typedef void visit(void *context, size_t y, size_t x, size_t w);

static void visit_kernel(const geometry *g, int b, int p, int q, int k, visit *one, void *context) {
    for (int r = 0; r < g->r; r++)
        for (int s = 0; s < g->s; s++)
            for (int c = 0; c < g->channels; c++) {
                int h = p * g->stride - g->top + r, v = q * g->stride - g->left + s;
                if (h >= 0 && h < g->height && v >= 0 && v < g->width)
                    one(context, (size_t)((b * g->p + p) * g->q + q) * g->filters + k,
                        (size_t)((b * g->height + h) * g->width + v) * g->channels + c,
                        (size_t)((k * g->r + r) * g->s + s) * g->channels + c);
            }
}

static void visit_all(const geometry *g, visit *one, void *context) {
    for (int b = 0; b < g->rows; b++)
        for (int p = 0; p < g->p; p++)
            for (int q = 0; q < g->q; q++)
                for (int k = 0; k < g->filters; k++)
                    visit_kernel(g, b, p, q, k, one, context);
}

static nn_node *build(const op_check *check, nn_node *const *inputs) {
    return nn_conv(inputs[0], "layer", *(const nn_conv_options *)check->detail);
}

typedef struct arrays {
    double *const *arguments, *const *gradients;
    const double *dy;
    double *y;
} arrays;

static void visit_forward(void *context, size_t y, size_t x, size_t w) {
    const arrays *a = context;
    a->y[y] += a->arguments[X][x] * a->arguments[WEIGHT][w];
}

static void visit_backward(void *context, size_t y, size_t x, size_t w) {
    const arrays *a = context;
    a->gradients[X][x] += a->dy[y] * a->arguments[WEIGHT][w];
    a->gradients[WEIGHT][w] += a->dy[y] * a->arguments[X][x];
}

static void forward(const op_check *check, double *const *arguments, double *y) {
    geometry g = geometry_of(check);
    visit_all(&g, visit_forward, &(arrays){.arguments = arguments, .y = y});
    if (((const nn_conv_options *)check->detail)->bias)
        for (int i = 0; i < g.rows * g.p * g.q * g.filters; i++)
            y[i] += arguments[BIAS][i % g.filters];
}

static void backward(const op_check *check, double *const *arguments, const double *dy,
                     double *const *gradients) {
    geometry g = geometry_of(check);
    visit_all(&g, visit_backward, &(arrays){.arguments = arguments, .gradients = gradients, .dy = dy});
    if (((const nn_conv_options *)check->detail)->bias)
        for (int i = 0; i < g.rows * g.p * g.q * g.filters; i++)
            gradients[BIAS][i % g.filters] += dy[i];
}

static op_check check_of(nn_shape shape, int rows, const nn_conv_options *options) {
    return (op_check){.name = "conv",
                      .inputs = {shape},
                      .input_count = 1,
                      .rows = rows,
                      .linear = true,
                      .detail = options,
                      .build = build,
                      .forward = forward,
                      .backward = backward};
}

static void test_values_and_gradients(void **state) {
    (void)state;
    const struct {
        nn_shape shape;
        nn_conv_options options;
        int rows;
    } cases[] = {
        {NN_SHAPE4(1, 1, 1, 1), {.filters = 1, .kernel = 1}, 0},
        {NN_SHAPE4(2, 3, 3, 1), {.filters = 1, .kernel = 3}, 0},
        {NN_SHAPE4(2, 5, 6, 3), {.filters = 2, .kernel = 3, .padding = NN_SAME, .bias = true}, 0},
        {NN_SHAPE4(2, 6, 7, 3), {.filters = 5, .kernel = 3, .padding = 1, .stride = 2}, 0},
        {NN_SHAPE4(2, 8, 8, 2), {.filters = 3, .kernel = 3, .padding = NN_SAME, .stride = 2}, 0},
        {NN_SHAPE4(2, 7, 8, 2), {.filters = 3, .kernel = 2, .padding = NN_SAME, .bias = true}, 0},
        {NN_SHAPE4(3, 9, 5, 4), {.filters = 16, .kernel_height = 1, .kernel_width = 3}, 0},
        {NN_SHAPE4(3, 9, 5, 4), {.filters = 17, .kernel_height = 5, .kernel_width = 2, .bias = true}, 2},
        {NN_SHAPE4(2, 4, 5, 16), {.filters = 33, .kernel = 3, .padding = NN_SAME}, 0},
        {NN_SHAPE4(2, 5, 4, 17), {.filters = 15, .kernel = 1, .stride = 2, .bias = true}, 0},
        {NN_SHAPE4(5, 4, 4, 3), {.filters = 4, .kernel = 3, .padding = 3, .stride = 3}, 3},
        {NN_SHAPE4(2, 5, 5, 1), {.filters = 2, .kernel = 1, .stride = 4, .padding = 2}, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        op_check check = check_of(cases[i].shape, cases[i].rows, &cases[i].options);
        op_check_run(&check);
    }
}

static void expect_output(nn_shape in, nn_conv_options options, const char *expected) {
    nn_store store;
    nn_store_begin(&store, 1);
    nn_graph *graph = nn_graph_new(&store);
    nn_node *y = nn_conv(nn_input(graph, "x", in), "layer", options);
    char text[NN_SHAPE_TEXT];
    assert_non_null(y);
    assert_string_equal(nn_shape_text(nn_node_shape(y), text), expected);
    const nn_entry *weight = nn_store_find(&store, "layer.weight");
    assert_int_equal(weight->init.fan_in, weight->count / (size_t)options.filters);
    assert_true(weight->decay && !weight->flat);
    nn_graph_free(graph);
    nn_store_free(&store);
}

static void test_shapes(void **state) {
    (void)state;
    nn_shape image = NN_SHAPE4(2, 32, 28, 3);
    expect_output(image, (nn_conv_options){.filters = 8, .kernel = 5}, "2 x 28 x 24 x 8");
    expect_output(image, (nn_conv_options){.filters = 8, .kernel = 5, .padding = NN_SAME}, "2 x 32 x 28 x 8");
    expect_output(image, (nn_conv_options){.filters = 8, .kernel = 3, .padding = 1, .stride = 2},
                  "2 x 16 x 14 x 8");
    expect_output(image, (nn_conv_options){.filters = 8, .kernel = 7, .padding = NN_SAME, .stride = 3},
                  "2 x 11 x 10 x 8");
    expect_output(image, (nn_conv_options){.filters = 8, .kernel = 32, .padding = 2}, "2 x 5 x 1 x 8");
}

static nn_node *build_of_labels(const op_check *check, nn_node *const *inputs) {
    return nn_conv(nn_labels(nn_node_graph(inputs[0]), "classes", 4, 3), "layer",
                   *(const nn_conv_options *)check->detail);
}

static void test_refusals(void **state) {
    (void)state;
    nn_conv_options good = {.filters = 2, .kernel = 3};
    op_check check = check_of(NN_SHAPE2(4, 3), 0, &good);
    op_refused(&check, NN_ESHAPE, "conv 'layer': wants images");
    op_refused(&check, NN_ESHAPE, "'first' is 4 x 3");
    check.build = build_of_labels;
    op_refused(&check, NN_ESHAPE, "conv 'layer': wants images");
    check = check_of(NN_SHAPE4(4, 2, 9, 1), 0, &good);
    op_refused(&check, NN_ESHAPE, "a 3 x 3 kernel does not fit into 'first', which is 4 x 2 x 9 x 1");
    check.inputs[0] = NN_SHAPE4(4, 9, 2, 1);
    op_refused(&check, NN_ESHAPE, "a 3 x 3 kernel does not fit into 'first', which is 4 x 9 x 2 x 1");
    const nn_conv_options bad[] = {
        {.filters = 0, .kernel = 3},
        {.filters = 2},
        {.filters = 2, .kernel = -1},
        {.filters = 2, .kernel = 3, .stride = -1},
        {.filters = 2, .kernel = 3, .padding = -2},
        {.filters = 2, .kernel = 3, .padding = INT_MAX},
        {.filters = 2, .kernel = 3, .stride = INT_MAX},
        {.filters = 2, .kernel = INT_MAX, .padding = NN_SAME},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        check = check_of(NN_SHAPE4(4, 9, 9, 1), 0, &bad[i]);
        op_refused(&check, NN_EARGUMENT, "make no convolution");
    }
    nn_conv_options wide = {.filters = INT_MAX, .kernel = 3};
    check = check_of(NN_SHAPE4(4, 9, 9, 1), 0, &wide);
    op_refused(&check, NN_ESHAPE, "are too large");
    assert_null(nn_conv(NULL, "layer", good));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_and_gradients),
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
