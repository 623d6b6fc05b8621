/* Values and temperatures of the soft nearest neighbor loss against its formula. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "framework/kernels/kernels.h"
#include "framework/snnl/snnl.h"
#include "tests/support/snnl_oracle.h"

/* --- values --------------------------------------------------------------------------------------------- */

static void check_values(const oracle_problem *p, const double *temperatures, int n, double tolerance32) {
    double *d = oracle_distances(p);
    for (int t = 0; t < n; t++) {
        int usable;
        char what[128];
        double expected = oracle_loss_of(p, d, temperatures[t], &usable, NULL);
        for (int wide = 0; wide < 2; wide++) {
            snprintf(what, sizeof what, "%d x %d, %s, T %g, %s", p->count, p->dims,
                     p->distance == NN_COSINE ? "cosine" : "euclidean", temperatures[t],
                     wide ? "double" : "single");
            nn_snnl_result result = oracle_measure(p, wide, temperatures[t], NULL);
            oracle_compare(what, result.value, expected, wide ? 1e-6 : tolerance32);
            assert_int_equal(result.usable, usable);
            assert_int_equal(result.skipped, p->count - usable);
            assert_true(result.temperature == temperatures[t]);
        }
    }
    free(d);
}

static void values_match_the_formula(void **state) {
    (void)state;
    const double temperatures[] = {1e-3, 0.1, 1, 30, 1e3, 1e6};
    const int sizes[][3] = {{2, 1, 1},    {2, 3, 2},      {3, 1, 2},    {17, 2, 3},   {64, 5, 4},
                            {65, 33, 10}, {130, 700, 10}, {257, 16, 7}, {40, 4096, 5}};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (int distance = 0; distance < 2; distance++) {
            oracle_problem p =
                oracle_make(sizes[s][0], sizes[s][1], sizes[s][2], 1, 0, (nn_distance)distance);
            check_values(&p, temperatures, 6, 1e-5);
            oracle_drop(&p);
        }
}

/* Coordinates around 1,000 with a spread of 1: without centring a float Gram matrix would keep no digit. At T
 * = 1 the loss is 8e-5, the distances 100: single precision's share of those is 2e-5 of the loss. */
static void offset_points_keep_their_digits(void **state) {
    (void)state;
    const double temperatures[] = {0.1, 1, 100};
    oracle_problem p = oracle_make(100, 50, 5, 2, 1000, NN_EUCLIDEAN);
    check_values(&p, temperatures, 3, 1e-4);
    oracle_drop(&p);
}

/* Fours of points 1e-4 apart, two of one class and two of another, at lengths of about 20. At a temperature
 * like their distances these alone decide; from a single-precision Gram matrix they would be noise. */
static void near_pairs_keep_their_digits(void **state) {
    (void)state;
    for (int distance = 0; distance < 2; distance++) {
        oracle_problem p = oracle_make(60, 40, 1, 3, 0, (nn_distance)distance);
        for (int i = 0; i < 60; i++) {
            p.labels[i] = i / 2;
            for (int k = 0; k < p.dims; k++) {
                size_t to = (size_t)i * p.dims + k, from = (size_t)(i - i % 4) * p.dims + k;
                p.x32[to] = i % 4 ? p.x32[from] + 1e-4f * p.x32[to] : p.x32[to];
                p.x[to] = p.x32[to];
            }
        }
        const double near = distance == NN_EUCLIDEAN ? 1e-6 : 1e-9, temperatures[] = {near, 10 * near, 1};
        check_values(&p, temperatures, 3, 1e-5);
        oracle_drop(&p);
    }
}

/* Two pairs: losses of exp(-99) and the like, where the difference of the formula's logarithms is 0. */
static void tiny_losses_keep_their_digits(void **state) {
    (void)state;
    double x[] = {0, 1, 10, 11};
    int32_t labels[] = {0, 0, 1, 1};
    nn_snnl_points points = {.count = 4, .dims = 1, .x64 = x, .labels = labels};
    nn_snnl_result result;
    nn_error error = {0};
    test_ok(nn_snnl_measure(&points, 1, &result, NULL, &error), &error);
    /* outer points: others at 100 and 121, or 121 and 100; inner points: 81 and 100; partners at 1 */
    double expected = (exp(-99) + exp(-120) + exp(-80) + exp(-99)) / 2;
    assert_true(fabs(result.value - expected) <= 1e-6 * expected);
}

static void larger_sets_are_tiled(void **state) {
    (void)state;
    const int sizes[][2] = {{1449, 6}, {2049, 5}}; /* just not stored in double and in single precision */
    for (int s = 0; s < 2; s++)
        for (int distance = 0; distance < 2; distance++) {
            oracle_problem p = oracle_make(sizes[s][0], sizes[s][1], 6, 1, 5, (nn_distance)distance);
            p.labels[700] = 1 << 30;
            const double temperatures[] = {distance == NN_EUCLIDEAN ? 0.5 : 0.05};
            check_values(&p, temperatures, 1, 1e-5);
            oracle_drop(&p);
        }
}

static void odd_classes(void **state) {
    (void)state;
    oracle_problem p = oracle_make(30, 4, 3, 1, 0, NN_EUCLIDEAN);
    const double temperatures[] = {1e-3, 1, 1e6};
    p.labels[3] = INT32_MAX;
    p.labels[4] = INT32_MIN;
    p.labels[29] = 0;
    check_values(&p, temperatures, 3, 1e-5); /* three lone classes */

    for (int i = 0; i < p.count; i++)
        p.labels[i] = 5;
    nn_snnl_result result = oracle_measure(&p, false, 1, NULL);
    assert_true(result.value == 0 && result.usable == 30);
    assert_true(oracle_measure(&p, true, 0, NULL).temperature == 1);

    for (int i = 0; i < p.count; i++)
        p.labels[i] = i;
    float *dx = test_normal(30 * 4, "junk");
    result = oracle_measure(&p, false, 2, dx);
    assert_true(result.value == 0 && result.usable == 0 && result.skipped == 30 && result.temperature == 2);
    for (int k = 0; k < 30 * 4; k++)
        assert_true(dx[k] == 0);
    p.count = 1;
    assert_true(oracle_measure(&p, true, 0, NULL).value == 0);
    free(dx);
    oracle_drop(&p);
}

static void zero_points_are_at_cosine_distance_1(void **state) {
    (void)state;
    oracle_problem p = oracle_make(40, 6, 3, 1, 0, NN_COSINE);
    for (int i = 0; i < 40; i += 13)
        for (int k = 0; k < p.dims; k++)
            p.x32[i * p.dims + k] = 0, p.x[i * p.dims + k] = 0;
    const double temperatures[] = {0.01, 0.3, 10};
    check_values(&p, temperatures, 3, 1e-5);

    oracle_drop(&p);
}

/* Points that all are the same: every distance is exactly 0, at every temperature. */
static void identical_points(void **state) {
    (void)state;
    const double temperatures[] = {1e-6, 1, 1e9, 0};
    for (int distance = 0; distance < 2; distance++) {
        oracle_problem p = oracle_make(50, 7, 2, 0, 0, (nn_distance)distance);
        int of_class[2] = {0};
        for (int i = 0; i < p.count; i++) {
            of_class[(p.labels[i] + 9) / 7]++;
            for (int k = 0; k < p.dims; k++) {
                p.x32[i * p.dims + k] = 0.1f * (float)(k + 1);
                p.x[i * p.dims + k] = 0.1 * (k + 1);
            }
        }
        double expected = 0;
        for (int c = 0; c < 2; c++)
            expected += of_class[c] / 50.0 * log(49.0 / (of_class[c] - 1));
        double dx[50 * 7];
        for (int t = 0; t < 4; t++)
            for (int wide = 0; wide < 2; wide++) {
                nn_snnl_result result = oracle_measure(&p, wide, temperatures[t], dx);
                oracle_compare("identical points", result.value, expected, 1e-9);
                for (int k = 0; k < 50 * 7; k++)
                    assert_true(isfinite(wide ? dx[k] : ((float *)dx)[k]));
            }
        oracle_drop(&p);
    }
}

/* Cosine distances of parallel points are 0, whatever their lengths: no temperature is better than another.
 */
static void parallel_points(void **state) {
    (void)state;
    oracle_problem p = oracle_make(21, 3, 1, 0, 0, NN_COSINE);
    for (int i = 0; i < 21; i++) {
        p.labels[i] = i % 3;
        for (int k = 0; k < 3; k++)
            p.x[i * 3 + k] = p.x32[i * 3 + k] = (float)((i + 1) * (2 * k + 1));
    }
    for (int wide = 0; wide < 2; wide++) {
        nn_snnl_result result = oracle_measure(&p, wide, 0, NULL);
        oracle_compare("parallel points", result.value, log(20.0 / 6), 1e-9);
        assert_true(result.temperature == 1);
    }
    oracle_drop(&p);
}

static void extremes_are_finite(void **state) {
    (void)state;
    const double temperatures[] = {1e-6, 1, 1e9, 0};
    const float scales[] = {1e-4f, 1, 1e4f};
    float dx[80 * 9];
    for (int s = 0; s < 3; s++)
        for (int distance = 0; distance < 2; distance++) {
            oracle_problem p = oracle_make(80, 9, 4, 1, 0, (nn_distance)distance);
            for (int k = 0; k < 80 * 9; k++)
                p.x32[k] = k / 9 % 5 ? scales[s] * p.x32[k] : scales[s];
            for (int t = 0; t < 4; t++) {
                nn_snnl_result result = oracle_measure(&p, false, temperatures[t], dx);
                assert_true(isfinite(result.value) && isfinite(result.slope) && result.value >= 0);
                for (int k = 0; k < 80 * 9; k++)
                    assert_true(isfinite(dx[k]));
            }
            oracle_drop(&p);
        }
}

/* --- temperature ---------------------------------------------------------------------------------------- */

static void check_slope(const oracle_problem *p, double temperature) {
    double *d = oracle_distances(p), h = 1e-4;
    int usable;
    double above = oracle_loss_of(p, d, temperature * exp(-h), &usable, NULL);
    double below = oracle_loss_of(p, d, temperature * exp(h), &usable, NULL);
    double expected = (above - below) / (2 * h), slope = oracle_measure(p, true, temperature, NULL).slope;
    if (!(fabs(slope - expected) <= 1e-5 * fmax(fabs(expected), above)))
        fail_msg("%d points, T %g: slope %.9g, expected %.9g", p->count, temperature, slope, expected);
    free(d);
}

static void slopes_match_finite_differences(void **state) {
    (void)state;
    for (int distance = 0; distance < 2; distance++) {
        oracle_problem p = oracle_make(50, 8, 4, 1.5, 0, (nn_distance)distance);
        for (double t = 1e-2; t < 1e4; t *= 7)
            check_slope(&p, t);
        oracle_drop(&p);
    }
    oracle_problem tiled = oracle_make(1449, 4, 4, 1, 0, NN_EUCLIDEAN);
    check_slope(&tiled, 0.5);
    oracle_drop(&tiled);
}

/* The mean over usable points of log((b - 1) / (n - 1)): the loss where temperature makes all pairs alike. */
static double limit_of(const oracle_problem *p, int usable) {
    double limit = 0;
    for (int i = 0; i < p->count; i++) {
        int partners = -1;
        for (int j = 0; j < p->count; j++)
            partners += p->labels[j] == p->labels[i];
        limit += partners > 0 ? log((p->count - 1.0) / partners) / usable : 0;
    }
    return limit;
}

/* Not above any temperature of a dense grid, nor above the limit. */
static void check_optimum(const oracle_problem *p) {
    double *d = oracle_distances(p), mean = 0, lowest = INFINITY;
    int usable;
    for (int k = 0; k < p->count * p->count; k++)
        mean += d[k] / ((double)p->count * (p->count - 1));
    for (double octave = -40; octave <= 16; octave += 0.25)
        lowest = fmin(lowest, oracle_loss_of(p, d, mean * exp2(octave), &usable, NULL));
    for (int wide = 0; wide < 2; wide++) {
        nn_snnl_result best = oracle_measure(p, wide, 0, NULL);
        if (!(best.value <= lowest + 1e-6 * lowest + 1e-12))
            fail_msg("optimal: %.12g at T %g, but %.12g on a grid", best.value, best.temperature, lowest);
        assert_true(best.value <= limit_of(p, usable) * (1 + 1e-5));
        oracle_compare("value at the optimal T", oracle_loss_of(p, d, best.temperature, &usable, NULL),
                       best.value, 1e-5);
    }
    free(d);
}

static void optimal_is_the_minimum(void **state) {
    (void)state;
    const int sizes[][3] = {{4, 1, 2}, {20, 2, 2}, {50, 3, 4}, {100, 40, 10}};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (int apart = 0; apart < 4; apart++)
            for (int distance = 0; distance < 2; distance++) {
                oracle_problem p =
                    oracle_make(sizes[s][0], sizes[s][1], sizes[s][2], apart, 0, (nn_distance)distance);
                check_optimum(&p);
                oracle_drop(&p);
            }
}

/* A minimum inside the range is found to convergence: the slope of the formula there is 0. */
static void optimal_is_stationary(void **state) {
    (void)state;
    oracle_problem p = oracle_make(128, 10, 4, 1.5, 0, NN_EUCLIDEAN);
    nn_snnl_result best = oracle_measure(&p, true, 0, NULL);
    double t = best.temperature, h = 1e-3;
    assert_true(fabs(oracle_loss(&p, t * exp(h)) - oracle_loss(&p, t * exp(-h))) / (2 * h) < 1e-6);
    assert_true(oracle_loss(&p, t * 1.2) > best.value + 1e-5 && oracle_loss(&p, t / 1.2) > best.value + 1e-5);
    oracle_drop(&p);
}

static void optimal_has_no_scale(void **state) {
    (void)state;
    const double scales[] = {1e-12, 0.037, 3, 1024, 7e9};
    for (int s = 0; s < 5; s++) {
        oracle_problem p = oracle_make(90, 12, 5, 1.5, 0, NN_EUCLIDEAN);
        nn_snnl_result plain = oracle_measure(&p, true, 0, NULL),
                       plain32 = oracle_measure(&p, false, 0, NULL);
        for (int k = 0; k < 90 * 12; k++) {
            p.x[k] *= scales[s];
            p.x32[k] *= (float)scales[s];
        }
        nn_snnl_result scaled = oracle_measure(&p, true, 0, NULL),
                       scaled32 = oracle_measure(&p, false, 0, NULL);
        oracle_compare("scaled", scaled.value, plain.value, 1e-6);
        oracle_compare("scaled, single", scaled32.value, plain32.value, 1e-5);
        oracle_compare("temperature", scaled.temperature, plain.temperature * scales[s] * scales[s], 1e-3);
        oracle_drop(&p);
    }
}

/* --- invariance, threads, workspace, errors ------------------------------------------------------------- */

static void order_and_names_of_classes_do_not_matter(void **state) {
    (void)state;
    oracle_problem p = oracle_make(200, 9, 6, 1, 0, NN_COSINE);
    nn_snnl_result plain = oracle_measure(&p, true, 0.1, NULL);
    nn_stream stream = nn_stream_named(1, "permutation");
    for (int i = 199; i > 0; i--) {
        int j = (int)nn_random_below(&stream, (uint32_t)i + 1);
        int32_t label = p.labels[i];
        p.labels[i] = p.labels[j];
        p.labels[j] = label;
        for (int k = 0; k < 9; k++) {
            double x = p.x[i * 9 + k];
            p.x[i * 9 + k] = p.x[j * 9 + k];
            p.x[j * 9 + k] = x;
        }
    }
    for (int i = 0; i < 200; i++)
        p.labels[i] = -3 * p.labels[i] + 1000000;
    nn_snnl_result permuted = oracle_measure(&p, true, 0.1, NULL);
    oracle_compare("permuted", permuted.value, plain.value, 1e-6);
    assert_int_equal(permuted.usable, plain.usable);
    oracle_drop(&p);
}

static void same_bits_for_any_team(void **state) {
    (void)state;
    const int sizes[][2] = {{130, 2100}, {600, 40}, {2100, 6}};
    for (int s = 0; s < 3; s++) {
        oracle_problem p = oracle_make(sizes[s][0], sizes[s][1], 5, 1, 0, s == 1 ? NN_COSINE : NN_EUCLIDEAN);
        size_t bytes = sizeof(float) * p.count * p.dims;
        float *first = test_bytes(bytes), *dx = test_bytes(bytes);
        const int teams[] = {1, 2, 3, 7};
        nn_snnl_result expected = {0};
        for (int t = 0; t < 4; t++) {
            nn_threads_set(teams[t]);
            nn_snnl_result result = oracle_measure(&p, false, s == 2 ? 3 : 0, t == 0 ? first : dx);
            if (t == 0)
                expected = result;
            else
                test_same_bits("gradient", first, dx, bytes);
            assert_true(result.value == expected.value && result.temperature == expected.temperature);
        }
        nn_threads_set(0);
        free(first);
        free(dx);
        oracle_drop(&p);
    }
}

/* A batch may be smaller than the one that memory was made for. */
static void workspace_serves_fewer_points(void **state) {
    (void)state;
    for (int wide = 0; wide < 2; wide++) {
        size_t before = 0;
        for (int count = 1; count < 2600;
             count += count % 256 == 255 || count % 256 == 0 ? 1 : 15 - count % 16 + 1) {
            size_t bytes = nn_snnl_workspace(count, 5000, wide);
            if (bytes < before)
                fail_msg("%d points: %zu bytes, fewer points %zu", count, bytes, before);
            before = bytes;
        }
    }
    assert_true(nn_snnl_workspace(16384, 256, false) < (size_t)50 << 20);   /* no matrix of 16,384^2 floats */
    assert_true(nn_snnl_workspace(128, 1 << 20, false) < (size_t)16 << 20); /* no copy of the points */
}

static void bad_arguments_are_refused(void **state) {
    (void)state;
    oracle_problem p = oracle_make(10, 2, 2, 0, 0, NN_EUCLIDEAN);
    nn_snnl_points points = oracle_points(&p, true);
    nn_snnl_result result;
    nn_error error = {0};
    test_fails(nn_snnl_measure(&points, -1, &result, NULL, &error), NN_EARGUMENT, &error, "temperature -1");
    test_fails(nn_snnl_measure(&points, INFINITY, &result, NULL, &error), NN_EARGUMENT, &error,
               "temperature");
    test_fails(nn_snnl_measure(&points, NAN, &result, NULL, &error), NN_EARGUMENT, &error, "temperature");
    points.count = 0;
    test_fails(nn_snnl_measure(&points, 1, &result, NULL, &error), NN_ESHAPE, &error, "0 points");
    points.count = 10;
    p.x[7] = NAN;
    test_fails(nn_snnl_measure(&points, 1, &result, NULL, &error), NN_ENUMERIC, &error, "NaN");
    p.x[7] = 1e200;
    test_fails(nn_snnl_measure(&points, 1, &result, NULL, &error), NN_ENUMERIC, &error, "range");
    oracle_drop(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_match_the_formula),
        cmocka_unit_test(offset_points_keep_their_digits),
        cmocka_unit_test(near_pairs_keep_their_digits),
        cmocka_unit_test(tiny_losses_keep_their_digits),
        cmocka_unit_test(larger_sets_are_tiled),
        cmocka_unit_test(odd_classes),
        cmocka_unit_test(zero_points_are_at_cosine_distance_1),
        cmocka_unit_test(identical_points),
        cmocka_unit_test(parallel_points),
        cmocka_unit_test(extremes_are_finite),
        cmocka_unit_test(slopes_match_finite_differences),
        cmocka_unit_test(optimal_is_the_minimum),
        cmocka_unit_test(optimal_is_stationary),
        cmocka_unit_test(optimal_has_no_scale),
        cmocka_unit_test(order_and_names_of_classes_do_not_matter),
        cmocka_unit_test(same_bits_for_any_team),
        cmocka_unit_test(workspace_serves_fewer_points),
        cmocka_unit_test(bad_arguments_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
