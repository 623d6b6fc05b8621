/* ./embed, run as a user runs it: files and trained runs, what it writes, and what is refused. */
#include <cjson/cJSON.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/json.h"
#include "tests/support/program.h"

enum { POINTS = 120, DIMS = 6, CLASSES = 3 };

/* Three groups of points (x.npy, y.npy: classes -7, 0 and 7) and a trained run. */
static int set_up(void **state) {
    program_begin(state);
    float *x = test_normal(POINTS * DIMS, "groups");
    int64_t labels[POINTS];
    nn_error error = {0};
    for (int i = 0; i < POINTS; i++) {
        x[i * DIMS + i % CLASSES] += 12;
        labels[i] = 7 * (i % CLASSES - 1);
    }
    test_ok(nn_npy_write_floats("x.npy", 3, (size_t[]){POINTS, 2, DIMS / 2}, x, &error), &error);
    test_ok(nn_npy_write_floats("few.npy", 2, (size_t[]){50, DIMS}, x, &error), &error);
    test_ok(nn_npy_write_integers("y.npy", 1, (size_t[]){POINTS}, labels, &error), &error);
    test_ok(nn_npy_write_integers("short.npy", 1, (size_t[]){POINTS - 1}, labels, &error), &error);
    x[5 * DIMS] = NAN;
    test_ok(nn_npy_write_floats("nan.npy", 2, (size_t[]){POINTS, DIMS}, x, &error), &error);
    free(x);
    program_data("data", "mnist");
    return program_run(
        "train",
        "--quiet --dataset mnist --model mlp --batch 16 --epochs 1 --lr 0.01 --log-every 0 --run run");
}

/* --- reading what was written --------------------------------------------------------------------------- */

static cJSON *read_summary(const char *out) {
    char path[64];
    snprintf(path, sizeof path, "%s.json", out);
    return json_file(path);
}

static bool has(const cJSON *json, const char *name) {
    return cJSON_GetObjectItemCaseSensitive(json, name) != NULL;
}

static nn_npy read_coordinates(const char *out, size_t points) {
    char path[64];
    nn_npy y;
    nn_error error = {0};
    snprintf(path, sizeof path, "%s.npy", out);
    test_ok(nn_npy_read(path, &y, &error), &error);
    assert_true(y.kind == 'f' && y.size == 4 && y.rank == 2 && y.dims[0] == points && y.dims[1] == 2);
    for (size_t k = 0; k < y.count; k++)
        assert_true(isfinite(nn_npy_number(&y, k)));
    return y;
}

static void expect_same_coordinates(const char *a, const char *b, size_t points) {
    nn_npy x = read_coordinates(a, points), y = read_coordinates(b, points);
    test_same_bits("coordinates", x.elements, y.elements, 8 * points);
    nn_npy_free(&x);
    nn_npy_free(&y);
}

/* Both pictures are whole; the SVG file has each of the texts, which end with NULL. */
static void expect_pictures(const char *out, const char *const *texts) {
    char path[64];
    unsigned char *png;
    size_t count;
    nn_error error = {0};
    snprintf(path, sizeof path, "%s.png", out);
    test_ok(nn_file_read(path, 1 << 24, &png, &count, &error), &error);
    assert_true(count > 5000);
    assert_memory_equal(png + 1, "PNG", 3);
    assert_memory_equal(png + count - 8, "IEND", 4);
    free(png);
    snprintf(path, sizeof path, "%s.svg", out);
    char *svg = program_file(path);
    program_said(svg, "</svg>");
    for (; *texts; texts++)
        program_said(svg, *texts);
    free(svg);
}

/* --- files ---------------------------------------------------------------------------------------------- */

/* The loss that ./measure finds for the coordinates. */
static double measured(const char *out) {
    assert_int_equal(program_run("measure", "--features %s.npy --labels y.npy", out), 0);
    cJSON *json = cJSON_Parse(program_output);
    assert_non_null(json);
    double snnl = json_number(json, "snnl");
    cJSON_Delete(json);
    return snnl;
}

static void labelled_points(void **state) {
    (void)state;
    assert_int_equal(program_run("embed", "--features x.npy --labels y.npy --out labelled --iterations 260"),
                     0);
    assert_string_equal(program_output, "");
    program_said(program_errors, "iteration   50 of 260  KL divergence ");
    program_said(program_errors, "iteration  260 of 260  KL divergence ");
    program_said(program_errors, "done after 260 iterations");
    cJSON *json = read_summary("labelled");
    assert_true(json_number(json, "points") == POINTS && json_number(json, "dims") == DIMS);
    assert_true(json_number(json, "classes") == CLASSES && json_number(json, "iterations") == 260);
    assert_true(json_number(json, "perplexity") == 30);
    double kl = json_number(json, "kl");
    assert_true(kl > 0.001 && kl < 2);
    assert_true(cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "exact")));
    assert_true(cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(json, "interrupted")));
    const cJSON *before = cJSON_GetObjectItemCaseSensitive(json, "representation"),
                *after = cJSON_GetObjectItemCaseSensitive(json, "embedding");
    assert_true(fabs(json_number(before, "snnl") - measured("x")) < 1e-5);
    assert_true(fabs(json_number(after, "snnl") - measured("labelled")) < 1e-4);
    nn_npy y = read_coordinates("labelled", POINTS);
    nn_npy_free(&y);
    char heading[128], loss[128];
    snprintf(heading, sizeof heading, "120 points, perplexity 30, KL divergence %.3f", kl);
    snprintf(loss, sizeof loss, "SNNL %.3g in 6 dimensions, %.3g in the plane", json_number(before, "snnl"),
             json_number(after, "snnl"));
    expect_pictures("labelled", (const char *[]){"t-SNE: x.npy", heading, loss, ">-7<", ">0<", ">7<", NULL});
    cJSON_Delete(json);
}

static void points_without_labels(void **state) {
    (void)state;
    assert_int_equal(program_run("embed", "--features x.npy --iterations 20 --json --quiet"), 0);
    assert_string_equal(program_errors, "");
    const char *end = strchr(program_output, '\n');
    assert_true(end && end[1] == '\0');
    cJSON *line = cJSON_Parse(program_output), *json = read_summary("embedding");
    assert_true(cJSON_Compare(line, json, true));
    assert_false(has(json, "classes") || has(json, "representation") || has(json, "embedding"));
    cJSON_Delete(line);
    cJSON_Delete(json);
    expect_pictures("embedding", (const char *[]){"t-SNE: x.npy", "120 points", NULL});
    char *svg = program_file("embedding.svg");
    assert_null(strstr(svg, "SNNL"));
    free(svg);
}

static void results_repeat(void **state) {
    (void)state;
    static const char line[] =
        "--features x.npy --quiet --start random --iterations 60 --seed %d --threads %d --out %s";
    assert_int_equal(program_run("embed", line, 5, 1, "one"), 0);
    assert_int_equal(program_run("embed", line, 5, 3, "three"), 0);
    assert_int_equal(program_run("embed", line, 6, 1, "other"), 0);
    expect_same_coordinates("one", "three", POINTS);
    nn_npy a = read_coordinates("one", POINTS), b = read_coordinates("other", POINTS);
    assert_true(memcmp(a.elements, b.elements, 8 * POINTS) != 0);
    nn_npy_free(&a);
    nn_npy_free(&b);
}

/* Many points, by Barnes-Hut, and more classes than the palette has colors or the legend rows. */
static void many_points(void **state) {
    (void)state;
    enum { MANY = 2100 };
    float *x = test_normal(MANY * 3, "many");
    int64_t labels[MANY];
    nn_error error = {0};
    for (int i = 0; i < MANY; i++)
        labels[i] = i % 50;
    test_ok(nn_npy_write_floats("many.npy", 2, (size_t[]){MANY, 3}, x, &error), &error);
    test_ok(nn_npy_write_integers("fifty.npy", 1, (size_t[]){MANY}, labels, &error), &error);
    assert_int_equal(program_run("embed", "--features many.npy --labels fifty.npy --out many --iterations 3 "
                                          "--theta 0.8 --perplexity 10"),
                     0);
    program_said(program_errors, "Barnes-Hut");
    cJSON *json = read_summary("many");
    assert_true(cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(json, "exact")) &&
                json_number(json, "theta") == 0.8);
    cJSON_Delete(json);
    expect_pictures("many", (const char *[]){">38<", ">and 11 more<", NULL});
    free(x);
}

/* --- runs ----------------------------------------------------------------------------------------------- */

/* What is shown of a run is what ./measure dumps of it. */
static void layers_of_a_run(void **state) {
    (void)state;
    assert_int_equal(program_run("measure", "--run run --dump dump"), 0);
    static const char *const taps[] = {"dense1", "dense2", "logits"};
    for (int k = 0; k < 3; k++) {
        char out[64], title[64];
        assert_int_equal(
            program_run("embed", "--run run --tap %s --perplexity 8 --iterations 40 --quiet", taps[k]), 0);
        assert_int_equal(program_run("embed",
                                     "--features dump/%s.npy --labels dump/labels.npy --perplexity 8 "
                                     "--iterations 40 --quiet --out same",
                                     taps[k]),
                         0);
        snprintf(out, sizeof out, "run/embedding-%s", taps[k]);
        expect_same_coordinates(out, "same", PROGRAM_TEST);
        snprintf(title, sizeof title, "t-SNE: %s of mlp on mnist", taps[k]);
        expect_pictures(out, (const char *[]){title, "50 points", NULL});
    }
}

/* The input is the images as the model sees them, so only a factor apart from the pixels. */
static void pixels_of_a_run(void **state) {
    (void)state;
    assert_int_equal(
        program_run("embed", "--run run --tap input --perplexity 8 --examples 40 --iterations 5 --json"), 0);
    cJSON *json = cJSON_Parse(program_output);
    assert_true(json_number(json, "points") == 40 &&
                json_number(json, "dims") == PROGRAM_SIDE * PROGRAM_SIDE);
    cJSON_Delete(json);
    char *file = program_file("data/mnist/t10k-images-idx3-ubyte");
    float pixels[40 * PROGRAM_SIDE * PROGRAM_SIDE];
    nn_error error = {0};
    for (size_t k = 0; k < sizeof pixels / sizeof *pixels; k++)
        pixels[k] = (unsigned char)file[16 + k];
    test_ok(nn_npy_write_floats("pixels.npy", 2, (size_t[]){40, PROGRAM_SIDE * PROGRAM_SIDE}, pixels, &error),
            &error);
    assert_int_equal(program_run("embed", "--features pixels.npy --perplexity 8 --iterations 5 --out pixels"),
                     0);
    nn_npy a = read_coordinates("run/embedding-input", 40), b = read_coordinates("pixels", 40);
    double extent = 0, apart = 0;
    for (size_t k = 0; k < 80; k++) {
        extent = fmax(extent, fabs(nn_npy_number(&b, k)));
        apart = fmax(apart, fabs(nn_npy_number(&a, k) - nn_npy_number(&b, k)));
    }
    if (!(apart <= 1e-2 * extent))
        fail_msg("coordinates up to %g differ by %g", extent, apart);
    nn_npy_free(&a);
    nn_npy_free(&b);
    free(file);
}

/* --- interruptions -------------------------------------------------------------------------------------- */

static void an_interruption_keeps_what_there_is(void **state) {
    (void)state;
    program_next.errors = "progress.txt";
    pid_t pid = program_start("embed", "--features x.npy --labels y.npy --iterations 1000000 --out stopped");
    for (bool works = false; !works; usleep(10000)) {
        char *text = program_file_exists("progress.txt") ? program_file("progress.txt") : NULL;
        works = text && strstr(text, "iteration   50 of 1000000");
        free(text);
    }
    assert_int_equal(kill(pid, SIGINT), 0);
    assert_int_equal(program_end(pid), 130);
    char *text = program_file("progress.txt");
    program_said(text, "interrupted after ");
    free(text);
    cJSON *json = read_summary("stopped");
    assert_true(cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "interrupted")));
    assert_true(json_number(json, "iterations") >= 50 && json_number(json, "iterations") < 1000000);
    cJSON_Delete(json);
    nn_npy y = read_coordinates("stopped", POINTS);
    nn_npy_free(&y);
    expect_pictures("stopped", (const char *[]){", stopped after ", NULL});
}

/* --- mistakes ------------------------------------------------------------------------------------------- */

static void bad_input(void **state) {
    (void)state;
    test_file("text.npy", "hello", 5);
    static const char *const lines[][2] = {
        {"--features absent.npy", "absent.npy: No such file"},
        {"--features text.npy", "text.npy"},
        {"--features x.npy --labels absent.npy", "absent.npy: No such file"},
        {"--features x.npy --labels short.npy", "short.npy has 119 labels, x.npy 120 points"},
        {"--features x.npy --labels x.npy", "x.npy: labels of a floating-point type"},
        {"--features y.npy", "y.npy: features of an integer type"},
        {"--features nan.npy", "nan.npy: point 5 has a feature that is NaN"},
        {"--features x.npy --out absent/x", "--out: cannot write to the folder absent: No such file"},
        {"--run absent --tap dense1 --out here", "absent/config.ini: No such file"},
        {"--run absent --tap dense1", "--out: cannot write to the folder absent: No such file"},
        {"--run run --tap dense1 --data nowhere", "no mnist data"},
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        assert_int_equal(program_run("embed", "%s", lines[i][0]), 1);
        program_complained(lines[i][1]);
        program_said(program_errors, "embed: ");
    }
}

static void wrong_usage(void **state) {
    (void)state;
    static const char either[] = "give either --features (and --labels), or --run and --tap";
    static const char *const lines[][2] = {
        {"", either},
        {"--labels y.npy", either},
        {"--tap dense1", either},
        {"--features x.npy --run run --tap dense1", either},
        {"--features x.npy --examples 10", either},
        {"--run run", "--run needs --tap NAME"},
        {"--run run --tap dense9", "--tap: there is no 'dense9'; there are: input, dense1, dense2, logits"},
        {"--run run --tap dense1 --dataset nosuch", "unknown data set 'nosuch'"},
        {"--run run --tap dense1 --quiet", "the largest possible one for 50 points is 16.33"},
        {"--features few.npy --quiet",
         "a perplexity of 30 needs at least 91 points; the largest possible one for 50"},
        {"--features x.npy --perplexity 0.5", "--perplexity"},
        {"--features x.npy --theta 2", "--theta"},
        {"--features x.npy --iterations 0", "--iterations"},
        {"--features x.npy --start here", "--start: 'here' is not one of: principal, random"},
        {"--nosuch", "--nosuch: there is no such option"},
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        assert_int_equal(program_run("embed", "%s", lines[i][0]), 2);
        program_complained(lines[i][1]);
    }
    assert_false(program_file_exists("run/embedding-dense9.npy"));
    assert_int_equal(program_run("embed", "--help"), 0);
    program_said(program_output, "usage: ./embed --features X.npy [--labels Y.npy]");
    assert_int_equal(program_run("embed", "--version"), 0);
    program_said(program_output, "entangle embed ");
}

static void full_disks(void **state) {
    (void)state;
    program_next.output = "/dev/full";
    assert_int_equal(program_run("embed", "--features x.npy --iterations 2 --quiet --json --out full"), 1);
    program_complained("cannot write the summary to standard output");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labelled_points),
        cmocka_unit_test(points_without_labels),
        cmocka_unit_test(results_repeat),
        cmocka_unit_test(many_points),
        cmocka_unit_test(layers_of_a_run),
        cmocka_unit_test(pixels_of_a_run),
        cmocka_unit_test(an_interruption_keeps_what_there_is),
        cmocka_unit_test(bad_input),
        cmocka_unit_test(wrong_usage),
        cmocka_unit_test(full_disks),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
