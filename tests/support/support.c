#include "support.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void *test_bytes(size_t bytes) {
    size_t rounded = (bytes + 64) / 64 * 64;
    void *memory = aligned_alloc(64, rounded);
    if (!memory)
        fail_msg("no memory for %zu bytes", bytes);
    memset(memory, 0, rounded);
    return memory;
}

float *test_zeros(size_t n) {
    return test_bytes(n * sizeof(float));
}

float *test_normal(size_t n, const char *name) {
    float *x = test_zeros(n);
    nn_stream stream = nn_stream_named(7, name);
    for (size_t i = 0; i < n; i++)
        x[i] = nn_random_normal(&stream);
    return x;
}

void test_close(const char *what, const float *actual, const double *expected, size_t n, double tolerance) {
    double largest = 1;
    for (size_t i = 0; i < n; i++)
        largest = fmax(largest, fabs(expected[i]));
    for (size_t i = 0; i < n; i++)
        if (!(fabs(actual[i] - expected[i]) <= tolerance * largest))
            fail_msg("%s: element %zu of %zu is %.9g, expected %.9g", what, i, n, actual[i], expected[i]);
}

void test_same_bits(const char *what, const void *a, const void *b, size_t bytes) {
    const unsigned char *p = a, *q = b;
    for (size_t i = 0; i < bytes; i++)
        if (p[i] != q[i])
            fail_msg("%s: byte %zu of %zu differs", what, i, bytes);
}

void test_ok(nn_status status, const nn_error *error) {
    if (status != NN_OK)
        fail_msg("failed: %s", error->message);
}

void test_fails(nn_status actual, nn_status wanted, nn_error *error, const char *part) {
    if (actual != wanted || error->status != wanted)
        fail_msg("status %d (error %d: %s), expected %d", actual, error->status, error->message, wanted);
    if (!strstr(error->message, part))
        fail_msg("the message '%s' does not say '%s'", error->message, part);
    *error = (nn_error){0};
}

static char folder[64];

static void remove_folder(void) {
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    if (system(command) != 0)
        fprintf(stderr, "could not remove %s\n", folder);
}

const char *test_path(const char *name) {
    static char paths[4][256];
    static int next;
    if (!folder[0]) {
        strcpy(folder, "/tmp/entangle-test-XXXXXX");
        if (!mkdtemp(folder))
            fail_msg("no temporary folder: %s", strerror(errno));
        atexit(remove_folder);
    }
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

const char *test_file(const char *name, const void *bytes, size_t count) {
    const char *path = test_path(name);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, count, file) != count || fclose(file) != 0)
        fail_msg("cannot write %s", path);
    return path;
}
