/* The same seed gives the same bits, twice over and with any number of threads. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/common/training.h"
#include "framework/kernels/kernels.h"
#include "tests/support/program.h"
#include "tests/support/run_files.h"

/* Every source of random numbers and every sum is in it: order, augmentation, a loss on every tap, an evaluation, and in
 * both data sets a last batch that is not full. */
#define LINE                                                                                                 \
    "--quiet --preset shapes_resnet --dataset shapes --train-limit 60 --test-limit 30 --batch 16 --augment " \
    "--warmup 0 --lr 0.02 --steps 4 --log-every 1 --save-every 0 --snnl-weight 0.1 --snnl-layers *"

static char path_before[4096];
static data_set
    shapes; /* drawn once: every program draws them anew, which takes longer than to train on a few */

/* Pictures are not what is compared: without gnuplot runs are quicker. */
static int set_up(void **state) {
    nn_error error = {0};
    program_begin(state);
    test_ok(data_load(&shapes, "shapes", "", 60, 30, &error), &error);
    snprintf(path_before, sizeof path_before, "%s", getenv("PATH"));
    return setenv("PATH", "/nowhere", 1);
}

static int restore_path(void **state) {
    (void)state;
    return setenv("PATH", path_before, 1);
}

static int tear_down(void **state) {
    data_free(&shapes);
    return restore_path(state);
}

static void train(const char *name, const char *mode, int threads, const char *run) {
    static const volatile sig_atomic_t stop;
    char line[512], *argv[40], *rest = NULL;
    int argc = 0;
    nn_error error = {0};
    exp_train_options options;
    exp_summary summary;
    snprintf(line, sizeof line, "train " LINE " --model %s --temperature-mode %s --run %s", name, mode, run);
    for (char *word = strtok_r(line, " ", &rest); word && argc < 40; word = strtok_r(NULL, " ", &rest))
        argv[argc++] = word;
    test_ok(exp_train_options_resolve(&options, argc, argv, &error), &error);
    nn_threads_set(threads);
    test_ok(exp_train(&options, &shapes, &stop, &summary, &error), &error);
}

/* One thread twice, then others. */
static void expect_same_runs(const char *name, const char *mode) {
    static const int threads[] = {1, 2, 3, 7};
    char first[64], other[80];
    snprintf(first, sizeof first, "%s-%s", name, mode);
    train(name, mode, 1, first);
    for (int i = 0; i < 4; i++) {
        snprintf(other, sizeof other, "%s-%d", first, threads[i]);
        train(name, mode, threads[i], other);
        run_files_same(first, other);
    }
}

static void trainings_with_optimal_temperatures(void **state) {
    (void)state;
    expect_same_runs("mlp", "optimal");
    expect_same_runs("mnist_cnn", "optimal");
    expect_same_runs("cifar_resnet", "optimal");
}

static void trainings_with_learned_temperatures(void **state) {
    (void)state;
    expect_same_runs("mlp", "learned");
    expect_same_runs("mnist_cnn", "learned");
    expect_same_runs("cifar_resnet", "learned");
}

/* The program is no other than what it is made of. */
static void the_program(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(
            program_run("train", LINE " --model cifar_resnet --threads %d --run program-%d", i ? 7 : 1, i),
            0);
        run_files_same("cifar_resnet-optimal", i ? "program-1" : "program-0");
    }
}

/* A test that compares nothing but itself would pass on anything. */
static void another_seed_is_another_run(void **state) {
    (void)state;
    assert_int_equal(program_run("train", LINE " --model mlp --seed 2 --run other-seed"), 0);
    char *a = run_files_metrics("mlp-optimal/metrics.csv"), *b = run_files_metrics("other-seed/metrics.csv");
    assert_string_not_equal(a, b);
    free(a);
    free(b);
}

static void measurements(void **state) {
    (void)state;
    char *lines[2];
    for (int i = 0; i < 2; i++) {
        assert_int_equal(program_run("measure", "--run mnist_cnn-optimal --json --threads %d", i ? 7 : 1), 0);
        lines[i] = strdup(program_output);
    }
    assert_non_null(strstr(lines[0], "\"snnl\":"));
    assert_string_equal(lines[0], lines[1]);
    free(lines[0]);
    free(lines[1]);
}

static void measurements_of_arrays(void **state) {
    (void)state;
    enum { COUNT = 1500, DIMS = 20 }; /* above the points of which double precision keeps all pairs */
    nn_error error = {0};
    char *gradients[2], *lines[2];
    float *x = test_normal((size_t)COUNT * DIMS, "points");
    int64_t labels[COUNT];
    for (int i = 0; i < COUNT; i++)
        labels[i] = i % 5;
    test_ok(nn_npy_write_floats("x.npy", 2, (size_t[]){COUNT, DIMS}, x, &error), &error);
    test_ok(nn_npy_write_integers("y.npy", 1, (size_t[]){COUNT}, labels, &error), &error);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(program_run("measure",
                                     "--features x.npy --labels y.npy --gradient g.npy --threads %d",
                                     i ? 7 : 1),
                         0);
        lines[i] = strdup(program_output);
        gradients[i] = program_file("g.npy");
    }
    assert_string_equal(lines[0], lines[1]);
    test_same_bits("the gradient", gradients[0], gradients[1], (size_t)COUNT * DIMS * sizeof(float));
    for (int i = 0; i < 2; i++) {
        free(gradients[i]);
        free(lines[i]);
    }
    free(x);
}

static void neighbors(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++)
        assert_int_equal(program_run("neighbors",
                                     "--quiet --run mlp-optimal --neighbors 5 --calibration 10 "
                                     "--outliers noise --threads %d --out %s",
                                     i ? 7 : 1, i ? "seven" : "one"),
                         0);
    static const char *const files[] = {"neighbors.csv", "outliers.csv"};
    for (int f = 0; f < 2; f++) {
        char path[64];
        snprintf(path, sizeof path, "one/%s", files[f]);
        char *one = program_file(path);
        snprintf(path, sizeof path, "seven/%s", files[f]);
        char *seven = program_file(path);
        assert_string_equal(one, seven);
        free(one);
        free(seven);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trainings_with_optimal_temperatures),
        cmocka_unit_test(trainings_with_learned_temperatures),
        cmocka_unit_test(the_program),
        cmocka_unit_test(another_seed_is_another_run),
        cmocka_unit_test(measurements),
        cmocka_unit_test(measurements_of_arrays),
        cmocka_unit_test_setup(neighbors, restore_path),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
