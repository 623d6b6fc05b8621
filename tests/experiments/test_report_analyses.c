/* What ./reproduce has other programs make of trained runs, and what the page says of it: numbers against analyses.csv. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/cells.h"
#include "tests/support/page.h"
#include "tests/support/program.h"
#include "tests/support/results.h"

#define RUN       "preset = mnist_cnn\nmodel = mlp\nbatch = 16\nlr = 0.01\nepochs = 3\nlog-every = 0\n"
#define NEIGHBORS "then.neighbors = --run {run} --out {out} --neighbors 5 --calibration 10 "

static void write_study(const char *path, const char *text) {
    test_file(path, text, strlen(text));
}

static int set_up(void **state) {
    program_begin(state);
    program_easy_data("data", "mnist");
    write_study(
        "whole.ini",
        "title = Whole\n[b]\n" RUN "snnl-weight = 0 | 0.1\nseed = 1 | 2\n" NEIGHBORS
        "--skip-missing --outliers svhn,noise\n"
        "then.attack = --run {run} --out {out} --to {others} --methods fgsm --epsilon 0.05,0.2 "
        "--gradient-examples 12 --credibility --credibility-epsilon 0.2 --neighbors 5 --calibration 10\n"
        "[g]\n" RUN "snnl-weight = 0\nseed = 1\n"
        "then.gan = --dataset {dataset} --classifier {run} --run {out} --steps 4 --filters 4 --latent 3 "
        "--batch 8 --examples 12 --snapshots 0,2\n");
    assert_int_equal(program_run("reproduce", "--study whole.ini --out out --threads 1 --quiet"), 0);
    assert_string_equal(program_errors, "");
    return 0;
}

/* --- analyses.csv --------------------------------------------------------------------------------------- */

/* The number of a run's analysis; fails the test where there is none. */
static double number_of(const char *out, const char *run, const char *program, const char *name) {
    char path[64], line[512];
    snprintf(path, sizeof path, "%s/analyses.csv", out);
    snprintf(line, sizeof line, "\n%s,%s,%s,", run, program, name);
    char *text = program_file(path);
    const char *at = strstr(text, line);
    if (!at)
        fail_msg("analyses.csv has no %s", line + 1);
    double value = strtod(at + strlen(line), NULL);
    free(text);
    return value;
}

/* The runs of block b, [seed - 1][weighted]. */
static void find_runs(char runs[2][2][192]) {
    result records[RESULTS_MAX];
    int count = results_read("out", records);
    for (int seed = 1; seed <= 2; seed++)
        for (int weighted = 0; weighted < 2; weighted++)
            snprintf(runs[seed - 1][weighted], 192, "%s",
                     results_find(records, count, "b", 16, weighted ? 0.1 : 0, seed)->run);
}

/* The row of the first cell `label`, after `start`. */
static void read_row(const char *page, const char *start, const char *label,
                     char cells[CELLS_MAX][CELLS_TEXT]) {
    char row[128];
    snprintf(row, sizeof row, "<tr><td>%s</td>", label);
    const char *at = strstr(page, start);
    at = at ? strstr(at, row) : NULL;
    if (!at)
        fail_msg("the page has no row %s after %s", label, start);
    cells_read(at, cells);
}

/* --- the page ------------------------------------------------------------------------------------------- */

static void a_whole_page(void **state) {
    (void)state;
    char *page = program_file("out/report.html");
    page_check(page);
    program_said(page, "<h2>Whole</h2>");
    assert_null(strstr(page, "class=\"notice\""));
    program_said(page, "<text>Fast gradient sign</text>");
    int images = 0;
    for (const char *at = page; (at = strstr(at, "<img alt=")); at++)
        images++;
    assert_int_equal(images, 2 + 2 + 1); /* neighbours and gradients of both conditions; of ./gan one */
    free(page);
}

static void lines_of_neighbors(void **state) {
    (void)state;
    static const struct {
        const char *start, *label, *name;
        double scale;
        int decimals;
    } lines[] = {
        {"<th>test examples</th>", "DkNN, accuracy, %", "accuracy", 100, 2},
        {"<th>test examples</th>", "mean credibility", "variants.conformal.credibility", 1, 3},
        {"<th>uniform: AUROC of</th>", "energy", "outliers.uniform.scores.energy.auroc", 1, 3},
        {"<th>gaussian: AUROC of</th>", "credibility", "outliers.gaussian.scores.credibility.auroc", 1, 3},
    };
    char *page = program_file("out/report.html"), runs[2][2][192];
    find_runs(runs);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        char cells[CELLS_MAX][CELLS_TEXT];
        double v[2][2];
        for (int s = 0; s < 2; s++)
            for (int w = 0; w < 2; w++)
                v[s][w] = lines[i].scale * number_of("out", runs[s][w], "neighbors", lines[i].name);
        read_row(page, lines[i].start, lines[i].label, cells);
        cells_number(lines[i].name, cells[1], (v[0][0] + v[1][0]) / 2, lines[i].decimals, false);
        cells_number(lines[i].name, cells[2], (v[0][1] + v[1][1]) / 2, lines[i].decimals, false);
        cells_interval d = cells_pairs(v[0][1], v[0][0], v[1][1], v[1][0]);
        if (d.low < d.high)
            cells_difference(lines[i].name, cells[3], d, lines[i].decimals);
        else /* the same in both pairs, which says nothing of their spread */
            cells_number(lines[i].name, cells[3], d.mean, lines[i].decimals, true);
    }
    free(page);
}

/* Attacks on seed 1 are shown to the networks of seed 2, and those on 2 to 1. */
static void the_table_of_transfer(void **state) {
    (void)state;
    char *page = program_file("out/report.html"), runs[2][2][192];
    find_runs(runs);
    for (int from = 0; from < 2; from++) {
        char cells[CELLS_MAX][CELLS_TEXT];
        read_row(page, "<th>made on, shown to</th>", from ? "snnl-weight 0.1" : "snnl-weight 0", cells);
        for (int to = 0; to < 2; to++) {
            double sum = 0;
            for (int s = 0; s < 2; s++) {
                char name[320];
                snprintf(name, sizeof name, "attacks.fgsm:0.2.transfer.%.190s.success", runs[1 - s][to]);
                sum += number_of("out", runs[s][from], "attack", name);
            }
            cells_number("transfer", cells[1 + to], 100 * sum / 2, 1, false);
        }
    }
    char cells[CELLS_MAX][CELLS_TEXT];
    read_row(page, "<th>attack fgsm:0.2</th>", "network, attacked, accuracy, %", cells);
    cells_number("accuracy", cells[1],
                 50 * (number_of("out", runs[0][0], "attack", "attacks.fgsm:0.2.accuracy") +
                       number_of("out", runs[1][0], "attack", "attacks.fgsm:0.2.accuracy")),
                 2, false);
    free(page);
}

static void snapshots_of_a_generator(void **state) {
    (void)state;
    char *page = program_file("out/report.html"), runs[2][2][192];
    find_runs(runs);
    static const char *const steps[] = {"0", "2", "4"};
    for (int i = 0; i < 3; i++) {
        char cells[CELLS_MAX][CELLS_TEXT], name[64];
        snprintf(name, sizeof name, "snapshots.%s.snnl", steps[i]);
        read_row(page, "<th>step</th><th>SNNL of pixels</th>", steps[i], cells);
        cells_number(name, cells[1], number_of("out", runs[0][0], "gan", name), 4, false);
    }
    program_said(page, "<figcaption>Samples, and real and generated data by t-SNE</figcaption>");
    free(page);
}

static void findings(void **state) {
    (void)state;
    char *page = program_file("out/report.html");
    const char *list = strstr(page, "<h2>Findings</h2>");
    assert_non_null(list);
    program_said(list, "<li>b, snnl-weight 0.1, against weight 0 (2 seeds): ");
    program_said(list, " of AUROC of credibility against uniform");
    program_said(list, " points of accuracy under FGSM at epsilon 0.2");
    free(page);
}

/* --- parts of it ---------------------------------------------------------------------------------------- */

/* Takes the folder of a run's analysis away. */
static void forget_neighbors(const char *run) {
    char command[512];
    snprintf(command, sizeof command, "mv out/runs/%s/neighbors-* aside", run);
    assert_int_equal(system(command), 0);
}

static void what_is_missing_is_made_again(void **state) {
    (void)state;
    char runs[2][2][192];
    find_runs(runs);
    double before = number_of("out", runs[1][1], "neighbors", "variants.conformal.credibility");
    forget_neighbors(runs[1][1]);
    assert_int_equal(program_run("reproduce", "--study whole.ini --out out --report-only --quiet"), 0);
    char *page = program_file("out/report.html");
    program_said(page,
                 "<p class=\"notice\">./neighbors is done for 3 of 4 runs; what follows is of these.</p>");
    free(page);
    assert_int_equal(program_run("reproduce", "--study whole.ini --out out --dry-run"), 0);
    program_said(program_output, "12 runs done, 0 skipped, 1 to do: ");
    assert_int_equal(program_run("reproduce", "--study whole.ini --out out --threads 1"), 0);
    char expected[300];
    snprintf(expected, sizeof expected, "run 13/13  neighbors, %s", runs[1][1]);
    assert_memory_equal(program_errors, expected, strlen(expected));
    assert_true(number_of("out", runs[1][1], "neighbors", "variants.conformal.credibility") == before);
}

static void a_failing_analysis(void **state) {
    (void)state;
    write_study("trouble.ini", "[b]\n" RUN NEIGHBORS "--outliers nosuch\n[c]\n" RUN NEIGHBORS "\n");
    assert_int_equal(program_run("reproduce", "--study trouble.ini --out trouble --threads 1"), 1);
    program_said(program_errors, "run 2/3  neighbors, mnist-mlp-w0-seed1-");
    program_said(program_errors, " FAILED: neighbors: --outliers: ");
    program_said(program_errors, "run 3/3  neighbors, mnist-mlp-w0-seed1-");
    program_said(program_errors, "reproduce: 1 of 3 runs failed; the same command tries them again\n");
    char *page = program_file("trouble/report.html");
    page_check(page);
    program_said(
        page, "<p class=\"notice\">./neighbors is done for 0 of 1 runs.</p>\n<p class=\"notice\">Failed: see "
              "trouble/runs/mnist-mlp-w0-seed1-");
    free(page);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_page),
        cmocka_unit_test(lines_of_neighbors),
        cmocka_unit_test(the_table_of_transfer),
        cmocka_unit_test(snapshots_of_a_generator),
        cmocka_unit_test(findings),
        cmocka_unit_test(what_is_missing_is_made_again),
        cmocka_unit_test(a_failing_analysis),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
