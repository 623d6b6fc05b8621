/* The Deep k-Nearest Neighbors over a small trained run, against the definitions computed anew with plain loops. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/common/representations.h"
#include "experiments/dknn/dknn.h"
#include "framework/file.h"
#include "framework/kernels/kernels.h"
#include "tests/support/program.h"

enum {
    NEAREST = 3,
    CALIBRATION = 22,
    JUDGED = PROGRAM_TEST - CALIBRATION,
    CLASSES = 10,
    LAYERS = 3, /* dense1, dense2, logits */
    PIXELS = PROGRAM_SIDE * PROGRAM_SIDE
};

/* Makes the images of program_data clearer, so that some neighbourhoods are of one class and others are not. */
static void clear_up(const char *images_path, const char *labels_path) {
    enum { IMAGES_HEAD = 16, LABELS_HEAD = 8 };
    unsigned char *images, *labels;
    size_t size, count;
    nn_error error = {0};
    test_ok(nn_file_read(images_path, 1 << 20, &images, &size, &error), &error);
    test_ok(nn_file_read(labels_path, 1 << 20, &labels, &count, &error), &error);
    for (size_t i = 0; i < count - LABELS_HEAD; i++)
        for (size_t k = 0; k < PIXELS; k++) {
            unsigned char *pixel = &images[IMAGES_HEAD + i * PIXELS + k];
            *pixel = (unsigned char)(*pixel / 2 + (k % 10 == labels[LABELS_HEAD + i] ? 120 : 0));
        }
    test_ok(nn_file_write_atomic(images_path, images, size, &error), &error);
    free(images), free(labels);
}

static int set_up(void **state) {
    program_begin(state);
    program_data("data", "mnist");
    clear_up("data/mnist/train-images-idx3-ubyte", "data/mnist/train-labels-idx1-ubyte");
    clear_up("data/mnist/t10k-images-idx3-ubyte", "data/mnist/t10k-labels-idx1-ubyte");
    return program_run("train", "--quiet --preset shapes_resnet --dataset mnist --model mlp --batch 16 "
                                "--epochs 2 --lr 0.01 --log-every 0 --run run");
}

static exp_trained_run open_run(void) {
    exp_run_request request = {.run = "run", .data = ""};
    exp_train_options options;
    exp_trained_run run;
    nn_error error = {0};
    test_ok(exp_trained_run_options(&request, &options, &error), &error);
    test_ok(exp_trained_run_open(&run, &request, &options, EXP_DUMP, &error), &error);
    return run;
}

static exp_dknn_options small_options(void) {
    exp_dknn_options options = exp_dknn_defaults;
    options.neighbors = NEAREST;
    options.calibration = CALIBRATION;
    return options;
}

static exp_dknn *open_dknn(exp_trained_run *run, exp_dknn_options options) {
    nn_error error = {0};
    exp_dknn *dknn;
    test_ok(exp_dknn_new(&dknn, run, &options, &error), &error);
    return dknn;
}

/* --- p-values ------------------------------------------------------------------------------------------- */

static void expect_p(int count, const int *scores, const double expected[EXP_DKNN_VARIANTS][5]) {
    nn_error error = {0};
    exp_dknn_scores s;
    test_ok(exp_dknn_scores_new(&s, 4, count, scores, &error), &error);
    for (int v = 0; v < EXP_DKNN_VARIANTS; v++)
        for (int score = 0; score <= 4; score++)
            assert_true(exp_dknn_p(&s, (exp_dknn_variant)v, score) == expected[v][score]);
    exp_dknn_scores_free(&s);
}

static void p_values_by_hand(void **state) {
    (void)state;
    expect_p(5, (int[]){3, 0, 1, 3, 0},
             (const double[][5]){{1, 0.6, 0.4, 0.4, 0}, {1, 1, 2 / 3.0, 2 / 3.0, 0}});
    expect_p(2, (int[]){4, 2}, (const double[][5]){{1, 1, 1, 0.5, 0.5}, {1, 1, 1, 0.5, 0.5}});
    expect_p(3, (int[]){0, 0, 0}, (const double[][5]){{1, 0, 0, 0, 0}, {1, 0, 0, 0, 0}});
}

/* --- the whole, from its definition --------------------------------------------------------------------- */

/* A layer's directions of all examples that a loader gives, [examples][*dims]. */
static float *directions(exp_trained_run *run, const data_split *split, const char *layer, int *dims) {
    nn_error error = {0};
    const nn_node *node;
    data_loader *loader;
    test_ok(exp_representation_node(&run->classifier, layer, &node, &error), &error);
    *dims = (int)nn_shape_row(nn_node_shape(node));
    float *x = test_zeros((size_t)split->count * (size_t)*dims);
    test_ok(exp_trained_run_split(run, split, &loader, &error), &error);
    test_ok(exp_representations(&run->classifier, loader, node, x, NULL, &error), &error);
    data_loader_free(loader);
    for (int i = 0; i < split->count; i++) {
        double length = 0;
        for (int k = 0; k < *dims; k++)
            length += (double)x[i * *dims + k] * x[i * *dims + k];
        for (int k = 0; k < *dims; k++)
            x[i * *dims + k] = (float)(x[i * *dims + k] / sqrt(length));
    }
    return x;
}

/* Adds to votes, [PROGRAM_TEST][CLASSES], those of each test example's nearest training examples in a layer. */
static void add_votes(exp_trained_run *run, const char *layer, int votes[][CLASSES]) {
    int dims;
    float *train = directions(run, &run->set.train, layer, &dims);
    float *test = directions(run, &run->set.test, layer, &dims);
    for (int i = 0; i < PROGRAM_TEST; i++) {
        double distance[PROGRAM_TRAIN];
        for (int j = 0; j < PROGRAM_TRAIN; j++) {
            distance[j] = 0;
            for (int k = 0; k < dims; k++)
                distance[j] += pow((double)test[i * dims + k] - train[j * dims + k], 2);
        }
        for (int n = 0; n < NEAREST; n++) {
            int best = 0;
            for (int j = 1; j < PROGRAM_TRAIN; j++)
                if (distance[j] < distance[best])
                    best = j;
            distance[best] = INFINITY;
            votes[i][run->set.train.labels[best]]++;
        }
    }
    free(train), free(test);
}

/* By sorting and cutting, as the method is told. */
static double naive_p(const int *calibration, bool trimmed, int score) {
    int sorted[CALIBRATION], count = 0, above = 0;
    for (int i = 0; i < CALIBRATION; i++)
        if (!trimmed || calibration[i] > 0)
            sorted[count++] = calibration[i];
    for (int i = 0; i < count; i++)
        above += sorted[i] >= score;
    assert_true(count > 0);
    return above / (double)count;
}

static void expect_verdict(const exp_dknn_verdict *verdict, const double *given_p, const int *votes,
                           const int *calibration) {
    int most = NEAREST * LAYERS, best = 0;
    for (int c = 1; c < CLASSES; c++)
        if (votes[c] > votes[best])
            best = c;
    assert_int_equal(verdict->prediction, best);
    assert_int_equal(verdict->nonconformity, most - votes[best]);
    for (int v = 0; v < EXP_DKNN_VARIANTS; v++) {
        double first = -1, second = -1;
        for (int c = 0; c < CLASSES; c++) {
            double p = naive_p(calibration, v == EXP_DKNN_TRIMMED, most - votes[c]);
            assert_true(fabs(given_p[v * CLASSES + c] - p) < 1e-12);
            second = p > first ? first : p > second ? p : second;
            first = p > first ? p : first;
        }
        assert_true(fabs(verdict->credibility[v] - first) < 1e-12);
        assert_true(fabs(verdict->confidence[v] - (1 - second)) < 1e-12);
    }
}

static void verdicts_match_their_definition(void **state) {
    (void)state;
    exp_trained_run run = open_run();
    exp_dknn *dknn = open_dknn(&run, small_options());
    static int votes[PROGRAM_TEST][CLASSES];
    int calibration[CALIBRATION];
    static const char *const layers[LAYERS] = {"dense1", "dense2", "logits"};
    assert_int_equal(exp_dknn_layers(dknn), LAYERS);
    for (int l = 0; l < LAYERS; l++) {
        assert_string_equal(exp_dknn_layer(dknn, l), layers[l]);
        add_votes(&run, layers[l], votes);
    }
    for (int i = 0; i < CALIBRATION; i++)
        calibration[i] = NEAREST * LAYERS - votes[i][run.set.test.labels[i]];
    static float images[JUDGED * PIXELS];
    static exp_dknn_verdict verdicts[JUDGED];
    static int32_t given[JUDGED][LAYERS][CLASSES];
    static double p[JUDGED][EXP_DKNN_VARIANTS * CLASSES];
    exp_dknn_evidence evidence = {.votes = given[0][0], .p = p[0]};
    nn_error error = {0};
    exp_trained_run_images(&run, &run.set.test, CALIBRATION, JUDGED, images);
    test_ok(exp_dknn_judge(dknn, images, JUDGED, verdicts, &evidence, &error), &error);
    int unlike = 0;
    for (int i = 0; i < JUDGED; i++) {
        expect_verdict(&verdicts[i], p[i], votes[CALIBRATION + i], calibration);
        for (int c = 0; c < CLASSES; c++)
            assert_int_equal(given[i][0][c] + given[i][1][c] + given[i][2][c], votes[CALIBRATION + i][c]);
        /* Without the zeros fewer scores lie below. */
        assert_true(verdicts[i].credibility[EXP_DKNN_TRIMMED] >= verdicts[i].credibility[EXP_DKNN_CONFORMAL]);
        unlike += verdicts[i].credibility[EXP_DKNN_TRIMMED] > verdicts[i].credibility[EXP_DKNN_CONFORMAL];
    }
    const exp_dknn_scores *scores = exp_dknn_calibration(dknn);
    assert_true(scores->at_least[1] > 0 && scores->at_least[1] < CALIBRATION && unlike > 0);
    exp_dknn_free(dknn);
    exp_trained_run_close(&run);
}

static void the_network_is_asked_too(void **state) {
    (void)state;
    exp_trained_run run = open_run();
    exp_dknn *dknn = open_dknn(&run, small_options());
    static float images[PROGRAM_TEST * PIXELS];
    exp_dknn_verdict verdicts[PROGRAM_TEST];
    nn_error error = {0};
    data_loader *loader;
    exp_measurement measured;
    exp_trained_run_images(&run, &run.set.test, 0, PROGRAM_TEST, images);
    test_ok(exp_dknn_judge(dknn, images, PROGRAM_TEST, verdicts, NULL, &error), &error);
    int right = 0;
    for (int i = 0; i < PROGRAM_TEST; i++)
        right += verdicts[i].network == run.set.test.labels[i];
    test_ok(exp_trained_run_tests(&run, &loader, &error), &error);
    test_ok(exp_classifier_evaluate(&run.classifier, loader, false, &measured, &error), &error);
    assert_true(fabs(measured.accuracy - right / (double)PROGRAM_TEST) < 1e-6);
    data_loader_free(loader);
    exp_dknn_free(dknn);
    exp_trained_run_close(&run);
}

/* --- what must not matter ------------------------------------------------------------------------------- */

typedef struct outcome {
    exp_dknn_verdict verdicts[JUDGED];
    int32_t neighbors[JUDGED][LAYERS * NEAREST];
    double distances[JUDGED][LAYERS * NEAREST];
} outcome;

static outcome *judge(exp_dknn_options options) {
    exp_trained_run run = open_run();
    exp_dknn *dknn = open_dknn(&run, options);
    outcome *o = test_bytes(sizeof *o);
    static float images[JUDGED * PIXELS];
    nn_error error = {0};
    exp_trained_run_images(&run, &run.set.test, CALIBRATION, JUDGED, images);
    exp_dknn_evidence evidence = {.neighbors = o->neighbors[0], .distances = o->distances[0]};
    test_ok(exp_dknn_judge(dknn, images, JUDGED, o->verdicts, &evidence, &error), &error);
    exp_dknn_free(dknn);
    exp_trained_run_close(&run);
    return o;
}

static void expect_same(const outcome *o, outcome *other) {
    for (int i = 0; i < JUDGED; i++) {
        const exp_dknn_verdict *a = &o->verdicts[i], *b = &other->verdicts[i];
        assert_true(a->network == b->network && a->prediction == b->prediction);
        assert_true(a->nonconformity == b->nonconformity);
        test_same_bits("credibility", a->credibility, b->credibility, sizeof a->credibility);
        test_same_bits("confidence", a->confidence, b->confidence, sizeof a->confidence);
    }
    test_same_bits("neighbours", o->neighbors, other->neighbors, sizeof o->neighbors);
    test_same_bits("distances", o->distances, other->distances, sizeof o->distances);
    free(other);
}

static void results_repeat(void **state) {
    (void)state;
    int before = nn_threads();
    exp_dknn_options options = small_options();
    nn_threads_set(1);
    outcome *o = judge(options);
    nn_threads_set(5);
    expect_same(o, judge(options));
    nn_threads_set(before);
    options.memory = 1; /* nothing is kept */
    expect_same(o, judge(options));
    free(o);
}

/* --- options -------------------------------------------------------------------------------------------- */

static void layers_are_chosen(void **state) {
    (void)state;
    static const char *const lines[][2] = {{"", "dense1 dense2 logits "},
                                           {"*", "dense1 dense2 logits "},
                                           {"logits,dense1", "dense1 logits "},
                                           {"dense?", "dense1 dense2 "},
                                           {"input, dense2", "input dense2 "}};
    exp_trained_run run = open_run();
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        exp_dknn_options options = small_options();
        char names[128] = "";
        options.layers = lines[i][0];
        exp_dknn *dknn = open_dknn(&run, options);
        for (int l = 0; l < exp_dknn_layers(dknn); l++)
            snprintf(names + strlen(names), sizeof names - strlen(names), "%s ", exp_dknn_layer(dknn, l));
        assert_string_equal(names, lines[i][1]);
        exp_dknn_free(dknn);
    }
    exp_trained_run_close(&run);
}

/* A training example is its own nearest neighbour in every layer, the pixels too. */
static void training_examples_find_themselves(void **state) {
    (void)state;
    exp_trained_run run = open_run();
    exp_dknn_options options = small_options();
    options.layers = "input,*";
    options.training = 60;
    exp_dknn *dknn = open_dknn(&run, options);
    static float images[60 * PIXELS];
    exp_dknn_verdict verdicts[60];
    static int32_t neighbors[60][4][NEAREST];
    static double distances[60][4][NEAREST];
    exp_dknn_evidence evidence = {.neighbors = neighbors[0][0], .distances = distances[0][0]};
    nn_error error = {0};
    assert_int_equal(exp_dknn_training(dknn), 60);
    exp_trained_run_images(&run, &run.set.train, 0, 60, images);
    test_ok(exp_dknn_judge(dknn, images, 60, verdicts, &evidence, &error), &error);
    for (int i = 0; i < 60; i++)
        for (int l = 0; l < 4; l++) {
            assert_true(distances[i][l][0] == 0 && distances[i][l][1] >= 0);
            assert_true(neighbors[i][l][0] == i || (neighbors[i][l][0] < i && distances[i][l][1] == 0));
            for (int n = 0; n < NEAREST; n++)
                assert_true(neighbors[i][l][n] < 60);
        }
    exp_dknn_free(dknn);
    exp_trained_run_close(&run);
}

static void wrong_options(void **state) {
    (void)state;
    exp_trained_run run = open_run();
    exp_dknn_options options[4];
    static const char *const messages[] = {
        "--layers: 'dense9' names no layer; there are: input, dense1, dense2, logits",
        "--neighbors: 121 of a layer cannot be found among 120 training examples",
        "--calibration: 51 examples cannot be taken from the 50 test examples of mnist",
        "--neighbors: 3 of a layer cannot be found among 2 training examples"};
    for (int i = 0; i < 4; i++)
        options[i] = small_options();
    options[0].layers = "dense1,dense9";
    options[1].neighbors = 121;
    options[2].calibration = 51;
    options[3].training = 2;
    for (int i = 0; i < 4; i++) {
        nn_error error = {0};
        exp_dknn *dknn;
        test_fails(exp_dknn_new(&dknn, &run, &options[i], &error), NN_EARGUMENT, &error, messages[i]);
        assert_null(dknn);
    }
    exp_trained_run_close(&run);
}

static void a_stop_ends_early(void **state) {
    (void)state;
    exp_trained_run run = open_run();
    exp_dknn_options options = small_options();
    volatile sig_atomic_t stop = 0;
    exp_dknn *dknn;
    nn_error error = {0};
    float image[PIXELS] = {0};
    exp_dknn_verdict verdict;
    options.stop = &stop;
    dknn = open_dknn(&run, options);
    for (int stopped = 1; stopped >= 0; stopped--) {
        stop = stopped;
        test_ok(exp_dknn_judge(dknn, image, 1, &verdict, NULL, &error), &error);
        assert_true((exp_dknn_calibration(dknn)->at_least == NULL) == stopped);
    }
    exp_dknn_free(dknn);
    exp_trained_run_close(&run);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(p_values_by_hand),
        cmocka_unit_test(verdicts_match_their_definition),
        cmocka_unit_test(the_network_is_asked_too),
        cmocka_unit_test(results_repeat),
        cmocka_unit_test(layers_are_chosen),
        cmocka_unit_test(training_examples_find_themselves),
        cmocka_unit_test(wrong_options),
        cmocka_unit_test(a_stop_ends_early),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
