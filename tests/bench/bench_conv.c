/* bench_conv.c - times of the convolution at the shapes of the models: bench_conv [ISA]...
 * With --plain one line "LAYER<tab>PASS<tab>milliseconds" for each, as bench_onednn prints them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "framework/kernels/kernels.h"
#include "tests/bench/layers.h"

enum { REPETITIONS = 9 };

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

static arrays arrays_of(const bench_layer *l) {
    arrays a = {.images = BENCH_BATCH};
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
    arrays a = arrays_of(&bench_layers[1]);
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
    for (int i = 0; i < BENCH_LAYERS; i++) {
        const bench_layer *l = &bench_layers[i];
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

static int plain(void) {
    static const char *const passes[] = {"forward", "backward data", "backward weights"};
    warm_up();
    for (int i = 0; i < BENCH_LAYERS; i++) {
        arrays a = arrays_of(&bench_layers[i]);
        for (int pass = 0; pass < 3; pass++)
            printf("%s\t%s\t%.4f\n", bench_layers[i].name, passes[pass], 1e3 * seconds(&a, pass));
        free_arrays(&a);
    }
    return 0;
}

int main(int count, char **names) {
    if (count == 2 && strcmp(names[1], "--plain") == 0)
        return plain();
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
