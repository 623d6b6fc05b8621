/* The search for nearest neighbours against a naive one in double precision. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/knn/knn.h"
#include "framework/kernels/kernels.h"
#include "tests/support/support.h"

typedef struct pair {
    double distance;
    int32_t index;
} pair;

typedef struct problem {
    const char *what;
    int queries, count, dims, nearest;
    const float *x, *points;
    bool among;
    int every; /* so many queries from one that is compared to the next; 0: all */
} problem;

static int by_distance(const void *a, const void *b) {
    const pair *p = a, *q = b;
    if (p->distance != q->distance)
        return p->distance < q->distance ? -1 : 1;
    return p->index - q->index;
}

static double naive_distance(int dims, const float *x, const float *y) {
    double sum = 0;
    for (int k = 0; k < dims; k++)
        sum += ((double)x[k] - y[k]) * ((double)x[k] - y[k]);
    return sum;
}

/* The points in blocks of so many. */
static void search(const problem *p, int block, int32_t *index, double *distance) {
    nn_error error = {0};
    exp_knn *knn;
    exp_knn_options options = {
        .queries = p->queries, .dims = p->dims, .nearest = p->nearest, .x = p->x, .among = p->among};
    test_ok(exp_knn_new(&knn, &options, &error), &error);
    for (int first = 0; first < p->count; first += block)
        test_ok(exp_knn_add(knn, p->count - first < block ? p->count - first : block,
                            p->points + (size_t)first * (size_t)p->dims, &error),
                &error);
    exp_knn_take(knn, index, distance);
    exp_knn_free(knn);
}

/* Neighbours are those of the naive search, but for such that double precision cannot order. */
static void expect_neighbors(const problem *p, int block) {
    size_t entries = (size_t)p->queries * (size_t)p->nearest;
    int32_t *index = test_bytes(entries * sizeof *index);
    double *distance = test_bytes(entries * sizeof *distance);
    pair *all = test_bytes((size_t)p->count * sizeof *all);
    search(p, block, index, distance);
    for (int i = 0; i < p->queries; i += p->every ? p->every : 1) {
        int others = 0;
        const float *x = p->x + (size_t)i * (size_t)p->dims;
        for (int j = 0; j < p->count; j++)
            if (!(p->among && i == j))
                all[others++] =
                    (pair){naive_distance(p->dims, x, p->points + (size_t)j * (size_t)p->dims), j};
        qsort(all, (size_t)others, sizeof *all, by_distance);
        for (int k = 0; k < p->nearest && k < others; k++) {
            size_t place = (size_t)i * (size_t)p->nearest + (size_t)k;
            double least = 1e-13 * all[k].distance;
            if (fabs(distance[place] - all[k].distance) > least)
                fail_msg("%s: distance %d of %d is %.17g, not %.17g", p->what, k, i, distance[place],
                         all[k].distance);
            double actual = naive_distance(p->dims, x, p->points + (size_t)index[place] * (size_t)p->dims);
            if (index[place] != all[k].index && fabs(actual - all[k].distance) > least)
                fail_msg("%s: neighbour %d of %d is %d, not %d", p->what, k, i, index[place], all[k].index);
            if (index[place] != all[k].index && actual == all[k].distance)
                fail_msg("%s: neighbour %d of %d is %d, equally far as %d", p->what, k, i, index[place],
                         all[k].index);
        }
    }
    free(index), free(distance), free(all);
}

/* --- sizes ---------------------------------------------------------------------------------------------- */

/* Around the edges of products (128 x 256 x 256) and of blocks (2,048). */
static void random_points_over_all_edges(void **state) {
    (void)state;
    float *x = test_normal(300 * 600, "queries"), *points = test_normal(2500 * 600, "points");
    static const int sizes[][4] = {{1, 1, 1, 1},        {2, 3, 5, 3},       {127, 255, 31, 7},
                                   {128, 256, 32, 8},   {129, 257, 33, 75}, {130, 2049, 7, 40},
                                   {20, 513, 255, 5},   {20, 300, 256, 5},  {20, 300, 257, 5},
                                   {257, 2500, 10, 75}, {9, 700, 600, 700}};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        problem p = {.what = "random",
                     .queries = sizes[k][0],
                     .count = sizes[k][1],
                     .dims = sizes[k][2],
                     .nearest = sizes[k][3],
                     .x = x,
                     .points = points};
        expect_neighbors(&p, p.count);
    }
    free(x), free(points);
}

static void blocks_do_not_matter(void **state) {
    (void)state;
    enum { QUERIES = 150, COUNT = 700, DIMS = 12, NEAREST = 20 };
    float *x = test_normal(QUERIES * DIMS, "queries"), *points = test_normal(COUNT * DIMS, "points");
    problem p = {"blocks", QUERIES, COUNT, DIMS, NEAREST, x, points, false, 0};
    int32_t whole[QUERIES * NEAREST], parts[QUERIES * NEAREST];
    double near[QUERIES * NEAREST], also[QUERIES * NEAREST];
    search(&p, COUNT, whole, near);
    static const int blocks[] = {1, 19, 256, 699};
    for (int k = 0; k < 4; k++) {
        search(&p, blocks[k], parts, also);
        test_same_bits("neighbours", whole, parts, sizeof whole);
        test_same_bits("distances", near, also, sizeof near);
    }
    free(x), free(points);
}

static void threads_do_not_matter(void **state) {
    (void)state;
    enum { QUERIES = 400, COUNT = 900, DIMS = 50, NEAREST = 30 };
    float *x = test_normal(QUERIES * DIMS, "queries"), *points = test_normal(COUNT * DIMS, "points");
    problem p = {"threads", QUERIES, COUNT, DIMS, NEAREST, x, points, false, 0};
    int32_t one[QUERIES * NEAREST], many[QUERIES * NEAREST];
    double near[QUERIES * NEAREST], also[QUERIES * NEAREST];
    int before = nn_threads();
    nn_threads_set(1);
    search(&p, COUNT, one, near);
    static const int threads[] = {2, 7};
    for (int k = 0; k < 2; k++) {
        nn_threads_set(threads[k]);
        search(&p, COUNT, many, also);
        test_same_bits("neighbours", one, many, sizeof one);
        test_same_bits("distances", near, also, sizeof near);
    }
    nn_threads_set(before);
    free(x), free(points);
}

/* --- what single precision cannot tell ------------------------------------------------------------------ */

static void ties_go_by_index(void **state) {
    (void)state;
    enum { SIDE = 18, COUNT = SIDE * SIDE * 3 };
    float *x = test_zeros(COUNT * 3);
    for (int i = 0; i < COUNT; i++) { /* a lattice, each place three times */
        x[3 * i] = (float)(i % SIDE);
        x[3 * i + 1] = (float)(i / SIDE % SIDE);
        x[3 * i + 2] = (float)(i % 2);
    }
    problem p = {"lattice", COUNT, COUNT, 3, 33, x, x, true, 0};
    expect_neighbors(&p, COUNT);
    p.queries = 300;
    p.among = false;
    expect_neighbors(&p, 100);
    memset(x, 0, COUNT * 3 * sizeof *x);
    p.what = "one place";
    expect_neighbors(&p, 250);
    free(x);
}

/* Points so near to each other, so far from the origin, or so far apart that products of single precision lose what
 * decides, or their range. */
static void hard_places(void **state) {
    (void)state;
    enum { COUNT = 400, DIMS = 40 };
    float *noise = test_normal(COUNT * DIMS, "noise"), *x = test_zeros(COUNT * DIMS);
    static const float scales[] = {1e-3f, 1e-22f, 1e-30f, 1, 1e16f},
                       offsets[] = {100, 0, 1e-30f, 1e-16f, 1e20f};
    for (int s = 0; s < 5; s++) {
        for (int k = 0; k < COUNT * DIMS; k++)
            x[k] = scales[s] * noise[k] + offsets[s];
        expect_neighbors(&(problem){"scaled", COUNT, COUNT, DIMS, 9, x, x, true, 0}, COUNT);
    }
    for (int i = 0; i < COUNT; i++)
        for (int k = 0; k < DIMS; k++)
            x[i * DIMS + k] = (i < 50 ? 1 : i % 2 ? 1e30f : 1e-30f) * noise[i * DIMS + k];
    expect_neighbors(&(problem){"beyond the range", 50, COUNT, DIMS, 300, x, x, false, 0}, COUNT);
    for (int i = 0; i < COUNT; i++) { /* on the unit sphere, nearly one direction */
        double square = 0;
        for (int k = 0; k < DIMS; k++) {
            x[i * DIMS + k] = (k == 0) + 1e-4f * noise[i * DIMS + k];
            square += (double)x[i * DIMS + k] * x[i * DIMS + k];
        }
        for (int k = 0; k < DIMS; k++)
            x[i * DIMS + k] = (float)(x[i * DIMS + k] / sqrt(square));
    }
    expect_neighbors(&(problem){"directions", 100, COUNT, DIMS, 20, x, x, false, 0}, 64);
    free(noise), free(x);
}

/* --- sketches ------------------------------------------------------------------------------------------- */

/* So many queries and dimensions that sketches rule points out; x is near to `rank` dimensions. */
enum { MANY = 700, WIDE = 1100 };

static float *near_a_subspace(int count, int rank, float noise) {
    float *x = test_normal((size_t)count * WIDE, "noise"), *basis = test_normal((size_t)rank * WIDE, "basis");
    float *place = test_normal((size_t)count * (size_t)rank, "place");
    for (int i = 0; i < count; i++)
        for (int k = 0; k < WIDE; k++) {
            double sum = noise * x[(size_t)i * WIDE + k];
            for (int r = 0; r < rank; r++)
                sum += (double)place[i * rank + r] * basis[(size_t)r * WIDE + k];
            x[(size_t)i * WIDE + k] = (float)sum;
        }
    free(basis), free(place);
    return x;
}

static void sketches_lose_no_neighbor(void **state) {
    (void)state;
    enum { COUNT = 2600 };
    static const struct {
        int rank;
        float noise;
    } kinds[] = {{4, 0.1f}, {4, 0}, {12, 1e-6f}, {2, 30}};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        float *x = near_a_subspace(COUNT, kinds[k].rank, kinds[k].noise);
        problem p = {"sketched", MANY, COUNT, WIDE, 20, x, x, true, 29};
        expect_neighbors(&p, 300);
        free(x);
    }
}

/* Every point three times, some of them all zeros, coordinates at the ends of the range. */
static void sketches_of_hard_places(void **state) {
    (void)state;
    static const float scales[] = {1e-21f, 1e16f};
    for (int s = 0; s < 2; s++) {
        float *x = near_a_subspace(MANY, 5, 0.3f);
        for (int i = 0; i < MANY; i++)
            for (int k = 0; k < WIDE; k++)
                x[(size_t)i * WIDE + k] = i % 50 == 0 ? 0 : scales[s] * x[(size_t)(i / 3 * 3) * WIDE + k];
        problem p = {"hard", MANY, MANY, WIDE, 7, x, x, false, 13};
        expect_neighbors(&p, 64);
        free(x);
    }
}

/* --- the calls ------------------------------------------------------------------------------------------ */

static void too_few_points(void **state) {
    (void)state;
    const float x[] = {0, 10}, points[] = {3, 1};
    int32_t index[6];
    double distance[6];
    search(&(problem){"few", 2, 2, 1, 3, x, points, false, 0}, 1, index, distance);
    assert_true(index[0] == 1 && index[1] == 0 && index[2] == -1 && index[3] == 0 && index[4] == 1);
    assert_true(distance[0] == 1 && distance[1] == 9 && isinf(distance[2]) && distance[3] == 49);
}

static void numbers_must_be_finite(void **state) {
    (void)state;
    float x[] = {0, 1, 2, 3}, wrong[] = {0, 1, 2, INFINITY};
    nn_error error = {0};
    exp_knn *knn;
    exp_knn_options options = {.queries = 2, .dims = 2, .nearest = 1, .x = wrong};
    test_fails(exp_knn_new(&knn, &options, &error), NN_ENUMERIC, &error, "row 1");
    assert_null(knn);
    options.x = x;
    test_ok(exp_knn_new(&knn, &options, &error), &error);
    wrong[3] = NAN;
    test_fails(exp_knn_add(knn, 2, wrong, &error), NN_ENUMERIC, &error, "row 1");
    exp_knn_free(knn);
    exp_knn_free(NULL);
}

static void a_stop_ends_early(void **state) {
    (void)state;
    float *x = test_normal(500 * 8, "x");
    nn_error error = {0};
    volatile sig_atomic_t stop = 1;
    exp_knn *knn;
    exp_knn_options options = {.queries = 500, .dims = 8, .nearest = 3, .x = x, .stop = &stop};
    test_ok(exp_knn_new(&knn, &options, &error), &error);
    test_ok(exp_knn_add(knn, 500, x, &error), &error);
    exp_knn_free(knn);
    free(x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_points_over_all_edges),
        cmocka_unit_test(blocks_do_not_matter),
        cmocka_unit_test(threads_do_not_matter),
        cmocka_unit_test(ties_go_by_index),
        cmocka_unit_test(hard_places),
        cmocka_unit_test(sketches_lose_no_neighbor),
        cmocka_unit_test(sketches_of_hard_places),
        cmocka_unit_test(too_few_points),
        cmocka_unit_test(numbers_must_be_finite),
        cmocka_unit_test(a_stop_ends_early),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
