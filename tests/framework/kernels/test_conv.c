/* test_conv.c - the convolution and its gradients, on every kernel table of this machine, against the formula
 * in double precision. */
#include "tests/support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "framework/kernels/kernels.h"

enum { GUARD = 32, OFFSET = 1 }; /* floats around every output; floats by which arrays miss alignment */

static const float guard_value = 12345.5f;
static const char *const table_names[] = {"avx512", "avx2", "generic", "reference"};
enum { TABLES = sizeof table_names / sizeof *table_names };

typedef struct sizes {
    size_t x, w, y;
} sizes;

static sizes sizes_of(const nn_conv_geometry *g, int images) {
    return (sizes){.x = (size_t)images * g->height * g->width * g->channels,
                   .w = (size_t)g->filters * g->kernel_height * g->kernel_width * g->channels,
                   .y = (size_t)images * g->out_height * g->out_width * g->filters};
}

/* --- the formula ---------------------------------------------------------------------------------------- */

/* Calls for every product of the formula add(context, index in y, index in w, index in x). */
static void each_product(const nn_conv_geometry *g, int images,
                         void (*add)(void *context, size_t y, size_t w, size_t x), void *context) {
    for (int n = 0; n < images; n++)
        for (int p = 0; p < g->out_height; p++)
            for (int q = 0; q < g->out_width; q++)
                for (int r = 0; r < g->kernel_height; r++)
                    for (int s = 0; s < g->kernel_width; s++) {
                        int h = p * g->stride - g->top + r, v = q * g->stride - g->left + s;
                        if (h < 0 || h >= g->height || v < 0 || v >= g->width)
                            continue;
                        size_t x = (((size_t)n * g->height + h) * g->width + v) * g->channels;
                        size_t y = (((size_t)n * g->out_height + p) * g->out_width + q) * g->filters;
                        for (int k = 0; k < g->filters; k++) {
                            size_t w =
                                (((size_t)k * g->kernel_height + r) * g->kernel_width + s) * g->channels;
                            for (int c = 0; c < g->channels; c++)
                                add(context, y + k, w + c, x + c);
                        }
                    }
}

/* One convolution with its arrays and all that the formula gives for it. */
typedef struct problem {
    nn_conv_geometry g;
    int images;
    int batch; /* images for which there is scratch */
    sizes n;
    float *x, *w, *bias, *dy;
    double *y, *dx, *dw, *dbias;
} problem;

static void add_products(void *context, size_t y, size_t w, size_t x) {
    problem *p = context;
    p->y[y] += (double)p->w[w] * p->x[x];
    p->dx[x] += (double)p->w[w] * p->dy[y];
    p->dw[w] += (double)p->x[x] * p->dy[y];
}

static problem problem_of(const nn_conv_geometry *g, int images) {
    problem p = {.g = *g, .images = images, .batch = images, .n = sizes_of(g, images)};
    p.x = test_normal(p.n.x + OFFSET, "x") + OFFSET;
    p.w = test_normal(p.n.w + OFFSET, "w") + OFFSET;
    p.dy = test_normal(p.n.y + OFFSET, "dy") + OFFSET;
    p.bias = test_normal((size_t)g->filters + OFFSET, "bias") + OFFSET;
    p.y = test_bytes(p.n.y * sizeof(double));
    p.dx = test_bytes(p.n.x * sizeof(double));
    p.dw = test_bytes(p.n.w * sizeof(double));
    p.dbias = test_bytes((size_t)g->filters * sizeof(double));
    each_product(g, images, add_products, &p);
    for (size_t i = 0; i < p.n.y; i++) {
        p.y[i] += p.bias[i % (size_t)g->filters];
        p.dbias[i % (size_t)g->filters] += p.dy[i];
    }
    return p;
}

static void problem_free(problem *p) {
    free(p->x - OFFSET), free(p->w - OFFSET), free(p->dy - OFFSET), free(p->bias - OFFSET);
    free(p->y), free(p->dx), free(p->dw), free(p->dbias);
}

/* --- running the kernels -------------------------------------------------------------------------------- */

/* n outputs, set to `value`, between guards. */
static float *output_new(size_t n, float value) {
    float *out = test_zeros(n + 2 * GUARD + OFFSET);
    for (size_t i = 0; i < n + 2 * GUARD + OFFSET; i++)
        out[i] = guard_value;
    for (size_t i = 0; i < n; i++)
        out[GUARD + OFFSET + i] = value;
    return out + GUARD + OFFSET;
}

static void output_free(const char *what, float *out, size_t n) {
    for (size_t i = 1; i <= GUARD; i++)
        if (out[-(ptrdiff_t)i] != guard_value || out[n + i - 1] != guard_value)
            fail_msg("%s: written %zu floats outside its array", what, i);
    free(out - GUARD - OFFSET);
}

/* Scratch full of NaN. */
static float *scratch_new(const problem *p) {
    size_t bytes = nn_conv_scratch(&p->g, p->batch);
    float *scratch = test_bytes(bytes + GUARD * sizeof(float));
    for (size_t i = 0; i < bytes / sizeof(float); i++)
        scratch[i] = NAN;
    for (size_t i = 0; i < GUARD; i++)
        scratch[bytes / sizeof(float) + i] = guard_value;
    return scratch;
}

static void scratch_free(const char *what, const problem *p, float *scratch) {
    size_t n = nn_conv_scratch(&p->g, p->batch) / sizeof(float);
    for (size_t i = 0; i < GUARD; i++)
        if (scratch[n + i] != guard_value)
            fail_msg("%s: written %zu floats past its scratch", what, i);
    free(scratch);
}

/* The four results in one array: y, dx, dw, dbias. Gradients are added to ones when `accumulate`. */
typedef struct results {
    float *y, *dx, *dw, *dbias;
} results;

static results results_of(const char *what, const problem *p, bool bias, bool accumulate) {
    float before = accumulate ? 1 : NAN;
    results r = {output_new(p->n.y, NAN), output_new(p->n.x, before), output_new(p->n.w, before),
                 output_new((size_t)p->g.filters, before)};
    float *scratch = scratch_new(p);
    nn_conv_forward(&p->g, p->images, p->x, p->w, bias ? p->bias : NULL, r.y, scratch);
    scratch_free(what, p, scratch);
    scratch = scratch_new(p);
    nn_conv_backward_data(&p->g, p->images, p->dy, p->w, accumulate, r.dx, scratch);
    scratch_free(what, p, scratch);
    scratch = scratch_new(p);
    nn_conv_backward_weights(&p->g, p->images, p->x, p->dy, accumulate, r.dw, bias ? r.dbias : NULL, scratch);
    scratch_free(what, p, scratch);
    return r;
}

static void results_free(const char *what, const problem *p, results *r) {
    output_free(what, r->y, p->n.y);
    output_free(what, r->dx, p->n.x);
    output_free(what, r->dw, p->n.w);
    output_free(what, r->dbias, (size_t)p->g.filters);
}

static void subtract(size_t n, float *x, float value) {
    for (size_t i = 0; i < n; i++)
        x[i] -= value;
}

static void check_table(const char *table, const problem *p, bool accumulate) {
    const nn_conv_geometry *g = &p->g;
    char what[160];
    snprintf(what, sizeof what, "%s%s: %d x %dx%dx%d, %d of %dx%d / %d, padding %d,%d, output %dx%d", table,
             accumulate ? " accumulating" : "", p->images, g->height, g->width, g->channels, g->filters,
             g->kernel_height, g->kernel_width, g->stride, g->top, g->left, g->out_height, g->out_width);
    results r = results_of(what, p, true, accumulate);
    if (accumulate) {
        subtract(p->n.x, r.dx, 1);
        subtract(p->n.w, r.dw, 1);
        subtract((size_t)g->filters, r.dbias, 1);
    }
    char part[200];
    /* Winograd's algorithm multiplies transformed numbers, whose errors are a few times larger. */
    bool winograd = g->kernel_height == 3 * g->stride && g->kernel_width == 3 * g->stride &&
                    g->channels % 16 == 0 && g->filters % 16 == 0;
    const double tolerance = winograd ? 6e-6 : 2e-6;
    test_close((snprintf(part, sizeof part, "forward, %s", what), part), r.y, p->y, p->n.y, tolerance);
    test_close((snprintf(part, sizeof part, "data, %s", what), part), r.dx, p->dx, p->n.x, tolerance);
    test_close((snprintf(part, sizeof part, "weights, %s", what), part), r.dw, p->dw, p->n.w, tolerance);
    test_close((snprintf(part, sizeof part, "bias, %s", what), part), r.dbias, p->dbias, (size_t)g->filters,
               tolerance);
    results_free(what, p, &r);
}

/* Checks one convolution on every table. */
static void check(nn_conv_geometry g, int images) {
    problem p = problem_of(&g, images);
    for (int t = 0; t < TABLES; t++) {
        const nn_kernels *table = nn_kernels_named(table_names[t]);
        if (!table)
            continue;
        nn_kernels_use(table);
        check_table(table->name, &p, false);
        check_table(table->name, &p, true);
    }
    problem_free(&p);
}

/* The geometry whose output has the usual size for bottom and right paddings, at least 1 x 1. */
static nn_conv_geometry geometry(int height, int width, int channels, int filters, int kernel_height,
                                 int kernel_width, int stride, const int padding[4]) {
    int rows = height + padding[0] + padding[2] - kernel_height,
        columns = width + padding[1] + padding[3] - kernel_width;
    return (nn_conv_geometry){.height = height,
                              .width = width,
                              .channels = channels,
                              .filters = filters,
                              .kernel_height = kernel_height,
                              .kernel_width = kernel_width,
                              .stride = stride,
                              .top = padding[0],
                              .left = padding[1],
                              .out_height = rows < 0 ? 1 : rows / stride + 1,
                              .out_width = columns < 0 ? 1 : columns / stride + 1};
}

static const int counts[] = {1, 2, 3, 15, 16, 17, 31, 32, 33};
enum { COUNTS = sizeof counts / sizeof *counts };

static void test_channels_and_filters(void **state) {
    (void)state;
    for (int c = 0; c < COUNTS; c++)
        for (int k = 0; k < COUNTS; k++)
            check(geometry(3, 7, counts[c], counts[k], 3, 3, 1, (int[]){1, 1, 1, 1}), 2);
    check(geometry(4, 4, 20, 100, 3, 3, 1, (int[]){1, 1, 1, 1}), 3);
    check(geometry(4, 4, 100, 20, 2, 3, 2, (int[]){0, 1, 0, 1}), 3);
}

/* Rows of every length around the largest tiles, alone and in several images. */
static void test_pixels(void **state) {
    (void)state;
    for (int width = 1; width <= 36; width++)
        for (int k = 3; k < 6; k++)
            check(geometry(2, width, 2, counts[k], 3, 3, 1, (int[]){1, 1, 1, 1}), 1 + width % 3);
    for (int images = 1; images <= 140; images += images < 20 ? 3 : 40)
        for (int size = 1; size <= 6; size++)
            check(geometry(size, size, 3, 17, 2, 3, 1, (int[]){0, 1, 1, 1}), images);
}

/* All kernels, strides and paddings, each with other sizes: asymmetric, larger than the kernel's reach,
 * larger than the image, strides beyond the kernel, outputs that read padding only. */
static void test_geometries(void **state) {
    (void)state;
    const int kernels[] = {1, 2, 3, 5, 8};
    unsigned turn = 0;
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++)
        for (int stride = 1; stride <= 3; stride++)
            for (int padding = 0; padding <= kernels[i]; padding++)
                for (int variant = 0; variant < 4; variant++, turn++) {
                    int other = (int)(turn * 7 % (unsigned)(kernels[i] + 1));
                    int width = kernels[(i + (size_t)variant) % 5];
                    nn_conv_geometry g =
                        geometry(1 + (int)(turn * 5 % 11), 1 + (int)(turn * 3 % 23), counts[turn % 5],
                                 counts[turn * 2 % COUNTS], kernels[i], width, stride,
                                 (int[]){padding, other, (int)(turn % 4), padding});
                    check(g, 1 + (int)(turn % 3));
                }
    check(geometry(9, 9, 4, 5, 1, 1, 5, (int[]){2, 3, 1, 0}), 2);
    check(geometry(28, 28, 1, 8, 8, 8, 2, (int[]){3, 3, 3, 3}), 2);
    check(geometry(5, 5, 24, 33, 5, 5, 1, (int[]){0, 0, 0, 0}), 20);
}

/* Large enough for several groups of images, bands of rows, and slices and chunks of the weight gradient. */
static void test_slices(void **state) {
    (void)state;
    check(geometry(20, 32, 16, 16, 3, 3, 1, (int[]){1, 1, 1, 1}), 20);
    check(geometry(4, 4, 130, 140, 3, 3, 1, (int[]){1, 1, 1, 1}), 5);
    check(geometry(1, 1, 1100, 1000, 1, 1, 1, (int[]){0, 0, 0, 0}), 4);
}

/* What Winograd's algorithm computes: tiles that the images cut off, paddings of all kinds, several vectors and
 * blocks of channels and filters, more tiles than are transformed at a time. */
static void test_winograd(void **state) {
    (void)state;
    for (int height = 3; height <= 13; height++)
        check(geometry(height, 3 + height * 7 % 11, 16, 32, 3, 3, 1, (int[]){1, 1, 1, 1}), 2);
    for (int top = 0; top <= 3; top++)
        for (int left = 0; left <= 3; left++)
            check(geometry(7, 9, 16, 16, 3, 3, 1, (int[]){top, left, 3 - left, top}), 2);
    static const int vectors[] = {16, 32, 48, 64};
    for (int c = 0; c < 4; c++)
        for (int k = 0; k < 4; k++)
            check(geometry(5, 8, vectors[c], vectors[k], 3, 3, 1, (int[]){1, 1, 1, 1}), 3);
    check(geometry(8, 8, 16, 16, 3, 3, 1, (int[]){1, 1, 1, 1}), 70);
    check(geometry(14, 14, 32, 48, 6, 6, 2, (int[]){0, 0, 0, 0}), 5);
    check(geometry(13, 11, 16, 16, 6, 6, 2, (int[]){3, 2, 0, 1}), 2);
    check(geometry(19, 23, 16, 32, 9, 9, 3, (int[]){4, 1, 2, 5}), 2);
    check(geometry(4, 4, 48, 144, 3, 3, 1, (int[]){1, 1, 1, 1}), 150);
    check(geometry(4, 4, 176, 208, 3, 3, 1, (int[]){1, 1, 1, 1}), 9);
}

/* Memory for a batch is enough for fewer images too, whatever way suits their number. */
static void test_parts_of_a_batch(void **state) {
    (void)state;
    static const int parts[][2] = {{16, 12}, {16, 15}, {16, 1}, {24, 15}, {48, 15}};
    nn_conv_geometry g = geometry(8, 8, 64, 64, 3, 3, 1, (int[]){1, 1, 1, 1});
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        problem p = problem_of(&g, parts[i][1]);
        p.batch = parts[i][0];
        for (int t = 0; t < TABLES; t++) {
            const nn_kernels *table = nn_kernels_named(table_names[t]);
            if (!table)
                continue;
            nn_kernels_use(table);
            check_table(table->name, &p, false);
        }
        problem_free(&p);
    }
}

static double dot(size_t n, const float *a, const float *b) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)a[i] * b[i];
    return sum;
}

/* <conv x, dy> = <x, data gradient of dy> = <w, weight gradient>: the gradients are the adjoints. */
static void check_adjoint(nn_conv_geometry g) {
    problem p = problem_of(&g, 9);
    for (int t = 0; t < TABLES; t++) {
        const nn_kernels *table = nn_kernels_named(table_names[t]);
        if (!table)
            continue;
        nn_kernels_use(table);
        results r = results_of(table->name, &p, false, false);
        double by_y = dot(p.n.y, r.y, p.dy), by_x = dot(p.n.x, p.x, r.dx), by_w = dot(p.n.w, p.w, r.dw);
        double scale = sqrt(dot(p.n.y, r.y, r.y) * dot(p.n.y, p.dy, p.dy));
        if (fabs(by_y - by_x) > 1e-7 * scale || fabs(by_y - by_w) > 1e-7 * scale)
            fail_msg("%s: <y, dy> = %.9g, <x, dx> = %.9g, <w, dw> = %.9g", table->name, by_y, by_x, by_w);
        results_free(table->name, &p, &r);
    }
    problem_free(&p);
}

static void test_adjoint(void **state) {
    (void)state;
    check_adjoint(geometry(17, 19, 12, 24, 3, 5, 2, (int[]){1, 3, 2, 0}));
    check_adjoint(geometry(14, 15, 32, 16, 6, 6, 2, (int[]){2, 1, 2, 1}));
    check_adjoint(geometry(9, 11, 16, 48, 3, 3, 1, (int[]){1, 1, 1, 1}));
}

static void check_threads(nn_conv_geometry g, int images) {
    static const int teams[] = {1, 2, 3, 7};
    problem p = problem_of(&g, images);
    for (int t = 0; t < TABLES; t++) {
        const nn_kernels *table = nn_kernels_named(table_names[t]);
        if (!table)
            continue;
        nn_kernels_use(table);
        nn_threads_set(1);
        results first = results_of(table->name, &p, true, true);
        for (size_t i = 0; i < sizeof teams / sizeof *teams; i++) {
            nn_threads_set(teams[i]);
            results r = results_of(table->name, &p, true, true);
            test_same_bits("y", r.y, first.y, p.n.y * sizeof(float));
            test_same_bits("dx", r.dx, first.dx, p.n.x * sizeof(float));
            test_same_bits("dw", r.dw, first.dw, p.n.w * sizeof(float));
            test_same_bits("dbias", r.dbias, first.dbias, (size_t)g.filters * sizeof(float));
            results_free(table->name, &p, &r);
        }
        results_free(table->name, &p, &first);
    }
    nn_threads_set(1);
    problem_free(&p);
}

static void test_threads(void **state) {
    (void)state;
    check_threads(geometry(12, 12, 16, 20, 3, 3, 1, (int[]){1, 1, 1, 1}), 21);
    check_threads(geometry(12, 13, 32, 48, 3, 3, 1, (int[]){1, 1, 1, 1}), 21);
    check_threads(geometry(4, 4, 64, 48, 3, 3, 1, (int[]){1, 1, 1, 1}), 65);
    check_threads(geometry(4, 4, 40, 70, 3, 3, 2, (int[]){1, 1, 1, 1}), 10);
}

int main(void) {
    nn_threads_set(1); /* many tiny teams would take long on a busy machine: test_threads has its own */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_channels_and_filters),
        cmocka_unit_test(test_pixels),
        cmocka_unit_test(test_geometries),
        cmocka_unit_test(test_slices),
        cmocka_unit_test(test_winograd),
        cmocka_unit_test(test_parts_of_a_batch),
        cmocka_unit_test(test_adjoint),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
