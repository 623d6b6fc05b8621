/* sources.c: lists of sources, right ones and wrong ones, and the images that they make. */
#include "experiments/outliers/sources.h"
#include "tests/support/program.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE = 32 * 32 * 3, FIRST = 5, MOST = 12 };

/* As much of a trained run as a source needs: shapes, and how they were normalised. */
static exp_trained_run run;

static int set_up(void **state) {
    nn_error error = {0};
    program_begin(state);
    program_data("data", "mnist");
    program_data("data", "notmnist");
    test_ok(data_load(&run.set, "shapes", "data", 100, 40, &error), &error);
    memcpy(run.mean, run.set.mean, sizeof run.mean);
    memcpy(run.deviation, run.set.deviation, sizeof run.deviation);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    data_free(&run.set);
    return 0;
}

static exp_source_images make(const char *name, int most, uint64_t seed) {
    exp_source sources[EXP_SOURCES_MAX];
    exp_source_images made;
    nn_error error = {0};
    int count;
    test_ok(exp_sources_parse(name, "shapes", sources, &count, &error), &error);
    assert_int_equal(count, 1);
    test_ok(exp_source_make(&sources[0], &run, "data", FIRST, most, seed, &made, &error), &error);
    for (int k = 0; k < made.count * SIZE; k++)
        assert_true(made.images[k] >= 0 && made.images[k] <= 1);
    return made;
}

/* Test image FIRST + i. */
static void original(int i, float *out) {
    for (int k = 0; k < SIZE; k++)
        out[k] = run.set.test.pixels[(FIRST + i) * SIZE + k] / 255.0f;
}

/* --- lists ---------------------------------------------------------------------------------------------- */

static void lists(void **state) {
    (void)state;
    static const exp_source expected[] = {{"notmnist", EXP_SOURCE_DATA, 0, ""},
                                          {"shapes", EXP_SOURCE_DATA, 0, ""},
                                          {"rotation:-45", EXP_SOURCE_ROTATION, -45, ""},
                                          {"uniform", EXP_SOURCE_UNIFORM, 0, ""},
                                          {"gaussian", EXP_SOURCE_GAUSSIAN, 0, ""},
                                          {"noise:0.5", EXP_SOURCE_NOISY, 0.5, ""},
                                          {"blur:2", EXP_SOURCE_BLUR, 2, ""}};
    exp_source sources[EXP_SOURCES_MAX];
    nn_error error = {0};
    int count;
    test_ok(exp_sources_parse("notmnist, shapes,rotation:-45,noise,,noise:0.5,blur:2", "mnist", sources,
                              &count, &error),
            &error);
    assert_int_equal(count, 7);
    for (int k = 0; k < 7; k++) {
        assert_string_equal(sources[k].name, expected[k].name);
        assert_true(sources[k].kind == expected[k].kind && sources[k].amount == expected[k].amount);
    }
}

static void wrong_lists(void **state) {
    (void)state;
    static const char *const lists[][2] = {
        {"", "--outliers: the list is empty"},
        {",,", "--outliers: the list is empty"},
        {"notmnist,letters", "there is no 'letters'; there are: mnist, fashion-mnist, notmnist, cifar10"},
        {"rotation", "there is no 'rotation'"},
        {"turn:3", "there is no 'turn:3'"},
        {"rotation:", "'rotation:': must be a number from -360 to 360"},
        {"rotation:45x", "'rotation:45x': must be a number"},
        {"rotation:nan", "'rotation:nan': must be a number"},
        {"rotation:361", "must be a number from -360 to 360"},
        {"blur:0", "must be a number from 0.1 to 20"},
        {"noise:-1", "must be a number from 0.001 to 10"},
        {"mnist", "'mnist' is what the run was trained on"},
        {"blur:1,noise,blur:1", "'blur:1' is there twice"},
        {"noise,gaussian", "'gaussian' is there twice"},
        {"a-name-that-is-longer-than-any-source-can-have", "there is no 'a-name"},
    };
    exp_source sources[EXP_SOURCES_MAX];
    nn_error error = {0};
    char many[1024] = "";
    int count;
    for (size_t k = 0; k < sizeof lists / sizeof *lists; k++)
        test_fails(exp_sources_parse(lists[k][0], "mnist", sources, &count, &error), NN_EARGUMENT, &error,
                   lists[k][1]);
    for (int k = 0; k <= EXP_SOURCES_MAX; k++)
        snprintf(many + strlen(many), sizeof many - strlen(many), "rotation:%d,", k);
    test_fails(exp_sources_parse(many, "mnist", sources, &count, &error), NN_EARGUMENT, &error,
               "more than 32 sources");
}

static void missing_data(void **state) {
    (void)state;
    exp_source sources[EXP_SOURCES_MAX];
    nn_error error = {0};
    int count;
    test_ok(exp_sources_parse("noise,mnist,svhn", "shapes", sources, &count, &error), &error);
    test_ok(exp_sources_check(sources, 3, "data", &error), &error);
    test_fails(exp_sources_check(sources, count, "data", &error), NN_EFILE, &error, "no svhn data");
}

static void missing_data_left_out(void **state) {
    (void)state;
    exp_source sources[EXP_SOURCES_MAX];
    char left_out[EXP_SOURCES_TEXT];
    nn_error error = {0};
    int count;
    test_ok(exp_sources_parse("svhn,uniform,mnist,shapes,rotation:45", NULL, sources, &count, &error),
            &error);
    exp_sources_keep_present(sources, &count, "shapes", "data", left_out);
    assert_int_equal(count, 3);
    assert_string_equal(sources[0].name, "uniform");
    assert_string_equal(sources[1].name, "mnist");
    assert_string_equal(sources[2].name, "rotation:45");
    assert_string_equal(left_out, "svhn, shapes");
    exp_sources_keep_present(sources, &count, "svhn", "data", left_out);
    assert_true(count == 3 && left_out[0] == '\0');
}

/* --- images --------------------------------------------------------------------------------------------- */

/* Gray and 8 x 8 to colored and 32 x 32: the mean of every image stays. */
static void another_data_set(void **state) {
    (void)state;
    exp_source_images made = make("mnist", 1000, 1), few = make("mnist", MOST, 2);
    data_set set;
    nn_error error = {0};
    assert_true(made.count == PROGRAM_TEST && few.count == MOST);
    test_same_bits("images", made.images, few.images, MOST * SIZE * sizeof *few.images);
    test_ok(data_load(&set, "mnist", "data", 1, 0, &error), &error);
    for (int i = 0; i < PROGRAM_TEST; i++) {
        const float *image = made.images + i * SIZE;
        double mean = 0, before = 0;
        for (int k = 0; k < SIZE; k++) {
            mean += image[k];
            assert_true(image[k] == image[k - k % 3]);
        }
        for (int k = 0; k < PROGRAM_SIDE * PROGRAM_SIDE; k++)
            before += set.test.pixels[i * PROGRAM_SIDE * PROGRAM_SIDE + k] / 255.0;
        assert_true(fabs(mean / SIZE - before / (PROGRAM_SIDE * PROGRAM_SIDE)) < 1e-5);
    }
    data_free(&set);
    free(made.images);
    free(few.images);
}

/* A full turn changes nothing, a quarter moves every pixel, and these are the test images from FIRST on. */
static void turned_test_images(void **state) {
    (void)state;
    exp_source_images full = make("rotation:360", 1000, 1), quarter = make("rotation:90", MOST, 1);
    assert_true(full.count == 40 - FIRST && quarter.count == MOST);
    for (int i = 0; i < MOST; i++) {
        float image[SIZE];
        original(i, image);
        test_same_bits("full turn", full.images + i * SIZE, image, sizeof image);
        for (int y = 0; y < 32; y++)
            for (int x = 0; x < 96; x++)
                assert_true(quarter.images[i * SIZE + y * 96 + x] ==
                            image[(x / 3) * 96 + (31 - y) * 3 + x % 3]);
    }
    free(full.images);
    free(quarter.images);
}

static void blurred_and_noisy_test_images(void **state) {
    (void)state;
    exp_source_images blurred = make("blur:1", 3, 1), noisy = make("noise:0.01", 3, 1);
    float image[SIZE], scratch[SIZE], out[SIZE];
    double squares = 0;
    for (int i = 0; i < 3; i++) {
        original(i, image);
        exp_image_blur((exp_image_form){32, 32, 3}, image, 1, scratch, out);
        test_same_bits("blurred", blurred.images + i * SIZE, out, sizeof out);
        for (int k = 0; k < SIZE; k++)
            squares += pow(noisy.images[i * SIZE + k] - image[k], 2);
    }
    double deviation = sqrt(squares / (3 * SIZE));
    assert_true(deviation > 0.007 && deviation < 0.011); /* a little is cut off */
    free(blurred.images);
    free(noisy.images);
}

static void expect_moments(const exp_source_images *made, int channel, double mean, double deviation) {
    double sum = 0, squares = 0, n = made->count * SIZE / 3.0;
    for (int k = channel; k < made->count * SIZE; k += 3) {
        sum += made->images[k];
        squares += pow(made->images[k] - mean, 2);
    }
    assert_true(fabs(sum / n - mean) < 5 * deviation / sqrt(n));
    assert_true(fabs(sqrt(squares / n) - deviation) < 0.02 * deviation);
}

static void noise(void **state) {
    (void)state;
    exp_source_images made = make("uniform", MOST, 1);
    for (int c = 0; c < 3; c++)
        expect_moments(&made, c, 0.5, sqrt(1 / 12.0));
    free(made.images);
    float mean[3] = {0.4f, 0.5f, 0.6f}, deviation[3] = {0.05f, 0.08f, 0.1f};
    memcpy(run.mean, mean, sizeof mean);
    memcpy(run.deviation, deviation, sizeof deviation);
    made = make("gaussian", MOST, 1);
    for (int c = 0; c < 3; c++)
        expect_moments(&made, c, mean[c], deviation[c]);
    free(made.images);
    memcpy(run.mean, run.set.mean, sizeof run.mean);
    memcpy(run.deviation, run.set.deviation, sizeof run.deviation);
}

static void the_seed_decides(void **state) {
    (void)state;
    static const char *const names[] = {"uniform", "gaussian", "noise:0.3"};
    for (int k = 0; k < 3; k++) {
        exp_source_images many = make(names[k], MOST, 1), few = make(names[k], 4, 1),
                          other = make(names[k], 4, 2);
        test_same_bits(names[k], many.images, few.images, 4 * SIZE * sizeof *few.images);
        assert_true(memcmp(few.images, other.images, 4 * SIZE * sizeof *few.images) != 0);
        assert_true(memcmp(few.images, few.images + SIZE, SIZE * sizeof *few.images) != 0);
        free(many.images);
        free(few.images);
        free(other.images);
    }
}

/* As the loader does it, from the pixels. */
static void normalised_as_in_training(void **state) {
    (void)state;
    exp_source_images made = make("rotation:0", MOST, 1);
    data_loader *loader;
    nn_error error = {0};
    data_batch_options options = {.batch = 40};
    test_ok(data_loader_new(&loader, &run.set, &run.set.test, options, &error), &error);
    const data_batch *batch = data_loader_next(loader);
    exp_source_normalize(&run, made.count, made.images);
    for (int k = 0; k < MOST * SIZE; k++)
        assert_true(fabsf(made.images[k] - batch->images[FIRST * SIZE + k]) < 1e-5f);
    data_loader_free(loader);
    free(made.images);
}

static void channels_that_do_not_fit(void **state) {
    (void)state;
    exp_source source = {"mnist", EXP_SOURCE_DATA, 0, ""};
    exp_source_images made;
    nn_error error = {0};
    run.set.channels = 2;
    test_fails(exp_source_make(&source, &run, "data", 0, 5, 1, &made, &error), NN_ESHAPE, &error,
               "images of mnist have 1 channels, those of shapes 2");
    run.set.channels = 3;
    free(made.images);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists),
        cmocka_unit_test(wrong_lists),
        cmocka_unit_test(missing_data),
        cmocka_unit_test(missing_data_left_out),
        cmocka_unit_test(another_data_set),
        cmocka_unit_test(turned_test_images),
        cmocka_unit_test(blurred_and_noisy_test_images),
        cmocka_unit_test(noise),
        cmocka_unit_test(the_seed_decides),
        cmocka_unit_test(normalised_as_in_training),
        cmocka_unit_test(channels_that_do_not_fit),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
