/* The report that ./reproduce leaves, read as a browser and as a reader does: markup, what it refers to, and every number
 * against results.csv and taps.csv. */
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/cells.h"
#include "tests/support/page.h"
#include "tests/support/program.h"
#include "tests/support/results.h"

#define RUN "preset = mnist_cnn\nmodel = mlp\nlr = 0.003\n"

static void write_study(const char *path, const char *text) {
    test_file(path, text, strlen(text));
}

static char *report_of(const char *out) {
    char path[128];
    snprintf(path, sizeof path, "%s/report.html", out);
    return program_file(path);
}

/* OUT as set_up leaves it: two studies, done. */
static int set_up(void **state) {
    program_begin(state);
    program_data("data", "mnist");
    write_study("numbers.ini",
                "title = Numbers & <their> \"pairs\"\nabout = Is 1 < 2?\npaper = Nothing of <this>.\n"
                "findings = yes\nreliability = yes\n"
                "[grid]\n" RUN "log-every = 0\nsteps = 12\nbatch = 10 | 20\n"
                "snnl-weight = 0 | 0.1\nseed = 1 | 2\n");
    write_study("layers.ini", "title = Layers\ncurves = yes\n"
                              "[logged]\n" RUN "log-every = 1\nsteps = 12\nbatch = 20\n"
                              "snnl-weight = 0 | 0.2 | -0.2\nseed = 3 | 4\n"
                              "[silent]\n" RUN "log-every = 0\nsteps = 2\nbatch = 30\n");
    assert_int_equal(program_run("reproduce", "--study numbers.ini --study layers.ini --out out --threads 1 "
                                              "--quiet --note it's<b>&\"so\""),
                     0);
    program_said(program_output, "report: out/report.html\n");
    return 0;
}

/* --- the page ------------------------------------------------------------------------------------------- */

static void a_whole_page(void **state) {
    (void)state;
    char *page = report_of("out");
    page_check(page);
    program_said(page, "<h2>Numbers &amp; &lt;their&gt; &quot;pairs&quot;</h2>\n<p>Is 1 &lt; 2?</p>\n"
                       "<p class=\"paper\">The paper: Nothing of &lt;this&gt;.</p>\n");
    program_said(page,
                 "<h3>grid: mlp on mnist</h3>\n<p class=\"soft\">120 training examples, 12 steps, batches of "
                 "10 to 20; 2 seeds.</p>\n");
    program_said(page, "<h2>Points in the plane</h2>");
    program_said(page, " 15 of 15 trainings are done.</p>\n");
    program_said(page, "Data: mnist (120 training and 50 test images were used; checksum ");
    /* the command line, as a shell would take it */
    program_said(
        page, "<pre>./reproduce --study numbers.ini --study layers.ini --out out --threads 1 --quiet --note "
              "'it'\\''s&lt;b&gt;&amp;&quot;so&quot;'</pre>");
    free(page);
}

/* What is said first: the title, then what there is to know about the data. */
static void expect_first(const char *page, const char *wanted) {
    static const char title[] = "<h1>Entanglement, measured and trained</h1>\n";
    const char *at = strstr(page, title);
    assert_non_null(at);
    if (strncmp(at + strlen(title), wanted, strlen(wanted)) != 0)
        fail_msg("the report begins '%.300s'", at);
}

static void a_note(void **state) {
    (void)state;
    char *page = report_of("out");
    expect_first(page,
                 "<p class=\"notice\">it's&lt;b&gt;&amp;&quot;so&quot;</p>\n<p>A reproduction, at the size "
                 "'default', of ");
    free(page);
}

/* --- numbers of the page -------------------------------------------------------------------------------- */

/* A condition's row, from the runs of seeds 1 and 2 and theirs at weight 0. */
static void check_row(char cells[CELLS_MAX][CELLS_TEXT], const result *a, const result *b, const result *a0,
                      const result *b0) {
    char label[96];
    snprintf(label, sizeof label, "batch %g, snnl-weight %g", a->batch, a->weight);
    assert_string_equal(cells[0], label);
    assert_string_equal(cells[1], "2");
    cells_number("best accuracy", cells[2], 100 * fmax(a->accuracy, b->accuracy), 2, false);
    cells_number("mean accuracy", cells[3], 50 * (a->accuracy + b->accuracy), 2, false);
    cells_number("cross-entropy", cells[5], (a->cross_entropy + b->cross_entropy) / 2, 3, false);
    cells_number("calibration error", cells[7], 50 * (a->ece + b->ece), 2, false);
    cells_number("gap", cells[9], 50 * (a->train_accuracy - a->accuracy + b->train_accuracy - b->accuracy), 2,
                 false);
    if (a->weight == 0) {
        assert_true(!cells[4][0] && !cells[6][0] && !cells[8][0]);
        return;
    }
    cells_difference(
        "accuracy", cells[4],
        cells_pairs(100 * a->accuracy, 100 * a0->accuracy, 100 * b->accuracy, 100 * b0->accuracy), 2);
    cells_difference("cross-entropy", cells[6],
                     cells_pairs(a->cross_entropy, a0->cross_entropy, b->cross_entropy, b0->cross_entropy),
                     3);
    cells_difference("calibration error", cells[8],
                     cells_pairs(100 * a->ece, 100 * a0->ece, 100 * b->ece, 100 * b0->ece), 2);
}

static void the_table_of_conditions(void **state) {
    (void)state;
    result records[RESULTS_MAX];
    char cells[CELLS_MAX][CELLS_TEXT];
    int count = results_read("out", records);
    char *page = report_of("out");
    const char *row = strstr(strstr(page, "<h3>grid: mlp on mnist</h3>"), "<table>");
    row = strstr(row, "</tr>"); /* the heading's */
    for (int batch = 10; batch <= 20; batch += 10)
        for (int weighted = 0; weighted < 2; weighted++) {
            row = strstr(row + 1, "<tr><td>");
            assert_int_equal(cells_read(row, cells), CELLS_MAX);
            double weight = weighted ? 0.1 : 0;
            check_row(cells, results_find(records, count, "grid", batch, weight, 1),
                      results_find(records, count, "grid", batch, weight, 2),
                      results_find(records, count, "grid", batch, 0, 1),
                      results_find(records, count, "grid", batch, 0, 2));
        }
    const char *end = strstr(row, "</table>"), *more = strstr(row + 1, "<tr>");
    assert_true(!more || more > end);
    free(page);
}

static const char *verdict_of(cells_interval d) {
    return d.low > 0 ? "higher" : d.high < 0 ? "lower" : "no clear difference";
}

static void check_finding(const char *page, const result *a, const result *b, const result *a0,
                          const result *b0) {
    char begin[128], number_texts[9][32], verdicts[3][32];
    snprintf(begin, sizeof begin,
             "<li>grid, batch %g, snnl-weight 0.1, against weight 0 (2 seeds): ", a->batch);
    const char *at = strstr(page, begin);
    assert_non_null(at);
    assert_null(strstr(at + 1, begin));
#define NUMBER "%31[-+0-9.]"
    int read = sscanf(at + strlen(begin),
                      NUMBER " points of accuracy [" NUMBER ", " NUMBER "], %31[a-z ]; " NUMBER
                             " nats of negative log-likelihood [" NUMBER ", " NUMBER "], %31[a-z ]; " NUMBER
                             " points of calibration error [" NUMBER ", " NUMBER "], %31[a-z ].</li>",
                      number_texts[0], number_texts[1], number_texts[2], verdicts[0], number_texts[3],
                      number_texts[4], number_texts[5], verdicts[1], number_texts[6], number_texts[7],
                      number_texts[8], verdicts[2]);
#undef NUMBER
    assert_int_equal(read, 12);
    const cells_interval d[3] = {
        cells_pairs(100 * a->accuracy, 100 * a0->accuracy, 100 * b->accuracy, 100 * b0->accuracy),
        cells_pairs(a->cross_entropy, a0->cross_entropy, b->cross_entropy, b0->cross_entropy),
        cells_pairs(100 * a->ece, 100 * a0->ece, 100 * b->ece, 100 * b0->ece)};
    for (int i = 0; i < 3; i++) {
        int decimals = i == 1 ? 3 : 2;
        cells_number("mean of a finding", number_texts[3 * i], d[i].mean, decimals, true);
        cells_number("low end of a finding", number_texts[3 * i + 1], d[i].low, decimals, true);
        cells_number("high end of a finding", number_texts[3 * i + 2], d[i].high, decimals, true);
        assert_string_equal(verdicts[i], verdict_of(d[i]));
    }
}

static void findings_of_conditions(void **state) {
    (void)state;
    result records[RESULTS_MAX];
    int count = results_read("out", records);
    char *page = report_of("out");
    for (int batch = 10; batch <= 20; batch += 10)
        check_finding(page, results_find(records, count, "grid", batch, 0.1, 1),
                      results_find(records, count, "grid", batch, 0.1, 2),
                      results_find(records, count, "grid", batch, 0, 1),
                      results_find(records, count, "grid", batch, 0, 2));
    assert_null(strstr(page, "snnl-weight 0, against weight 0"));
    free(page);
}

/* --- layers --------------------------------------------------------------------------------------------- */

static double weighted_mean(const result_layer *weighted, const result_layer *of, int count) {
    double sum = 0;
    int layers = 0;
    for (int i = 0; i < count; i++)
        if (weighted[i].weight != 0) {
            sum += of[i].snnl;
            layers++;
        }
    assert_true(layers > 0);
    return sum / layers;
}

static void check_plain(const char *page, const char *out, const result *plain) {
    result_layer layers[RESULTS_LAYERS_MAX];
    char first[32], last[32], text[300];
    int count = results_layers(out, plain->run, layers), falls = 0, steps;
    assert_true(count >= 2);
    for (int i = 1; i < count; i++)
        falls += layers[i].snnl < layers[i - 1].snnl;
    const char *at = strstr(page, "<li>Plain mlp on mnist: ");
    assert_non_null(at);
    int said_falls,
        read = sscanf(
            at,
            "<li>Plain mlp on mnist: the test set's SNNL goes from %31[0-9.] in %*s to %31[0-9.] in %*[^,], "
            "and falls in %d of %d steps from layer to layer.</li>",
            first, last, &said_falls, &steps);
    assert_int_equal(read, 4);
    cells_number("first layer", first, layers[0].snnl, 2, false);
    cells_number("last layer", last, layers[count - 1].snnl, 2, false);
    assert_int_equal(said_falls, falls);
    assert_int_equal(steps, count - 1);
    snprintf(text, sizeof text, " in %s to ", layers[0].name);
    program_said(at, text);
    snprintf(text, sizeof text, " in %s, and falls", layers[count - 1].name);
    program_said(at, text);
}

static void check_weighted(const char *page, const char *out, const result *weighted, const result *plain) {
    result_layer layers[RESULTS_LAYERS_MAX], plain_layers[RESULTS_LAYERS_MAX];
    char begin[128], name[32], texts[6][32];
    int count = results_layers(out, weighted->run, layers);
    assert_int_equal(results_layers(out, plain->run, plain_layers), count);
    snprintf(begin, sizeof begin,
             "<li>%s at weight %g (mlp, mnist): ", weighted->weight > 0 ? "Entangled" : "Disentangled",
             weighted->weight);
    const char *at = strstr(page, begin);
    if (!at)
        fail_msg("the report does not say '%s'", begin);
    int read =
        sscanf(at + strlen(begin),
               "the weighted layers end at a mean SNNL of %31[0-9.], against %31[0-9.] in the plain network; "
               "%31[^,], the last layer, at %31[0-9.] against %31[0-9.]; test accuracy %31[0-9.]%% against "
               "%31[0-9.]%%.</li>",
               texts[0], texts[1], name, texts[2], texts[3], texts[4], texts[5]);
    assert_int_equal(read, 7);
    assert_string_equal(name, layers[count - 1].name);
    cells_number("weighted layers", texts[0], weighted_mean(layers, layers, count), 2, false);
    cells_number("the plain network's", texts[1], weighted_mean(layers, plain_layers, count), 2, false);
    cells_number("last layer", texts[2], layers[count - 1].snnl, 2, false);
    cells_number("the plain last layer", texts[3], plain_layers[count - 1].snnl, 2, false);
    cells_number("accuracy", texts[4], 100 * weighted->accuracy, 2, false);
    cells_number("the plain accuracy", texts[5], 100 * plain->accuracy, 2, false);
}

static void findings_of_layers(void **state) {
    (void)state;
    result records[RESULTS_MAX];
    int count = results_read("out", records);
    char *page = report_of("out");
    check_plain(page, "out", results_find(records, count, "logged", 20, 0, 3));
    check_weighted(page, "out", results_find(records, count, "logged", 20, 0.2, 3),
                   results_find(records, count, "logged", 20, 0, 3));
    check_weighted(page, "out", results_find(records, count, "logged", 20, -0.2, 3),
                   results_find(records, count, "logged", 20, 0, 3));
    free(page);
}

/* The mean of both seeds for every layer and weight. */
static void the_table_of_layers(void **state) {
    (void)state;
    static const double weights[] = {0, 0.2, -0.2};
    result records[RESULTS_MAX];
    result_layer layers[2][RESULTS_LAYERS_MAX];
    char cells[CELLS_MAX][CELLS_TEXT];
    int count = results_read("out", records), layer_count = 0;
    char *page = report_of("out");
    const char *table = strstr(strstr(page, "<h3>logged: mlp on mnist</h3>"), "<table>");
    for (int w = 0; w < 3; w++) {
        for (int s = 0; s < 2; s++)
            layer_count = results_layers(
                "out", results_find(records, count, "logged", 20, weights[w], 3 + s)->run, layers[s]);
        const char *row = table;
        for (int i = 0; i < layer_count; i++) {
            row = strstr(row + 1, "<tr><td>");
            assert_int_equal(cells_read(row, cells), 4);
            assert_string_equal(cells[0], layers[0][i].name);
            cells_number(cells[0], cells[1 + w], (layers[0][i].snnl + layers[1][i].snnl) / 2, 3, false);
        }
    }
    free(page);
}

/* Headings and pictures; what was not logged has a line in the place of its curves. */
static void curves_and_planes(void **state) {
    (void)state;
    char *page = report_of("out");
    program_said(page, "<h3>logged, snnl-weight 0.2, seed 3</h3>\n<div class=\"grid\">\n<figure><svg");
    program_said(page, "<text>Temperature of every layer</text>");
    program_said(
        page, "<h3>silent, snnl-weight 0, seed 1</h3>\n<p class=\"notice\">The curves: left out. out/runs/");
    program_said(page, "no step has been logged yet.</p>\n");
    program_said(page, "<h3>logged in the plane</h3>");
    program_said(page, "<text>pixels</text>");
    program_said(page, ", snnl-weight 0.2</text>"); /* few points: the perplexity is lowered */
    assert_null(strstr(page, ", snnl-weight -0.2</text>"));
    assert_null(strstr(page, "perplexity"));
    program_said(page, "<h3>Reliability diagrams</h3>");
    static const char *const conditions[] = {"batch 10, snnl-weight 0", "batch 10, snnl-weight 0.1",
                                             "batch 20, snnl-weight 0", "batch 20, snnl-weight 0.1"};
    for (int i = 0; i < 4; i++) { /* too many for one diagram */
        char title[96];
        snprintf(title, sizeof title, "<text>Reliability, grid, %s</text>", conditions[i]);
        program_said(page, title);
    }
    free(page);
}

static int entries_in(const char *folder) {
    int count = 0;
    DIR *stream = opendir(folder);
    assert_non_null(stream);
    for (const struct dirent *entry; (entry = readdir(stream));)
        count += entry->d_name[0] != '.';
    closedir(stream);
    return count;
}

/* Figures of an earlier report that this one has not are removed. */
static void no_figure_is_left_over(void **state) {
    (void)state;
    int figures = entries_in("out/figures");
    char path[64];
    for (int i = 1; i <= 2; i++) {
        snprintf(path, sizeof path, "out/figures/figure-%02d.svg", figures + i);
        write_study(path, "left over");
    }
    assert_int_equal(
        program_run("reproduce", "--study numbers.ini --study layers.ini --out out --report-only --quiet"),
        0);
    assert_int_equal(entries_in("out/figures"), figures);
}

/* --- half of it ----------------------------------------------------------------------------------------- */

static void move_run(const char *from, const char *to, const result *r) {
    char old[400], new[400];
    snprintf(old, sizeof old, "%s/%s", from, r->run);
    snprintf(new, sizeof new, "%s/%s", to, r->run);
    assert_int_equal(rename(old, new), 0);
}

/* A half-finished study: what is compared is of one seed, and nothing is trained. */
static void a_half_finished_study(void **state) {
    (void)state;
    result records[RESULTS_MAX];
    int count = results_read("out", records);
    const result *plain3 = results_find(records, count, "logged", 20, 0, 3),
                 *plain4 = results_find(records, count, "logged", 20, 0, 4);
    const result *weighted3 = results_find(records, count, "logged", 20, 0.2, 3),
                 *weighted4 = results_find(records, count, "logged", 20, 0.2, 4);
    mkdir("away", 0777);
    move_run("out/runs", "away", weighted3);
    int runs = entries_in("out/runs");
    static const char line[] = "--study layers.ini --out out --threads 1 --report-only";
    assert_int_equal(program_run("reproduce", line), 0);
    assert_string_equal(program_errors, "");
    assert_int_equal(entries_in("out/runs"), runs);
    char *page = report_of("out");
    page_check(page);
    program_said(page, " 6 of 7 trainings are done.</p>");
    program_said(page, "<p class=\"notice\">5 of 6 runs are done; what follows is of these.</p>");
    check_plain(page, "out", plain3);
    check_weighted(page, "out", weighted4, plain4);
    assert_null(strstr(page, "Numbers &amp;")); /* the other study was not asked for */
    free(page);

    move_run("out/runs", "away", plain4); /* nothing is left to compare with */
    assert_int_equal(program_run("reproduce", line), 0);
    page = report_of("out");
    program_said(page, " 5 of 7 trainings are done.</p>");
    program_said(page, "<li>Plain mlp");
    program_said(page, "<li>Disentangled");
    assert_null(strstr(page, "<li>Entangled"));
    free(page);
    move_run("away", "out/runs", weighted3);
    move_run("away", "out/runs", plain4);
}

static void nothing_is_done(void **state) {
    (void)state;
    assert_int_equal(mkdir("bare", 0777), 0);
    assert_int_equal(program_run("reproduce", "--study numbers.ini --out bare --report-only --quick"), 0);
    char *page = report_of("bare");
    page_check(page);
    program_said(page, " at the size 'quick', ");
    program_said(page, " 0 of 8 trainings are done.</p>");
    program_said(page, "<li>None yet: no runs that can be compared are done.</li>");
    program_said(page, "<p class=\"notice\">0 of 8 runs are done.</p>");
    assert_null(strstr(page, "Points in the plane")); /* these would have had to be computed */
    assert_null(strstr(page, "nan"));
    assert_false(program_file_exists("bare/runs") || program_file_exists("bare/toy"));
    free(page);
    assert_int_equal(program_run("reproduce", "--study numbers.ini --out bare2 --dry-run"), 0);
    assert_false(program_file_exists("bare2"));
}

static void a_failed_run(void **state) {
    (void)state;
    write_study("failing.ini",
                "findings = yes\n[bad]\npreset = mnist_cnn\nmodel = mlp\nlog-every = 0\nsteps = 20\n"
                "lr = 1e3\noptimizer = sgd\nmomentum = 0.9999\n");
    mkdir("other", 0777);
    assert_int_equal(symlink("../out/toy", "other/toy"), 0); /* drawing the points again would take seconds */
    assert_int_equal(program_run("reproduce", "--study failing.ini --out other --quiet"), 1);
    char *page = report_of("other");
    page_check(page);
    program_said(page, " 0 of 1 trainings are done, and 1 failed.</p>");
    program_said(page, "</td>\n<td>failed</td>");
    free(page);
}

/* --- data that is not there ----------------------------------------------------------------------------- */

#define ABSENT                                                                                               \
    "findings = yes\n[other]\n" RUN "dataset = notmnist\nsteps = 2\nlog-every = 0\ntrain-limit = 100\n"      \
    "test-limit = 50\nsnnl-weight = 0 | 0.1\n"

static void shapes_stand_in(void **state) {
    (void)state;
    static const char notice[] =
        "<p class=\"notice\">The data set notmnist was not there: the built-in drawn shapes "
        "stand in for it. Numbers under its name are of shapes.</p>\n";
    write_study("absent.ini", ABSENT "[here]\n" RUN "steps = 2\nlog-every = 0\n");
    assert_int_equal(program_run("reproduce", "--study absent.ini --out other --missing shapes --quiet"), 0);
    char *page = report_of("other");
    page_check(page);
    expect_first(page, notice);
    program_said(
        page, "<h3>other: mlp on shapes</h3>\n<p class=\"notice\">The data set notmnist was not there: the "
              "built-in shapes stand in for it.</p>");
    program_said(page, "<li>other, snnl-weight 0.1, against weight 0 (1 seed): ");
    free(page);

    write_study("absent.ini", ABSENT); /* no data at all: the same without being asked */
    assert_int_equal(program_run("reproduce", "--study absent.ini --out other --data nowhere --quiet"), 0);
    page = report_of("other");
    expect_first(page, notice);
    program_said(page, " 2 of 2 trainings are done.</p>");
    program_said(page, "Data: shapes (100 training and 50 test images were used");
    free(page);
}

static void runs_are_left_out(void **state) {
    (void)state;
    write_study("absent.ini", ABSENT "[here]\n" RUN "steps = 2\nlog-every = 0\n");
    assert_int_equal(program_run("reproduce", "--study absent.ini --out other --quiet"), 0);
    char *page = report_of("other");
    page_check(page);
    expect_first(page,
                 "<p class=\"notice\">The data set notmnist was not there: its runs are left out.</p>\n");
    program_said(page, " 1 of 1 trainings are done.</p>");
    program_said(
        page, "<h3>other: mlp on notmnist</h3>\n<p class=\"notice\">Left out: the data set notmnist was not "
              "there.</p>\n<h3>here: ");
    free(page);
}

/* --- files ---------------------------------------------------------------------------------------------- */

static void replaced_whole_or_not_at_all(void **state) {
    (void)state;
    static const char line[] = "--study numbers.ini --out out --threads 1 --report-only",
                      old[] = "an old one";
    test_file("out/report.html", old, strlen(old));
    program_next.file_limit = 100000; /* enough for a figure, but not for the page */
    assert_int_equal(program_run("reproduce", line), 1);
    program_said(program_errors, "reproduce: cannot write out/report.html");
    char *page = report_of("out");
    assert_string_equal(page, old);
    free(page);
    assert_int_equal(program_run("reproduce", line), 0);
    page = report_of("out");
    assert_null(strstr(page, old));
    page_check(page);
    free(page);
    DIR *stream = opendir("out"); /* no temporary file is left */
    for (const struct dirent *entry; (entry = readdir(stream));)
        assert_true(!strstr(entry->d_name, "report") || strcmp(entry->d_name, "report.html") == 0);
    closedir(stream);
}

static void places_that_cannot_be_written(void **state) {
    (void)state;
    assert_int_equal(mkdir("taken", 0777), 0);
    assert_int_equal(mkdir("taken/report.html", 0777), 0);
    assert_int_equal(program_run("reproduce", "--study numbers.ini --out taken --report-only"), 1);
    program_said(program_errors, "taken/report.html");
    assert_int_equal(program_run("reproduce", "--study numbers.ini --out absent/out --report-only"), 1);
    program_said(program_errors,
                 "reproduce: cannot make the folder absent/out/figures: No such file or directory");
    assert_int_equal(program_run("reproduce", "--study numbers.ini --out numbers.ini/out"), 1);
    program_said(program_errors, "numbers.ini/out");
}

/* A file in the place of the figures' folder. */
static void figures_that_cannot_be_written(void **state) {
    (void)state;
    assert_int_equal(rename("out/figures", "away-figures"), 0);
    test_file("out/figures", "", 0);
    char *before = report_of("out");
    assert_int_equal(program_run("reproduce", "--study numbers.ini --out out --report-only"), 1);
    program_said(program_errors, "out/figures");
    char *after = report_of("out");
    assert_string_equal(after, before);
    free(before);
    free(after);
    assert_int_equal(unlink("out/figures"), 0);
    assert_int_equal(rename("away-figures", "out/figures"), 0);
}

/* The points in the plane are drawn once, again where their picture is lost, and never for --report-only. */
static void the_picture_of_points(void **state) {
    (void)state;
    struct stat before, after;
    assert_int_equal(stat("out/toy/toy.svg", &before), 0);
    static const char line[] = "--study numbers.ini --out out --threads 1";
    assert_int_equal(program_run("reproduce", line), 0);
    assert_int_equal(stat("out/toy/toy.svg", &after), 0);
    assert_true(before.st_ino == after.st_ino);
    assert_int_equal(unlink("out/toy/toy.svg"), 0);
    assert_int_equal(program_run("reproduce", "--report-only %s", line), 0);
    assert_false(program_file_exists("out/toy/toy.svg"));
    assert_int_equal(program_run("reproduce", line), 0);
    assert_true(program_file_exists("out/toy/toy.svg"));
    char *page = report_of("out");
    program_said(page, "<h2>Points in the plane</h2>");
    free(page);
}

static void one_size_alone(void **state) {
    (void)state;
    assert_int_equal(program_run("reproduce", "--quick --full --study numbers.ini --out refused"), 2);
    program_complained("reproduce: --quick and --full: name one of them");
    assert_false(program_file_exists("refused"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_page),
        cmocka_unit_test(a_note),
        cmocka_unit_test(the_table_of_conditions),
        cmocka_unit_test(findings_of_conditions),
        cmocka_unit_test(findings_of_layers),
        cmocka_unit_test(the_table_of_layers),
        cmocka_unit_test(curves_and_planes),
        cmocka_unit_test(no_figure_is_left_over),
        cmocka_unit_test(a_half_finished_study),
        cmocka_unit_test(nothing_is_done),
        cmocka_unit_test(a_failed_run),
        cmocka_unit_test(shapes_stand_in),
        cmocka_unit_test(runs_are_left_out),
        cmocka_unit_test(replaced_whole_or_not_at_all),
        cmocka_unit_test(places_that_cannot_be_written),
        cmocka_unit_test(figures_that_cannot_be_written),
        cmocka_unit_test(the_picture_of_points),
        cmocka_unit_test(one_size_alone),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
