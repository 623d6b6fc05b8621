/* ./neighbors --outliers, run as a user runs it on small runs: scores from their formulas over all pairs, what must hold for
 * outliers that are none, files, and what is refused. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "experiments/common/representations.h"
#include "experiments/common/trained_run.h"
#include "tests/support/json.h"
#include "tests/support/program.h"

enum { CALIBRATION = 8, IN = PROGRAM_TEST - CALIBRATION, TAPS = 2, CLASSES = 10, DIMS_MOST = 512 };

static const char train[] =
    "--quiet --dataset mnist --model mlp --batch 16 --epochs 1 --lr 0.01 --log-every 0";
static const char small[] = "--neighbors 5 --calibration 8 --quiet";

static int set_up(void **state) {
    program_begin(state);
    program_data("data", "mnist");
    program_data("data", "notmnist");
    if (program_run("train", "%s --run cosine --distance cosine", train) != 0)
        return 1;
    return program_run("train", "%s --run run", train);
}

static const cJSON *list(const cJSON *json, const char *name, int count) {
    const cJSON *array = cJSON_GetObjectItemCaseSensitive(json, name);
    assert_true(cJSON_IsArray(array));
    assert_int_equal(cJSON_GetArraySize(array), count);
    return array;
}

static const char *text(const cJSON *json, const char *name) {
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));
}

/* The score of a name, of a layer unless that is NULL; fails the test without it. */
static const cJSON *score_of(const cJSON *source, const char *name, const char *layer) {
    const cJSON *item;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(source, "scores")) {
        const char *its = text(item, "layer");
        if (strcmp(text(item, "score"), name) == 0 && (layer ? its && strcmp(its, layer) == 0 : !its))
            return item;
    }
    fail_msg("no score %s of %s", name, layer ? layer : "the network");
    return NULL;
}

static void near(const char *what, double actual, double expected, double tolerance) {
    if (!(fabs(actual - expected) <= tolerance * fmax(1, fabs(expected))))
        fail_msg("%s: %.9g, expected %.9g", what, actual, expected);
}

/* --- scores by their formulas --------------------------------------------------------------------------- */

/* What a layer makes of the examples of a split. */
typedef struct points {
    int count, dims;
    float *x;
    int32_t *labels;
} points;

static points represent(exp_trained_run *run, const data_split *split, const char *layer) {
    const nn_node *node;
    data_loader *loader;
    nn_error error = {0};
    test_ok(exp_representation_node(&run->classifier, layer, &node, &error), &error);
    points p = {.count = split->count, .dims = (int)nn_shape_row(nn_node_shape(node))};
    p.x = test_zeros((size_t)(p.count * p.dims));
    p.labels = test_bytes((size_t)p.count * sizeof *p.labels);
    test_ok(exp_trained_run_split(run, split, &loader, &error), &error);
    test_ok(exp_representations(&run->classifier, loader, node, p.x, p.labels, &error), &error);
    data_loader_free(loader);
    return p;
}

static void drop(points *p) {
    free(p->x);
    free(p->labels);
}

static int predicted(const points *logits, int i) {
    int best = 0;
    for (int k = 1; k < logits->dims; k++)
        if (logits->x[i * logits->dims + k] > logits->x[i * logits->dims + best])
            best = k;
    return best;
}

/* log of the sum over reference points, of one class unless that is -1. */
static double density(const points *p, int i, const points *reference, int class, double temperature) {
    double sum = 0;
    for (int j = 0; j < reference->count; j++) {
        double distance = 0;
        for (int k = 0; k < p->dims; k++)
            distance += pow((double)p->x[i * p->dims + k] - reference->x[j * p->dims + k], 2);
        if (class < 0 || reference->labels[j] == class)
            sum += exp(-distance / temperature);
    }
    return log(sum);
}

/* Whichever score it is, of example i. */
static double score(const char *name, const points *logits, const points *layer, const points *reference,
                    int i, double temperature) {
    double sum = 0;
    for (int k = 0; k < logits->dims; k++)
        sum += exp(logits->x[i * logits->dims + k]);
    if (strcmp(name, "energy") == 0)
        return log(sum);
    if (strcmp(name, "softmax") == 0)
        return exp(logits->x[i * logits->dims + predicted(logits, i)]) / sum;
    double all = density(layer, i, reference, -1, temperature);
    if (strcmp(name, "density") == 0)
        return all;
    return density(layer, i, reference, predicted(logits, i), temperature) - all;
}

static void compare(const cJSON *source, const char *name, const char *layer, exp_trained_run *run,
                    const data_set *other, double temperature) {
    points logits = represent(run, &run->set.test, "logits"), others = represent(run, &other->test, "logits");
    points taps = {0}, other_taps = {0}, reference = {0};
    if (layer) {
        taps = represent(run, &run->set.test, layer);
        other_taps = represent(run, &other->test, layer);
        reference = represent(run, &run->set.train, layer);
    }
    double in[IN], out[PROGRAM_TEST], least = 0, most = 0, mean_in = 0, mean_out = 0;
    for (int i = 0; i < IN; i++)
        mean_in += (in[i] = score(name, &logits, &taps, &reference, CALIBRATION + i, temperature)) / IN;
    for (int j = 0; j < IN; j++) /* at most as many as there are test examples */
        mean_out += (out[j] = score(name, &others, &other_taps, &reference, j, temperature)) / IN;
    for (int i = 0; i < IN; i++)
        for (int j = 0; j < IN; j++) {
            double difference = in[i] - out[j],
                   digits = 1e-6 * fmax(1, fabs(in[i])); /* within which any order will do */
            least += (difference > digits) / (double)(IN * IN);
            most += (difference > -digits) / (double)(IN * IN);
        }
    const cJSON *found = score_of(source, name, layer);
    double auroc = json_number(found, "auroc");
    if (!(auroc > least - 1e-8 && auroc < most + 1e-8 && most - least < 0.1))
        fail_msg("%s of %s: AUROC %.9g, expected %.9g to %.9g", name, layer ? layer : "the network", auroc,
                 least, most);
    near("mean in", json_number(found, "mean_in"), mean_in, 1e-4);
    near("mean out", json_number(found, "mean_out"), mean_out, 1e-4);
    drop(&logits);
    drop(&others);
    drop(&taps);
    drop(&other_taps);
    drop(&reference);
}

/* The temperature that the run's summary gives for its layer `tap`, by number. */
static double temperature_in(const char *run, int tap, char layer[NN_NAME_MAX]) {
    char path[64];
    snprintf(path, sizeof path, "%s/summary.json", run);
    cJSON *json = json_file(path);
    const cJSON *item = cJSON_GetArrayItem(list(json, "taps", TAPS), tap);
    double temperature = json_number(item, "temperature");
    snprintf(layer, NN_NAME_MAX, "%s", text(item, "name"));
    cJSON_Delete(json);
    return temperature;
}

static void scores_by_their_formulas(void **state) {
    (void)state;
    exp_run_request request = {.run = "run", .data = "data"};
    exp_train_options options;
    exp_trained_run run;
    data_set other;
    nn_error error = {0};
    assert_int_equal(program_run("neighbors", "--run run --outliers notmnist %s --out formulas", small), 0);
    test_ok(exp_trained_run_options(&request, &options, &error), &error);
    test_ok(exp_trained_run_open(&run, &request, &options, EXP_DUMP, &error), &error);
    test_ok(data_load(&other, "notmnist", "data", 0, 0, &error), &error);
    cJSON *json = json_file("formulas/summary.json");
    assert_true(json_number(json, "outlier_references") == PROGRAM_TRAIN);
    const cJSON *source = cJSON_GetArrayItem(list(json, "outliers", 1), 0);
    assert_string_equal(text(source, "source"), "notmnist");
    assert_true(json_number(source, "examples") == IN &&
                json_number(source, "in_distribution_examples") == IN);
    list(source, "scores", 4 + 2 * TAPS);
    compare(source, "softmax", NULL, &run, &other, 0);
    compare(source, "energy", NULL, &run, &other, 0);
    for (int tap = 0; tap < TAPS; tap++) {
        char layer[NN_NAME_MAX];
        double temperature = temperature_in("run", tap, layer);
        near("temperature", json_number(score_of(source, "density", layer), "temperature"), temperature,
             1e-8);
        compare(source, "density", layer, &run, &other, temperature);
        compare(source, "agreement", layer, &run, &other, temperature);
    }
    cJSON_Delete(json);
    data_free(&other);
    exp_trained_run_close(&run);
}

/* Of unit vectors |a - b|^2 is twice 1 - cos. */
static void cosine_distances(void **state) {
    (void)state;
    char layer[NN_NAME_MAX];
    double temperature = temperature_in("cosine", 1, layer);
    assert_int_equal(program_run("neighbors", "--run cosine --outliers notmnist %s --out cosines", small), 0);
    cJSON *json = json_file("cosines/summary.json");
    const cJSON *source = cJSON_GetArrayItem(list(json, "outliers", 1), 0),
                *found = score_of(source, "density", layer);
    near("temperature", json_number(found, "temperature"), 2 * temperature, 1e-8);
    /* exp(-d/T) of all references, d at most 2 */
    double most = log(PROGRAM_TRAIN), least = most - 2 / temperature;
    assert_true(json_number(found, "mean_in") >= least && json_number(found, "mean_in") <= most);
    cJSON_Delete(json);
}

/* --- outliers that are none ----------------------------------------------------------------------------- */

/* The mean of the column `credibility` of neighbors.csv. */
static double mean_credibility(const char *path) {
    char *table = program_file(path), *rest = NULL;
    double sum = 0;
    int rows = 0;
    strtok_r(table, "\n", &rest);
    for (char *line = strtok_r(NULL, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest), rows++) {
        for (int column = 0; column < 4; column++)
            line = strchr(line, ',') + 1;
        sum += atof(line);
    }
    free(table);
    assert_int_equal(rows, IN);
    return sum / rows;
}

/* The test images themselves, turned by nothing or once about: no score can tell them apart. */
static void the_test_images_themselves(void **state) {
    (void)state;
    assert_int_equal(
        program_run("neighbors", "--run run --outliers rotation:0,rotation:-360 %s --out themselves", small),
        0);
    cJSON *json = json_file("themselves/summary.json");
    const cJSON *source, *found;
    cJSON_ArrayForEach(source, list(json, "outliers", 2)) {
        cJSON_ArrayForEach(found, list(source, "scores", 4 + 2 * TAPS)) {
            near("AUROC", json_number(found, "auroc"), 0.5, 0.03);
            near("mean", json_number(found, "mean_out"), json_number(found, "mean_in"), 1e-4);
        }
        near("credibility", json_number(score_of(source, "credibility", NULL), "mean_in"),
             mean_credibility("themselves/neighbors.csv"), 1e-8);
    }
    cJSON_Delete(json);
}

/* --- files ---------------------------------------------------------------------------------------------- */

static void expect_picture(const char *folder, const char *name, const char *const *texts) {
    char path[96];
    unsigned char *png;
    size_t count;
    nn_error error = {0};
    snprintf(path, sizeof path, "%s/%s.png", folder, name);
    test_ok(nn_file_read(path, 1 << 24, &png, &count, &error), &error);
    assert_true(count > 5000);
    assert_memory_equal(png + 1, "PNG", 3);
    assert_memory_equal(png + count - 8, "IEND", 4);
    free(png);
    snprintf(path, sizeof path, "%s/%s.svg", folder, name);
    char *svg = program_file(path);
    program_said(svg, "</svg>");
    for (; *texts; texts++)
        program_said(svg, *texts);
    free(svg);
}

static void all_sources(void **state) {
    (void)state;
    static const char *const names[] = {"notmnist",  "shapes",  "rotation:45", "blur:1",
                                        "noise:0.2", "uniform", "gaussian"};
    assert_int_equal(
        program_run("neighbors",
                    "--run run --outliers notmnist,shapes,rotation:45,blur:1,noise:0.2,noise --neighbors 5 "
                    "--calibration 8 --out all --json"),
        0);
    program_said(program_errors, "42 of rotation:45: AUROC softmax 0.");
    program_said(program_errors, "; the best of a layer: ");
    cJSON *line = cJSON_Parse(program_output), *json = json_file("all/summary.json");
    assert_true(cJSON_Compare(line, json, true));
    char *table = program_file("all/outliers.csv"), *row = table;
    program_said(table, "source,in_distribution_examples,examples,score,layer,temperature,auroc,");
    for (int k = 0; k < 7; k++) {
        const cJSON *source = cJSON_GetArrayItem(list(json, "outliers", 7), k), *found;
        assert_string_equal(text(source, "source"), names[k]);
        assert_true(json_number(source, "examples") == IN);
        cJSON_ArrayForEach(found, list(source, "scores", 4 + 2 * TAPS)) {
            char start[96], end[96];
            row = strchr(row, '\n') + 1;
            snprintf(start, sizeof start, "%s,%d,%d,%s,%s,", names[k], IN, IN, text(found, "score"),
                     text(found, "layer") ? text(found, "layer") : "");
            assert_memory_equal(row, start, strlen(start));
            snprintf(end, sizeof end, ",%.9g,", json_number(found, "auroc"));
            program_said(row, end);
        }
    }
    assert_string_equal(strchr(row, '\n'), "\n");
    expect_picture("all", "outliers-credibility",
                   (const char *[]){"mlp on mnist", "rotation:45", "42 examples", NULL});
    expect_picture("all", "outliers-roc",
                   (const char *[]){"mlp on mnist", "gaussian", "density dense1", NULL});
    free(table);
    cJSON_Delete(line);
    cJSON_Delete(json);
}

static void results_repeat(void **state) {
    (void)state;
    static const char line[] = "--run run --outliers uniform,rotation:10 %s --seed %d --threads %d --out %s";
    assert_int_equal(program_run("neighbors", line, small, 5, 1, "one"), 0);
    assert_int_equal(program_run("neighbors", line, small, 5, 3, "three"), 0);
    assert_int_equal(program_run("neighbors", line, small, 6, 1, "other"), 0);
    char *one = program_file("one/outliers.csv"), *three = program_file("three/outliers.csv"),
         *other = program_file("other/outliers.csv");
    assert_string_equal(one, three);
    assert_string_not_equal(one, other);
    assert_string_equal(strstr(one, "rotation:10"), strstr(other, "rotation:10")); /* nothing by chance */
    free(one);
    free(three);
    free(other);
}

/* Color and 32 x 32, as many layers as are named, and as many examples. */
static void a_run_on_shapes(void **state) {
    (void)state;
    assert_int_equal(
        program_run("train",
                    "--quiet --dataset shapes --model mlp --train-limit 64 --test-limit 64 --batch 32 "
                    "--epochs 1 --log-every 0 --run shapes"),
        0);
    assert_int_equal(program_run("neighbors",
                                 "--run shapes --outliers mnist,gaussian --layers dense1,logits "
                                 "--neighbors 5 --calibration 10 --examples 20 --quiet --out colored"),
                     0);
    cJSON *json = json_file("colored/summary.json");
    const cJSON *source;
    assert_true(json_number(json, "outlier_references") == 64);
    cJSON_ArrayForEach(source, list(json, "outliers", 2)) {
        assert_true(json_number(source, "examples") == 20);
        list(source, "scores", 4 + 2);
    }
    cJSON_Delete(json);
}

/* A run that was stopped has no temperatures, and so no densities. */
static void without_temperatures(void **state) {
    (void)state;
    assert_int_equal(program_run("train", "%s --eval-every 0 --run unmeasured", train), 0);
    assert_int_equal(program_run("neighbors", "--run unmeasured --outliers uniform %s --out fewer", small),
                     0);
    cJSON *json = json_file("fewer/summary.json");
    list(cJSON_GetArrayItem(list(json, "outliers", 1), 0), "scores", 4);
    cJSON_Delete(json);
    expect_picture("fewer", "outliers-roc", (const char *[]){"support", NULL});
}

/* --- mistakes ------------------------------------------------------------------------------------------- */

static void refused(void **state) {
    (void)state;
    static const struct {
        int status;
        const char *line, *message;
    } lines[] = {
        {2, "--run run --outliers letters", "--outliers: there is no 'letters'; there are: mnist, "},
        {2, "--run run --outliers mnist", "--outliers: 'mnist' is what the run was trained on"},
        {2, "--run run --outliers ,", "--outliers: the list is empty"},
        {2, "--run run --outliers rotation:1000", "must be a number from -360 to 360"},
        {2, "--run run --outliers blur:1,blur:1", "'blur:1' is there twice"},
        {2, "--run run --outliers noise --seed -1", "--seed"},
        {1, "--run run --outliers cifar10", "no cifar10 data"},
        {1, "--run absent --outliers noise", "absent/config.ini: No such file"},
    };
    for (size_t k = 0; k < sizeof lines / sizeof *lines; k++) {
        assert_int_equal(program_run("neighbors", "%s %s --out refused", lines[k].line, small),
                         lines[k].status);
        program_complained(lines[k].message);
    }
    assert_false(program_file_exists("refused"));
}

static void damaged_runs(void **state) {
    (void)state;
    assert_int_equal(program_run("train", "%s --run damaged", train), 0);
    FILE *file = fopen("damaged/summary.json", "w");
    fputs("{\"taps\": [", file);
    fclose(file);
    assert_int_equal(program_run("neighbors", "--run damaged --outliers noise %s --out torn", small), 1);
    program_complained("damaged/summary.json: not JSON");
    assert_int_equal(unlink("damaged/summary.json"), 0);
    assert_int_equal(program_run("neighbors", "--run damaged --outliers noise %s --out torn", small), 1);
    program_complained("damaged/summary.json: No such file");
    assert_false(program_file_exists("torn/summary.json"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_by_their_formulas),
        cmocka_unit_test(cosine_distances),
        cmocka_unit_test(the_test_images_themselves),
        cmocka_unit_test(all_sources),
        cmocka_unit_test(results_repeat),
        cmocka_unit_test(a_run_on_shapes),
        cmocka_unit_test(without_temperatures),
        cmocka_unit_test(refused),
        cmocka_unit_test(damaged_runs),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
