/* layers.h - the convolutions of the models, at the sizes at which the kernels are timed. */
#ifndef BENCH_LAYERS_H
#define BENCH_LAYERS_H

enum { BENCH_BATCH = 128 };

typedef struct bench_layer {
    const char *name;
    int size, channels, filters, kernel, stride, padding, out;
} bench_layer;

static const bench_layer bench_layers[] = {
    {"ResNet-20 stem", 32, 3, 16, 3, 1, 1, 32},        {"ResNet-20 16@32", 32, 16, 16, 3, 1, 1, 32},
    {"ResNet-20 16-32/2", 32, 16, 32, 3, 2, 1, 16},    {"ResNet-20 16-32 1x1/2", 32, 16, 32, 1, 2, 0, 16},
    {"ResNet-20 32@16", 16, 32, 32, 3, 1, 1, 16},      {"ResNet-20 32-64/2", 16, 32, 64, 3, 2, 1, 8},
    {"ResNet-20 32-64 1x1/2", 16, 32, 64, 1, 2, 0, 8}, {"ResNet-20 64@8", 8, 64, 64, 3, 1, 1, 8},
    {"MNIST 1-64 8x8/2", 28, 1, 64, 8, 2, 3, 14},      {"MNIST 64-128 6x6/2", 14, 64, 128, 6, 2, 0, 5},
    {"MNIST 128-128 5x5", 5, 128, 128, 5, 1, 0, 1},    {"ResNet-18 64@32", 32, 64, 64, 3, 1, 1, 32},
    {"ResNet-18 128@16", 16, 128, 128, 3, 1, 1, 16},   {"ResNet-18 256@8", 8, 256, 256, 3, 1, 1, 8},
    {"ResNet-18 512@4", 4, 512, 512, 3, 1, 1, 4},      {"ResNet-18 256-512/2", 8, 256, 512, 3, 2, 1, 4},
};
enum { BENCH_LAYERS = sizeof bench_layers / sizeof *bench_layers };

#endif
