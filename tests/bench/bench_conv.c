/* bench_conv.c - times of the convolution at the shapes of the models: bench_conv [ISA]... */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "framework/kernels/kernels.h"

enum { REPETITIONS = 9 };

typedef struct layer {
    const char *name;
    int size, channels, filters, kernel, stride, padding, out;
} layer;

static const layer layers[] = {
    {"ResNet-20 stem", 32, 3, 16, 3, 1, 1, 32},        {"ResNet-20 16@32", 32, 16, 16, 3, 1, 1, 32},
    {"ResNet-20 16-32/2", 32, 16, 32, 3, 2, 1, 16},    {"ResNet-20 16-32 1x1/2", 32, 16, 32, 1, 2, 0, 16},
    {"ResNet-20 32@16", 16, 32, 32, 3, 1, 1, 16},      {"ResNet-20 32-64/2", 16, 32, 64, 3, 2, 1, 8},
    {"ResNet-20 32-64 1x1/2", 16, 32, 64, 1, 2, 0, 8}, {"ResNet-20 64@8", 8, 64, 64, 3, 1, 1, 8},
    {"MNIST 1-64 8x8/2", 28, 1, 64, 8, 2, 3, 14},      {"MNIST 64-128 6x6/2", 14, 64, 128, 6, 2, 0, 5},
    {"MNIST 128-128 5x5", 5, 128, 128, 5, 1, 0, 1},    {"ResNet-18 64@32", 32, 64, 64, 3, 1, 1, 32},
    {"ResNet-18 128@16", 16, 128, 128, 3, 1, 1, 16},   {"ResNet-18 256@8", 8, 256, 256, 3, 1, 1, 8},
    {"ResNet-18 512@4", 4, 512, 512, 3, 1, 1, 4},      {"ResNet-18 256-512/2", 8, 256, 512, 3, 2, 1, 4},
};

/* Arrays of one layer at batch 128. */
typedef struct arrays {
    nn_conv_geometry geometry;
    int images;
    float *x, *w, *bias, *y;
    void *scratch;
} arrays;

static float *filled(size_t n) {
    float *p = aligned_alloc(64, (n * sizeof *p + 63) / 64 * 64);
    if (!p) {
        fprintf(stderr, "no memory for %zu floats\n", n);
        exit(1);
    }
    for (size_t i = 0; i < n; i++)
        p[i] = (float)(i * 2654435761u % 1024) / 512 - 1;
    return p;
}

static arrays arrays_of(const layer *l) {
    arrays a = {.images = 128};
    a.geometry = (nn_conv_geometry){.height = l->size,
                                    .width = l->size,
                                    .channels = l->channels,
                                    .filters = l->filters,
                                    .kernel_height = l->kernel,
                                    .kernel_width = l->kernel,
                                    .stride = l->stride,
                                    .top = l->padding,
                                    .left = l->padding,
                                    .out_height = l->out,
                                    .out_width = l->out};
    a.x = filled((size_t)(a.images * l->size * l->size * l->channels));
    a.w = filled((size_t)(l->filters * l->kernel * l->kernel * l->channels));
    a.bias = filled((size_t)l->filters);
    a.y = filled((size_t)(a.images * l->out * l->out * l->filters));
    a.scratch = filled(nn_conv_scratch(&a.geometry, a.images) / sizeof(float));
    return a;
}

static void free_arrays(arrays *a) {
    free(a->x), free(a->w), free(a->bias), free(a->y), free(a->scratch);
}

static void run(const arrays *a, int pass) {
    if (pass == 0)
        nn_conv_forward(&a->geometry, a->images, a->x, a->w, a->bias, a->y, a->scratch);
    else if (pass == 1)
        nn_conv_backward_data(&a->geometry, a->images, a->y, a->w, false, a->x, a->scratch);
    else
        nn_conv_backward_weights(&a->geometry, a->images, a->x, a->y, false, a->w, NULL, a->scratch);
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Seconds of one pass: the median. */
static double seconds(const arrays *a, int pass) {
    double times[REPETITIONS];
    run(a, pass);
    for (int i = 0; i < REPETITIONS; i++) {
        struct timespec start, end;
        clock_gettime(CLOCK_MONOTONIC, &start);
        run(a, pass);
        clock_gettime(CLOCK_MONOTONIC, &end);
        times[i] = (double)(end.tv_sec - start.tv_sec) + 1e-9 * (double)(end.tv_nsec - start.tv_nsec);
    }
    qsort(times, REPETITIONS, sizeof *times, compare);
    return times[REPETITIONS / 2];
}

/* Runs one layer for half a second: the threads have moved to cores of their own and the clocks settled. */
static void warm_up(void) {
    arrays a = arrays_of(&layers[1]);
    for (double total = 0; total < 0.5;)
        total += seconds(&a, 0) * REPETITIONS;
    free_arrays(&a);
}

static void bench(const char *isa) {
    nn_kernels_use(nn_kernels_named(isa));
    warm_up();
    printf("\n%s, %d threads, batch 128\n%-24s %20s %20s %20s\n", isa, nn_threads(), "", "forward",
           "backward data", "backward weights");
    printf("%-24s %10s %9s %10s %9s %10s %9s\n", "layer", "ms", "GFLOP/s", "ms", "GFLOP/s", "ms", "GFLOP/s");
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        const layer *l = &layers[i];
        arrays a = arrays_of(l);
        double products =
            (double)a.images * l->out * l->out * l->filters * l->kernel * l->kernel * l->channels;
        printf("%-24s", l->name);
        for (int pass = 0; pass < 3; pass++) {
            double time = seconds(&a, pass);
            printf(" %10.2f %9.0f", 1e3 * time, 2e-9 * products / time);
            fflush(stdout);
        }
        printf("\n");
        free_arrays(&a);
    }
}

int main(int count, char **names) {
    for (int i = 1; i < count; i++)
        if (!nn_kernels_named(names[i])) {
            fprintf(stderr, "no kernels '%s' here: avx512, avx2, generic or reference\n", names[i]);
            return 2;
        }
    for (int i = 1; i < count; i++)
        bench(names[i]);
    if (count == 1)
        bench(nn_kernels_active()->name);
    return 0;
}
