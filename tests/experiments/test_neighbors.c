/* ./neighbors, run as a user runs it: what it writes, that it agrees with itself, and what is refused. */
#include <cjson/cJSON.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "framework/file.h"
#include "tests/support/json.h"
#include "tests/support/program.h"

enum { CALIBRATION = 12, JUDGED = 30, NEAREST = 7, LAYERS = 3 };

/* Runs on gray images and, with fewer training examples than there are, on colored ones. */
static int set_up(void **state) {
    program_begin(state);
    program_data("data", "mnist");
    if (program_run("train",
                    "--quiet --dataset mnist --model mlp --batch 16 --epochs 1 --log-every 0 --run run") != 0)
        return 1;
    return program_run("train", "--quiet --dataset shapes --model mlp --batch 32 --steps 3 --train-limit 90 "
                                "--test-limit 60 --log-every 0 --run shapes");
}

static const char line[] = "--run %s --calibration 12 --examples 30 --neighbors 7 --out %s %s";

/* --- what is written ------------------------------------------------------------------------------------ */

typedef struct row {
    int index, label, network, prediction;
    double credibility, confidence;
    int nonconformity, neighbors[LAYERS];
} row;

static void read_rows(const char *out, row rows[JUDGED]) {
    char path[64];
    snprintf(path, sizeof path, "%s/neighbors.csv", out);
    char *text = program_file(path), *rest = NULL, *next = strtok_r(text, "\n", &rest);
    assert_string_equal(next, "index,label,network,prediction,credibility,confidence,nonconformity,"
                              "neighbors/dense1,neighbors/dense2,neighbors/logits");
    for (int i = 0; i < JUDGED; i++) {
        row *r = &rows[i];
        next = strtok_r(NULL, "\n", &rest);
        assert_non_null(next);
        assert_int_equal(sscanf(next, "%d,%d,%d,%d,%lf,%lf,%d,%d,%d,%d", &r->index, &r->label, &r->network,
                                &r->prediction, &r->credibility, &r->confidence, &r->nonconformity,
                                &r->neighbors[0], &r->neighbors[1], &r->neighbors[2]),
                         10);
    }
    assert_null(strtok_r(NULL, "\n", &rest));
    free(text);
}

static const cJSON *member(const cJSON *json, const char *name) {
    const cJSON *found = cJSON_GetObjectItemCaseSensitive(json, name);
    if (!found)
        fail_msg("no %s", name);
    return found;
}

/* Both pictures are whole; the SVG file has each of the texts, which end with NULL. */
static void expect_pictures(const char *out, const char *name, const char *const *texts) {
    char path[64];
    unsigned char *png;
    size_t count;
    nn_error error = {0};
    snprintf(path, sizeof path, "%s/%s.png", out, name);
    test_ok(nn_file_read(path, 1 << 24, &png, &count, &error), &error);
    assert_true(count > 5000);
    assert_memory_equal(png + count - 8, "IEND", 4);
    free(png);
    snprintf(path, sizeof path, "%s/%s.svg", out, name);
    char *svg = program_file(path);
    program_said(svg, "</svg>");
    for (; *texts; texts++)
        program_said(svg, *texts);
    free(svg);
}

/* Every number of a variant from the rows, whose credibility and confidence are that variant's. */
static void expect_variant(const cJSON *json, const row rows[JUDGED]) {
    double credibility = 0, confidence = 0, ece = 0;
    int counts[10] = {0}, right[10] = {0};
    double sums[10] = {0};
    for (int i = 0; i < JUDGED; i++) {
        int bin = rows[i].credibility > 0 ? (int)ceil(rows[i].credibility * 10 - 1e-9) - 1 : 0;
        credibility += rows[i].credibility / JUDGED;
        confidence += rows[i].confidence / JUDGED;
        counts[bin]++;
        right[bin] += rows[i].prediction == rows[i].label;
        sums[bin] += rows[i].credibility;
    }
    const cJSON *bins = member(json, "reliability"), *histogram = member(json, "histogram");
    assert_int_equal(cJSON_GetArraySize(bins), 10);
    for (int m = 0; m < 10; m++) {
        const cJSON *bin = cJSON_GetArrayItem(bins, m);
        ece += fabs(right[m] - sums[m]) / JUDGED;
        assert_true(json_number(bin, "count") == counts[m]);
        if (counts[m]) {
            assert_true(fabs(json_number(bin, "accuracy") - right[m] / (double)counts[m]) < 1e-8);
            assert_true(fabs(json_number(bin, "credibility") - sums[m] / counts[m]) < 1e-8);
        }
        int total = 0;
        for (int half = 2 * m; half < 2 * m + 2; half++)
            total += cJSON_GetArrayItem(member(histogram, "right"), half)->valueint +
                     cJSON_GetArrayItem(member(histogram, "wrong"), half)->valueint;
        assert_int_equal(total, counts[m]);
    }
    assert_true(fabs(json_number(json, "credibility") - credibility) < 1e-8);
    assert_true(fabs(json_number(json, "confidence") - confidence) < 1e-8);
    assert_true(fabs(json_number(json, "ece") - ece) < 1e-8);
}

static void expect_rows(const row rows[JUDGED], const cJSON *json) {
    int right = 0, network = 0;
    for (int i = 0; i < JUDGED; i++) {
        const row *r = &rows[i];
        assert_int_equal(r->index, CALIBRATION + i);
        assert_int_equal(r->nonconformity,
                         LAYERS * NEAREST - r->neighbors[0] - r->neighbors[1] - r->neighbors[2]);
        assert_true(r->credibility >= 0 && r->credibility <= 1 && r->confidence >= 0 && r->confidence <= 1);
        right += r->prediction == r->label;
        network += r->network == r->label;
    }
    assert_true(fabs(json_number(json, "accuracy") - right / (double)JUDGED) < 1e-8);
    assert_true(fabs(json_number(json, "network_accuracy") - network / (double)JUDGED) < 1e-8);
}

static void what_is_written(void **state) {
    (void)state;
    row conformal[JUDGED], trimmed[JUDGED];
    assert_int_equal(program_run("neighbors", line, "run", "made/conformal", ""), 0);
    assert_string_equal(program_output, "");
    program_said(program_errors, "30 test images of mnist: accuracy ");
    program_said(program_errors, "see made/conformal");
    assert_int_equal(program_run("neighbors", line, "run", "trimmed", "--variant trimmed --quiet --json"), 0);
    assert_string_equal(program_errors, "");
    cJSON *json = json_file("made/conformal/summary.json"), *printed = cJSON_Parse(program_output),
          *other = json_file("trimmed/summary.json");
    assert_true(cJSON_Compare(printed, other, true));
    read_rows("made/conformal", conformal);
    read_rows("trimmed", trimmed);
    expect_rows(conformal, json);
    expect_rows(trimmed, json);
    expect_variant(member(member(json, "variants"), "conformal"), conformal);
    expect_variant(member(member(json, "variants"), "trimmed"), trimmed);
    assert_true(cJSON_Compare(member(json, "variants"), member(other, "variants"), true));
    assert_string_equal(member(json, "variant")->valuestring, "conformal");
    assert_string_equal(member(other, "variant")->valuestring, "trimmed");
    assert_true(json_number(json, "neighbors") == NEAREST && json_number(json, "examples") == JUDGED);
    assert_true(json_number(json, "training_examples") == PROGRAM_TRAIN &&
                json_number(json, "calibration_examples") == CALIBRATION);
    assert_int_equal(cJSON_GetArraySize(member(json, "layers")), LAYERS);
    expect_pictures("made/conformal", "credibility",
                    (const char *[]){"Credibility of mlp on mnist", "conformal p-values of 12 others", NULL});
    expect_pictures("made/conformal", "neighbors",
                    (const char *[]){"Conformal: the most credible", "Nonconformal: the least credible",
                                     ">dense1<", ">dense2<", ">logits<", NULL});
    cJSON_Delete(json), cJSON_Delete(printed), cJSON_Delete(other);
}

static void shown_examples(void **state) {
    (void)state;
    assert_int_equal(
        program_run("neighbors", line, "run", "shown", "--quiet --show 12,41,20 --layers logits,input"), 0);
    cJSON *json = json_file("shown/summary.json");
    const cJSON *shown = member(json, "shown"), *layers = member(json, "layers");
    static const int wanted[] = {12, 41, 20};
    assert_int_equal(cJSON_GetArraySize(shown), 3);
    for (int i = 0; i < 3; i++)
        assert_true(json_number(cJSON_GetArrayItem(shown, i), "index") == wanted[i]);
    assert_int_equal(cJSON_GetArraySize(layers), 2);
    assert_string_equal(member(cJSON_GetArrayItem(layers, 0), "name")->valuestring, "input");
    assert_true(json_number(cJSON_GetArrayItem(layers, 0), "dims") == PROGRAM_SIDE * PROGRAM_SIDE);
    cJSON_Delete(json);
    expect_pictures("shown", "neighbors", (const char *[]){"test image 41, label ", ">input<", NULL});
    char *svg = program_file("shown/neighbors.svg");
    assert_null(strstr(svg, "the most credible"));
    free(svg);
}

static void results_repeat(void **state) {
    (void)state;
    assert_int_equal(program_run("neighbors", line, "run", "one", "--quiet --threads 1"), 0);
    assert_int_equal(program_run("neighbors", line, "run", "three", "--quiet --threads 3"), 0);
    char *one = program_file("one/neighbors.csv"), *three = program_file("three/neighbors.csv");
    assert_string_equal(one, three);
    free(one), free(three);
}

/* Colored images; the run's limit of training examples is kept to. */
static void shapes(void **state) {
    (void)state;
    assert_int_equal(program_run("neighbors", line, "shapes", "of-shapes", "--quiet"), 0);
    cJSON *json = json_file("of-shapes/summary.json");
    assert_true(json_number(json, "training_examples") == 90);
    cJSON_Delete(json);
    expect_pictures("of-shapes", "neighbors", (const char *[]){"Nearest neighbors: mlp on shapes", NULL});
}

static void few_training_examples(void **state) {
    (void)state;
    assert_int_equal(program_run("neighbors", line, "run", "few", "--train-limit 40"), 0);
    program_said(program_errors, "NOTE: 40 training images are about 4 of each class");
    cJSON *json = json_file("few/summary.json");
    assert_true(json_number(json, "training_examples") == 40);
    cJSON_Delete(json);
}

/* --- ends ----------------------------------------------------------------------------------------------- */

/* What was there before is not taken for the result of a call that was interrupted. */
static void an_interruption_leaves_no_summary(void **state) {
    (void)state;
    mkdir("stopped", 0777);
    FILE *file = fopen("stopped/summary.json", "w");
    assert_true(file && fclose(file) == 0);
    pid_t pid = program_start("neighbors", "--run shapes --calibration 3000 --neighbors 7 --out stopped");
    while (program_file_exists("stopped/summary.json"))
        usleep(1000);
    assert_int_equal(kill(pid, SIGINT), 0);
    assert_int_equal(program_end(pid), 130);
    program_said(program_errors, "interrupted: no result written");
    assert_false(program_file_exists("stopped/summary.json"));
}

static void bad_input(void **state) {
    (void)state;
    test_file("file", "no folder", 9);
    mkdir("empty", 0777);
    mkdir("broken", 0777);
    char *config = program_file("run/config.ini");
    test_file("broken/config.ini", config, strlen(config));
    test_file("broken/model.safetensors", "not a model", 11);
    free(config);
    static const char *const lines[][2] = {
        {"--run absent", "absent/config.ini: No such file"},
        {"--run empty", "empty/config.ini: No such file"},
        {"--run broken", "broken/model.safetensors"},
        {"--run run --data nowhere", "no mnist data"},
        {"--run run --calibration 12 --out file/out", "cannot make the folder file"},
        {"--run run --calibration 12 --out /proc/out", "/proc/out"},
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        assert_int_equal(program_run("neighbors", "%s", lines[i][0]), 1);
        program_complained(lines[i][1]);
        program_said(program_errors, "neighbors: ");
    }
    program_next.output = "/dev/full";
    assert_int_equal(program_run("neighbors", line, "run", "full", "--quiet --json"), 1);
    program_complained("cannot write the summary to standard output");
}

static void wrong_usage(void **state) {
    (void)state;
    static const char *const lines[][2] = {
        {"", "give --run DIR"},
        {"--calibration 10", "give --run DIR"},
        {"--run run", "--calibration: 750 of the 50 test examples of mnist would leave none to judge"},
        {"--run run --calibration 50", "--calibration: 50 of the 50"},
        {"--run run --calibration 0", "--calibration"},
        {"--run run --calibration 12 --neighbors 121", "--neighbors: 121 of a layer"},
        {"--run run --calibration 12 --neighbors 0", "--neighbors"},
        {"--run run --calibration 12 --layers dense9",
         "--layers: 'dense9' names no layer; there are: input, dense1"},
        {"--run run --calibration 12 --variant best", "--variant: 'best' is not one of: conformal, trimmed"},
        {"--run run --calibration 12 --show 11",
         "--show: '11' is none of the test examples that are judged, 12 to 49"},
        {"--run run --calibration 12 --show 50", "--show: '50'"},
        {"--run run --calibration 12 --examples 5 --show 17", "judged, 12 to 16"},
        {"--run run --calibration 12 --show 13,x", "--show: 'x'"},
        {"--nosuch", "--nosuch: there is no such option"},
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        assert_int_equal(program_run("neighbors", "%s", lines[i][0]), 2);
        program_complained(lines[i][1]);
    }
    assert_false(program_file_exists("run/neighbors/summary.json"));
    assert_int_equal(program_run("neighbors", "--help"), 0);
    program_said(program_output, "usage: ./neighbors --run DIR");
    assert_int_equal(program_run("neighbors", "--version"), 0);
    program_said(program_output, "entangle neighbors ");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written),
        cmocka_unit_test(shown_examples),
        cmocka_unit_test(results_repeat),
        cmocka_unit_test(shapes),
        cmocka_unit_test(few_training_examples),
        cmocka_unit_test(an_interruption_leaves_no_summary),
        cmocka_unit_test(bad_input),
        cmocka_unit_test(wrong_usage),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
