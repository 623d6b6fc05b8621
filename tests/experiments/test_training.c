/* Whole training runs: losses as PyTorch has them, the same bits again and for every number of threads, and
 * an accuracy that is reached. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/common/training.h"
#include "framework/kernels/kernels.h"
#include "tests/support/support.h"
#include "tests/support/trace.h"

/* Steps compared with PyTorch's and with other runs; few in instrumented code, which is slow. */
#ifdef __SANITIZE_ADDRESS__
enum { COMPARED = 2, REPEATED = 1 };
#else
enum { COMPARED = TRACE_STEPS, REPEATED = 2 };
#endif

/* cmocka's set-up: *state is the data set of all traces. */
static int load_images(void **state) {
    nn_error error = {0};
    *state = test_bytes(sizeof(data_set));
    test_ok(trace_load(*state, &error), &error);
    return 0;
}

static int free_images(void **state) {
    data_free(*state);
    free(*state);
    return 0;
}

/* --- PyTorch -------------------------------------------------------------------------------------------- */

/* PyTorch's losses of a case, [TRACE_STEPS]. */
static void read_golden(const char *name, double *losses) {
    char line[128], found[64];
    int count = 0, step;
    double loss;
    FILE *file = fopen("tests/golden/pytorch_losses.csv", "r");
    if (!file)
        fail_msg("tests/golden/pytorch_losses.csv cannot be read: run from the repository's root");
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "%63[^,],%d,%lf", found, &step, &loss) == 3 && strcmp(found, name) == 0) {
            assert_int_equal(step, ++count);
            assert_true(count <= TRACE_STEPS);
            losses[count - 1] = loss;
        }
    fclose(file);
    assert_int_equal(count, TRACE_STEPS);
}

typedef struct recording {
    double losses[TRACE_STEPS];
    float *weights, *statistics; /* after the last step, NULL: not wanted */
    size_t weight_count, statistic_count;
} recording;

static nn_status record(void *context, const exp_classifier *c, int step, const data_batch *batch,
                        double loss, nn_error *error) {
    recording *r = context;
    (void)error;
    if (!batch)
        return NN_OK;
    const nn_store *store = &c->store;
    r->losses[step - 1] = loss;
    free(r->weights);
    free(r->statistics);
    r->weight_count = store->parameter_count;
    r->statistic_count = store->statistic_count;
    r->weights = test_zeros(r->weight_count);
    r->statistics = test_zeros(r->statistic_count);
    memcpy(r->weights, store->parameters, r->weight_count * sizeof(float));
    memcpy(r->statistics, store->statistics, r->statistic_count * sizeof(float));
    return NN_OK;
}

static recording record_run(const trace_case *what, const data_set *set, int steps) {
    recording r = {0};
    nn_error error = {0};
    test_ok(trace_run(what, set, steps, record, &r, &error), &error);
    return r;
}

static void drop(recording *r) {
    free(r->weights);
    free(r->statistics);
}

static void losses_are_pytorchs(void **state) {
    for (const trace_case *what = trace_cases; what->name; what++) {
        double golden[TRACE_STEPS];
        read_golden(what->name, golden);
        recording r = record_run(what, *state, COMPARED);
        for (int i = 0; i < COMPARED; i++)
            if (!(fabs(r.losses[i] - golden[i]) <= 1e-3 * fabs(golden[i])))
                fail_msg("%s, step %d: loss %.7g, PyTorch's is %.7g", what->name, i + 1, r.losses[i],
                         golden[i]);
        drop(&r);
    }
}

/* --- the same bits -------------------------------------------------------------------------------------- */

static void expect_same(const char *what, const recording *a, const recording *b, int steps) {
    test_same_bits(what, a->losses, b->losses, (size_t)steps * sizeof *a->losses);
    assert_int_equal(a->weight_count, b->weight_count);
    test_same_bits(what, a->weights, b->weights, a->weight_count * sizeof(float));
    test_same_bits(what, a->statistics, b->statistics, a->statistic_count * sizeof(float));
}

static void same_bits_again_and_for_every_number_of_threads(void **state) {
    static const trace_case cases[] = {
        {"mnist_cnn", "*", 0.1, 0, 0.01, "mnist_cnn"},
        {"cifar_resnet", "block[1-8]=-0.1,block9.conv1", 0.2, 0, 0.01, "cifar_resnet"}};
    static const int threads[] = {1, 1, 2, 7};
    for (int k = 0; k < 2; k++) {
        recording first = {0};
        for (int i = 0; i < 4; i++) {
            char what[64];
            nn_threads_set(threads[i]);
            recording r = record_run(&cases[k], *state, REPEATED);
            assert_true(isfinite(r.losses[REPEATED - 1]));
            snprintf(what, sizeof what, "%s with %d threads", cases[k].model, threads[i]);
            if (i == 0) {
                first = r;
                continue;
            }
            expect_same(what, &first, &r, REPEATED);
            drop(&r);
        }
        drop(&first);
    }
    nn_threads_set(0);
}

/* --- learning ------------------------------------------------------------------------------------------- */

/* A perceptron learns a thousand shapes by heart, and recognises others more often than the 10 % of chance:
 * 13 % of 2,000 is four and a half standard deviations above it. */
static void a_short_run_reaches_an_accuracy(void **state) {
    (void)state;
    static const volatile sig_atomic_t stop;
    exp_train_options options = exp_train_defaults;
    data_set set;
    exp_summary summary;
    nn_error error = {0};
    test_ok(data_load(&set, "shapes", "", 1000, 2000, &error), &error);
    strcpy(options.model, "mlp");
    strcpy(options.run, test_path("run"));
    options.rate = 0.01;
    options.epochs = 12;
    options.batch = 50;
    options.log_every = 0;
    options.quiet = true;
    test_ok(exp_train(&options, &set, &stop, &summary, &error), &error);
    assert_int_equal(summary.steps, 240);
    assert_true(summary.epochs == 12 && !summary.interrupted);
    assert_int_equal(summary.test.examples, 2000);
    if (!(summary.train.accuracy >= 0.98 && summary.test.accuracy >= 0.13))
        fail_msg("accuracies of %g in training, %g in testing", summary.train.accuracy,
                 summary.test.accuracy);
    data_free(&set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_are_pytorchs),
        cmocka_unit_test(same_bits_again_and_for_every_number_of_threads),
        cmocka_unit_test(a_short_run_reaches_an_accuracy),
    };
    return cmocka_run_group_tests(tests, load_images, free_images);
}
