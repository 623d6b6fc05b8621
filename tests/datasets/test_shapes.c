/* shapes.c: the same pictures everywhere, no picture twice, and out of a linear classifier's reach. */
#include "tests/support/support.h"

#include <cblas.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/datasets.h"

enum { IMAGE = 32 * 32 * 3, CLASSES = 10 };

static data_set set;

/* By one thread; same_bytes_for_every_thread_count takes seven. */
static int load(void **state) {
    (void)state;
    const int threads = omp_get_max_threads();
    omp_set_num_threads(1);
    nn_error error = {0};
    test_ok(data_load(&set, "shapes", "/nowhere", 0, 0, &error), &error);
    omp_set_num_threads(threads);
    return 0;
}

static int unload(void **state) {
    (void)state;
    data_free(&set);
    return 0;
}

static void sizes_and_labels(void **state) {
    (void)state;
    assert_true(data_present("shapes", "/nowhere"));
    assert_int_equal(set.train.count, 20000);
    assert_int_equal(set.test.count, 4000);
    assert_int_equal(set.height * set.width * set.channels, IMAGE);
    assert_int_equal(set.classes, CLASSES);
    int counts[CLASSES] = {0};
    for (int i = 0; i < set.train.count; i++)
        counts[set.train.labels[i]]++;
    for (int i = 0; i < set.test.count; i++)
        counts[set.test.labels[i]]++;
    for (int c = 0; c < CLASSES; c++)
        assert_int_equal(counts[c], 2400);
}

/* The sum that one machine found. Another number here means other pictures, and results that do not compare.
 */
static void same_bytes_on_every_machine(void **state) {
    (void)state;
    assert_int_equal(set.checksum, 0x320682ad1e149667);
}

static void same_bytes_for_every_thread_count(void **state) {
    (void)state;
    const int threads = omp_get_max_threads();
    omp_set_num_threads(7);
    nn_error error = {0};
    data_set again;
    test_ok(data_load(&again, "shapes", "/nowhere", 0, 0, &error), &error);
    omp_set_num_threads(threads);
    assert_int_equal(again.checksum, set.checksum);
    data_free(&again);
}

static int compare_hashes(const void *a, const void *b) {
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void no_picture_twice(void **state) {
    (void)state;
    enum { ALL = 24000 };
    uint64_t *hashes = malloc(ALL * sizeof *hashes);
    for (int i = 0; i < ALL; i++) {
        const unsigned char *image =
            i < 20000 ? set.train.pixels + (size_t)i * IMAGE : set.test.pixels + (size_t)(i - 20000) * IMAGE;
        hashes[i] = nn_hash(nn_hash_start, image, IMAGE);
    }
    qsort(hashes, ALL, sizeof *hashes, compare_hashes);
    for (int i = 1; i < ALL; i++)
        assert_true(hashes[i] != hashes[i - 1]);
    free(hashes);
}

/* Pixels as floats around 0, with a constant 1 behind them. */
static float *features(const data_split *split, int count) {
    float *x = test_zeros((size_t)count * (IMAGE + 1));
    for (int i = 0; i < count; i++) {
        float *row = x + (size_t)i * (IMAGE + 1);
        for (int j = 0; j < IMAGE; j++)
            row[j] = (float)(split->pixels[(size_t)i * IMAGE + j] - 127.5) / 64;
        row[IMAGE] = 1;
    }
    return x;
}

/* scores[count][classes] = x weights^T */
static void scores_of(const float *x, int count, const float *weights, float *scores) {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, count, CLASSES, IMAGE + 1, 1, x, IMAGE + 1, weights,
                IMAGE + 1, 0, scores, CLASSES);
}

static double accuracy(const float *x, const unsigned char *labels, int count, const float *weights) {
    float *scores = test_zeros((size_t)count * CLASSES);
    scores_of(x, count, weights, scores);
    int right = 0;
    for (int i = 0; i < count; i++) {
        int best = 0;
        for (int c = 1; c < CLASSES; c++)
            if (scores[i * CLASSES + c] > scores[i * CLASSES + best])
                best = c;
        right += best == labels[i];
    }
    free(scores);
    return (double)right / count;
}

/* Softmax regression by gradient descent on batches of 100. */
static void fit(const float *x, const unsigned char *labels, int count, int epochs, float *weights) {
    enum { BATCH = 100 };
    float scores[BATCH * CLASSES];
    for (int step = 0; step < epochs * (count / BATCH); step++) {
        const int first = step * BATCH % count;
        const float *rows = x + (size_t)first * (IMAGE + 1);
        scores_of(rows, BATCH, weights, scores);
        for (int i = 0; i < BATCH; i++) {
            float *row = scores + i * CLASSES, largest = row[0], sum = 0;
            for (int c = 1; c < CLASSES; c++)
                largest = fmaxf(largest, row[c]);
            for (int c = 0; c < CLASSES; c++)
                sum += row[c] = expf(row[c] - largest);
            for (int c = 0; c < CLASSES; c++)
                row[c] = row[c] / sum - (c == labels[first + i]);
        }
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, CLASSES, IMAGE + 1, BATCH, -0.002f / BATCH,
                    scores, CLASSES, rows, IMAGE + 1, 1, weights, IMAGE + 1);
    }
}

/* The fit learns its training pictures (so it works), but hardly anything that holds for others. */
static void linear_classifier_fails(void **state) {
    (void)state;
    enum { TRAIN = 5000, TEST = 4000 };
    float *x = features(&set.train, TRAIN), *x_test = features(&set.test, TEST);
    float *weights = test_zeros(CLASSES * (IMAGE + 1));
    fit(x, set.train.labels, TRAIN, 8, weights);
    const double train = accuracy(x, set.train.labels, TRAIN, weights);
    const double test = accuracy(x_test, set.test.labels, TEST, weights);
    print_message("linear classifier: %.3f of the training pictures, %.3f of the test pictures\n", train,
                  test);
    assert_true(train > 0.15);
    assert_true(test > 0.10);
    assert_true(test < 0.60);
    free(x);
    free(x_test);
    free(weights);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_and_labels),
        cmocka_unit_test(same_bytes_on_every_machine),
        cmocka_unit_test(same_bytes_for_every_thread_count),
        cmocka_unit_test(no_picture_twice),
        cmocka_unit_test(linear_classifier_fails),
    };
    return cmocka_run_group_tests_name("shapes", tests, load, unload);
}
