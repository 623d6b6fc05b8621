/* Maximum, average and global average pooling. */
#include <limits.h>
#include <math.h>
#include <string.h>

#include "tests/support/op_check.h"
#include "tests/support/test_ops.h"

typedef struct pooling {
    const char *name;
    nn_node *(*build)(nn_node *image, nn_pool_options options);
    nn_pool_options options;
    bool largest;
} pooling;

/* The place of a window, clipped to the image. */
typedef struct cells {
    int h0, h1, v0, v1;
} cells;

static int outputs_of(const pooling *pool, int in, int *before) {
    int stride = pool->options.stride ? pool->options.stride : pool->options.size;
    if (pool->options.padding != NN_SAME) {
        *before = pool->options.padding;
        return (in + 2 * *before - pool->options.size) / stride + 1;
    }
    int out = (in + stride - 1) / stride, missing = (out - 1) * stride + pool->options.size - in;
    *before = missing > 0 ? missing / 2 : 0;
    return out;
}

static cells cells_of(const op_check *check, int p, int q) {
    const pooling *pool = check->detail;
    int stride = pool->options.stride ? pool->options.stride : pool->options.size, top, left;
    int height = check->inputs[0].dims[1], width = check->inputs[0].dims[2];
    outputs_of(pool, height, &top);
    outputs_of(pool, width, &left);
    cells w = {p * stride - top, p * stride - top + pool->options.size, q * stride - left,
               q * stride - left + pool->options.size};
    return (cells){w.h0 < 0 ? 0 : w.h0, w.h1 > height ? height : w.h1, w.v0 < 0 ? 0 : w.v0,
                   w.v1 > width ? width : w.v1};
}

/* One output, or with dx its share of the gradient: `b`, p, q, c name it. */
static double pool_one(const op_check *check, const double *x, int b, int p, int q, int c, double dy,
                       double *dx) {
    const int *dims = check->inputs[0].dims;
    cells w = cells_of(check, p, q);
    int count = (w.h1 - w.h0) * (w.v1 - w.v0), best = -1;
    double sum = 0;
    for (int h = w.h0; h < w.h1; h++)
        for (int v = w.v0; v < w.v1; v++) {
            int at = ((b * dims[1] + h) * dims[2] + v) * dims[3] + c;
            sum += x[at];
            best = best < 0 || x[at] > x[best] ? at : best;
            if (dx && !((const pooling *)check->detail)->largest)
                dx[at] += dy / count;
        }
    if (!((const pooling *)check->detail)->largest)
        return sum / count;
    if (dx)
        dx[best] += dy;
    return x[best];
}

static void walk(const op_check *check, const double *x, double *y, const double *dy, double *dx) {
    const int *dims = check->inputs[0].dims;
    int before, height = outputs_of(check->detail, dims[1], &before);
    int width = outputs_of(check->detail, dims[2], &before), i = 0;
    for (int b = 0; b < op_rows(check); b++)
        for (int p = 0; p < height; p++)
            for (int q = 0; q < width; q++)
                for (int c = 0; c < dims[3]; c++, i++) {
                    double value = pool_one(check, x, b, p, q, c, dy ? dy[i] : 0, dx);
                    if (y)
                        y[i] = value;
                }
}

static nn_node *build(const op_check *check, nn_node *const *inputs) {
    const pooling *pool = check->detail;
    return pool->build(inputs[0], pool->options);
}

static void forward(const op_check *check, double *const *arguments, double *y) {
    walk(check, arguments[0], y, NULL, NULL);
}

static void backward(const op_check *check, double *const *arguments, const double *dy,
                     double *const *gradients) {
    walk(check, arguments[0], NULL, dy, gradients[0]);
}

static nn_node *build_global(nn_node *image, nn_pool_options options) {
    (void)options;
    return nn_global_average_pool(image);
}

static op_check check_of(nn_shape shape, int rows, const pooling *pool) {
    return (op_check){.name = pool->name,
                      .inputs = {shape},
                      .input_count = 1,
                      .rows = rows,
                      .linear = !pool->largest,
                      .detail = pool,
                      .build = build,
                      .forward = forward,
                      .backward = backward};
}

static const struct {
    nn_shape shape;
    nn_pool_options options;
    int rows;
} cases[] = {
    {NN_SHAPE4(1, 1, 1, 1), {.size = 1}, 0},
    {NN_SHAPE4(2, 4, 6, 3), {.size = 2}, 0},
    {NN_SHAPE4(2, 5, 7, 3), {.size = 2}, 0},
    {NN_SHAPE4(2, 5, 7, 3), {.size = 2, .padding = NN_SAME}, 0},
    {NN_SHAPE4(3, 9, 8, 16), {.size = 3, .stride = 2, .padding = 1}, 0},
    {NN_SHAPE4(3, 8, 9, 17), {.size = 3, .stride = 2, .padding = NN_SAME}, 2},
    {NN_SHAPE4(2, 6, 5, 2), {.size = 3, .stride = 1, .padding = 2}, 0},
    {NN_SHAPE4(2, 9, 9, 2), {.size = 2, .stride = 4, .padding = NN_SAME}, 1},
    {NN_SHAPE4(2, 2, 2, 1), {.size = 5, .stride = 1, .padding = NN_SAME}, 0},
};
enum { CASES = sizeof cases / sizeof *cases };

static void test_max(void **state) {
    (void)state;
    for (int i = 0; i < CASES; i++) {
        pooling pool = {"max_pool", nn_max_pool, cases[i].options, true};
        op_check check = check_of(cases[i].shape, cases[i].rows, &pool);
        op_check_run(&check);
    }
}

static void test_average(void **state) {
    (void)state;
    for (int i = 0; i < CASES; i++) {
        pooling pool = {"average_pool", nn_average_pool, cases[i].options, false};
        op_check check = check_of(cases[i].shape, cases[i].rows, &pool);
        op_check_run(&check);
    }
}

/* The same as one window over a square image. */
static void test_global(void **state) {
    (void)state;
    for (int side = 1; side <= 8; side += 2)
        for (int channels = 1; channels <= 33; channels += 16) {
            pooling pool = {"global_average_pool", build_global, {.size = side}, false};
            op_check check = check_of(NN_SHAPE4(3, side, side, channels), side == 3 ? 2 : 0, &pool);
            op_check_run(&check);
        }
}

/* Takes the maximum of one 2 x 2 image of one channel. With `gradient` also the gradient of max^2 / 2. */
static float max_of(const float image[4], float gradient[4]) {
    nn_store store;
    nn_store_begin(&store, 1);
    nn_graph *graph = nn_graph_new(&store);
    nn_node *x = nn_input(graph, "x", NN_SHAPE4(1, 2, 2, 1));
    nn_node *y = nn_max_pool(x, (nn_pool_options){.size = 2});
    nn_plan_options options = {.loss = gradient ? test_square_sum(y, "loss") : NULL,
                               .keep = &y,
                               .keep_count = 1,
                               .gradients = &x,
                               .gradients_count = 1};
    nn_plan *plan;
    nn_error error = {0};
    test_ok(nn_plan_new(&plan, graph, options, &error), &error);
    memcpy(nn_plan_data(plan, x), image, 4 * sizeof *image);
    test_ok(nn_plan_forward(plan, (nn_run){.rows = 1}, &error), &error);
    float value = *nn_plan_data(plan, y);
    if (gradient) {
        test_ok(nn_plan_backward(plan, (nn_run){.rows = 1}, &error), &error);
        memcpy(gradient, nn_plan_gradient(plan, x), 4 * sizeof *gradient);
    }
    nn_plan_free(plan);
    nn_graph_free(graph);
    nn_store_free(&store);
    return value;
}

/* Of equal values the first one gets the gradient: 3, the slope of y^2 / 2. */
static void test_max_of_equals(void **state) {
    (void)state;
    float gradient[4];
    assert_true(max_of((float[]){1, 3, 3, 3}, gradient) == 3);
    const float second[] = {0, 3, 0, 0};
    test_same_bits("gradient", gradient, second, sizeof second);
}

/* A maximum that skips NaN would hide it from the run's checks. */
static void test_max_of_nan(void **state) {
    (void)state;
    for (int at = 0; at < 4; at++) {
        float image[4] = {1, 2, 4, 3};
        image[at] = NAN;
        assert_true(isnan(max_of(image, NULL)));
    }
    assert_true(max_of((float[]){-INFINITY, -INFINITY, -INFINITY, -INFINITY}, NULL) == -INFINITY);
    assert_true(max_of((float[]){-5, -INFINITY, -7, -6}, NULL) == -5);
}

static nn_node *build_of_labels(const op_check *check, nn_node *const *inputs) {
    const pooling *pool = check->detail;
    return pool->build(nn_labels(nn_node_graph(inputs[0]), "classes", 4, 3), pool->options);
}

static void refuse_all(const pooling *kind) {
    pooling pool = *kind;
    op_check check = check_of(NN_SHAPE2(4, 3), 0, &pool);
    op_refused(&check, NN_ESHAPE, "wants a tensor of 4 dimensions, 'first' is 4 x 3");
    check.build = build_of_labels;
    op_refused(&check, NN_ESHAPE, "wants a tensor of 4 dimensions, 'classes' is 4 class numbers");
    if (pool.options.size == 0)
        return;
    check = check_of(NN_SHAPE4(4, 2, 9, 1), 0, &pool);
    pool.options.size = 3;
    op_refused(&check, NN_ESHAPE, "a window of 3 does not fit into 'first'");
    check.inputs[0] = NN_SHAPE4(1, 1 << 16, 1 << 15, 1);
    op_refused(&check, NN_ESHAPE, "the images of 'first' are too large");
    const nn_pool_options bad[] = {
        {.size = 0},
        {.size = -2},
        {.size = 2, .stride = -1},
        {.size = 2, .padding = 2},
        {.size = 2, .padding = -2},
        {.size = INT_MAX},
        {.size = 2, .stride = INT_MAX},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        pool.options = bad[i];
        check = check_of(NN_SHAPE4(4, 9, 9, 1), 0, &pool);
        op_refused(&check, NN_EARGUMENT, "make no pooling");
    }
}

static void test_refusals(void **state) {
    (void)state;
    refuse_all(&(pooling){"max_pool", nn_max_pool, {.size = 2}, true});
    refuse_all(&(pooling){"average_pool", nn_average_pool, {.size = 2}, false});
    refuse_all(&(pooling){"global_average_pool", build_global, {0}, false});
    assert_null(nn_max_pool(NULL, (nn_pool_options){.size = 2}));
    assert_null(nn_average_pool(NULL, (nn_pool_options){.size = 2}));
    assert_null(nn_global_average_pool(NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_max),        cmocka_unit_test(test_average),
        cmocka_unit_test(test_global),     cmocka_unit_test(test_max_of_equals),
        cmocka_unit_test(test_max_of_nan), cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
