/* What studies let other programs make of trained runs: the declarations, the command lines, the folders and their numbers. */
#include "experiments/study/analysis.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "experiments/study/estimate.h"
#include "tests/support/support.h"

#define HEAD "[b]\npreset = mnist_cnn\nsnnl-weight = 0 | 0.1\nseed = 1 | 2 | 3\n"

static exp_study parse(const char *text, exp_study_size size) {
    exp_study study;
    nn_error error = {0};
    test_ok(exp_study_parse(&study, "test", size, "test.ini", text, &error), &error);
    return study;
}

/* --- declarations --------------------------------------------------------------------------------------- */

static void sizes_have_their_own(void **state) {
    (void)state;
    static const char text[] = HEAD "quick.then.neighbors = --out {out} --examples 100\n"
                                    "then.neighbors = --run {run} --out {out}\n"
                                    "then.attack = --out {out}\n"
                                    "quick.then.attack = no\n"
                                    "[next]\npreset = mnist_cnn\n";
    exp_study study = parse(text, EXP_SIZE_DEFAULT);
    const exp_study_block *block = &study.blocks[0];
    assert_int_equal(block->analysis_count, 2);
    assert_string_equal(block->analyses[0].program, "neighbors");
    assert_string_equal(block->analyses[0].arguments, "--run {run} --out {out}");
    assert_string_equal(block->analyses[1].program, "attack");
    assert_int_equal(block->conditions, 2); /* it is no option of the training */
    assert_int_equal(study.blocks[1].analysis_count, 0);
    exp_study_free(&study);
    study = parse(text, EXP_SIZE_QUICK);
    assert_int_equal(study.blocks[0].analysis_count, 1);
    assert_string_equal(study.blocks[0].analyses[0].arguments, "--out {out} --examples 100");
    exp_study_free(&study);
}

static void refusals(void **state) {
    (void)state;
    static const char *const refused[][2] = {
        {"then.train = --out {out}",
         "test.ini:5: then.train: no program that makes something of runs; there are: "},
        {"then.attack = --run {run}",
         "test.ini:5: then.attack: the arguments do not say where {out} belongs"},
        {"then.attack = {out} {seed}", "'{seed}': in braces may stand {run}, {dataset}, {out} and {others}"},
        {"then.attack = {out}\nthen.attack = {out}", "test.ini:6: then.attack: given twice in this block"},
        {"slow.then.attack = {out}", "before the dot stands a size"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        char text[512];
        exp_study study;
        nn_error error = {0};
        snprintf(text, sizeof text, HEAD "%s\n", refused[i][0]);
        nn_status status = exp_study_parse(&study, "test", EXP_SIZE_DEFAULT, "test.ini", text, &error);
        test_fails(status, NN_EARGUMENT, &error, refused[i][1]);
        exp_study_free(&study);
    }
}

/* --- command lines and folders -------------------------------------------------------------------------- */

/* The words of the analysis of a block's run, joined by blanks. */
static void join_words(const exp_study *study, const exp_study_table *table, int run, char text[1024]) {
    char **words = exp_analysis_words(&table->results[run], &study->blocks[0].analyses[0], "/data root", 2);
    assert_non_null(words);
    text[0] = '\0';
    for (int i = 0; words[i]; i++)
        snprintf(text + strlen(text), 1024 - strlen(text), "%s%s", i ? " " : "", words[i]);
    exp_analysis_words_free(words);
}

static exp_study_table make_table(const exp_study *study, const char *out) {
    exp_study_table table;
    nn_error error = {0};
    test_ok(exp_study_table_new(&table, study, 1, out, &error), &error);
    return table;
}

static void words(void **state) {
    (void)state;
    exp_study study =
        parse(HEAD "then.attack =  --run={run}  --to\t{others} --out {out} --dataset={dataset}\n",
              EXP_SIZE_DEFAULT);
    exp_study_table table = make_table(&study, "nowhere");
    const exp_study_run *runs = study.blocks[0].runs;
    for (int seed = 0; seed < 3; seed++) {
        char text[1024], expected[1024];
        const exp_study_run *next = &runs[(seed + 1) % 3 * 2];
        snprintf(
            expected, sizeof expected,
            "--run=.. --to ../../%s,../../%s --out . --dataset=mnist --data /data root --threads 2 --quiet",
            next[0].name, next[1].name);
        join_words(&study, &table, 2 * seed + 1, text);
        assert_string_equal(text, expected);
    }
    exp_study_table_free(&table);
    exp_study_free(&study);
}

/* A block of one seed has no other: its own runs stand in. */
static void words_of_one_seed(void **state) {
    (void)state;
    exp_study study = parse("[b]\npreset = mnist_cnn\nthen.attack = {others} {out}\n", EXP_SIZE_DEFAULT);
    exp_study_table table = make_table(&study, "nowhere");
    char text[1024], expected[1024];
    snprintf(expected, sizeof expected, "../../%s . --data /data root --threads 2 --quiet",
             study.blocks[0].runs[0].name);
    join_words(&study, &table, 0, text);
    assert_string_equal(text, expected);
    exp_study_table_free(&table);
    exp_study_free(&study);
}

/* Folders are the same where the results are: they depend on the arguments, and with {others} on those. */
static void folders(void **state) {
    (void)state;
    exp_study study = parse(
        "[a]\npreset = mnist_cnn\nthen.neighbors = {out}\nthen.attack = {out} --to {others}\n"
        "[b]\npreset = mnist_cnn\nthen.neighbors = {out}\nseed = 1 | 2\nthen.attack = {out} --to {others}\n"
        "[c]\npreset = mnist_cnn\nthen.neighbors = {out} --neighbors 5\n",
        EXP_SIZE_DEFAULT);
    exp_study_table table = make_table(&study, "o");
    const exp_study_result *r = table.results; /* of a; b seed 1, b seed 2; c */
    char first[EXP_ANALYSIS_PATH_MAX], second[EXP_ANALYSIS_PATH_MAX];
    exp_analysis_folder(&table, &r[0], &study.blocks[0].analyses[0], first);
    char beginning[300];
    snprintf(beginning, sizeof beginning, "o/runs/%s/neighbors-", r[0].run->name);
    assert_memory_equal(first, beginning, strlen(beginning));
    assert_string_equal(exp_analysis_folder(&table, &r[1], &study.blocks[1].analyses[0], second), first);
    assert_string_not_equal(exp_analysis_folder(&table, &r[3], &study.blocks[2].analyses[0], second), first);
    exp_analysis_folder(&table, &r[0], &study.blocks[0].analyses[1], first);
    assert_string_not_equal(exp_analysis_folder(&table, &r[1], &study.blocks[1].analyses[1], second), first);
    assert_false(exp_study_analysis_repeated(&table, &r[0], 0));
    assert_true(exp_study_analysis_repeated(&table, &r[1], 0));
    assert_false(exp_study_analysis_repeated(&table, &r[1], 1));
    assert_false(exp_study_analysis_repeated(&table, &r[2], 0));
    exp_study_table_free(&table);
    exp_study_free(&study);
}

/* --- results -------------------------------------------------------------------------------------------- */

static void make_folder(const char *path) {
    assert_int_equal(mkdir(path, 0777), 0);
}

static void write_summary(const char *folder, const char *text) {
    char path[EXP_ANALYSIS_PATH_MAX + 32];
    snprintf(path, sizeof path, "%s/summary.json", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static char *read_table(const char *out, const char *name) {
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

/* Seed 1 is done, seed 2's analysis failed, seed 3's is missing. */
static void states_and_numbers(void **state) {
    (void)state;
    exp_study study =
        parse("[b]\npreset = mnist_cnn\nseed = 1 | 2 | 3\nthen.neighbors = {out}\n", EXP_SIZE_DEFAULT);
    char out[256], runs[300], folder[EXP_ANALYSIS_PATH_MAX], expected[512];
    snprintf(out, sizeof out, "%s", test_path("analysed"));
    snprintf(runs, sizeof runs, "%s/runs", out);
    make_folder(out);
    make_folder(runs);
    exp_study_table table = make_table(&study, out);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(table.results[i].analyses[0].state, EXP_RUN_MISSING);
        make_folder(exp_study_path(&table, table.results[i].run, ""));
        write_summary(exp_study_path(&table, table.results[i].run, ""),
                      "{\"interrupted\":false,\"seconds\":3}");
        exp_analysis_folder(&table, &table.results[i], &study.blocks[0].analyses[0], folder);
        if (i == 1)
            strcat(folder, ".failed");
        if (i < 2)
            make_folder(folder);
        if (i == 0)
            write_summary(folder, "{\"seconds\": 12, \"dknn\": {\"accuracy\": 0.96875}}");
    }
    nn_error error = {0};
    for (int i = 0; i < 3; i++)
        test_ok(exp_study_table_read(&table, table.results[i].run, &error), &error);
    static const exp_run_state wanted[] = {EXP_RUN_DONE, EXP_RUN_FAILED, EXP_RUN_MISSING};
    for (int i = 0; i < 3; i++)
        assert_int_equal(table.results[i].analyses[0].state, wanted[i]);
    assert_true(exp_named_number_find(&table.results[0].analyses[0].numbers, "dknn.accuracy") == 0.96875);
    assert_true(isnan(exp_named_number_find(&table.results[1].analyses[0].numbers, "dknn.accuracy")));
    double left;
    test_ok(exp_study_seconds_left(&table, &left, &error), &error);
    assert_true(left == 24); /* two like the one that took 12 */
    test_ok(exp_study_table_write(&table, &error), &error);
    char *text = read_table(out, "analyses.csv");
    snprintf(expected, sizeof expected,
             "run,program,number,value\n%s,neighbors,seconds,12\n%s,neighbors,dknn.accuracy,0.96875\n",
             table.results[0].run->name, table.results[0].run->name);
    assert_string_equal(text, expected);
    free(text);
    exp_study_table_free(&table);
    exp_study_free(&study);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_have_their_own),
        cmocka_unit_test(refusals),
        cmocka_unit_test(words),
        cmocka_unit_test(words_of_one_seed),
        cmocka_unit_test(folders),
        cmocka_unit_test(states_and_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
