/* ./measure, run as a user runs it: arrays against the formula, trained runs against their summary and their
 * own dump, and what is refused. */
#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "framework/file.h"
#include "tests/support/json.h"
#include "tests/support/program.h"
#include "tests/support/snnl_oracle.h"

enum { BATCH = 16 };

/* A trained run in the folder `run`, on the data in `data`. */
static int set_up(void **state) {
    program_begin(state);
    program_data("data", "mnist");
    program_data("data", "notmnist"); /* a test set only: its own mean would be another one */
    assert_true(unlink("data/notmnist/train-images-idx3-ubyte") == 0);
    assert_true(unlink("data/notmnist/train-labels-idx1-ubyte") == 0);
    return program_run(
        "train",
        "--quiet --dataset mnist --model mlp --batch %d --epochs 2 --lr 0.01 --snnl-weight 0.1 "
        "--log-every 0 --run run",
        BATCH);
}

/* --- JSON ----------------------------------------------------------------------------------------------- */

static cJSON *printed(void) {
    assert_string_equal(program_errors, "");
    const char *end = strchr(program_output, '\n');
    cJSON *json = cJSON_Parse(program_output);
    if (!end || end[1] != '\0' || !json)
        fail_msg("not one line of JSON: '%s'", program_output);
    return json;
}

static void expect_text(const cJSON *json, const char *name, const char *expected) {
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));
    assert_non_null(text);
    assert_string_equal(text, expected);
}

static const cJSON *tap_of(const cJSON *json, int tap) {
    const cJSON *found = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(json, "taps"), tap);
    assert_non_null(found);
    return found;
}

/* --- arrays --------------------------------------------------------------------------------------------- */

/* A .npy file, version 1: the header is a Python literal, padded to a multiple of 64 bytes. */
static void write_npy(const char *path, const char *type, const char *shape, const void *elements,
                      size_t bytes) {
    unsigned char start[128] = "\x93NUMPY\x01\x00\x76\x00";
    memset(start + 10, ' ', 118);
    int length = snprintf((char *)start + 10, 118, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }",
                          type, shape);
    start[10 + length] = ' ';
    start[127] = '\n';
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_true(fwrite(start, 1, 128, file) == 128 && fwrite(elements, 1, bytes, file) == bytes);
    assert_int_equal(fclose(file), 0);
}

/* Writes the problem as x.npy ([count][2][dims / 2]) and y.npy. */
static void write_problem(const oracle_problem *p, bool wide) {
    char shape[64];
    size_t count = (size_t)p->count * (size_t)p->dims;
    int64_t *labels = test_bytes((size_t)p->count * sizeof *labels);
    for (int i = 0; i < p->count; i++)
        labels[i] = p->labels[i] * ((int64_t)1 << 40); /* beyond 32 bits */
    snprintf(shape, sizeof shape, "(%d, 2, %d)", p->count, p->dims / 2);
    if (wide)
        write_npy("x.npy", "<f8", shape, p->x, count * sizeof *p->x);
    else
        write_npy("x.npy", "<f4", shape, p->x32, count * sizeof *p->x32);
    snprintf(shape, sizeof shape, "(%d,)", p->count);
    write_npy("y.npy", "<i8", shape, labels, (size_t)p->count * sizeof *labels);
    free(labels);
}

static void expect_gradient(const oracle_problem *p, double temperature) {
    nn_npy g;
    nn_error error = {0};
    test_ok(nn_npy_read("g.npy", &g, &error), &error);
    assert_true(g.kind == 'f' && g.size == 4 && g.rank == 3);
    assert_true(g.dims[0] == (size_t)p->count && g.dims[1] == 2 && g.dims[2] == (size_t)p->dims / 2);
    double *expected = oracle_gradient(p, temperature), largest = 0;
    for (size_t i = 0; i < g.count; i++)
        largest = fmax(largest, fabs(expected[i]));
    for (size_t i = 0; i < g.count; i++)
        assert_true(fabs(nn_npy_number(&g, i) - expected[i]) <= 1e-5 * largest);
    free(expected);
    nn_npy_free(&g);
}

static void measure_problem(const oracle_problem *p, const char *temperature) {
    const char *distance = p->distance == NN_COSINE ? "cosine" : "euclidean";
    assert_int_equal(program_run("measure",
                                 "--features x.npy --labels y.npy --distance %s --temperature %s "
                                 "--gradient g.npy",
                                 distance, temperature),
                     0);
    cJSON *json = printed();
    double at = json_number(json, "temperature"), *d = oracle_distances(p);
    int usable;
    oracle_compare("snnl", json_number(json, "snnl"), oracle_loss_of(p, d, at, &usable, NULL), 1e-5);
    assert_true(json_number(json, "points") == p->count && json_number(json, "usable") == usable);
    assert_true(json_number(json, "skipped") == p->count - usable);
    expect_text(json, "distance", distance);
    assert_int_equal(cJSON_GetArraySize(json), 6);
    if (strcmp(temperature, "optimal") != 0)
        assert_true(at == atof(temperature));
    else
        for (double octave = -20; octave <= 20; octave += 0.25) /* no other temperature is better */
            assert_true(json_number(json, "snnl") <=
                        oracle_loss_of(p, d, exp2(octave), &usable, NULL) * (1 + 1e-5));
    expect_gradient(p, at);
    free(d);
    cJSON_Delete(json);
}

static void arrays_match_the_formula(void **state) {
    (void)state;
    static const char *const temperatures[] = {"0.5", "1e3", "optimal"};
    for (int distance = 0; distance < 2; distance++)
        for (int wide = 0; wide < 2; wide++) {
            oracle_problem p = oracle_make(60, 14, 5, 1, 3, (nn_distance)distance);
            p.labels[7] = 1000; /* a lone class */
            write_problem(&p, wide);
            for (int t = 0; t < 3; t++)
                measure_problem(&p, temperatures[t]);
            oracle_drop(&p);
        }
}

/* Optimal and Euclidean unless said otherwise. */
static void array_defaults(void **state) {
    (void)state;
    oracle_problem p = oracle_make(40, 6, 3, 1, 0, NN_EUCLIDEAN);
    write_problem(&p, true);
    assert_int_equal(program_run("measure", "--features x.npy --labels=y.npy"), 0);
    char *first = strdup(program_output);
    assert_int_equal(program_run("measure",
                                 "--features x.npy --labels y.npy --temperature optimal --distance euclidean "
                                 "--threads 3"),
                     0);
    assert_string_equal(first, program_output);
    free(first);
    unsigned char small[40]; /* labels of one byte each */
    for (int i = 0; i < 40; i++)
        small[i] = (unsigned char)(p.labels[i] + 9);
    write_npy("bytes.npy", "|u1", "(40,)", small, sizeof small);
    first = strdup(program_output);
    assert_int_equal(program_run("measure", "--features x.npy --labels bytes.npy"), 0);
    assert_string_equal(first, program_output);
    free(first);
    oracle_drop(&p);
}

static void bad_arrays(void **state) {
    (void)state;
    const double x[] = {0, 1, 2, 3}, bad[] = {0, NAN, 2, 3};
    const int32_t y[] = {0, 1, 0, 1};
    write_npy("good.npy", "<f8", "(4, 1)", x, sizeof x);
    write_npy("nan.npy", "<f8", "(4, 1)", bad, sizeof bad);
    write_npy("short.npy", "<f8", "(5, 1)", x, sizeof x);
    write_npy("labels.npy", "<i4", "(4,)", y, sizeof y);
    write_npy("three.npy", "<i4", "(3,)", y, 12);
    write_npy("square.npy", "<i4", "(2, 2)", y, sizeof y);
    write_npy("empty.npy", "<f8", "(0, 1)", x, 0);
    test_file("text.npy", "hello", 5);
    static const char *const lines[][2] = {
        {"--features good.npy --labels absent.npy", "absent.npy: No such file"},
        {"--features text.npy --labels labels.npy", "text.npy"},
        {"--features short.npy --labels labels.npy", "short.npy"},
        {"--features nan.npy --labels labels.npy", "nan.npy: point 1 has a feature that is NaN"},
        {"--features good.npy --labels three.npy", "three.npy has 3 labels, good.npy 4 points"},
        {"--features good.npy --labels square.npy", "square.npy: labels of rank 2"},
        {"--features good.npy --labels good.npy", "good.npy: labels of a floating-point type"},
        {"--features labels.npy --labels labels.npy", "labels.npy: features of an integer type"},
        {"--features empty.npy --labels labels.npy", "empty.npy: no features"},
        {"--features good.npy --labels labels.npy --gradient absent/g.npy", "absent/g.npy: No such file"},
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        assert_int_equal(program_run("measure", "%s", lines[i][0]), 1);
        program_complained(lines[i][1]);
    }
    program_next.output = "/dev/full";
    assert_int_equal(program_run("measure", "--features good.npy --labels labels.npy"), 1);
    program_complained("measure: cannot write the result");
}

/* --- runs ----------------------------------------------------------------------------------------------- */

static void expect_summary(const cJSON *measured) {
    char *text = program_file("run/summary.json");
    cJSON *summary = cJSON_Parse(text);
    free(text);
    assert_non_null(summary);
    oracle_compare("accuracy", json_number(measured, "accuracy"), json_number(summary, "test_accuracy"),
                   1e-8);
    oracle_compare("cross-entropy", json_number(measured, "cross_entropy"),
                   json_number(summary, "test_cross_entropy"), 1e-8);
    for (int i = 0; i < 2; i++) {
        const cJSON *tap = tap_of(measured, i), *same = tap_of(summary, i);
        expect_text(tap, "name", i ? "dense2" : "dense1");
        assert_true(json_number(tap, "snnl") > 0.1);
        oracle_compare("snnl", json_number(tap, "snnl"), json_number(same, "snnl"), 1e-8);
        oracle_compare("temperature", json_number(tap, "temperature"), json_number(same, "temperature"),
                       1e-8);
    }
    cJSON_Delete(summary);
}

static void a_run_measures_as_its_summary_says(void **state) {
    (void)state;
    assert_int_equal(program_run("measure", "--run run --json"), 0);
    cJSON *json = printed();
    expect_summary(json);
    expect_text(json, "model", "mlp");
    expect_text(json, "dataset", "mnist");
    expect_text(json, "distance", "euclidean");
    assert_true(json_number(json, "examples") == PROGRAM_TEST && json_number(json, "batch") == BATCH);
    char line[128];
    snprintf(line, sizeof line, "%-20s %12.6f %14.6g\n", "dense1", json_number(tap_of(json, 0), "snnl"),
             json_number(tap_of(json, 0), "temperature"));
    cJSON_Delete(json);
    assert_int_equal(program_run("measure", "--run run"), 0);
    assert_string_equal(program_errors, "");
    program_said(program_output, "mlp, 50 test examples of mnist in batches of 16: accuracy ");
    program_said(program_output, line);
}

static nn_npy read_dump(const char *name, int rank, size_t size) {
    char path[64];
    nn_npy array;
    nn_error error = {0};
    snprintf(path, sizeof path, "dump/%s.npy", name);
    test_ok(nn_npy_read(path, &array, &error), &error);
    assert_true(array.rank == rank && array.dims[0] == PROGRAM_TEST && array.size == size);
    return array;
}

/* The mean over batches, by size, of the formula on the dumped representations. */
static double dumped_loss(const char *tap, const nn_npy *labels, nn_distance distance, double temperature) {
    nn_npy x = read_dump(tap, 2, 4);
    assert_true(x.dims[1] == 256);
    double total = 0;
    for (int start = 0; start < PROGRAM_TEST; start += BATCH) {
        int count = PROGRAM_TEST - start < BATCH ? PROGRAM_TEST - start : BATCH;
        oracle_problem p = oracle_make(count, 256, 1, 0, 0, distance);
        for (int i = 0; i < count; i++) {
            p.labels[i] = (int32_t)nn_npy_integer(labels, (size_t)(start + i));
            for (int k = 0; k < 256; k++)
                p.x[i * 256 + k] = nn_npy_number(&x, (size_t)(start + i) * 256 + (size_t)k);
        }
        total += oracle_loss(&p, temperature) * count / PROGRAM_TEST;
        oracle_drop(&p);
    }
    nn_npy_free(&x);
    return total;
}

static void a_dump_is_what_was_measured(void **state) {
    (void)state;
    for (int distance = 0; distance < 2; distance++) {
        const double temperature = distance == NN_COSINE ? 0.25 : 40;
        assert_int_equal(program_run("measure", "--run run --json --dump dump --temperature %g --distance %s",
                                     temperature, distance == NN_COSINE ? "cosine" : "euclidean"),
                         0);
        cJSON *json = printed();
        nn_npy labels = read_dump("labels", 1, 8), predictions = read_dump("predictions", 1, 8);
        nn_npy logits = read_dump("logits", 2, 4);
        unsigned char *truth = (unsigned char *)program_file("data/mnist/t10k-labels-idx1-ubyte") + 8;
        int right = 0;
        for (size_t i = 0; i < PROGRAM_TEST; i++) {
            int64_t predicted = nn_npy_integer(&predictions, i);
            assert_int_equal(nn_npy_integer(&labels, i), truth[i]);
            right += predicted == truth[i];
            for (size_t k = 0; k < 10; k++)
                assert_true(nn_npy_number(&logits, 10 * i + k) <=
                            nn_npy_number(&logits, 10 * i + (size_t)predicted));
        }
        oracle_compare("accuracy", json_number(json, "accuracy"), right / (double)PROGRAM_TEST, 1e-6);
        for (int i = 0; i < 2; i++) {
            const char *tap = i ? "dense2" : "dense1";
            oracle_compare(tap, json_number(tap_of(json, i), "snnl"),
                           dumped_loss(tap, &labels, (nn_distance)distance, temperature), 2e-5);
            oracle_compare("temperature", json_number(tap_of(json, i), "temperature"), temperature, 1e-6);
        }
        free(truth - 8);
        nn_npy_free(&labels);
        nn_npy_free(&predictions);
        nn_npy_free(&logits);
        cJSON_Delete(json);
    }
}

/* The same in one archive, from which arrays are measured as from files. */
static void archives(void **state) {
    (void)state;
    static const char *const names[] = {"labels", "predictions", "logits", "dense1", "dense2"};
    assert_int_equal(program_run("measure", "--run run --json --dump dump"), 0);
    assert_int_equal(program_run("measure", "--run run --json --dump dump.npz"), 0);
    for (int i = 0; i < 5; i++) {
        nn_npy file = read_dump(names[i], i < 2 ? 1 : 2, i < 2 ? 8 : 4), array;
        nn_error error = {0};
        char path[64];
        snprintf(path, sizeof path, "dump.npz:%s", names[i]);
        test_ok(nn_npz_read(path, &array, &error), &error);
        assert_true(array.count == file.count && array.size == file.size && array.rank == file.rank);
        assert_memory_equal(array.elements, file.elements, file.count * file.size);
        nn_npy_free(&file);
        nn_npy_free(&array);
    }
    assert_int_equal(program_run("measure", "--features dump/dense2.npy --labels dump/labels.npy"), 0);
    char *expected = strdup(program_output);
    assert_int_equal(program_run("measure", "--features dump.npz:dense2 --labels dump.npz:labels"), 0);
    assert_string_equal(program_output, expected);
    free(expected);
    assert_int_equal(program_run("measure", "--features dump.npz --labels dump.npz:labels"), 2);
    program_complained(
        "dump.npz holds several arrays: name one as dump.npz:NAME; there are: labels, predictions, ");
    assert_int_equal(program_run("measure", "--run run --dump absent/dump.npz"), 1);
    program_complained("cannot write absent/dump.npz: No such file");
}

/* What calibration is computed from, out of the dumped logits. */
typedef struct predictions {
    double confidence[PROGRAM_TEST], right[PROGRAM_TEST], brier, entropy;
} predictions;

static predictions predict_from_dump(void) {
    predictions p = {0};
    nn_npy logits = read_dump("logits", 2, 4), labels = read_dump("labels", 1, 8);
    for (size_t i = 0; i < PROGRAM_TEST; i++) {
        const size_t label = (size_t)nn_npy_integer(&labels, i);
        double sum = 0;
        for (size_t k = 0; k < 10; k++)
            sum += exp(nn_npy_number(&logits, 10 * i + k));
        for (size_t k = 0; k < 10; k++) {
            const double probability = exp(nn_npy_number(&logits, 10 * i + k)) / sum;
            p.brier += pow(probability - (k == label), 2) / PROGRAM_TEST;
            if (k == label)
                p.entropy -= log(probability) / PROGRAM_TEST;
            if (probability > p.confidence[i]) {
                p.confidence[i] = probability;
                p.right[i] = k == label;
            }
        }
    }
    nn_npy_free(&logits);
    nn_npy_free(&labels);
    return p;
}

static double prefixed(const cJSON *json, const char *prefix, const char *name) {
    char whole[64];
    snprintf(whole, sizeof whole, "%s%s", prefix, name);
    return json_number(json, whole);
}

static void expect_calibration(const cJSON *json, const char *prefix, const predictions *p) {
    const cJSON *bins = cJSON_GetObjectItemCaseSensitive(json, "reliability");
    assert_int_equal(cJSON_GetArraySize(bins), 15);
    double error = 0, mean = 0, accuracy = 0;
    for (int m = 0; m < 15; m++) {
        double count = 0, confidence = 0, right = 0;
        for (int i = 0; i < PROGRAM_TEST; i++)
            if (p->confidence[i] > m / 15.0 && p->confidence[i] <= (m + 1) / 15.0) {
                count++;
                confidence += p->confidence[i];
                right += p->right[i];
            }
        error += fabs(right - confidence) / PROGRAM_TEST;
        mean += confidence / PROGRAM_TEST;
        accuracy += right / PROGRAM_TEST;
        const cJSON *bin = cJSON_GetArrayItem(bins, m);
        assert_true(json_number(bin, "count") == count);
        oracle_compare("confidence", json_number(bin, "confidence"), count > 0 ? confidence / count : 0,
                       1e-8);
        oracle_compare("accuracy", json_number(bin, "accuracy"), count > 0 ? right / count : 0, 1e-8);
    }
    oracle_compare("ECE", prefixed(json, prefix, "ece"), error, 1e-8);
    oracle_compare("Brier", prefixed(json, prefix, "brier"), p->brier, 1e-8);
    oracle_compare("mean confidence", prefixed(json, prefix, "confidence"), mean, 1e-8);
    oracle_compare("accuracy", prefixed(json, prefix, "accuracy"), accuracy, 1e-6);
    oracle_compare("cross-entropy", prefixed(json, prefix, "cross_entropy"), p->entropy, 1e-6);
}

/* 50 examples in batches of 16: the last one holds 2, and memory still the others of the one before. */
static void calibration_is_that_of_the_dumped_logits(void **state) {
    (void)state;
    assert_int_equal(program_run("measure", "--run run --json --dump dump"), 0);
    cJSON *measured = printed();
    const predictions p = predict_from_dump();
    expect_calibration(measured, "", &p);
    char *text = program_file("run/summary.json"), part[32];
    cJSON *summary = cJSON_Parse(text);
    expect_calibration(summary, "test_", &p);
    assert_int_equal(program_run("measure", "--run run"), 0);
    snprintf(part, sizeof part, ", ECE %.4f\n", json_number(measured, "ece"));
    program_said(program_output, part);
    cJSON_Delete(measured);
    cJSON_Delete(summary);
    free(text);
}

static void copy(const char *from, const char *to) {
    unsigned char *bytes;
    size_t count;
    nn_error error = {0};
    test_ok(nn_file_read(from, 1 << 24, &bytes, &count, &error), &error);
    test_ok(nn_file_write_atomic(to, bytes, count, &error), &error);
    free(bytes);
}

/* The training images as a test set are measured as the summary says of the training set. */
static void the_summary_measures_the_training_set_too(void **state) {
    (void)state;
    assert_true(mkdir("turned", 0777) == 0 && mkdir("turned/mnist", 0777) == 0);
    copy("data/mnist/train-images-idx3-ubyte", "turned/mnist/t10k-images-idx3-ubyte");
    copy("data/mnist/train-labels-idx1-ubyte", "turned/mnist/t10k-labels-idx1-ubyte");
    assert_int_equal(program_run("measure", "--run run --data turned --json"), 0);
    cJSON *measured = printed();
    char *text = program_file("run/summary.json");
    cJSON *summary = cJSON_Parse(text);
    assert_true(json_number(measured, "examples") == PROGRAM_TRAIN);
    oracle_compare("train_accuracy", json_number(summary, "train_accuracy"),
                   json_number(measured, "accuracy"), 1e-8);
    oracle_compare("train_cross_entropy", json_number(summary, "train_cross_entropy"),
                   json_number(measured, "cross_entropy"), 1e-8);
    cJSON_Delete(measured);
    cJSON_Delete(summary);
    free(text);
}

static void other_data_and_fewer_examples(void **state) {
    (void)state;
    assert_int_equal(program_run("measure", "--run run --json --dataset notmnist --examples 20"), 0);
    cJSON *json = printed();
    expect_text(json, "dataset", "notmnist");
    assert_true(json_number(json, "examples") == 20);
    double other = json_number(tap_of(json, 0), "snnl"), entropy = json_number(json, "cross_entropy");
    cJSON_Delete(json);
    assert_int_equal(program_run("measure", "--run run --json --examples 20"), 0);
    json = printed(); /* the same pictures: normalised as in training, so the same representations */
    assert_true(json_number(tap_of(json, 0), "snnl") == other &&
                json_number(json, "cross_entropy") == entropy);
    cJSON_Delete(json);
}

static void bad_runs(void **state) {
    (void)state;
    assert_int_equal(program_run("measure", "--run absent"), 1);
    program_complained("absent/config.ini: No such file");
    assert_int_equal(program_run("measure", "--run run --data nowhere"), 1);
    program_complained("no mnist data");
    assert_int_equal(program_run("measure", "--run run --dataset shapes"), 1);
    program_complained(
        "run/model.safetensors was trained on images of 8 x 8 x 1, those of shapes are 32 x 32 x 3");
    test_file("taken", "", 0);
    assert_int_equal(program_run("measure", "--run run --dump taken"), 1);
    program_complained("taken/labels.npy: Not a directory");

    char *config = program_file("run/config.ini");
    assert_int_equal(mkdir("broken", 0777), 0);
    test_file("broken/config.ini", config, strlen(config));
    assert_int_equal(program_run("measure", "--run broken"), 1);
    program_complained("broken/model.safetensors: No such file");
    test_file("broken/model.safetensors", "12345678", 8);
    assert_int_equal(program_run("measure", "--run broken"), 1);
    program_complained("not a whole safetensors file");
    free(config);
}

static void wrong_usage(void **state) {
    (void)state;
    static const char either[] = "give either --features and --labels, or --run";
    static const char *const lines[][2] = {
        {"", either},
        {"--json", either},
        {"--features good.npy", either},
        {"--labels labels.npy", either},
        {"--dump out", either},
        {"--features good.npy --labels labels.npy --run run", either},
        {"--features good.npy --labels labels.npy --examples 2", either},
        {"--run run --gradient g.npy", either},
        {"--nosuch", "--nosuch: there is no such option"},
        {"run", "'run' is not an option"},
        {"--run", "--run wants a value"},
        {"--run run --examples -1", "--examples: '-1' is not a whole number"},
        {"--features a --labels b --distance far", "--distance: 'far' is not one of: euclidean, cosine"},
        {"--features a --labels b --temperature 0",
         "--temperature: '0' is neither a positive number nor 'optimal'"},
        {"--features a --labels b --temperature hot", "--temperature: 'hot' is neither"},
        {"--features a --labels b --temperature nan", "--temperature: 'nan' is neither"},
        {"--run run --dataset nosuch", "unknown data set 'nosuch'"},
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        assert_int_equal(program_run("measure", "%s", lines[i][0]), 2);
        program_complained(lines[i][1]);
        program_said(program_errors, "measure: ");
    }
    assert_int_equal(program_run("measure", "--help"), 0);
    program_said(program_output, "usage: ./measure --features X.npy --labels Y.npy");
    assert_int_equal(program_run("measure", "--version"), 0);
    program_said(program_output, "entangle measure ");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrays_match_the_formula),
        cmocka_unit_test(array_defaults),
        cmocka_unit_test(bad_arrays),
        cmocka_unit_test(a_run_measures_as_its_summary_says),
        cmocka_unit_test(a_dump_is_what_was_measured),
        cmocka_unit_test(archives),
        cmocka_unit_test(calibration_is_that_of_the_dumped_logits),
        cmocka_unit_test(the_summary_measures_the_training_set_too),
        cmocka_unit_test(other_data_and_fewer_examples),
        cmocka_unit_test(bad_runs),
        cmocka_unit_test(wrong_usage),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
