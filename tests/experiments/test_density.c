/* density.c and scores.c against their formulas in double precision, pair by pair, and on cases whose answer is known. */
#include "experiments/outliers/density.h"
#include "experiments/outliers/scores.h"
#include "framework/kernels/kernels.h"
#include "tests/support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void near(const char *what, double actual, double expected, double tolerance) {
    if (actual != expected && !(fabs(actual - expected) <= tolerance * fmax(1, fabs(expected))))
        fail_msg("%s: %.17g, expected %.17g", what, actual, expected);
}

/* --- densities ------------------------------------------------------------------------------------------ */

typedef struct problem {
    int queries, points, dims, classes;
    float *x, *reference;
    unsigned char *labels;
} problem;

/* Groups around their classes' centers, which are `apart` from each other and far from the origin. The last class has no
 * point. */
static problem make(int queries, int points, int dims, int classes, float apart, float offset) {
    problem p = {queries,
                 points,
                 dims,
                 classes,
                 test_normal((size_t)(queries * dims), "queries"),
                 test_normal((size_t)(points * dims), "reference"),
                 test_bytes((size_t)points)};
    for (int j = 0; j < points; j++) {
        p.labels[j] = (unsigned char)(j * 7 % 13 % (classes - 1));
        for (int k = 0; k < dims; k++)
            p.reference[j * dims + k] += offset + apart * (float)(k % (classes - 1) == p.labels[j]);
    }
    for (int i = 0; i < queries; i++)
        for (int k = 0; k < dims; k++)
            p.x[i * dims + k] += offset + apart * (float)(k % (classes - 1) == i % (classes - 1));
    if (queries > 2 && points > 5) /* the same point, and one that is nearly the same */
        for (int k = 0; k < dims; k++) {
            p.x[k] = p.reference[5 * dims + k];
            p.x[dims + k] = p.reference[3 * dims + k] * (1 + 0x1p-20f);
        }
    return p;
}

static void drop(problem *p) {
    free(p->x);
    free(p->reference);
    free(p->labels);
}

/* Computed in blocks of `block` points. */
static double *densities(const problem *p, double temperature, int block) {
    exp_density_options options = {
        .queries = p->queries, .dims = p->dims, .classes = p->classes, .x = p->x, .temperature = temperature};
    exp_density *density;
    nn_error error = {0};
    double *sums = test_bytes((size_t)(p->queries * p->classes) * sizeof *sums);
    test_ok(exp_density_new(&density, &options, &error), &error);
    for (int first = 0; first < p->points; first += block)
        test_ok(exp_density_add(density, p->points - first < block ? p->points - first : block,
                                p->reference + first * p->dims, p->labels + first, &error),
                &error);
    exp_density_take(density, sums);
    exp_density_free(density);
    return sums;
}

static double distance(const problem *p, int i, int j) {
    double sum = 0;
    for (int k = 0; k < p->dims; k++)
        sum += pow((double)p->x[i * p->dims + k] - p->reference[j * p->dims + k], 2);
    return sum;
}

static double naive(const problem *p, double temperature, int i, int class) {
    double least = INFINITY, sum = 0;
    for (int j = 0; j < p->points; j++)
        if (p->labels[j] == class)
            least = fmin(least, distance(p, i, j));
    for (int j = 0; j < p->points; j++)
        if (p->labels[j] == class)
            sum += exp((least - distance(p, i, j)) / temperature);
    return sum > 0 ? log(sum) - least / temperature : -INFINITY;
}

static void compare(const problem *p, double temperature, int block) {
    double *sums = densities(p, temperature, block);
    for (int i = 0; i < p->queries; i++)
        for (int c = 0; c < p->classes; c++)
            near("log S", sums[i * p->classes + c], naive(p, temperature, i, c), 2e-5);
    free(sums);
}

static void as_by_the_formula(void **state) {
    (void)state;
    static const int sizes[][3] = {{1, 1, 1}, {3, 7, 2}, {9, 40, 300}, {300, 70, 5}, {5, 1100, 9}};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
        for (int far = 0; far < 2; far++) {
            problem p = make(sizes[k][0], sizes[k][1], sizes[k][2], 4, far ? 6 : 0.5f, far ? 100 : 0);
            compare(&p, 2 * p.dims, 2048);
            compare(&p, 0.3, 17);
            drop(&p);
        }
}

/* Temperatures at which all is one point's doing, or everyone's alike. */
static void extreme_temperatures(void **state) {
    (void)state;
    problem p = make(6, 50, 3, 3, 2, 0);
    compare(&p, 1e-6, 50);
    compare(&p, 1e9, 50);
    double *sums = densities(&p, 1e9, 50);
    near("number of points", exp(exp_score_density(sums, 3)), 50, 1e-5);
    free(sums);
    drop(&p);
}

static void threads_do_not_matter(void **state) {
    (void)state;
    problem p = make(300, 1500, 20, 5, 2, 3);
    int before = nn_threads();
    nn_threads_set(1);
    double *one = densities(&p, 10, 1500);
    nn_threads_set(3);
    double *three = densities(&p, 10, 1500);
    nn_threads_set(before);
    test_same_bits("densities", one, three, (size_t)(p.queries * p.classes) * sizeof *one);
    free(one);
    free(three);
    drop(&p);
}

static void refused(void **state) {
    (void)state;
    float x[4] = {0, 1, NAN, 2};
    unsigned char labels[2] = {0, 0};
    exp_density *density;
    nn_error error = {0};
    exp_density_options options = {.queries = 2, .dims = 2, .classes = 1, .x = x, .temperature = 1};
    test_fails(exp_density_new(&density, &options, &error), NN_ENUMERIC, &error, "row 1 of the points");
    options.queries = 1;
    options.temperature = 0;
    test_fails(exp_density_new(&density, &options, &error), NN_EARGUMENT, &error, "a temperature of 0");
    options.temperature = 1;
    test_ok(exp_density_new(&density, &options, &error), &error);
    test_fails(exp_density_add(density, 2, x, labels, &error), NN_ENUMERIC, &error, "row 1 of the points");
    exp_density_free(density);
}

/* --- scores --------------------------------------------------------------------------------------------- */

static void from_logits(void **state) {
    (void)state;
    const float logits[] = {1, 3, -2, 3}, sure[] = {0, 200, 0}, large[] = {1e30f, -1e30f}, one[] = {7};
    double sum = exp(1) + 2 * exp(3) + exp(-2);
    near("softmax", exp_score_log_softmax(logits, 4), log(exp(3) / sum), 1e-14);
    near("energy", exp_score_energy(logits, 4), log(sum), 1e-14);
    near("softmax", exp_score_log_softmax(sure, 3) / (-2 * exp(-200)), 1, 1e-12);
    near("energy", exp_score_energy(sure, 3), 200, 1e-14);
    near("softmax", exp_score_log_softmax(large, 2), 0, 0);
    near("energy", exp_score_energy(large, 2), 1e30f, 1e-14);
    near("softmax", exp_score_log_softmax(one, 1), 0, 0);
    near("energy", exp_score_energy(one, 1), 7, 1e-14);
}

static void from_densities(void **state) {
    (void)state;
    const double sums[] = {log(1), log(6), -INFINITY, log(3)}, none[] = {-INFINITY, -INFINITY},
                 far[] = {-1000, -2000};
    near("density", exp_score_density(sums, 4), log(10), 1e-14);
    near("agreement", exp_score_agreement(sums, 4, 1), log(0.6), 1e-14);
    near("agreement", exp_score_agreement(sums, 4, 0), log(0.1), 1e-14);
    near("agreement", exp_score_agreement(sums, 4, 2), -INFINITY, 0);
    near("density", exp_score_density(none, 2), -INFINITY, 0);
    near("agreement", exp_score_agreement(none, 2, 0), -INFINITY, 0);
    near("density", exp_score_density(far, 2), -1000, 1e-14);
    near("agreement", exp_score_agreement(far, 2, 0), 0, 0);
    near("agreement", exp_score_agreement(far, 2, 1), -1000, 1e-14);
    const double only[] = {log(2), -INFINITY};
    near("agreement", exp_score_agreement(only, 2, 0), 0, 0);
}

/* The agreement of a point with a set is minus the loss of that point in the set and itself, by the framework's loss: of
 * two points of which the second has no partner but the first. */
static void agreement_is_the_loss(void **state) {
    (void)state;
    enum { POINTS = 30, DIMS = 4 };
    float *x = test_normal((POINTS + 1) * DIMS, "points");
    unsigned char labels[POINTS];
    int32_t all[POINTS + 1] = {0};
    nn_error error = {0};
    for (int j = 0; j < POINTS; j++) /* one of class 0, the others alone: only it and the query are usable */
        all[j + 1] = labels[j] = (unsigned char)j;
    nn_snnl_points points = {.count = POINTS + 1, .dims = DIMS, .x32 = x, .labels = all};
    nn_snnl_result result;
    test_ok(nn_snnl_measure(&points, 3, &result, NULL, &error), &error);
    assert_int_equal(result.usable, 2);
    double loss = 0, sums[POINTS];
    for (int side = 0; side < 2; side++) { /* the query, then its partner as the query */
        float reference[POINTS * DIMS];
        memcpy(reference, x + DIMS, sizeof reference);
        if (side == 1)
            memcpy(reference, x, DIMS * sizeof *x);
        problem p = {1, POINTS, DIMS, POINTS, x + side * DIMS, reference, labels};
        double *found = densities(&p, 3, POINTS);
        memcpy(sums, found, sizeof sums);
        free(found);
        loss -= exp_score_agreement(sums, POINTS, 0) / 2;
    }
    near("loss", loss, result.value, 1e-5);
    free(x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_by_the_formula),     cmocka_unit_test(extreme_temperatures),
        cmocka_unit_test(threads_do_not_matter), cmocka_unit_test(refused),
        cmocka_unit_test(from_logits),           cmocka_unit_test(from_densities),
        cmocka_unit_test(agreement_is_the_loss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
