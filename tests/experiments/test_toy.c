/* ./toy, run as a user runs it: its snapshots against the formula and its own thresholds, one step against the
 * gradient from the formula, pictures, and what is refused. */
#include <cjson/cJSON.h>
#include <dirent.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/json.h"
#include "tests/support/program.h"
#include "tests/support/snnl_oracle.h"

#define DRAWN "--quiet --points 60 --classes 3 "
#define FEW   DRAWN "--no-pictures "

/* --- what a run wrote ----------------------------------------------------------------------------------- */

static cJSON *parse(char *text) {
    cJSON *json = cJSON_Parse(text);
    if (!json)
        fail_msg("no JSON: '%s'", text);
    return json;
}

static cJSON *read_summary(const char *run) {
    char path[64];
    snprintf(path, sizeof path, "%s/summary.json", run);
    return json_file(path);
}

static bool is_null(const cJSON *json, const char *name) {
    return cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(json, name));
}

static const cJSON *list(const cJSON *json, const char *name) {
    const cJSON *items = cJSON_GetObjectItemCaseSensitive(json, name);
    assert_true(cJSON_IsArray(items));
    return items;
}

/* toy.csv, from the row of step 0 on. */
typedef struct values {
    int rows;
    double *snnl, *temperature; /* in the memory behind this */
} values;

static values *read_values(const char *run) {
    char path[64];
    snprintf(path, sizeof path, "%s/toy.csv", run);
    char *text = program_file(path), *line = strchr(text, '\n') + 1;
    size_t most = strlen(text) / 5; /* "0,0,1\n" is the shortest row */
    values *v = test_bytes(sizeof *v + 2 * most * sizeof *v->snnl);
    v->snnl = (double *)(v + 1);
    v->temperature = v->snnl + most;
    assert_memory_equal(text, "step,snnl,temperature\n", 22);
    for (; *line; line = strchr(line, '\n') + 1, v->rows++) {
        int step, end = 0;
        assert_int_equal(
            sscanf(line, "%d,%lf,%lf%n", &step, &v->snnl[v->rows], &v->temperature[v->rows], &end), 3);
        assert_true(line[end] == '\n' && step == v->rows);
    }
    free(text);
    return v;
}

/* The points of one step in points.csv; dropped with oracle_drop. */
static oracle_problem read_points(const char *run, int wanted_step, int count) {
    oracle_problem p = {.count = count, .dims = 2, .distance = NN_EUCLIDEAN};
    p.x = test_bytes((size_t)count * 2 * sizeof *p.x);
    p.labels = test_bytes((size_t)count * sizeof *p.labels);
    char path[64];
    int step, found = 0, label;
    double x, y;
    snprintf(path, sizeof path, "%s/points.csv", run);
    char *text = program_file(path), *line = strchr(text, '\n') + 1;
    assert_memory_equal(text, "step,x,y,label\n", 15);
    for (; *line; line = strchr(line, '\n') + 1) {
        assert_int_equal(sscanf(line, "%d,%lf,%lf,%d", &step, &x, &y, &label), 4);
        if (step != wanted_step)
            continue;
        assert_true(found < count);
        p.x[2 * found] = x;
        p.x[2 * found + 1] = y;
        p.labels[found++] = label;
    }
    assert_int_equal(found, count);
    free(text);
    return p;
}

/* Every snapshot's value is the formula's for its points, and the one in toy.csv. */
static void check_snapshots(const char *run, int count) {
    cJSON *summary = read_summary(run);
    values *v = read_values(run);
    const cJSON *snapshot;
    cJSON_ArrayForEach(snapshot, list(summary, "snapshots")) {
        int step = (int)json_number(snapshot, "step");
        double snnl = json_number(snapshot, "snnl"), temperature = json_number(snapshot, "temperature");
        oracle_problem p = read_points(run, step, count);
        oracle_compare("snapshot", snnl, oracle_loss(&p, temperature), 1e-6);
        assert_true(step < v->rows && v->snnl[step] == snnl && v->temperature[step] == temperature);
        oracle_drop(&p);
    }
    assert_int_equal((int)json_number(summary, "steps"), v->rows - 1);
    assert_true(json_number(summary, "start_snnl") == v->snnl[0]);
    assert_true(json_number(summary, "end_snnl") == v->snnl[v->rows - 1]);
    free(v);
    cJSON_Delete(summary);
}

static int files_in(const char *folder) {
    int count = 0;
    DIR *entries = opendir(folder);
    assert_non_null(entries);
    for (struct dirent *entry; (entry = readdir(entries));)
        count += entry->d_name[0] != '.';
    closedir(entries);
    return count;
}

/* --- descents ------------------------------------------------------------------------------------------- */

static void snapshots_are_taken_at_their_values(void **state) {
    (void)state;
    static const double thresholds[] = {1.05, 0.8, 0.4};
    assert_int_equal(program_run("toy", FEW "--snapshots 1.05,0.8,0.4 --run down"), 0);
    assert_string_equal(program_errors, "");
    assert_string_equal(program_output, "");
    check_snapshots("down", 60);
    cJSON *summary = read_summary("down");
    values *v = read_values("down");
    const cJSON *snapshots = list(summary, "snapshots"), *reached = list(summary, "thresholds");
    assert_int_equal(cJSON_GetArraySize(snapshots), 4);
    assert_int_equal(cJSON_GetArraySize(reached), 3);
    assert_true(json_number(cJSON_GetArrayItem(snapshots, 0), "step") == 0);
    assert_true(is_null(cJSON_GetArrayItem(snapshots, 0), "threshold"));
    for (int i = 0; i < 3; i++) {
        const cJSON *snapshot = cJSON_GetArrayItem(snapshots, i + 1), *mark = cJSON_GetArrayItem(reached, i);
        int step = (int)json_number(snapshot, "step");
        assert_true(json_number(snapshot, "threshold") == thresholds[i]);
        assert_true(json_number(mark, "threshold") == thresholds[i] && json_number(mark, "step") == step);
        assert_true(v->snnl[step] <= thresholds[i] && v->snnl[step - 1] > thresholds[i]);
    }
    for (int step = 1; step < v->rows; step++)
        assert_true(v->snnl[step] < v->snnl[step - 1] && v->temperature[step] == 10);
    assert_true(v->snnl[v->rows - 1] <= 0.4); /* the last value ends the run */
    free(v);
    cJSON_Delete(summary);
}

/* x - lr * T * usable * gradient, from the formula. */
static void a_step_follows_the_gradient(void **state) {
    (void)state;
    assert_int_equal(program_run("toy", FEW "--snapshots even --steps 1 --lr 0.03 --temperature 2 --run one"),
                     0);
    oracle_problem before = read_points("one", 0, 60), after = read_points("one", 1, 60);
    double *gradient = oracle_gradient(&before, 2);
    for (int i = 0; i < 120; i++)
        oracle_compare("coordinate", after.x[i], before.x[i] - 0.03 * 2 * 60 * gradient[i], 1e-6);
    free(gradient);
    oracle_drop(&before);
    oracle_drop(&after);
}

static void the_start_is_normal_with_random_labels(void **state) {
    (void)state;
    enum { COUNT = 4000, CLASSES = 4 };
    assert_int_equal(
        program_run("toy", "--quiet --no-pictures --points 4000 --steps 1 --snapshots even --run start"), 0);
    oracle_problem p = read_points("start", 0, COUNT);
    double sum[CLASSES][2] = {{0}}, squares[2] = {0, 0};
    int size[CLASSES] = {0};
    for (int i = 0; i < COUNT; i++) {
        assert_true(p.labels[i] >= 0 && p.labels[i] < CLASSES);
        size[p.labels[i]]++;
        for (int k = 0; k < 2; k++) {
            sum[p.labels[i]][k] += p.x[2 * i + k];
            squares[k] += p.x[2 * i + k] * p.x[2 * i + k];
        }
    }
    for (int k = 0; k < 2; k++)
        assert_true(fabs(squares[k] / COUNT - 1) < 0.1);
    for (int c = 0; c < CLASSES; c++) {
        assert_true(abs(size[c] - COUNT / CLASSES) < 150);
        assert_true(fabs(sum[c][0] / size[c]) < 0.15 && fabs(sum[c][1] / size[c]) < 0.15);
    }
    oracle_drop(&p);
}

/* mean_i log((b - 1) / (n_i - 1)): the loss when every neighbor is equally likely. */
static double limit_of(const oracle_problem *p) {
    double sum = 0;
    for (int i = 0; i < p->count; i++) {
        int mates = 0;
        for (int j = 0; j < p->count; j++)
            mates += j != i && p->labels[j] == p->labels[i];
        assert_true(mates > 0);
        sum += log((p->count - 1.0) / mates);
    }
    return sum / p->count;
}

static void maximising_entangles_up_to_the_limit(void **state) {
    (void)state;
    assert_int_equal(program_run("toy", FEW "--maximise --apart 1.5 --lr 0.01 --steps 300 --run up"), 0);
    check_snapshots("up", 60);
    oracle_problem p = read_points("up", 300, 60);
    double limit = limit_of(&p);
    values *v = read_values("up");
    cJSON *summary = read_summary("up");
    oracle_compare("limit", json_number(summary, "limit_snnl"), limit, 1e-8);
    assert_int_equal(v->rows, 301);
    assert_true(v->snnl[0] < 0.7);
    for (int step = 1; step <= 300; step++)
        assert_true(v->snnl[step] > v->snnl[step - 1] - 1e-6 && v->snnl[step] < limit + 1e-5);
    assert_true(v->snnl[300] > limit - 0.01);
    const cJSON *snapshots = list(summary, "snapshots");
    assert_int_equal(cJSON_GetArraySize(snapshots), 5);
    for (int i = 0; i < 5; i++)
        assert_true(json_number(cJSON_GetArrayItem(snapshots, i), "step") == 75 * i);
    assert_int_equal(cJSON_GetArraySize(list(summary, "thresholds")), 0);
    cJSON_Delete(summary);
    free(v);
    oracle_drop(&p);
}

static void thresholds_of_maximising_are_reached_from_below(void **state) {
    (void)state;
    assert_int_equal(program_run("toy", FEW "--maximise --apart 1.5 --snapshots 0.8,1.05 --run rising"), 0);
    check_snapshots("rising", 60);
    cJSON *summary = read_summary("rising");
    values *v = read_values("rising");
    const cJSON *snapshots = list(summary, "snapshots");
    assert_int_equal(cJSON_GetArraySize(snapshots), 3);
    for (int i = 1; i < 3; i++) {
        int step = (int)json_number(cJSON_GetArrayItem(snapshots, i), "step");
        double threshold = i == 1 ? 0.8 : 1.05;
        assert_true(v->snnl[step] >= threshold && v->snnl[step - 1] < threshold);
    }
    free(v);
    cJSON_Delete(summary);
}

static void optimal_temperature_is_optimal(void **state) {
    (void)state;
    assert_int_equal(program_run("toy", FEW "--temperature optimal --snapshots 0.8,0.4 --run optimal"), 0);
    check_snapshots("optimal", 60);
    cJSON *summary = read_summary("optimal");
    const cJSON *end = cJSON_GetArrayItem(list(summary, "snapshots"), 2);
    double temperature = json_number(end, "temperature"), snnl = json_number(end, "snnl");
    oracle_problem p = read_points("optimal", (int)json_number(end, "step"), 60);
    assert_true(snnl <= oracle_loss(&p, 1.1 * temperature) && snnl <= oracle_loss(&p, temperature / 1.1));
    oracle_drop(&p);
    cJSON_Delete(summary);
}

static void a_value_that_is_not_reached_is_told(void **state) {
    (void)state;
    assert_int_equal(program_run("toy", FEW "--snapshots 1.1,0.5,0.01 --steps 120 --run short"), 0);
    program_complained("NOTE: after 120 steps the loss is ");
    program_said(program_errors, "; not reached: 0.5, 0.01\n");
    check_snapshots("short", 60);
    cJSON *summary = read_summary("short");
    const cJSON *snapshots = list(summary, "snapshots"), *thresholds = list(summary, "thresholds");
    const cJSON *end = cJSON_GetArrayItem(snapshots, cJSON_GetArraySize(snapshots) - 1);
    assert_true(json_number(end, "step") == 120 && is_null(end, "threshold"));
    for (int i = 0; i < 3; i++) {
        const cJSON *reached = cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(thresholds, i), "reached");
        assert_true(i == 0 ? cJSON_IsTrue(reached) : cJSON_IsFalse(reached));
    }
    assert_true(cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(summary, "interrupted")));
    cJSON_Delete(summary);
}

/* --- files ---------------------------------------------------------------------------------------------- */

static void expect_same(const char *a, const char *b, bool same) {
    char *first = program_file(a), *second = program_file(b);
    if ((strcmp(first, second) == 0) != same)
        fail_msg("%s and %s are %s", a, b, same ? "different" : "the same");
    free(first);
    free(second);
}

static void same_seed_same_bytes(void **state) {
    (void)state;
    static const char *const lines[] = {"--threads 1 --run first", "--threads 2 --run second",
                                        "--config first/config.ini --run third", "--seed 2 --run other"};
    for (int i = 0; i < 4; i++)
        assert_int_equal(
            program_run("toy", "--quiet --no-pictures --points 150 --maximise --steps 40 %s", lines[i]), 0);
    expect_same("first/toy.csv", "second/toy.csv", true);
    expect_same("first/points.csv", "second/points.csv", true);
    expect_same("first/toy.csv", "other/toy.csv", false);
    assert_int_equal(program_run("toy", "--quiet --no-pictures --config first/config.ini --run fourth"), 0);
    expect_same("first/toy.csv", "third/toy.csv", true);
    expect_same("first/toy.csv", "fourth/toy.csv", true);
    char *config = program_file("fourth/config.ini");
    program_said(config, "\nmaximise = yes\ntemperature = optimal\nsnapshots = even\n");
    free(config);
}

static unsigned char *read_bytes(const char *path, size_t *count) {
    unsigned char *bytes;
    nn_error error = {0};
    test_ok(nn_file_read(path, 1 << 24, &bytes, count, &error), &error);
    return bytes;
}

static void expect_png(const char *path) {
    static const unsigned char signature[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    size_t count;
    unsigned char *png = read_bytes(path, &count);
    assert_true(count > 5000);
    assert_memory_equal(png, signature, sizeof signature);
    assert_memory_equal(png + count - 8, "IEND", 4);
    free(png);
}

/* A GIF's frames, each led by a graphic control extension. */
static int frames_of(const char *path) {
    size_t count;
    unsigned char *gif = read_bytes(path, &count);
    int frames = 0;
    assert_true(count > 10000);
    assert_memory_equal(gif, "GIF89a", 6);
    assert_int_equal(gif[count - 1], 0x3b);
    for (size_t i = 0; i + 4 < count; i++)
        frames += memcmp(gif + i, "\x21\xf9\x04", 3) == 0;
    free(gif);
    return frames;
}

static void pictures_are_drawn(void **state) {
    (void)state;
    assert_int_equal(program_run("toy", DRAWN "--snapshots 1.05,0.8 --run drawn"), 0);
    static const char *const pngs[] = {"toy.png", "snapshot-1.png", "snapshot-2.png", "snapshot-3.png"};
    char path[64], value[32];
    for (int i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "drawn/%s", pngs[i]);
        expect_png(path);
    }
    assert_true(frames_of("drawn/toy.gif") >= 40);
    assert_int_equal(files_in("drawn"), 4 + 2 + 4); /* with SVG and GIF, and the texts */

    char *svg = program_file("drawn/toy.svg");
    assert_memory_equal(svg, "<?xml", 5);
    assert_non_null(strstr(svg + strlen(svg) - 16, "</svg>"));
    cJSON *summary = read_summary("drawn");
    const cJSON *snapshot;
    cJSON_ArrayForEach(snapshot, list(summary, "snapshots")) {
        snprintf(value, sizeof value, ">SNNL %.4f<", json_number(snapshot, "snnl"));
        program_said(svg, value);
    }
    program_said(svg, "60 points, 3 classes, labels drawn at random, temperature 10, seed 1");
    cJSON_Delete(summary);
    free(svg);
}

static void odd_sizes_are_drawn(void **state) {
    (void)state;
    assert_int_equal(
        program_run("toy", "--quiet --points 3 --classes 2 --steps 1 --snapshots even --run three"), 0);
    expect_png("three/toy.png");
    assert_int_equal(program_run("toy", "--quiet --points 300 --classes 50 --temperature 1 --steps 2 "
                                        "--snapshots 3.9,3.8,3.7,3.6,3.5,0 --run many"),
                     0);
    expect_png("many/toy.png");
}

static void json_and_progress(void **state) {
    (void)state;
    assert_int_equal(
        program_run("toy", "--points 60 --classes 3 --no-pictures --snapshots 1.05 --json --run told"), 0);
    assert_ptr_equal(strchr(program_output, '\n'), program_output + strlen(program_output) - 1);
    cJSON *json = parse(program_output), *summary = read_summary("told");
    assert_true(cJSON_Compare(json, summary, true));
    cJSON_Delete(json);
    cJSON_Delete(summary);
    program_said(program_errors, "at most 1.05\ndone after ");
    program_said(program_errors, "see told\n");
}

static void folders_are_named_after_the_seed(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++)
        assert_int_equal(program_run("toy", FEW "--seed 7 --steps 1 --snapshots even"), 0);
    assert_int_equal(program_run("toy", FEW "--seed 7 --steps 1 --maximise"), 0);
    assert_true(program_file_exists("runs/toy-seed7/toy.csv"));
    assert_true(program_file_exists("runs/toy-seed7-2/toy.csv"));
    assert_true(program_file_exists("runs/toy-maximise-seed7/toy.csv"));
}

/* --- what goes wrong ------------------------------------------------------------------------------------ */

static void an_interrupted_run_leaves_what_there_is(void **state) {
    (void)state;
    pid_t pid =
        program_start("toy", "--quiet --points 400 --steps 1000000 --lr 1e-9 --snapshots 0 --run stopped");
    while (!program_file_exists("stopped/config.ini"))
        usleep(10000);
    assert_int_equal(kill(pid, SIGINT), 0);
    assert_int_equal(program_end(pid), 130);
    program_complained("not reached: 0");
    check_snapshots("stopped", 400);
    expect_png("stopped/toy.png");
    cJSON *summary = read_summary("stopped");
    assert_true(cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(summary, "interrupted")));
    cJSON_Delete(summary);
}

static void wrong_usage(void **state) {
    (void)state;
    static const char *const lines[][2] = {
        {"--nosuch", "--nosuch: there is no such option"},
        {"down", "'down' is not an option"},
        {"--points 1", "--points: '1' is not a whole number between 2 and 20000"},
        {"--classes 0", "--classes: '0' is not a whole number between 2 and 100"},
        {"--points 2 --classes 100", "--points: none of 2 points shares its class"},
        {"--lr 0", "--lr: 0 is not between"},
        {"--steps 0", "--steps: '0' is not a whole number between 1"},
        {"--apart -1", "--apart: -1 is not between 0"},
        {"--temperature 0", "--temperature: '0' is neither a number"},
        {"--temperature hot", "--temperature: 'hot' is neither a number"},
        {"--temperature nan", "--temperature: 'nan' is neither a number"},
        {"--snapshots half", "--snapshots: 'half' is neither values of the loss"},
        {"--snapshots=", "--snapshots: '' is neither values of the loss"},
        {"--snapshots 1,", "--snapshots: '1,' is neither values of the loss"},
        {"--snapshots -1", "--snapshots: '-1' is neither values of the loss"},
        {"--snapshots 1,2", "--snapshots: '1,2' does not fall"},
        {"--snapshots 1,1", "--snapshots: '1,1' does not fall"},
        {"--maximise --apart 100", "--apart: 100 is too far"},
        {"--maximise --snapshots 2,1", "--snapshots: '2,1' does not rise"},
        {"--snapshots 9,8,7,6,5,4,3", "--snapshots: '9,8,7,6,5,4,3' has more than 6 values"},
        {"--config nosuch.ini", "nosuch.ini: No such file"},
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        assert_int_equal(program_run("toy", "%s --run wrong", lines[i][0]), 2);
        program_complained(lines[i][1]);
        program_said(program_errors, "toy: ");
    }
    assert_false(program_file_exists("wrong"));
    test_file("wrong.ini", "seed = 3\nclasses = none\n", 24);
    assert_int_equal(program_run("toy", "--config wrong.ini"), 2);
    program_complained("wrong.ini:2: classes: 'none' is not a whole number");
    assert_int_equal(program_run("toy", "--help"), 0);
    program_said(program_output, "usage: ./toy [--maximise]");
    assert_int_equal(program_run("toy", "--version"), 0);
    program_said(program_output, "entangle toy ");
}

static void folders_that_cannot_be(void **state) {
    (void)state;
    assert_int_equal(program_run("toy", FEW "--steps 1 --snapshots even --run used"), 0);
    assert_int_equal(program_run("toy", FEW "--steps 2 --run used"), 2);
    program_complained("--run: used holds a run already");
    assert_int_equal(program_run("toy", FEW "--run /proc/run"), 1);
    program_complained("toy: cannot make the folder /proc/run: No such file");
    program_next.file_limit = 100;
    assert_int_equal(program_run("toy", FEW "--run full"), 1);
    program_complained("toy: cannot write full/config.ini: File too large");
    assert_int_equal(files_in("full"), 0);
}

static void points_that_fly_apart(void **state) {
    (void)state;
    assert_int_equal(program_run("toy", FEW "--maximise --temperature 1 --lr 1000 --run apart"), 1);
    program_complained("toy: the points fly apart beyond all bounds: lower --lr");
}

static void without_gnuplot(void **state) {
    (void)state;
    char *path = strdup(getenv("PATH"));
    setenv("PATH", "/nowhere", 1);
    int code = program_run("toy", DRAWN "--steps 5 --snapshots even --run undrawn");
    setenv("PATH", path, 1);
    free(path);
    assert_int_equal(code, 1);
    program_complained("gnuplot-nox");
    check_snapshots("undrawn", 60); /* all but the pictures */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(snapshots_are_taken_at_their_values),
        cmocka_unit_test(a_step_follows_the_gradient),
        cmocka_unit_test(the_start_is_normal_with_random_labels),
        cmocka_unit_test(maximising_entangles_up_to_the_limit),
        cmocka_unit_test(thresholds_of_maximising_are_reached_from_below),
        cmocka_unit_test(optimal_temperature_is_optimal),
        cmocka_unit_test(a_value_that_is_not_reached_is_told),
        cmocka_unit_test(same_seed_same_bytes),
        cmocka_unit_test(pictures_are_drawn),
        cmocka_unit_test(odd_sizes_are_drawn),
        cmocka_unit_test(json_and_progress),
        cmocka_unit_test(folders_are_named_after_the_seed),
        cmocka_unit_test(an_interrupted_run_leaves_what_there_is),
        cmocka_unit_test(wrong_usage),
        cmocka_unit_test(folders_that_cannot_be),
        cmocka_unit_test(points_that_fly_apart),
        cmocka_unit_test(without_gnuplot),
    };
    return cmocka_run_group_tests(tests, program_begin, NULL);
}
