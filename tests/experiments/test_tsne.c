/* t-SNE as a whole: gradient and divergence against their definitions, scikit-learn's results, and how it behaves. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/tsne/parts.h"
#include "experiments/tsne/tsne.h"
#include "framework/kernels/kernels.h"
#include "tests/support/support.h"

static exp_tsne_options options_of(int iterations, double perplexity, bool exact) {
    exp_tsne_options options = exp_tsne_defaults;
    options.iterations = iterations;
    options.perplexity = perplexity;
    options.exact_points = exact ? 100000 : 0;
    return options;
}

/* --- gradient ------------------------------------------------------------------------------------------- */

/* KL from the definition. */
static double divergence(int count, const float *p, const double *y) {
    double w_sum = 0, kl = 0;
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < count; i++)
            for (int j = 0; j < count; j++) {
                double u = y[2 * i] - y[2 * j], v = y[2 * i + 1] - y[2 * j + 1], w = 1 / (1 + u * u + v * v);
                if (j == i)
                    continue;
                if (pass == 0)
                    w_sum += w;
                else
                    kl += p[i * count + j] * log(p[i * count + j] / (w / w_sum));
            }
    return kl;
}

/* Symmetric, zero diagonal, sum 1. */
static float *some_affinities(int count) {
    float *p = test_zeros((size_t)count * (size_t)count),
          *noise = test_normal((size_t)count * (size_t)count, "p");
    double sum = 0;
    for (int i = 0; i < count; i++)
        for (int j = 0; j < i; j++)
            sum += 2 * (double)(p[i * count + j] = expf(2 * noise[i * count + j]));
    for (int i = 0; i < count; i++)
        for (int j = 0; j < i; j++)
            p[j * count + i] = p[i * count + j] = (float)(p[i * count + j] / sum);
    free(noise);
    return p;
}

/* Each derivative by Richardson's extrapolation of two central differences. */
static void the_gradient_is_that_of_the_divergence(void **state) {
    (void)state;
    enum { COUNT = 37 };
    static const double spreads[] = {1e-4, 1, 12}, step = 2e-3;
    float *p = some_affinities(COUNT), *noise = test_normal(2 * COUNT, "y");
    double y[2 * COUNT], gradient[2 * COUNT], kl;
    nn_error error = {0};
    for (int s = 0; s < 3; s++) {
        for (int k = 0; k < 2 * COUNT; k++)
            y[k] = spreads[s] * noise[k];
        test_ok(exp_tsne_gradient(COUNT, p, y, &kl, gradient, &error), &error);
        /* float affinities sum to 1 within their rounding only, and the divergence relies on it */
        assert_true(fabs(kl - divergence(COUNT, p, y)) < 1e-6);
        for (int k = 0; k < 2 * COUNT; k++) {
            double place = y[k], slope[2];
            for (int half = 0; half < 2; half++) {
                double h = step / (1 + half);
                y[k] = place + h;
                double above = divergence(COUNT, p, y);
                y[k] = place - h;
                slope[half] = (above - divergence(COUNT, p, y)) / (2 * h);
                y[k] = place;
            }
            double expected = (4 * slope[1] - slope[0]) / 3;
            if (!(fabs(gradient[k] - expected) < 2e-8))
                fail_msg("spread %g, derivative %d: %.12g, expected %.12g", spreads[s], k, gradient[k],
                         expected);
        }
    }
    free(p);
    free(noise);
}

/* --- results -------------------------------------------------------------------------------------------- */

static void read_digits(int count, float *x) {
    nn_npy digits;
    nn_error error = {0};
    test_ok(nn_npy_read("tests/golden/digits.npy", &digits, &error), &error);
    assert_true(digits.rank == 2 && digits.dims[0] == 1797 && digits.dims[1] == 64);
    for (size_t k = 0; k < (size_t)count * 64; k++)
        x[k] = (float)nn_npy_number(&digits, k);
    nn_npy_free(&digits);
}

/* The mean of scikit-learn's divergences over its starts. */
static double golden(const char *method, int points) {
    unsigned char *bytes;
    size_t size;
    nn_error error = {0};
    double sum = 0;
    int found = 0;
    test_ok(nn_file_read("tests/golden/sklearn_tsne.csv", 1 << 16, &bytes, &size, &error), &error);
    char *text = test_bytes(size + 1), *rest = NULL, start[64];
    memcpy(text, bytes, size);
    snprintf(start, sizeof start, "%s,%d,", method, points);
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        if (strncmp(line, start, strlen(start)) == 0) {
            sum += atof(strrchr(line, ',') + 1);
            found++;
        }
    free(bytes);
    free(text);
    assert_int_equal(found, 5);
    return sum / found;
}

static void no_worse_than_scikit_learn(void **state) {
    (void)state;
    static const struct {
        const char *method;
        int points;
        exp_tsne_start start;
    } cases[] = {{"exact", 600, EXP_TSNE_PRINCIPAL},
                 {"exact", 600, EXP_TSNE_RANDOM},
                 {"exact", 1797, EXP_TSNE_PRINCIPAL},
                 {"barnes_hut", 600, EXP_TSNE_RANDOM},
                 {"barnes_hut", 1797, EXP_TSNE_PRINCIPAL}};
    float *x = test_zeros(1797 * 64);
    double *y = test_bytes(2 * 1797 * sizeof *y), kl;
    nn_error error = {0};
    read_digits(1797, x);
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        exp_tsne_options options = options_of(1000, 30, strcmp(cases[k].method, "exact") == 0);
        options.start = cases[k].start;
        options.seed = 3;
        test_ok(exp_tsne(&options, cases[k].points, 64, x, y, &kl, &error), &error);
        double theirs = golden(cases[k].method, cases[k].points);
        if (!(kl <= 1.05 * theirs && kl >= 0.9 * theirs)) /* much better would be another quantity */
            fail_msg("%s, %d digits: KL %.4f, scikit-learn's %.4f", cases[k].method, cases[k].points, kl,
                     theirs);
    }
    free(x);
    free(y);
}

/* Three groups, far apart: each point's nearest one in the plane is of its group. */
static void groups_stay_groups(void **state) {
    (void)state;
    enum { COUNT = 240, DIMS = 8 };
    float *x = test_normal(COUNT * DIMS, "groups");
    double y[2 * COUNT], kl;
    nn_error error = {0};
    for (int i = 0; i < COUNT; i++)
        x[i * DIMS + i % 3] += 15;
    for (int exact = 0; exact < 2; exact++)
        for (int start = 0; start < 2; start++) {
            exp_tsne_options options = options_of(400, 15, exact);
            options.start = (exp_tsne_start)start;
            test_ok(exp_tsne(&options, COUNT, DIMS, x, y, &kl, &error), &error);
            for (int i = 0; i < COUNT; i++) {
                double inside = INFINITY, outside = INFINITY;
                for (int j = 0; j < COUNT; j++) {
                    double *best = j % 3 == i % 3 ? &inside : &outside;
                    if (j != i)
                        *best = fmin(*best, hypot(y[2 * i] - y[2 * j], y[2 * i + 1] - y[2 * j + 1]));
                }
                assert_true(2 * inside < outside);
            }
        }
    free(x);
}

/* The divergence that is reported is that of the result, and the result is centred. The perplexity makes all others
 * neighbours and theta opens every cell, so that Barnes-Hut too computes what is defined. */
static void reports_the_divergence_of_the_result(void **state) {
    (void)state;
    enum { COUNT = 61, DIMS = 5 };
    float *x = test_normal(COUNT * DIMS, "reported"), *p = test_zeros(COUNT * COUNT);
    double y[2][2 * COUNT], kl;
    nn_error error = {0};
    test_ok(exp_tsne_distances(COUNT, DIMS, x, NULL, p, &error), &error);
    test_ok(exp_tsne_dense(COUNT, p, 20, &error), &error);
    for (int iterations = 1; iterations < 400; iterations += 350) {
        for (int exact = 0; exact < 2; exact++) {
            double mean[2] = {0};
            exp_tsne_options options = options_of(iterations, 20, exact);
            options.theta = 1e-9;
            test_ok(exp_tsne(&options, COUNT, DIMS, x, y[exact], &kl, &error), &error);
            assert_true(fabs(kl - divergence(COUNT, p, y[exact])) < 1e-6);
            for (int k = 0; k < 2 * COUNT; k++)
                mean[k % 2] += y[exact][k] / COUNT;
            assert_true(fabs(mean[0]) < 1e-9 && fabs(mean[1]) < 1e-9);
        }
        for (int k = 0; iterations == 1 && k < 2 * COUNT; k++)
            assert_true(fabs(y[0][k] - y[1][k]) < 1e-6); /* later the orders of sums part them */
    }
    free(x);
    free(p);
}

/* --- odd points ----------------------------------------------------------------------------------------- */

static void embed_finite(const char *what, int count, int dims, const float *x, bool exact) {
    double *y = test_bytes(2 * (size_t)count * sizeof *y), kl, size = 0;
    exp_tsne_options options = options_of(300, 10, exact);
    nn_error error = {0};
    test_ok(exp_tsne(&options, count, dims, x, y, &kl, &error), &error);
    for (int k = 0; k < 2 * count; k++)
        size = fmax(size, fabs(y[k]));
    if (!(isfinite(kl) && size > 1e-3 && size < 1e4))
        fail_msg("%s: KL %g, coordinates up to %g", what, kl, size);
    free(y);
}

static void odd_points_are_fine(void **state) {
    (void)state;
    enum { COUNT = 120, DIMS = 4 };
    float *noise = test_normal(COUNT * DIMS, "odd"), *x = test_zeros(COUNT * DIMS);
    for (int exact = 0; exact < 2; exact++) {
        for (int k = 0; k < COUNT * DIMS; k++)
            x[k] = 7;
        embed_finite("identical", COUNT, DIMS, x, exact);
        for (int k = 0; k < COUNT * DIMS; k++)
            x[k] = noise[k % (COUNT / 6 * DIMS)];
        embed_finite("six of each", COUNT, DIMS, x, exact);
        for (int k = 0; k < COUNT * DIMS; k++)
            x[k] = noise[k % (5 * DIMS)];
        embed_finite("24 of each", COUNT, DIMS, x, exact);
        embed_finite("one dimension", COUNT, 1, noise, exact);
        for (int k = 0; k < COUNT * DIMS; k++)
            x[k] = 1e30f * noise[k];
        embed_finite("huge", COUNT, DIMS, x, exact);
        for (int k = 0; k < COUNT * DIMS; k++)
            x[k] = 1e-30f * noise[k];
        embed_finite("tiny", COUNT, DIMS, x, exact);
        x[5] = 1e30f;
        embed_finite("one far away", COUNT, DIMS, x, exact);
    }
    free(noise);
    free(x);
}

/* Scaling the points changes nothing. */
static void units_do_not_matter(void **state) {
    (void)state;
    enum { COUNT = 100, DIMS = 6 };
    float *x = test_normal(COUNT * DIMS, "units");
    double y[2 * COUNT], other[2 * COUNT], kl;
    nn_error error = {0};
    for (int exact = 0; exact < 2; exact++) {
        exp_tsne_options options = options_of(200, 12, exact);
        test_ok(exp_tsne(&options, COUNT, DIMS, x, y, &kl, &error), &error);
        for (int k = 0; k < COUNT * DIMS; k++)
            x[k] *= 0x1p40f;
        test_ok(exp_tsne(&options, COUNT, DIMS, x, other, &kl, &error), &error);
        for (int k = 0; k < COUNT * DIMS; k++)
            x[k] *= 0x1p-40f;
        for (int k = 0; k < 2 * COUNT; k++)
            assert_true(fabs(y[k] - other[k]) < 1e-3 * (1 + fabs(y[k])));
    }
    free(x);
}

/* --- behaviour ------------------------------------------------------------------------------------------ */

static void threads_do_not_matter(void **state) {
    (void)state;
    enum { COUNT = 700, DIMS = 20 };
    static const int threads[] = {1, 2, 7, 1};
    float *x = test_normal(COUNT * DIMS, "threads");
    double first[2 * COUNT], y[2 * COUNT], first_kl, kl;
    nn_error error = {0};
    for (int exact = 0; exact < 2; exact++)
        for (int start = 0; start < 2; start++)
            for (int t = 0; t < 4; t++) {
                exp_tsne_options options = options_of(40, 20, exact);
                options.start = (exp_tsne_start)start;
                options.seed = 9;
                nn_threads_set(threads[t]);
                test_ok(exp_tsne(&options, COUNT, DIMS, x, t ? y : first, t ? &kl : &first_kl, &error),
                        &error);
                if (t) {
                    test_same_bits("coordinates", y, first, sizeof y);
                    test_same_bits("divergence", &kl, &first_kl, sizeof kl);
                }
            }
    nn_threads_set(0);
    free(x);
}

static void seeds_matter_to_random_starts_only(void **state) {
    (void)state;
    enum { COUNT = 50, DIMS = 3 };
    float *x = test_normal(COUNT * DIMS, "seeds");
    double y[2][2 * COUNT], kl;
    nn_error error = {0};
    for (int start = 0; start < 2; start++) {
        for (int seed = 0; seed < 2; seed++) {
            exp_tsne_options options = options_of(10, 5, true);
            options.start = (exp_tsne_start)start;
            options.seed = (uint64_t)seed;
            test_ok(exp_tsne(&options, COUNT, DIMS, x, y[seed], &kl, &error), &error);
        }
        assert_true((memcmp(y[0], y[1], sizeof y[0]) == 0) == (start == EXP_TSNE_PRINCIPAL));
    }
    free(x);
}

typedef struct log {
    int calls, iterations[20], stop_at;
    double kl;
    volatile sig_atomic_t stop;
} log_t;

static void take_report(void *context, int iterations, double kl) {
    log_t *log = context;
    log->iterations[log->calls++] = iterations;
    log->kl = kl;
    if (iterations == log->stop_at)
        log->stop = 1;
}

static void reports_and_stops(void **state) {
    (void)state;
    enum { COUNT = 40 };
    float *x = test_normal(COUNT * 2, "stops");
    double y[2 * COUNT], kl;
    nn_error error = {0};
    log_t log = {.stop_at = -1};
    exp_tsne_options options = options_of(25, 5, true);
    options.report = take_report;
    options.context = &log;
    options.report_every = 10;
    options.stop = &log.stop;
    test_ok(exp_tsne(&options, COUNT, 2, x, y, &kl, &error), &error);
    assert_true(log.calls == 3 && log.iterations[0] == 10 && log.iterations[1] == 20 &&
                log.iterations[2] == 25);
    assert_true(kl == log.kl);
    log = (log_t){.stop_at = 10}; /* one more iteration, and the last report */
    options.iterations = 1000000000;
    test_ok(exp_tsne(&options, COUNT, 2, x, y, &kl, &error), &error);
    assert_true(log.calls == 2 && log.iterations[0] == 10 && log.iterations[1] <= 11);
    assert_true(isfinite(kl) && kl == log.kl);
    for (int exact = 0; exact < 2; exact++) {
        log = (log_t){.stop = 1};
        options.exact_points = exact ? COUNT : 0;
        test_ok(exp_tsne(&options, COUNT, 2, x, y, &kl, &error), &error);
        assert_true(log.calls == 0 && isnan(kl));
    }
    free(x);
}

static void refuses(exp_tsne_options options, int count, const float *x, nn_status status, const char *part) {
    double y[2 * 50], kl;
    nn_error error = {0};
    test_fails(exp_tsne(&options, count, 2, x, y, &kl, &error), status, &error, part);
}

static void bad_input_is_refused(void **state) {
    (void)state;
    float *x = test_normal(100, "refused");
    exp_tsne_options good = options_of(10, 5, true), bad = good;
    refuses(good, 3, x, NN_EARGUMENT, "3 points of 2 dimensions");
    bad.perplexity = 30;
    refuses(bad, 50, x, NN_EARGUMENT,
            "a perplexity of 30 needs at least 91 points; the largest possible one for 50 points is 16.33");
    assert_true(exp_tsne_largest_perplexity(91) == 30);
    bad.perplexity = 0.5;
    refuses(bad, 50, x, NN_EARGUMENT, "at least 1");
    bad.perplexity = NAN;
    refuses(bad, 50, x, NN_EARGUMENT, "at least 1");
    bad = good;
    bad.theta = 1.5;
    refuses(bad, 50, x, NN_EARGUMENT, "theta of 1.5");
    bad = good;
    bad.iterations = 0;
    refuses(bad, 50, x, NN_EARGUMENT, "iterations");
    bad = good;
    bad.rate = 1e200;
    bad.iterations = 50;
    refuses(bad, 50, x, NN_ENUMERIC, "lower the learning rate");
    x[7] = NAN;
    refuses(good, 50, x, NN_ENUMERIC, "point 3 has a feature that is NaN");
    x[7] = INFINITY;
    refuses(good, 50, x, NN_ENUMERIC, "point 3 has a feature that is infinite");
    free(x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_gradient_is_that_of_the_divergence),
        cmocka_unit_test(no_worse_than_scikit_learn),
        cmocka_unit_test(groups_stay_groups),
        cmocka_unit_test(reports_the_divergence_of_the_result),
        cmocka_unit_test(odd_points_are_fine),
        cmocka_unit_test(units_do_not_matter),
        cmocka_unit_test(threads_do_not_matter),
        cmocka_unit_test(seeds_matter_to_random_starts_only),
        cmocka_unit_test(reports_and_stops),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
