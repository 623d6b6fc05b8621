/* FGSM, BIM and PGD as functions of a gradient: against the formulas in double precision, and what holds for each of
 * them. And what ./attack is told. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/attack/settings.h"
#include "framework/kernels/kernels.h"
#include "tests/support/support.h"

enum { COUNT = 6, SIZE = 40, ALL = COUNT * SIZE };

/* Pixels as bytes give them, some of them black or white, and a few that no byte gives. */
static float *make_images(void) {
    float *x = test_zeros(ALL);
    nn_stream stream = nn_stream_named(1, "images");
    for (int i = 0; i < ALL; i++) {
        x[i] = (float)(nn_random_below(&stream, 256) / 255.0);
        x[i] = i % 7 == 0 ? 0 : i % 7 == 1 ? 1 : i % 7 == 2 ? nn_random_uniform(&stream) : x[i];
    }
    return x;
}

/* A loss with curved gradients: sum over k of a sin(7 x) + c x, with numbers a and c of the pixel's place. */
static double slope(int k, int class, double x) {
    return (k % 5 - 2) * cos(7 * x) + (k % 3 - 1) * 0.5 * class;
}

static nn_status waves(void *context, int count, const float *images, const int32_t *classes, float *gradient,
                       nn_error *error) {
    (void)error;
    if (context)
        ++*(int *)context;
    for (int i = 0; i < count; i++)
        for (int k = 0; k < SIZE; k++)
            gradient[i * SIZE + k] = (float)slope(k, classes[i], images[i * SIZE + k]);
    return NN_OK;
}

static nn_status flat(void *context, int count, const float *images, const int32_t *classes, float *gradient,
                      nn_error *error) {
    (void)context;
    (void)images;
    (void)classes;
    (void)error;
    memset(gradient, 0, (size_t)count * SIZE * sizeof *gradient);
    return NN_OK;
}

static nn_status broken(void *context, int count, const float *images, const int32_t *classes,
                        float *gradient, nn_error *error) {
    (void)context;
    (void)count;
    (void)images;
    (void)classes;
    (void)gradient;
    return nn_fail(error, NN_ENUMERIC, "no gradient today");
}

static const int32_t classes[COUNT] = {0, 1, 2, 0, 1, 2};

static float *attack_with(const exp_attack *attack, exp_attack_gradient gradient, const float *images) {
    nn_error error = {0};
    float *adversarial = test_zeros(ALL), *scratch = test_zeros(ALL);
    exp_attack_batch batch = {.count = COUNT, .size = SIZE, .images = images, .classes = classes};
    test_ok(exp_attack_images(attack, gradient, NULL, &batch, adversarial, scratch, &error), &error);
    free(scratch);
    return adversarial;
}

static void expect_inside(const float *x, const float *images, double epsilon) {
    for (int i = 0; i < ALL; i++)
        if (!(x[i] >= 0 && x[i] <= 1 && fabs((double)x[i] - images[i]) <= epsilon &&
              fabsf(x[i] - images[i]) <= (float)epsilon))
            fail_msg("pixel %d, %.9g, became %.9g at epsilon %.17g", i, images[i], x[i], epsilon);
}

/* --- formulas ------------------------------------------------------------------------------------------- */

static double clip(double x, double low, double high) {
    return x < low ? low : x > high ? high : x;
}

/* x_t+1 = P(x_t + step sign g(x_t)), from x_0 = x. */
static double iterate(double x, int k, int class, double epsilon, double step, int iterations) {
    double at = x;
    for (int t = 0; t < iterations; t++) {
        double g = slope(k, class, at);
        at = clip(at + step * ((g > 0) - (g < 0)), fmax(x - epsilon, 0), fmin(x + epsilon, 1));
    }
    return at;
}

static void expect_iterated(const exp_attack *attack, double step, int iterations) {
    float *images = make_images(), *x = attack_with(attack, waves, images);
    double *expected = test_bytes(ALL * sizeof *expected);
    for (int i = 0; i < ALL; i++)
        expected[i] = iterate(images[i], i % SIZE, classes[i / SIZE], attack->epsilon, step, iterations);
    test_close("adversarial images", x, expected, ALL, 1e-6);
    expect_inside(x, images, attack->epsilon);
    free(expected);
    free(images);
    free(x);
}

static void attacks_follow_their_formulas(void **state) {
    (void)state;
    static const double epsilons[] = {0.25, 8 / 255.0, 0.7};
    for (int e = 0; e < 3; e++) {
        double epsilon = epsilons[e];
        expect_iterated(&(exp_attack){.method = EXP_FGSM, .epsilon = epsilon, .iterations = 9}, epsilon, 1);
        expect_iterated(&(exp_attack){.method = EXP_FGSM, .epsilon = epsilon, .targeted = true}, -epsilon, 1);
        expect_iterated(&(exp_attack){.method = EXP_BIM, .epsilon = epsilon, .iterations = 7, .step = 0.03},
                        0.03, 7);
        expect_iterated(&(exp_attack){.method = EXP_BIM, .epsilon = epsilon, .iterations = 5},
                        2.5 * epsilon / 5, 5);
        expect_iterated(
            &(exp_attack){.method = EXP_BIM, .epsilon = epsilon, .iterations = 3, .targeted = true},
            -2.5 * epsilon / 3, 3);
    }
}

static void steps(void **state) {
    (void)state;
    assert_true(exp_attack_step(&(exp_attack){.method = EXP_FGSM, .epsilon = 0.2, .step = 0.01}) == 0.2);
    assert_true(exp_attack_step(&(exp_attack){.method = EXP_BIM, .epsilon = 0.2, .iterations = 2}) == 0.2);
    assert_true(exp_attack_step(&(exp_attack){.method = EXP_PGD, .epsilon = 0.2, .iterations = 10}) == 0.05);
    assert_true(exp_attack_step(&(exp_attack){.method = EXP_PGD, .epsilon = 0.2, .step = 0.3}) == 0.3);
}

/* --- what always holds ---------------------------------------------------------------------------------- */

static void nothing_leaves_the_ball(void **state) {
    (void)state;
    static const double epsilons[] = {0, 1e-9, 1e-4, 1 / 255.0, 0.1, 1 / 3.0, 0.999, 1};
    for (int method = 0; method < EXP_ATTACK_METHODS; method++)
        for (int e = 0; e < 8; e++)
            for (int targeted = 0; targeted < 2; targeted++) {
                exp_attack attack = {.method = (exp_attack_method)method,
                                     .epsilon = epsilons[e],
                                     .iterations = 4,
                                     .step = e % 2 ? 0.3 : 0,
                                     .targeted = targeted};
                float *images = make_images(), *x = attack_with(&attack, waves, images);
                expect_inside(x, images, epsilons[e]);
                if (epsilons[e] == 0)
                    test_same_bits("epsilon 0", x, images, ALL * sizeof *x);
                free(images);
                free(x);
            }
}

static void one_step_is_fgsm(void **state) {
    (void)state;
    exp_attack fgsm = {.method = EXP_FGSM, .epsilon = 0.15},
               bim = {.method = EXP_BIM, .epsilon = 0.15, .iterations = 1, .step = 0.15};
    float *images = make_images(), *one = attack_with(&fgsm, waves, images);
    for (int automatic = 0; automatic < 2; automatic++) {
        bim.step = automatic ? 0 : 0.15;
        float *other = attack_with(&bim, waves, images);
        test_same_bits("one step", one, other, ALL * sizeof *one);
        free(other);
    }
    free(one);
    free(images);
}

/* Without a gradient what is left is the start: even in the ball, a part of it cut off by 0 and 1. */
static void random_start(void **state) {
    (void)state;
    exp_attack attack = {.method = EXP_PGD, .epsilon = 0.2, .iterations = 3, .seed = 4};
    float *images = make_images();
    for (int i = 0; i < ALL; i++)
        images[i] = 0.5f;
    float *x = attack_with(&attack, flat, images), least = 1, most = 0;
    double sum = 0, squares = 0;
    for (int i = 0; i < ALL; i++) {
        double away = x[i] - 0.5;
        sum += away / ALL;
        squares += away * away / ALL;
        least = fminf(least, x[i]);
        most = fmaxf(most, x[i]);
    }
    expect_inside(x, images, 0.2);
    assert_true(fabs(sum) < 0.03 && fabs(squares / (0.04 / 3) - 1) < 0.2); /* of the even distribution */
    assert_true(least < 0.31 && most > 0.69);
    attack.method = EXP_BIM;
    float *still = attack_with(&attack, flat, images);
    test_same_bits("no gradient", still, images, ALL * sizeof *still);
    free(still);
    free(x);
    free(images);
}

/* The same seed gives the same bits, for any number of threads and however the images are cut into batches. */
static void random_starts_repeat(void **state) {
    (void)state;
    nn_error error = {0};
    exp_attack attack = {.method = EXP_PGD, .epsilon = 0.2, .iterations = 3, .seed = 4};
    float *images = make_images(), *scratch = test_zeros(ALL), *parts = test_zeros(ALL);
    nn_threads_set(1);
    float *one = attack_with(&attack, waves, images);
    nn_threads_set(5);
    float *five = attack_with(&attack, waves, images);
    nn_threads_set(0);
    for (int first = 0; first < COUNT; first += 2) {
        exp_attack_batch batch = {.count = 2,
                                  .size = SIZE,
                                  .first = (uint64_t)first,
                                  .images = images + first * SIZE,
                                  .classes = classes + first};
        test_ok(exp_attack_images(&attack, waves, NULL, &batch, parts + first * SIZE, scratch, &error),
                &error);
    }
    test_same_bits("5 threads", one, five, ALL * sizeof *one);
    test_same_bits("in parts", one, parts, ALL * sizeof *one);
    attack.seed = 5;
    float *other = attack_with(&attack, flat, images);
    assert_memory_not_equal(one, other, ALL * sizeof *one);
    free(one);
    free(five);
    free(other);
    free(parts);
    free(scratch);
    free(images);
}

static void gradients_are_asked_for_once_a_step(void **state) {
    (void)state;
    nn_error error = {0};
    float *images = make_images(), *x = test_zeros(ALL), *scratch = test_zeros(ALL);
    exp_attack_batch batch = {.count = COUNT, .size = SIZE, .images = images, .classes = classes};
    for (int method = 0; method < EXP_ATTACK_METHODS; method++) {
        int calls = 0;
        exp_attack attack = {.method = (exp_attack_method)method, .epsilon = 0.1, .iterations = 6};
        test_ok(exp_attack_images(&attack, waves, &calls, &batch, x, scratch, &error), &error);
        assert_int_equal(calls, method == EXP_FGSM ? 1 : 6);
        test_fails(exp_attack_images(&attack, broken, NULL, &batch, x, scratch, &error), NN_ENUMERIC, &error,
                   "no gradient today");
    }
    free(images);
    free(x);
    free(scratch);
}

/* --- settings ------------------------------------------------------------------------------------------- */

static void lists_are_read(void **state) {
    (void)state;
    nn_error error = {0};
    exp_attack_method methods[EXP_ATTACK_METHODS];
    exp_epsilon epsilons[EXP_EPSILONS_MAX];
    const char *runs[EXP_TARGETS_MAX];
    int count;
    test_ok(exp_attack_read_methods("pgd,fgsm", methods, &count, &error), &error);
    assert_true(count == 2 && methods[0] == EXP_PGD && methods[1] == EXP_FGSM);
    test_ok(exp_attack_read_epsilons("0.3,8/255,0", epsilons, &count, &error), &error);
    assert_true(count == 3 && epsilons[0].value == 0 && epsilons[1].value == 8 / 255.0 &&
                epsilons[2].value == 0.3);
    assert_string_equal(epsilons[1].text, "8/255");
    char text[] = "a/b,c", none[] = "";
    test_ok(exp_attack_read_runs(text, runs, &count, &error), &error);
    assert_int_equal(count, 2);
    assert_string_equal(runs[0], "a/b");
    assert_string_equal(runs[1], "c");
    test_ok(exp_attack_read_runs(none, runs, &count, &error), &error);
    assert_int_equal(count, 0);
    for (int channels = 1; channels <= 3; channels += 2) {
        test_ok(exp_attack_read_epsilons(exp_attack_default_epsilons(channels), epsilons, &count, &error),
                &error);
        test_ok(exp_attack_read_epsilon("e", exp_attack_default_epsilon(channels), epsilons, &error), &error);
    }
}

static void wrong_lists_are_refused(void **state) {
    (void)state;
    nn_error error = {0};
    exp_attack_method methods[EXP_ATTACK_METHODS];
    exp_epsilon epsilons[EXP_EPSILONS_MAX];
    int count;
    static const char *const bad[][2] = {{"", "name one of"}, {"fgsm,cw", "'cw'"}, {"bim,bim", "twice"}};
    for (int i = 0; i < 3; i++)
        test_fails(exp_attack_read_methods(bad[i][0], methods, &count, &error), NN_EARGUMENT, &error,
                   bad[i][1]);
    static const char *const sizes[] = {"",    "0.1,x", "1.1",     "-0.1",    "8/0",
                                        "8/",  "nan",   "1/2/3",   " 1",      "0.1 ",
                                        "9/8", "/255",  "0.1,0.1", "0.5,1/2", "0.000000000000000001",
                                        "1,2"};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        test_fails(exp_attack_read_epsilons(sizes[i], epsilons, &count, &error), NN_EARGUMENT, &error,
                   "--epsilon");
}

static void aims(void **state) {
    (void)state;
    nn_error error = {0};
    data_set set = {.classes = 3, .class_names = {"cat", "dog", "2x"}};
    int class;
    assert_int_equal(exp_attack_read_aim("none"), EXP_AIM_NONE);
    assert_int_equal(exp_attack_read_aim("next"), EXP_AIM_NEXT);
    assert_int_equal(exp_attack_read_aim("least-likely"), EXP_AIM_LEAST);
    assert_int_equal(exp_attack_read_aim("dog"), EXP_AIM_CLASS);
    static const char *const names[] = {"cat", "1", "2x"};
    for (int k = 0; k < 3; k++) {
        test_ok(exp_attack_read_class(names[k], &set, &class, &error), &error);
        assert_int_equal(class, k);
    }
    static const char *const wrong[] = {"bird", "3", "-1", "1x", ""};
    for (int k = 0; k < 5; k++)
        test_fails(exp_attack_read_class(wrong[k], &set, &class, &error), NN_EARGUMENT, &error,
                   "cat, dog, 2x");
    static const exp_attack_aim kinds[] = {EXP_AIM_NONE, EXP_AIM_CLASS, EXP_AIM_NEXT, EXP_AIM_LEAST};
    static const int32_t labels[] = {0, 2}, expected[][2] = {{0, 2}, {1, 1}, {1, 0}, {2, 1}};
    for (int k = 0; k < 4; k++) {
        int32_t aimed[] = {2, 1};
        exp_attack_settings settings = {.aim = kinds[k], .target = 1};
        exp_attack_take_aim(&settings, 3, 2, labels, aimed);
        assert_memory_equal(aimed, expected[k], sizeof aimed);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attacks_follow_their_formulas),
        cmocka_unit_test(steps),
        cmocka_unit_test(nothing_leaves_the_ball),
        cmocka_unit_test(one_step_is_fgsm),
        cmocka_unit_test(random_start),
        cmocka_unit_test(random_starts_repeat),
        cmocka_unit_test(gradients_are_asked_for_once_a_step),
        cmocka_unit_test(lists_are_read),
        cmocka_unit_test(wrong_lists_are_refused),
        cmocka_unit_test(aims),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
