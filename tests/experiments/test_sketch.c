/* Sketches of points: never farther apart than the points, and not much nearer where these are near to few dimensions. */
#include <math.h>
#include <stdlib.h>

#include "experiments/knn/sketch.h"
#include "framework/kernels/kernels.h"
#include "tests/support/support.h"

enum { COUNT = 1100, DIMS = 1000, GROUP = 4 * EXP_SKETCH_CHUNK };

/* A point's coordinates from its panels. */
static void read_point(const exp_panels *panels, int i, double *x) {
    int panel = nn_kernels_active()->point->panel;
    for (int k = 0; k < panels->dims; k++)
        x[k] =
            exp_panels_point(panels, i)[(size_t)(k / panel) * exp_panels_step(panels) + (size_t)(k % panel)];
}

static double distance(int dims, const double *x, const double *y) {
    double sum = 0;
    for (int k = 0; k < dims; k++)
        sum += (x[k] - y[k]) * (x[k] - y[k]);
    return sqrt(sum);
}

/* What distances of images, less the slack, tell of the points' own, on average; they must not tell of more. */
static double told(const exp_panels *points, const exp_panels *images, const float *slack) {
    double a[DIMS + 64], b[DIMS + 64], p[EXP_SKETCH_DIMS], q[EXP_SKETCH_DIMS];
    double sum = 0;
    int pairs = 0;
    for (int i = 0; i < COUNT; i++)
        for (int j = i + 1; j < COUNT; j += j < i + 10 ? 1 : 97) {
            read_point(points, i, a), read_point(points, j, b);
            read_point(images, i, p), read_point(images, j, q);
            double own = distance(points->dims, a, b);
            double bound = distance(EXP_SKETCH_DIMS, p, q) - slack[i] - slack[j];
            if (bound > own)
                fail_msg("points %d and %d are %.9g apart, and not %.9g at least", i, j, own, bound);
            if (own > 0) {
                sum += bound / own;
                pairs++;
            }
        }
    return pairs ? sum / pairs : 0;
}

/* The same of x, [COUNT][DIMS]; checks that lengths stay, too. */
static double sketch(const float *x, double scale) {
    exp_panels points, images;
    exp_sketch made = {{0}};
    double *mean = test_bytes(DIMS * sizeof *mean);
    float *slack = test_zeros(COUNT);
    for (int k = 0; k < DIMS; k++)
        mean[k] = 0;
    assert_true(exp_panels_new(&points, COUNT, DIMS, GROUP));
    assert_true(exp_panels_new(&images, COUNT, EXP_SKETCH_DIMS, GROUP));
    exp_panels_center(&points, COUNT, DIMS, x, mean, scale);
    assert_true(exp_sketch_new(&made, &points, COUNT));
    exp_sketch_make(&made, &points, COUNT, &images, slack);
    for (int i = 0; i < COUNT; i++)
        assert_true(fabs(images.norm[i] - points.norm[i]) <= 1e-3 * points.norm[i]);
    double share = told(&points, &images, slack);
    exp_sketch_free(&made);
    exp_panels_free(&points), exp_panels_free(&images);
    free(mean), free(slack);
    return share;
}

/* `rank` dimensions, and noise in all of them, of three sizes; of ten points one is the one before, and one twice that. */
static float *points_near(int rank, float noise) {
    float *x = test_normal(COUNT * DIMS, "noise"), *basis = test_normal((size_t)rank * DIMS, "basis");
    float *place = test_normal((size_t)COUNT * (size_t)rank, "place");
    for (int i = 0; i < COUNT; i++)
        for (int k = 0; k < DIMS; k++) {
            double sum = noise * (1 + i % 3) * x[i * DIMS + k];
            for (int r = 0; r < rank; r++)
                sum += (double)place[i * rank + r] * basis[r * DIMS + k];
            x[i * DIMS + k] = i % 10 == 8   ? x[(i - 1) * DIMS + k]
                              : i % 10 == 9 ? 2 * x[(i - 1) * DIMS + k]
                                            : (float)sum;
        }
    free(basis), free(place);
    return x;
}

static void images_bound_distances(void **state) {
    (void)state;
    static const struct {
        int rank;
        float noise;
        double least; /* what the bounds must tell of the distances, on average */
    } kinds[] = {{3, 0, 0.9}, {20, 0.01f, 0.9}, {300, 0, 0.9}, {100, 1, 0.8}, {1, 100, 0.3}};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        float *x = points_near(kinds[k].rank, kinds[k].noise);
        double share = sketch(x, 0.25);
        if (!(share >= kinds[k].least))
            fail_msg("kind %zu: the bounds are %.4f of the distances", k, share);
        free(x);
    }
}

static void zeros_have_images_too(void **state) {
    (void)state;
    float *x = test_zeros(COUNT * DIMS);
    assert_true(sketch(x, 1) <= 1);
    x[5 * DIMS + 7] = 1;
    assert_true(sketch(x, 1) <= 1);
    free(x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_bound_distances),
        cmocka_unit_test(zeros_have_images_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
