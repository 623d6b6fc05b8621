/* bench_onednn.c - times of oneDNN's convolution primitives at the shapes of bench_conv.c, in the layouts that
 * oneDNN chooses itself: one line "LAYER<tab>PASS<tab>milliseconds" for each. Debian: libdnnl-dev. */
#include <dnnl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/bench/layers.h"

#if DNNL_VERSION_MAJOR != 2
#error "written for oneDNN 2 (Debian 12: 2.6)"
#endif

enum { REPETITIONS = 9, ARRAYS = 3 };

static dnnl_engine_t engine;
static dnnl_stream_t stream;

static void check(dnnl_status_t status, const char *what) {
    if (status != dnnl_success) {
        fprintf(stderr, "bench_onednn: %s failed with status %d\n", what, (int)status);
        exit(1);
    }
}

static dnnl_memory_desc_t any_layout(int rank, const dnnl_dims_t dims) {
    dnnl_memory_desc_t d;
    check(dnnl_memory_desc_init_by_tag(&d, rank, dims, dnnl_f32, dnnl_format_tag_any), "a description");
    return d;
}

/* A pass of a layer: its description, and the roles of the arrays that it takes. */
static dnnl_primitive_desc_t describe(const bench_layer *l, int pass) {
    dnnl_dims_t x = {BENCH_BATCH, l->channels, l->size, l->size},
                w = {l->filters, l->channels, l->kernel, l->kernel};
    dnnl_dims_t y = {BENCH_BATCH, l->filters, l->out, l->out}, strides = {l->stride, l->stride};
    int after = (l->out - 1) * l->stride + l->kernel - l->size - l->padding;
    dnnl_dims_t before_padding = {l->padding, l->padding}, after_padding = {after, after};
    dnnl_memory_desc_t xd = any_layout(4, x), wd = any_layout(4, w), yd = any_layout(4, y);
    dnnl_convolution_desc_t forward, backward;
    dnnl_primitive_desc_t hint, description;
    check(dnnl_convolution_forward_desc_init(&forward, dnnl_forward_training, dnnl_convolution_direct, &xd,
                                             &wd, NULL, &yd, strides, before_padding, after_padding),
          "a forward pass");
    check(dnnl_primitive_desc_create(&hint, &forward, NULL, engine, NULL), "a forward pass");
    if (pass == 0)
        return hint;
    if (pass == 1)
        check(dnnl_convolution_backward_data_desc_init(&backward, dnnl_convolution_direct, &xd, &wd, &yd,
                                                       strides, before_padding, after_padding),
              "a data gradient");
    else
        check(dnnl_convolution_backward_weights_desc_init(&backward, dnnl_convolution_direct, &xd, &wd, NULL,
                                                          &yd, strides, before_padding, after_padding),
              "a weight gradient");
    check(dnnl_primitive_desc_create(&description, &backward, NULL, engine, hint), "a backward pass");
    dnnl_primitive_desc_destroy(hint);
    return description;
}

static dnnl_memory_t filled(const dnnl_memory_desc_t *d) {
    dnnl_memory_t memory;
    void *data;
    check(dnnl_memory_create(&memory, d, engine, DNNL_MEMORY_ALLOCATE), "memory");
    check(dnnl_memory_get_data_handle(memory, &data), "memory");
    for (size_t i = 0; i < dnnl_memory_desc_get_size(d) / sizeof(float); i++)
        ((float *)data)[i] = (float)(i * 2654435761u % 1024) / 512 - 1;
    return memory;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Milliseconds of a pass: the median. */
static double time_pass(const bench_layer *l, int pass) {
    static const int roles[3][ARRAYS] = {{DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST},
                                         {DNNL_ARG_DIFF_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_DST},
                                         {DNNL_ARG_SRC, DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_DST}};
    dnnl_primitive_desc_t description = describe(l, pass);
    dnnl_primitive_t primitive;
    dnnl_exec_arg_t arrays[ARRAYS];
    double times[REPETITIONS];
    check(dnnl_primitive_create(&primitive, description), "a primitive");
    for (int i = 0; i < ARRAYS; i++) {
        const dnnl_memory_desc_t *d =
            dnnl_primitive_desc_query_md(description, dnnl_query_exec_arg_md, roles[pass][i]);
        arrays[i] = (dnnl_exec_arg_t){.arg = roles[pass][i], .memory = filled(d)};
    }
    for (int i = -1; i < REPETITIONS; i++) {
        struct timespec start, end;
        clock_gettime(CLOCK_MONOTONIC, &start);
        check(dnnl_primitive_execute(primitive, stream, ARRAYS, arrays), "a pass");
        check(dnnl_stream_wait(stream), "a pass");
        clock_gettime(CLOCK_MONOTONIC, &end);
        if (i >= 0)
            times[i] =
                1e3 * (double)(end.tv_sec - start.tv_sec) + 1e-6 * (double)(end.tv_nsec - start.tv_nsec);
    }
    for (int i = 0; i < ARRAYS; i++)
        dnnl_memory_destroy(arrays[i].memory);
    dnnl_primitive_destroy(primitive);
    dnnl_primitive_desc_destroy(description);
    qsort(times, REPETITIONS, sizeof *times, compare);
    return times[REPETITIONS / 2];
}

int main(void) {
    static const char *const passes[] = {"forward", "backward data", "backward weights"};
    check(dnnl_engine_create(&engine, dnnl_cpu, 0), "an engine");
    check(dnnl_stream_create(&stream, engine, dnnl_stream_default_flags), "a stream");
    for (int i = 0; i < BENCH_LAYERS; i++)
        for (int pass = 0; pass < 3; pass++)
            printf("%s\t%s\t%.4f\n", bench_layers[i].name, passes[pass], time_pass(&bench_layers[i], pass));
    dnnl_stream_destroy(stream);
    dnnl_engine_destroy(engine);
    return 0;
}
