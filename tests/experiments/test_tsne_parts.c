/* The parts of t-SNE against naive versions in double precision: neighbours, affinities, forces, start. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/tsne/parts.h"
#include "framework/kernels/kernels.h"
#include "tests/support/support.h"

/* --- neighbours ----------------------------------------------------------------------------------------- */

typedef struct pair {
    double distance;
    int32_t index;
} pair;

static double naive_distance(int dims, const float *x, int i, int j) {
    double sum = 0;
    for (int k = 0; k < dims; k++) {
        double difference =
            (double)x[(size_t)i * (size_t)dims + (size_t)k] - x[(size_t)j * (size_t)dims + (size_t)k];
        sum += difference * difference;
    }
    return sum;
}

static int by_distance(const void *a, const void *b) {
    const pair *p = a, *q = b;
    if (p->distance != q->distance)
        return p->distance < q->distance ? -1 : 1;
    return p->index - q->index;
}

static void expect_neighbors(const char *what, int count, int dims, const float *x, int nearest) {
    size_t entries = (size_t)count * (size_t)nearest;
    int32_t *index = test_bytes(entries * sizeof *index);
    double *distance = test_bytes(entries * sizeof *distance);
    pair *all = test_bytes((size_t)count * sizeof *all);
    nn_error error = {0};
    test_ok(exp_tsne_neighbors(count, dims, x, nearest, NULL, index, distance, &error), &error);
    for (int i = 0; i < count; i++) {
        int others = 0;
        for (int j = 0; j < count; j++)
            if (j != i)
                all[others++] = (pair){naive_distance(dims, x, i, j), j};
        qsort(all, (size_t)others, sizeof *all, by_distance);
        for (int k = 0; k < nearest; k++) {
            size_t place = (size_t)i * (size_t)nearest + (size_t)k;
            if (index[place] != all[k].index)
                fail_msg("%s: neighbour %d of %d is %d (%.17g), not %d (%.17g)", what, k, i, index[place],
                         distance[place], all[k].index, all[k].distance);
            assert_true(fabs(distance[place] - all[k].distance) <= 1e-12 * all[k].distance);
        }
    }
    free(index);
    free(distance);
    free(all);
}

static void neighbors_are_exact(void **state) {
    (void)state;
    float *x = test_normal(1100 * 5, "neighbors");
    expect_neighbors("more than one tile", 1100, 5, x, 12);
    expect_neighbors("all others", 40, 137, x, 39);
    expect_neighbors("one of two", 2, 3, x, 1);
    expect_neighbors("one dimension", 300, 1, x, 20);
    free(x);
}

/* Where a matrix product in single precision cannot tell who is nearer. */
static void neighbors_are_exact_where_products_are_not(void **state) {
    (void)state;
    enum { COUNT = 200, DIMS = 20 };
    static const float scales[] = {1e-22f, 1, 1e16f}, offsets[] = {0, 1e-16f, 1e20f};
    float *noise = test_normal(COUNT * DIMS, "close"), *x = test_zeros(COUNT * DIMS);
    for (int s = 0; s < 3; s++) {
        for (int k = 0; k < COUNT * DIMS; k++)
            x[k] = scales[s] * noise[k] + offsets[s];
        expect_neighbors("scaled", COUNT, DIMS, x, 9);
    }
    for (int i = 0; i < COUNT; i++) /* two tight groups, far apart */
        for (int k = 0; k < DIMS; k++)
            x[i * DIMS + k] = 1e-5f * noise[i * DIMS + k] + (i % 2 ? 3 : -3);
    expect_neighbors("tight groups", COUNT, DIMS, x, 9);
    free(noise);
    free(x);
}

static void ties_go_by_index(void **state) {
    (void)state;
    enum { SIDE = 18 };
    float x[SIDE * SIDE * 2] = {0};
    for (int i = 0; i < SIDE * SIDE; i++) {
        x[2 * i] = (float)(i % SIDE);
        x[2 * i + 1] = (float)(i / SIDE % 6); /* every place three times */
    }
    expect_neighbors("lattice", SIDE * SIDE, 2, x, 14);
    memset(x, 0, sizeof x);
    expect_neighbors("one place", SIDE * SIDE, 2, x, 14);
}

static void distances_match(void **state) {
    (void)state;
    enum { COUNT = 70, DIMS = 37 };
    static const float scales[] = {1e-30f, 1, 1e30f};
    float *noise = test_normal(COUNT * DIMS, "distances"), *x = test_zeros(COUNT * DIMS);
    float *distance = test_zeros(COUNT * COUNT);
    nn_error error = {0};
    for (int s = 0; s < 3; s++) {
        for (int k = 0; k < COUNT * DIMS; k++)
            x[k] = scales[s] * noise[k];
        test_ok(exp_tsne_distances(COUNT, DIMS, x, NULL, distance, &error), &error);
        double factor = distance[1] / naive_distance(DIMS, x, 0, 1);
        for (int i = 0; i < COUNT; i++)
            for (int j = 0; j < COUNT; j++) {
                double expected = factor * naive_distance(DIMS, x, i, j), actual = distance[i * COUNT + j];
                assert_true(fabs(actual - expected) <= 2e-7 * expected);
                assert_true(actual < 1e6 && (i == j || actual > 1e-6));
            }
    }
    free(noise);
    free(x);
    free(distance);
}

/* --- affinities ----------------------------------------------------------------------------------------- */

static double perplexity_of(int count, const double *p) {
    double entropy = 0, sum = 0;
    for (int j = 0; j < count; j++) {
        entropy -= p[j] > 0 ? p[j] * log(p[j]) : 0;
        sum += p[j];
    }
    assert_true(fabs(sum - 1) < 1e-12);
    return exp(entropy);
}

static void rows_have_the_perplexity(void **state) {
    (void)state;
    enum { COUNT = 300 };
    static const double perplexities[] = {1.5, 5, 30, 99.5, 250}, scales[] = {1e-40, 1e-6, 1, 1e12, 1e60};
    double d[COUNT], p[COUNT];
    float *noise = test_normal(COUNT, "rows");
    for (int a = 0; a < 5; a++)
        for (int b = 0; b < 5; b++)
            for (int shape = 0; shape < 3; shape++) {
                for (int j = 0; j < COUNT; j++) {
                    double v = fabs(noise[j]);
                    d[j] = p[j] = scales[b] * (shape == 0 ? v : shape == 1 ? 100 + v : pow(v, 12));
                }
                exp_tsne_conditional(COUNT, p, perplexities[a]);
                double found = perplexity_of(COUNT, p);
                if (!(fabs(found - perplexities[a]) < 1e-6 * perplexities[a]))
                    fail_msg("perplexity %.9g, not %g (scale %g, shape %d)", found, perplexities[a],
                             scales[b], shape);
                for (int j = 1; j < COUNT; j++)
                    assert_true(d[j] <= d[j - 1] ? p[j] >= p[j - 1] : p[j] <= p[j - 1]);
            }
    free(noise);
}

/* No precision makes k equally near points fewer than k: they share it. */
static void equally_near_points_share(void **state) {
    (void)state;
    double p[12] = {2, 5, 2, 2, 7, 2, 2, 2, 9, 9, 9, 9};
    exp_tsne_conditional(12, p, 4);
    for (int j = 0; j < 12; j++)
        assert_true(p[j] == (j == 1 || j == 4 || j > 7 ? 0 : 1 / 6.0));
    double same[5] = {3, 3, 3, 3, 3};
    exp_tsne_conditional(5, same, 1);
    for (int j = 0; j < 5; j++)
        assert_true(same[j] == 0.2);
}

/* p_ij from the definition. */
static double *naive_affinities(int count, int dims, const float *x, double perplexity) {
    size_t n = (size_t)count;
    double *conditional = test_bytes(n * n * sizeof *conditional), *p = test_bytes(n * n * sizeof *p);
    for (int i = 0; i < count; i++) {
        double low = -60, high = 60; /* of log b */
        double *row = conditional + (size_t)i * n;
        for (int step = 0; step < 200; step++) {
            double b = exp((low + high) / 2), sum = 0, entropy = 0;
            for (int j = 0; j < count; j++)
                sum += row[j] = j == i ? 0 : exp(-b * naive_distance(dims, x, i, j));
            for (int j = 0; j < count; j++) {
                row[j] /= sum;
                entropy -= row[j] > 0 ? row[j] * log(row[j]) : 0;
            }
            if (sum > 0 && entropy > log(perplexity))
                low = (low + high) / 2;
            else
                high = (low + high) / 2;
        }
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            p[i * n + j] = (conditional[i * n + j] + conditional[j * n + i]) / (2.0 * count);
    free(conditional);
    return p;
}

static void affinities_match_the_definition(void **state) {
    (void)state;
    enum { COUNT = 90, DIMS = 7 };
    float *x = test_normal(COUNT * DIMS, "affinities"), *p = test_zeros(COUNT * COUNT);
    double *expected = naive_affinities(COUNT, DIMS, x, 11), *distance = test_bytes(COUNT * (COUNT - 1) * 8),
           sum = 0;
    int32_t *index = test_bytes(COUNT * (COUNT - 1) * sizeof *index);
    nn_error error = {0};
    exp_tsne_sparse sparse;
    test_ok(exp_tsne_distances(COUNT, DIMS, x, NULL, p, &error), &error);
    test_ok(exp_tsne_dense(COUNT, p, 11, &error), &error);
    test_ok(exp_tsne_neighbors(COUNT, DIMS, x, COUNT - 1, NULL, index, distance, &error), &error);
    test_ok(exp_tsne_sparse_new(&sparse, COUNT, COUNT - 1, index, distance, 11, &error), &error);
    for (int i = 0; i < COUNT; i++) {
        assert_true(sparse.first[i + 1] - sparse.first[i] == COUNT - 1);
        for (int j = 0; j < COUNT; j++) {
            double wanted = expected[i * COUNT + j];
            sum += p[i * COUNT + j];
            assert_true(fabs(p[i * COUNT + j] - wanted) <= 1e-5 * wanted + 1e-12);
            assert_true(p[i * COUNT + j] == p[j * COUNT + i]);
            if (j == i)
                continue;
            size_t place = sparse.first[i] + (size_t)(j - (j > i)); /* by ascending column */
            assert_int_equal(sparse.column[place], j);
            assert_true(fabs(sparse.p[place] - wanted) <= 1e-5 * wanted + 1e-12);
        }
    }
    assert_true(fabs(sum - 1) < 1e-5);
    exp_tsne_sparse_free(&sparse);
    free(x);
    free(p);
    free(expected);
    free(distance);
    free(index);
}

/* With few neighbours: symmetric, and each row has its own neighbours and those that have it as theirs. */
static void sparse_affinities_are_a_union(void **state) {
    (void)state;
    enum { COUNT = 150, NEAREST = 9 };
    float *x = test_normal(COUNT * 4, "union"), p[COUNT][COUNT] = {{0}};
    int32_t index[COUNT * NEAREST];
    double distance[COUNT * NEAREST], sum = 0;
    bool wanted[COUNT][COUNT] = {{false}};
    nn_error error = {0};
    exp_tsne_sparse s;
    test_ok(exp_tsne_neighbors(COUNT, 4, x, NEAREST, NULL, index, distance, &error), &error);
    for (int k = 0; k < COUNT * NEAREST; k++)
        wanted[k / NEAREST][index[k]] = wanted[index[k]][k / NEAREST] = true;
    test_ok(exp_tsne_sparse_new(&s, COUNT, NEAREST, index, distance, 3, &error), &error);
    for (int i = 0; i < COUNT; i++)
        for (size_t k = s.first[i]; k < s.first[i + 1]; k++) {
            assert_true(k == s.first[i] || s.column[k] > s.column[k - 1]);
            assert_true(wanted[i][s.column[k]]);
            wanted[i][s.column[k]] = false;
            sum += p[i][s.column[k]] = s.p[k];
        }
    for (int i = 0; i < COUNT; i++)
        for (int j = 0; j < COUNT; j++)
            assert_true(!wanted[i][j] && p[i][j] == p[j][i]);
    assert_true(fabs(sum - 1) < 1e-5);
    exp_tsne_sparse_free(&s);
    free(x);
}

/* --- forces --------------------------------------------------------------------------------------------- */

/* Repulsion from the definition. */
static double naive_repulsion(int count, const double *y, double *repulsion) {
    double sum = 0;
    memset(repulsion, 0, 2 * (size_t)count * sizeof *repulsion);
    for (int i = 0; i < count; i++)
        for (int j = 0; j < count; j++) {
            double u = y[i] - y[j], v = y[count + i] - y[count + j], w = 1 / (1 + u * u + v * v);
            sum += j == i ? 0 : w;
            repulsion[i] += w * w * u;
            repulsion[count + i] += w * w * v;
        }
    return sum;
}

enum { PLACES = 5, POINTS = 700 };

/* Positions as they come in a descent: tiny, spread, in clusters, many at one place, all at one place. */
static void fill_positions(int kind, double *y) {
    float *noise = test_normal(2 * POINTS, "positions");
    for (int k = 0; k < 2 * POINTS; k++) {
        int i = k % POINTS;
        double cluster = 40 * sin(1.0 + i % 9 + 5 * (k / POINTS));
        const double places[PLACES] = {1e-4 * noise[k], 20 * noise[k], cluster + noise[k],
                                       i % 2 ? 5 : (double)noise[k], 3};
        y[k] = places[kind];
    }
    free(noise);
}

static double worst_of(const double *a, const double *b) {
    double worst = 0, size = 0;
    for (int k = 0; k < 2 * POINTS; k++) {
        worst += (a[k] - b[k]) * (a[k] - b[k]);
        size += b[k] * b[k];
    }
    return size > 0 ? sqrt(worst / size) : sqrt(worst);
}

static void the_tree_repels_like_all_pairs(void **state) {
    (void)state;
    double y[2 * POINTS], expected[2 * POINTS], actual[2 * POINTS];
    exp_tsne_tree *tree;
    nn_error error = {0};
    test_ok(exp_tsne_tree_new(&tree, POINTS, &error), &error);
    for (int kind = 0; kind < PLACES; kind++) {
        fill_positions(kind, y);
        double sum = naive_repulsion(POINTS, y, expected);
        static const double thetas[] = {0, 0.2, 0.5, 1}, errors[] = {1e-12, 1e-3, 1e-2, 6e-2};
        for (int t = 0; t < 4; t++) {
            double found = exp_tsne_tree_repulsion(tree, y, thetas[t], actual);
            double off = worst_of(actual, expected);
            if (!(off <= errors[t]) || !(fabs(found - sum) <= errors[t] * sum))
                fail_msg("positions %d, theta %g: forces off by %g, sum by %g", kind, thetas[t], off,
                         fabs(found - sum) / sum);
        }
    }
    exp_tsne_tree_free(tree);
}

static void few_points_have_a_tree(void **state) {
    (void)state;
    nn_error error = {0};
    for (int count = 1; count < 6; count++) {
        double y[10], expected[10], actual[10];
        exp_tsne_tree *tree;
        for (int k = 0; k < 10; k++)
            y[k] = sin(7.0 * k);
        test_ok(exp_tsne_tree_new(&tree, count, &error), &error);
        double sum = naive_repulsion(count, y, expected);
        assert_true(fabs(exp_tsne_tree_repulsion(tree, y, 0.5, actual) - sum) < 1e-13);
        for (int k = 0; k < 2 * count; k++)
            assert_true(fabs(actual[k] - expected[k]) < 1e-13);
        exp_tsne_tree_free(tree);
    }
}

/* --- start ---------------------------------------------------------------------------------------------- */

/* Scores along two known directions, on a far offset, under noise. */
static void components_are_found(void **state) {
    (void)state;
    enum { COUNT = 400, DIMS = 30 };
    float *scores = test_normal(2 * COUNT, "scores"), *noise = test_normal(COUNT * DIMS, "noise");
    float *x = test_zeros(COUNT * DIMS);
    double y[2 * COUNT];
    nn_error error = {0};
    for (int i = 0; i < COUNT; i++)
        for (int k = 0; k < DIMS; k++) {
            double first = k < 15 ? 0.3 : -0.1, second = k < 15 ? 0.1 : 0.3; /* orthogonal */
            x[i * DIMS + k] = (float)(100 + 9 * scores[i] * first + 5 * scores[COUNT + i] * second +
                                      0.1 * noise[i * DIMS + k]);
        }
    test_ok(exp_tsne_principal(COUNT, DIMS, x, y, &error), &error);
    for (int axis = 0; axis < 2; axis++) {
        double product = 0, own = 0, other = 0, mean = 0;
        for (int i = 0; i < COUNT; i++) {
            double a = y[axis * COUNT + i], b = scores[axis * COUNT + i];
            product += a * b;
            own += a * a;
            other += b * b;
            mean += a / COUNT;
        }
        assert_true(product > 0.98 * sqrt(own * other)); /* the samples' scores are a little correlated */
        assert_true(fabs(mean) < 1e-3 * sqrt(own / COUNT));
    }
    free(scores);
    free(noise);
    free(x);
}

static void one_dimension_has_one_component(void **state) {
    (void)state;
    float x[5] = {3, 1, 4, 1, 5};
    double y[10];
    nn_error error = {0};
    test_ok(exp_tsne_principal(5, 1, x, y, &error), &error);
    for (int i = 0; i < 5; i++) {
        assert_true(fabs(y[i] - (x[i] - 2.8)) < 1e-5);
        assert_true(y[5 + i] == 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neighbors_are_exact),
        cmocka_unit_test(neighbors_are_exact_where_products_are_not),
        cmocka_unit_test(ties_go_by_index),
        cmocka_unit_test(distances_match),
        cmocka_unit_test(rows_have_the_perplexity),
        cmocka_unit_test(equally_near_points_share),
        cmocka_unit_test(affinities_match_the_definition),
        cmocka_unit_test(sparse_affinities_are_a_union),
        cmocka_unit_test(the_tree_repels_like_all_pairs),
        cmocka_unit_test(few_points_have_a_tree),
        cmocka_unit_test(components_are_found),
        cmocka_unit_test(one_dimension_has_one_component),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
