/* Results of studies from run folders written here: states, numbers, tables, baselines and the time that is left. */
#include "experiments/study/results.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "experiments/study/estimate.h"
#include "experiments/study/summary.h"
#include "tests/support/support.h"

static exp_study parse(const char *text) {
    exp_study study;
    nn_error error = {0};
    test_ok(exp_study_parse(&study, "test", EXP_SIZE_DEFAULT, "test.ini", text, &error), &error);
    return study;
}

/* OUT of a test, with an empty OUT/runs. */
static const char *make_out(const char *name) {
    static char out[256];
    char runs[300];
    snprintf(out, sizeof out, "%s", test_path(name));
    snprintf(runs, sizeof runs, "%s/runs", out);
    assert_int_equal(mkdir(out, 0777), 0);
    assert_int_equal(mkdir(runs, 0777), 0);
    return out;
}

/* A run folder, NAME and an ending, with this summary.json. */
static void write_run(const char *out, const exp_study_run *run, const char *ending, const char *summary) {
    char path[600];
    snprintf(path, sizeof path, "%s/runs/%s%s", out, run->name, ending);
    assert_int_equal(mkdir(path, 0777), 0);
    strcat(path, "/summary.json");
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(summary, file);
    assert_int_equal(fclose(file), 0);
}

/* A finished run of this accuracy. */
static void write_accuracy(const char *out, const exp_study_run *run, double accuracy) {
    char summary[256];
    snprintf(summary, sizeof summary, "{\"interrupted\":false,\"test_accuracy\":%.9g}", accuracy);
    write_run(out, run, "", summary);
}

static exp_study_table make_table(const exp_study *studies, int count, const char *out) {
    exp_study_table table;
    nn_error error = {0};
    test_ok(exp_study_table_new(&table, studies, count, out, &error), &error);
    return table;
}

static char *read_text(const char *out, const char *name) {
    char path[300];
    unsigned char *bytes;
    size_t count;
    nn_error error = {0};
    snprintf(path, sizeof path, "%s/%s", out, name);
    test_ok(nn_file_read(path, 1 << 20, &bytes, &count, &error), &error);
    char *text = strndup((const char *)bytes, count);
    free(bytes);
    return text;
}

/* --- states and numbers --------------------------------------------------------------------------------- */

static const char whole[] =
    "{\"steps\":1407,\"train_accuracy\":0.9,\"test_accuracy\":0.875,\"train_cross_entropy\":0.3,"
    "\"test_cross_entropy\":0.4,\"test_ece\":0.02,\"test_brier\":0.15,\"images_per_second\":9000.5,"
    "\"seconds\":20.25,\"train_examples\":60000,\"interrupted\":false,\"taps\":["
    "{\"name\":\"conv1\",\"snnl\":1.25,\"temperature\":31.5,\"weight\":0.1},"
    "{\"name\":\"conv2\",\"snnl\":2.25,\"temperature\":100,\"weight\":0.2}]}";

static void states(void **state) {
    (void)state;
    exp_study study = parse("[b]\npreset = fashion_cnn\nsnnl-weight = 1\nseed = 1 | 2 | 3 | 4 | 5 | 6 | 7\n");
    exp_study_run *runs = study.blocks[0].runs;
    const char *out = make_out("states");
    write_run(out, &runs[0], "", whole);
    write_run(out, &runs[1], "", "{\"interrupted\":true,\"test_accuracy\":0.5}");
    write_run(out, &runs[2], "", "{\"interrupted\":fal");
    write_run(out, &runs[3], ".partial", whole);
    write_run(out, &runs[4], ".failed", whole);
    runs[5].skipped = true;
    exp_study_table table = make_table(&study, 1, out);
    static const exp_run_state expected[] = {EXP_RUN_DONE,    EXP_RUN_MISSING, EXP_RUN_MISSING,
                                             EXP_RUN_MISSING, EXP_RUN_FAILED,  EXP_RUN_SKIPPED,
                                             EXP_RUN_MISSING};
    assert_int_equal(table.count, 7);
    for (int i = 0; i < 7; i++) {
        const exp_study_result *r = &table.results[i];
        assert_int_equal(r->state, expected[i]);
        assert_true(r->run == &runs[i] && r->block == study.blocks && r->study == &study && !r->repeated);
        assert_true(i == 0 || (isnan(r->test_accuracy) && isnan(r->steps) && r->tap_count == 0));
    }
    const exp_study_result *r = &table.results[0];
    assert_true(r->steps == 1407 && r->train_accuracy == 0.9 && r->test_accuracy == 0.875);
    assert_true(r->train_cross_entropy == 0.3 && r->test_cross_entropy == 0.4 && r->test_ece == 0.02);
    assert_true(r->test_brier == 0.15 && r->images_per_second == 9000.5 && r->seconds == 20.25);
    assert_int_equal(r->tap_count, 2);
    assert_string_equal(r->taps[1].name, "conv2");
    assert_true(r->taps[1].snnl == 2.25 && r->taps[1].temperature == 100 && r->taps[1].weight == 0.2);
    exp_study_table_free(&table);
    exp_study_free(&study);
}

/* --- files ---------------------------------------------------------------------------------------------- */

/* A line of the text with NAME in place of the run's name. */
static void expect_line(const char *text, const char *format, const char *name) {
    char line[512];
    snprintf(line, sizeof line, format, name);
    if (!strstr(text, line))
        fail_msg("'%s' does not hold the line '%s'", text, line);
}

static void tables(void **state) {
    (void)state;
    exp_study studies[2] = {
        parse("[a, \"b\"]\npreset = fashion_cnn\nsnnl-weight = 0.1\nsnnl-layers = conv1,conv2=0.2\n"),
        parse("[c]\npreset = fashion_cnn\nsnnl-layers = conv1,conv2=0.2\nsnnl-weight = 0.1 | -1\nsteps = 0 | "
              "50\n"
              "train-limit = 100\n")};
    studies[1].blocks[0].runs[0] = studies[0].blocks[0].runs[0]; /* both studies have this run */
    const char *out = make_out("tables");
    const char *name = studies[0].blocks[0].runs[0].name;
    write_run(out, &studies[0].blocks[0].runs[0], "", whole);
    exp_study_table table = make_table(studies, 2, out);
    assert_int_equal(table.count, 5);
    assert_true(!table.results[0].repeated && table.results[1].repeated && !table.results[2].repeated);
    nn_error error = {0};
    test_ok(exp_study_table_write(&table, &error), &error);

    char *text = read_text(out, "results.csv");
    expect_line(text,
                "study,block,run,dataset,model,snnl_weight,snnl_layers,temperature_mode,temperature,distance,"
                "batch,epochs,train_limit,seed,steps,train_accuracy,test_accuracy,train_cross_entropy,"
                "test_cross_entropy,test_ece,test_brier,images_per_second,seconds,status\n%s",
                "test,\"a, \"\"b\"\"\",");
    expect_line(
        text,
        "test,\"a, \"\"b\"\"\",%s,fashion-mnist,mnist_cnn,0.1,\"conv1,conv2=0.2\",optimal,100,euclidean,"
        "128,3,0,1,1407,0.9,0.875,0.3,0.4,0.02,0.15,9000.5,20.25,done\n",
        name);
    expect_line(text,
                "test,c,%s,fashion-mnist,mnist_cnn,0.1,\"conv1,conv2=0.2\",optimal,100,euclidean,"
                "128,3,0,1,1407,0.9,0.875,0.3,0.4,0.02,0.15,9000.5,20.25,done\n",
                name);
    expect_line(text,
                "%s,fashion-mnist,mnist_cnn,-1,\"conv1,conv2=0.2\",optimal,100,euclidean,"
                "128,,100,1,,,,,,,,,,missing\n", /* by steps, not by epochs */
                studies[1].blocks[0].runs[3].name);
    free(text);

    char expected[512];
    snprintf(expected, sizeof expected,
             "run,tap,weight,snnl,temperature\n%s,conv1,0.1,1.25,31.5\n%s,conv2,0.2,2.25,100\n", name, name);
    text = read_text(out, "taps.csv");
    assert_string_equal(text, expected);
    free(text);
    exp_study_table_free(&table);
    exp_study_free(&studies[0]);
    exp_study_free(&studies[1]);
}

/* --- comparisons ---------------------------------------------------------------------------------------- */

static void conditions(void **state) {
    (void)state;
    exp_study study = parse("[b]\npreset = fashion_cnn\nsnnl-weight = 0 | 1 | 2\nseed = 1 | 2 | 3 | 4\n");
    const exp_study_block *block = &study.blocks[0];
    static const double accuracies[4][3] = {
        {0.80, 0.81, 0.5}, {0.82, 0.85, 0}, {0.90, 0, 0}, {0, 0.70, 0}}; /* 0: not done */
    const char *out = make_out("conditions");
    for (int i = 0; i < 12; i++)
        if (accuracies[i / 3][i % 3] > 0)
            write_accuracy(out, &block->runs[i], accuracies[i / 3][i % 3]);
    exp_study_table table = make_table(&study, 1, out);
    size_t number = offsetof(exp_study_result, test_accuracy);
    exp_condition_summary s = exp_study_condition(&table, block, 0, number);
    assert_true(s.runs == 3 && fabs(s.mean - 0.84) < 1e-12 && fabs(s.deviation - sqrt(0.0028)) < 1e-9);
    assert_true(s.difference.pairs == 0 && s.first == &table.results[0]);
    s = exp_study_condition(&table, block, 1, number);
    assert_true(s.runs == 3 && s.difference.pairs == 2 && fabs(s.difference.mean - 0.02) < 1e-12);
    assert_true(fabs(s.difference.high - (0.02 + 12.7062047 * 0.01)) < 1e-8);
    s = exp_study_condition(&table, block, 2, number);
    assert_true(s.runs == 1 && s.difference.pairs == 1 && fabs(s.difference.mean + 0.3) < 1e-12);
    assert_true(isnan(s.deviation) && isnan(s.difference.low));
    exp_study_table_free(&table);
    exp_study_free(&study);
}

/* A baseline may lie in another block; one that was measured alike is better than one that was not. */
static void baselines_of_other_blocks(void **state) {
    (void)state;
    exp_study study =
        parse("[plain]\npreset = fashion_cnn\nseed = 1 | 2\n"
              "[plain-cosine]\npreset = fashion_cnn\ndistance = cosine\n"
              "[cosine]\npreset = fashion_cnn\ndistance = cosine\nsnnl-weight = 1\nseed = 1 | 2\n");
    const char *out = make_out("baselines");
    for (int b = 0; b < 3; b++)
        for (int i = 0; i < study.blocks[b].seeds; i++)
            if (b != 1 || i == 0)
                write_accuracy(out, &study.blocks[b].runs[i], 0.5);
    exp_study_table table = make_table(&study, 1, out);
    assert_ptr_equal(exp_study_baseline(&table, &table.results[3]), &table.results[2]);
    assert_ptr_equal(exp_study_baseline(&table, &table.results[4]), &table.results[1]);
    table.results[2].state = EXP_RUN_FAILED;
    assert_ptr_equal(exp_study_baseline(&table, &table.results[3]), &table.results[0]);
    table.results[0].state = EXP_RUN_MISSING;
    assert_null(exp_study_baseline(&table, &table.results[3]));
    exp_study_table_free(&table);
    exp_study_free(&study);
}

/* --- time ----------------------------------------------------------------------------------------------- */

static void expect_left(const exp_timing *timings, int count, double expected) {
    double left = exp_seconds_left(timings, count);
    if (!(fabs(left - expected) < 1e-9) && !(isnan(left) && isnan(expected)))
        fail_msg("%g seconds left, expected %g", left, expected);
}

static void estimates(void **state) {
    (void)state;
    const exp_timing cnn[] = {{"cnn", "mnist", 1000, 10}, {"cnn", "mnist", 500, NAN}};
    expect_left(cnn, 1, 0);
    expect_left(cnn, 2, 5);
    expect_left(cnn + 1, 1, NAN); /* nothing is known */
    const exp_timing runs[] = {
        {"cnn", "mnist", 1000, 10},     /* 0.01 an image */
        {"cnn", "mnist", 1000, 30},     /* 0.03: together 0.02 */
        {"cnn", "fashion", 2000, 100},  /* 0.05: a cnn takes 140 / 4000 = 0.035 */
        {"resnet", "cifar", 1000, 860}, /* all together: 1000 / 5000 = 0.2 */
        {"cnn", "mnist", 300, NAN},     /* 6 */
        {"cnn", "svhn", 100, NAN},      /* 3.5 */
        {"mlp", "mnist", 10, NAN},      /* 2 */
        {"resnet", "cifar", 10, NAN},   /* 8.6 */
    };
    expect_left(runs, 8, 6 + 3.5 + 2 + 8.6);
}

/* Shared runs count once; limits and steps are heeded; a training set that was seen has its size. */
static void estimates_of_tables(void **state) {
    (void)state;
    exp_study study = parse("[a]\npreset = fashion_cnn\nsnnl-weight = 1 | 2\nepochs = 2\n"
                            "[b]\npreset = fashion_cnn\nsnnl-weight = 1 | 2\nepochs = 2\n"
                            "[c]\npreset = fashion_cnn\ntrain-limit = 100\nepochs = 5\n"
                            "[d]\npreset = fashion_cnn\ntrain-limit = 100\nsteps = 10\nbatch = 128 | 32\n"
                            "[e]\npreset = fashion_cnn\nseed = 9\n");
    const char *out = make_out("estimates");
    double left;
    nn_error error = {0};
    write_run(out, &study.blocks[0].runs[0], "",
              "{\"interrupted\":false,\"train_examples\":1000,\"seconds\":20}"); /* 0.01 an image */
    study.blocks[4].runs[0].skipped = true;
    exp_study_table table = make_table(&study, 1, out);
    test_ok(exp_study_seconds_left(&table, &left, &error), &error);
    double images = 2 * 1000 + 5 * 100 + 10 * 100 + 10 * 32;
    if (!(fabs(left - 0.01 * images) < 1e-9))
        fail_msg("%g seconds left, expected %g", left, 0.01 * images);
    exp_study_table_free(&table);
    exp_study_free(&study);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(states),     cmocka_unit_test(tables),
        cmocka_unit_test(conditions), cmocka_unit_test(baselines_of_other_blocks),
        cmocka_unit_test(estimates),  cmocka_unit_test(estimates_of_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
