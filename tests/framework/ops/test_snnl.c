/* The soft nearest neighbor loss as an op: temperatures, gradients through a graph, partial batches. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "framework/kernels/kernels.h"
#include "tests/support/snnl_oracle.h"

enum { BATCH = 24, DIMS = 12, CLASSES = 4 };

/* loss = -weight * snnl(x) over points [BATCH,2,2,3], as a training and an evaluation plan. */
typedef struct tapped {
    nn_store store;
    nn_graph *graph;
    nn_node *x, *labels, *snnl, *loss;
    nn_plan *training, *evaluation;
} tapped;

static void begin(tapped *t, nn_snnl_options options, float weight) {
    nn_error error = {0};
    nn_store_begin(&t->store, 1);
    t->graph = nn_graph_new(&t->store);
    t->x = nn_input(t->graph, "x", NN_SHAPE4(BATCH, 2, 2, 3));
    t->labels = nn_labels(t->graph, "labels", BATCH, BATCH);
    t->snnl = nn_snnl(t->x, t->labels, "tap", options);
    t->loss = nn_scale(t->snnl, -weight);
    nn_plan_options training = {.training = true,
                                .loss = t->loss,
                                .keep = &t->snnl,
                                .keep_count = 1,
                                .gradients = &t->x,
                                .gradients_count = 1,
                                .poison = true};
    nn_plan_options evaluation = {.keep = &t->snnl, .keep_count = 1, .poison = true};
    test_ok(nn_plan_new(&t->training, t->graph, training, &error), &error);
    test_ok(nn_plan_new(&t->evaluation, t->graph, evaluation, &error), &error);
}

static void end(tapped *t) {
    nn_plan_free(t->training);
    nn_plan_free(t->evaluation);
    nn_graph_free(t->graph);
    nn_store_free(&t->store);
}

/* Points of CLASSES classes, numbered 0, 1, ... */
static oracle_problem make_points(nn_distance distance) {
    oracle_problem p = oracle_make(BATCH, DIMS, CLASSES, 2, 0.5, distance);
    for (int i = 0; i < BATCH; i++)
        p.labels[i] = (p.labels[i] + 9) / 7;
    return p;
}

static void feed(const tapped *t, nn_plan *plan, const oracle_problem *p) {
    memcpy(nn_plan_data(plan, t->x), p->x32, sizeof(float) * BATCH * DIMS);
    memcpy(nn_plan_labels(plan, t->labels), p->labels, sizeof(int32_t) * BATCH);
}

static const nn_snnl_result *run(const tapped *t, nn_plan *plan, const oracle_problem *p, int rows) {
    nn_error error = {0};
    nn_run one = {.rows = rows};
    feed(t, plan, p);
    test_ok(nn_plan_forward(plan, one, &error), &error);
    if (plan == t->training)
        test_ok(nn_plan_backward(plan, one, &error), &error);
    const nn_snnl_result *result = nn_plan_report(plan, t->snnl);
    assert_non_null(result);
    assert_true(nn_plan_scalar(plan, t->snnl) == (float)result->value);
    return result;
}

/* d loss / d log(1/T) by differences */
static double slope_at(const oracle_problem *p, double temperature) {
    const double h = 1e-4;
    return (oracle_loss(p, temperature * exp(-h)) - oracle_loss(p, temperature * exp(h))) / (2 * h);
}

/* The lowest loss on a fine grid of temperatures. */
static double lowest_loss(const oracle_problem *p) {
    double *d = oracle_distances(p), lowest = INFINITY;
    for (double octave = -12; octave <= 16; octave += 0.02) {
        int usable;
        lowest = fmin(lowest, oracle_loss_of(p, d, exp2(octave), &usable, NULL));
    }
    free(d);
    return lowest;
}

static void expect_gradient(const tapped *t, const oracle_problem *p, double temperature, double factor) {
    double *g = oracle_gradient(p, temperature);
    double largest = 0;
    for (int i = 0; i < p->count * DIMS; i++) {
        g[i] *= factor;
        largest = fmax(largest, fabs(g[i]));
    }
    assert_true(largest > 0);
    const float *actual = nn_plan_gradient(t->training, t->x);
    for (int i = 0; i < p->count * DIMS; i++)
        if (!(fabs(actual[i] - g[i]) <= 2e-5 * largest))
            fail_msg("gradient %d is %g, expected %g", i, actual[i], g[i]);
    free(g);
}

/* --- temperatures --------------------------------------------------------------------------------------- */

static void fixed_temperatures(void **state) {
    (void)state;
    for (int distance = 0; distance < 2; distance++)
        for (float temperature = 0.5f; temperature < 2000; temperature *= 15) {
            oracle_problem p = make_points((nn_distance)distance);
            tapped t;
            begin(&t,
                  (nn_snnl_options){
                      .distance = p.distance, .mode = NN_TEMPERATURE_FIXED, .temperature = temperature},
                  0.25f);
            const nn_snnl_result *result = run(&t, t.training, &p, BATCH);
            oracle_compare("value", result->value, oracle_loss(&p, temperature), 1e-5);
            assert_true(result->temperature == temperature);
            oracle_compare("slope", result->slope, slope_at(&p, temperature), 1e-4);
            assert_true(nn_plan_scalar(t.training, t.loss) == -0.25f * (float)result->value);
            expect_gradient(&t, &p, temperature, -0.25);
            end(&t);
            oracle_drop(&p);
        }
}

/* Optimal is the default, and its gradient is the one at that temperature. */
static void optimal_temperatures(void **state) {
    (void)state;
    for (int distance = 0; distance < 2; distance++) {
        oracle_problem p = make_points((nn_distance)distance);
        tapped t;
        begin(&t, (nn_snnl_options){.distance = p.distance}, -3);
        const nn_snnl_result *result = run(&t, t.training, &p, BATCH);
        /* Single precision: distances are some 20 T, and as exact as 1e-7 of that. */
        oracle_compare("value", result->value, oracle_loss(&p, result->temperature), 2e-5);
        oracle_compare("lowest", result->value, lowest_loss(&p), 2e-5);
        expect_gradient(&t, &p, result->temperature, 3);
        double training = result->value;
        assert_true(run(&t, t.evaluation, &p, BATCH)->value == training);
        end(&t);
        oracle_drop(&p);
    }
}

/* T = T0 / t; each training batch moves log t by -0.1 d loss / d log t, at most by 1, and measures at the new T. */
static void learned_temperatures(void **state) {
    (void)state;
    const float starts[] = {3, 100, 30000}; /* below, near and above the best one */
    for (int s = 0; s < 3; s++) {
        oracle_problem p = make_points(NN_EUCLIDEAN);
        nn_snnl_options options = {.mode = NN_TEMPERATURE_LEARNED, .temperature = starts[s]};
        tapped t;
        begin(&t, options, 1);
        double log_t = 0, before = oracle_loss(&p, starts[s]);
        assert_true(run(&t, t.evaluation, &p, BATCH)->temperature == starts[s]);
        for (int step = 0; step < 6; step++) {
            log_t -= fmax(-1, fmin(1, 0.1 * slope_at(&p, starts[s] / exp(log_t))));
            const nn_snnl_result *result = run(&t, t.training, &p, BATCH);
            oracle_compare("temperature", result->temperature, starts[s] / exp(log_t), 1e-5);
            oracle_compare("value", result->value, oracle_loss(&p, starts[s] / exp(log_t)), 1e-5);
            expect_gradient(&t, &p, result->temperature, -1);
            assert_true(result->value < before);
            before = result->value;
            double temperature = result->temperature;
            for (int again = 0; again < 2; again++) /* evaluation leaves it where it is */
                assert_true(run(&t, t.evaluation, &p, BATCH)->temperature == temperature);
        }
        const nn_entry *entry = nn_store_find(&t.store, "tap.log_t");
        assert_true(entry && entry->internal && entry->kind == NN_STATISTIC);
        end(&t);
        oracle_drop(&p);
    }
}

/* Far off, where the slope is in the thousands, T moves by a factor e a batch until it is near. */
static void learned_temperatures_do_not_run_away(void **state) {
    (void)state;
    oracle_problem p = make_points(NN_EUCLIDEAN);
    for (int k = 0; k < BATCH * DIMS; k++)
        p.x32[k] *= 1000;
    tapped t;
    begin(&t, (nn_snnl_options){.mode = NN_TEMPERATURE_LEARNED, .temperature = 1}, 1);
    double first = run(&t, t.training, &p, BATCH)->temperature;
    assert_true(fabs(log(first) - 1) < 1e-5);
    double last = 0, value = 0;
    for (int step = 0; step < 200; step++) {
        const nn_snnl_result *result = run(&t, t.training, &p, BATCH);
        last = result->temperature;
        value = result->value;
    }
    assert_true(last > 1e4 && last < 1e12);
    assert_true(value < 1.01 * log(BATCH - 1));
    end(&t);
    oracle_drop(&p);
}

/* The loss falls for a weight of either sign: the temperature does not follow the total loss. */
static void learning_does_not_depend_on_the_weight(void **state) {
    (void)state;
    oracle_problem p = make_points(NN_COSINE);
    nn_snnl_options options = {.distance = NN_COSINE, .mode = NN_TEMPERATURE_LEARNED, .temperature = 1};
    tapped a, b;
    begin(&a, options, 2);
    begin(&b, options, -2);
    for (int step = 0; step < 3; step++)
        assert_true(run(&a, a.training, &p, BATCH)->temperature ==
                    run(&b, b.training, &p, BATCH)->temperature);
    end(&a);
    end(&b);
    oracle_drop(&p);
}

static void the_temperature_is_100_unless_given(void **state) {
    (void)state;
    oracle_problem p = make_points(NN_EUCLIDEAN);
    tapped t;
    begin(&t, (nn_snnl_options){.mode = NN_TEMPERATURE_FIXED}, 1);
    assert_true(run(&t, t.training, &p, BATCH)->temperature == 100);
    end(&t);
    oracle_drop(&p);
}

/* --- batches -------------------------------------------------------------------------------------------- */

/* The rows behind the batch hold points that would change everything. */
static void partial_batches(void **state) {
    (void)state;
    for (int rows = 2; rows < BATCH; rows += 7) {
        oracle_problem p = make_points(NN_EUCLIDEAN);
        for (int i = rows * DIMS; i < BATCH * DIMS; i++)
            p.x32[i] = NAN;
        p.count = rows;
        p.labels[1] = p.labels[0];
        tapped t;
        begin(&t, (nn_snnl_options){.mode = NN_TEMPERATURE_FIXED, .temperature = 20}, 1);
        int usable;
        double *d = oracle_distances(&p), expected = oracle_loss_of(&p, d, 20, &usable, NULL);
        const nn_snnl_result *result = run(&t, t.training, &p, rows);
        oracle_compare("value", result->value, expected, 1e-5);
        assert_int_equal(result->usable, usable);
        assert_int_equal(result->skipped, rows - usable);
        if (expected > 0)
            expect_gradient(&t, &p, 20, -1);
        free(d);
        end(&t);
        oracle_drop(&p);
    }
}

static void lone_classes(void **state) {
    (void)state;
    for (int mode = NN_TEMPERATURE_OPTIMAL; mode <= NN_TEMPERATURE_FIXED; mode++) {
        oracle_problem p = make_points(NN_EUCLIDEAN);
        tapped t;
        begin(&t, (nn_snnl_options){.mode = (nn_temperature_mode)mode, .temperature = 30}, 1);
        p.labels[0] = BATCH - 1;
        p.labels[5] = BATCH - 2;
        const nn_snnl_result *result = run(&t, t.training, &p, BATCH);
        oracle_compare("value", result->value, oracle_loss(&p, result->temperature), 1e-5);
        assert_true(result->usable == BATCH - 2 && result->skipped == 2);
        expect_gradient(&t, &p, result->temperature, -1);

        for (int i = 0; i < BATCH; i++)
            p.labels[i] = i;
        double temperature = result->temperature;
        result = run(&t, t.training, &p, BATCH);
        assert_true(result->value == 0 && result->usable == 0 && result->skipped == BATCH);
        if (mode != NN_TEMPERATURE_OPTIMAL)
            assert_true(result->temperature == temperature); /* nothing to learn from */
        for (int i = 0; i < BATCH * DIMS; i++)
            assert_true(nn_plan_gradient(t.training, t.x)[i] == 0);
        result = run(&t, t.training, &p, 1);
        assert_true(result->value == 0 && result->skipped == 1 && isfinite(result->temperature));
        end(&t);
        oracle_drop(&p);
    }
}

static void same_bits_for_threads(void **state) {
    (void)state;
    oracle_problem p = make_points(NN_EUCLIDEAN);
    float first[BATCH * DIMS];
    double value = 0;
    const int threads[] = {1, 2, 7};
    for (int i = 0; i < 3; i++) {
        nn_threads_set(threads[i]);
        tapped t;
        begin(&t, (nn_snnl_options){0}, 1);
        double now = run(&t, t.training, &p, BATCH)->value;
        if (i == 0) {
            value = now;
            memcpy(first, nn_plan_gradient(t.training, t.x), sizeof first);
        }
        assert_true(now == value);
        test_same_bits("gradient", nn_plan_gradient(t.training, t.x), first, sizeof first);
        end(&t);
    }
    nn_threads_set(0);
    oracle_drop(&p);
}

/* --- graphs --------------------------------------------------------------------------------------------- */

/* Two taps on one representation: their gradients add up. */
static void weights_add_up(void **state) {
    (void)state;
    nn_error error = {0};
    nn_store store;
    nn_store_begin(&store, 1);
    nn_graph *graph = nn_graph_new(&store);
    nn_node *x = nn_input(graph, "x", NN_SHAPE2(BATCH, DIMS));
    nn_node *labels = nn_labels(graph, "labels", BATCH, CLASSES);
    nn_node *cold =
        nn_snnl(x, labels, "cold", (nn_snnl_options){.mode = NN_TEMPERATURE_FIXED, .temperature = 10});
    nn_node *warm =
        nn_snnl(x, labels, "warm", (nn_snnl_options){.mode = NN_TEMPERATURE_FIXED, .temperature = 90});
    nn_node *loss = nn_add(nn_scale(cold, -0.5f), nn_scale(warm, 2));
    nn_plan *plan;
    nn_plan_options options = {
        .training = true, .loss = loss, .gradients = &x, .gradients_count = 1, .poison = true};
    test_ok(nn_plan_new(&plan, graph, options, &error), &error);
    oracle_problem p = make_points(NN_EUCLIDEAN);
    memcpy(nn_plan_data(plan, x), p.x32, sizeof(float) * BATCH * DIMS);
    memcpy(nn_plan_labels(plan, labels), p.labels, sizeof(int32_t) * BATCH);
    test_ok(nn_plan_forward(plan, (nn_run){.rows = BATCH}, &error), &error);
    test_ok(nn_plan_backward(plan, (nn_run){.rows = BATCH}, &error), &error);
    double *a = oracle_gradient(&p, 10), *b = oracle_gradient(&p, 90);
    for (int i = 0; i < BATCH * DIMS; i++)
        a[i] = -0.5 * a[i] + 2 * b[i];
    test_close("gradient", nn_plan_gradient(plan, x), a, BATCH * DIMS, 1e-6);
    double value = -0.5 * oracle_loss(&p, 10) + 2 * oracle_loss(&p, 90);
    oracle_compare("loss", nn_plan_scalar(plan, loss), value, 1e-5);
    free(a);
    free(b);
    oracle_drop(&p);
    nn_plan_free(plan);
    nn_graph_free(graph);
    nn_store_free(&store);
}

/* A tap that is only watched is left alone in runs that do not ask: its learned temperature shows it. */
static void metrics_run_when_asked(void **state) {
    (void)state;
    nn_error error = {0};
    nn_store store;
    nn_store_begin(&store, 1);
    nn_graph *graph = nn_graph_new(&store);
    nn_node *x = nn_input(graph, "x", NN_SHAPE2(BATCH, DIMS)),
            *labels = nn_labels(graph, "labels", BATCH, CLASSES);
    nn_node *h = nn_dense(x, "dense", (nn_dense_options){.units = CLASSES});
    nn_node *watched = nn_snnl(h, labels, "watched", (nn_snnl_options){.mode = NN_TEMPERATURE_LEARNED});
    nn_node *loss = nn_cross_entropy(h, labels);
    nn_plan *plan;
    nn_plan_options options = {.training = true, .loss = loss, .metrics = &watched, .metrics_count = 1};
    test_ok(nn_plan_new(&plan, graph, options, &error), &error);
    oracle_problem p = make_points(NN_EUCLIDEAN);
    memcpy(nn_plan_data(plan, x), p.x32, sizeof(float) * BATCH * DIMS);
    memcpy(nn_plan_labels(plan, labels), p.labels, sizeof(int32_t) * BATCH);
    const float *log_t = nn_store_values(&store, nn_store_find(&store, "watched.log_t"));
    float before = *log_t;
    for (int metrics = 0; metrics < 2; metrics++) {
        nn_run asked = {.rows = BATCH, .metrics = metrics};
        test_ok(nn_plan_forward(plan, asked, &error), &error);
        test_ok(nn_plan_backward(plan, asked, &error), &error);
        assert_true((*log_t != before) == metrics);
    }
    const nn_snnl_result *result = nn_plan_report(plan, watched);
    assert_true(result->value > 0 && result->usable == BATCH);
    oracle_drop(&p);
    nn_plan_free(plan);
    nn_graph_free(graph);
    nn_store_free(&store);
}

/* --- refusals ------------------------------------------------------------------------------------------- */

static void refuse(nn_shape x, bool labelled, float temperature, nn_status status, const char *part) {
    nn_store store;
    nn_store_begin(&store, 1);
    nn_graph *graph = nn_graph_new(&store);
    nn_node *points = nn_input(graph, "x", x);
    nn_node *labels =
        labelled ? nn_labels(graph, "labels", 4, 3) : nn_input(graph, "labels", NN_SHAPE2(4, 1));
    assert_null(nn_snnl(points, labels, "tap", (nn_snnl_options){.temperature = temperature}));
    nn_error error = *nn_graph_error(graph);
    test_fails(error.status, status, &error, part);
    nn_graph_free(graph);
    nn_store_free(&store);
}

static void refusals(void **state) {
    (void)state;
    refuse(NN_SHAPE2(4, 3), false, 1, NN_ESHAPE, "wants class numbers (nn_labels), 'labels' holds floats");
    refuse(NN_SHAPE2(5, 3), true, 1, NN_ESHAPE, "5 examples, but 'labels' has 4 labels");
    refuse(NN_SHAPE1(4), true, 1, NN_ESHAPE, "snnl 'tap': 'x' is not a batch of representations");
    refuse(NN_SHAPE2(4, 3), true, -1, NN_EARGUMENT, "snnl 'tap': the temperature -1 is not positive");
    refuse(NN_SHAPE2(4, 3), true, NAN, NN_EARGUMENT, "is not positive");
    refuse(NN_SHAPE2(4, 3), true, INFINITY, NN_EARGUMENT, "the temperature inf is not positive");
    assert_null(nn_snnl(NULL, NULL, "tap", (nn_snnl_options){0}));
    assert_null(nn_snnl(NULL, NULL, "tap", (nn_snnl_options){.mode = NN_TEMPERATURE_LEARNED}));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fixed_temperatures),
        cmocka_unit_test(optimal_temperatures),
        cmocka_unit_test(learned_temperatures),
        cmocka_unit_test(learned_temperatures_do_not_run_away),
        cmocka_unit_test(learning_does_not_depend_on_the_weight),
        cmocka_unit_test(the_temperature_is_100_unless_given),
        cmocka_unit_test(partial_batches),
        cmocka_unit_test(lone_classes),
        cmocka_unit_test(same_bits_for_threads),
        cmocka_unit_test(weights_add_up),
        cmocka_unit_test(metrics_run_when_asked),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
