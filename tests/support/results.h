/* results.h - results.csv and taps.csv of ./reproduce, read for comparison with what is made from them. */
#ifndef TEST_RESULTS_H
#define TEST_RESULTS_H

enum { RESULTS_MAX = 64, RESULTS_LAYERS_MAX = 16 };

/* A row of results.csv; numbers that are not there are NaN. */
typedef struct result {
    char block[32], run[192];
    double batch, weight, seed, train_accuracy, accuracy, cross_entropy, ece;
} result;

/* The rows of OUT/results.csv, and how many there are. */
int results_read(const char *out, result results[RESULTS_MAX]);

/* The one of these; fails the test where there is none. */
const result *results_find(const result *results, int count, const char *block, double batch, double weight,
                           double seed);

/* The rows of OUT/taps.csv for a run, and how many there are. */
typedef struct result_layer {
    char name[64];
    double weight, snnl;
} result_layer;
int results_layers(const char *out, const char *run, result_layer layers[RESULTS_LAYERS_MAX]);

#endif
