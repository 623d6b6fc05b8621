/* test_plot.c - the curves of a run folder as pictures, and the script they are drawn by. */
#include "experiments/common/plot.h"
#include "experiments/common/plot_script.h"
#include "framework/file.h"
#include "tests/support/support.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* A metrics.csv of `rows` rows: the loss is row^2, the cross-entropy 1, the temperature 2^row (at most 2^60);
 * every tenth row is tested. */
static void write_metrics(const char *folder, const char *tap, int rows) {
    char path[512];
    snprintf(path, sizeof path, "%s/metrics.csv", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "step,epoch,images,seconds,lr,loss,cross_entropy,accuracy,snnl/%s,temperature/%s,", tap,
            tap);
    fprintf(file, "test_loss,test_accuracy\n");
    for (int row = 0; row < rows; row++)
        fprintf(file, "%d,0,%d,%d,0.1,%d,1,0.5,2.3,%.9g,%s\n", row + 1, row, row, row * row,
                ldexp(1, row < 60 ? row : 60), row % 10 == 9 ? "0.5,0.25" : ",");
    assert_int_equal(fclose(file), 0);
}

/* A run folder in the temporary folder, valid until the next call. */
static const char *make_run(const char *name, const char *tap, int rows) {
    static char folder[256];
    snprintf(folder, sizeof folder, "%s", test_path(name));
    assert_int_equal(mkdir(folder, 0777), 0);
    write_metrics(folder, tap, rows);
    return folder;
}

/* A file of the folder as a string that the caller frees. */
static char *read_text(const char *folder, const char *name, size_t *count) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    unsigned char *bytes;
    nn_error error = {0};
    test_ok(nn_file_read(path, 1 << 26, &bytes, count, &error), &error);
    char *text = realloc(bytes, *count + 1);
    assert_non_null(text);
    text[*count] = '\0';
    return text;
}

static void expect_in_svg(const char *folder, const char *part) {
    size_t count;
    char *text = read_text(folder, "curves.svg", &count);
    if (!strstr(text, part))
        fail_msg("'%s' is not in %s/curves.svg", part, folder);
    free(text);
}

static void expect_pictures(const char *folder) {
    static const unsigned char signature[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    static const unsigned char size[] = {0, 0, 1600 >> 8, 1600 & 255, 0, 0, 1300 >> 8, 1300 & 255};
    size_t count;
    char *png = read_text(folder, "curves.png", &count);
    assert_true(count > 10000 && count < 2000000);
    assert_memory_equal(png, signature, sizeof signature);
    assert_memory_equal(png + 16, size, sizeof size);
    assert_memory_equal(png + count - 8, "IEND", 4);
    free(png);
    char *svg = read_text(folder, "curves.svg", &count);
    assert_memory_equal(svg, "<?xml", 5);
    assert_non_null(strstr(svg + count - 16, "</svg>"));
    free(svg);
}

static void test_pictures(void **state) {
    (void)state;
    nn_error error = {0};
    const char *folder = make_run("runs", "block9.conv1", 130);
    test_ok(exp_plot_run(folder, false, &error), &error);
    expect_pictures(folder);
    expect_in_svg(folder, ">block9.conv1<");
    expect_in_svg(folder, ">temperature<");
    expect_in_svg(folder, ">runs<");
}

static void test_one_row(void **state) {
    (void)state;
    nn_error error = {0};
    const char *folder = make_run("single", "dense2", 1);
    test_ok(exp_plot_run(folder, false, &error), &error);
    expect_pictures(folder);
}

static void test_odd_names(void **state) {
    (void)state;
    nn_error error = {0};
    const char *folder = make_run("it's \"odd\" & `touch x` <$(y)>\n%d\\", "a'b`c <d>", 3);
    test_ok(exp_plot_run(folder, false, &error), &error);
    expect_pictures(folder);
    expect_in_svg(folder, "it's \"odd\" &amp; `touch x` &lt;$(y)>?%d\\<");
    expect_in_svg(folder, ">a'b`c &lt;d><");
}

static void test_heading(void **state) {
    (void)state;
    static const char config[] = "dataset = cifar10\nmodel = cifar_resnet\nseed = 3\nsnnl-weight = -0.5\n";
    nn_error error = {0};
    const char *folder = make_run("configured", "block1", 3);
    test_file("configured/config.ini", config, sizeof config - 1);
    test_ok(exp_plot_run(folder, false, &error), &error);
    expect_in_svg(folder, ">cifar_resnet on cifar10, SNNL weight -0.5<");
}

/* However often it is drawn in the background, the last call shows the file as it is then. */
static void test_background(void **state) {
    (void)state;
    nn_error error = {0};
    const char *folder = make_run("background", "early", 5);
    for (int i = 0; i < 5; i++)
        test_ok(exp_plot_run(folder, true, &error), &error);
    write_metrics(folder, "later", 6);
    test_ok(exp_plot_run(folder, false, &error), &error);
    expect_pictures(folder);
    expect_in_svg(folder, ">later<");
    assert_true(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
}

static void test_refusals(void **state) {
    (void)state;
    nn_error error = {0};
    test_fails(exp_plot_run(test_path("absent"), false, &error), NN_EFILE, &error, "absent/metrics.csv");
    const char *folder = make_run("malformed", "block1", 0);
    test_fails(exp_plot_run(folder, true, &error), NN_EFORMAT, &error, "malformed/metrics.csv: line 2");
    assert_int_equal(mkdir(test_path("malformed/curves.png"), 0777), 0);
    write_metrics(folder, "block1", 2);
    test_fails(exp_plot_run(folder, false, &error), NN_EFILE, &error, "malformed/curves.png");
}

static void test_without_gnuplot(void **state) {
    (void)state;
    nn_error error = {0};
    const char *folder = make_run("undrawn", "block1", 2);
    char *path = strdup(getenv("PATH"));
    setenv("PATH", folder, 1);
    nn_status foreground = exp_plot_run(folder, false, &error);
    test_fails(foreground, NN_EFILE, &error, "gnuplot-nox");
    nn_status background = exp_plot_run(folder, true, &error);
    test_fails(background, NN_EFILE, &error, "gnuplot-nox");

    /* A gnuplot that fails is quoted. */
    static const char failing[] = "#!/bin/sh\necho 'no such terminal' >&2\nexit 1\n";
    const char *gnuplot = test_file("undrawn/gnuplot", failing, sizeof failing - 1);
    assert_int_equal(chmod(gnuplot, 0755), 0);
    nn_status failed = exp_plot_run(folder, false, &error);
    setenv("PATH", path, 1);
    free(path);
    test_fails(failed, NN_EFILE, &error, "no such terminal");
}

/* 180 rows are averaged over 3 to either side: of row^2 that is row^2 + 4, of 2^row geometrically 2^row. */
static void test_smoothing(void **state) {
    (void)state;
    nn_error error = {0};
    exp_metrics metrics;
    char *text = NULL, path[512];
    size_t count;
    snprintf(path, sizeof path, "%s/metrics.csv", make_run("smooth", "block1", 180));
    test_ok(exp_metrics_read(path, &metrics, &error), &error);
    FILE *script = open_memstream(&text, &count);
    test_ok(exp_plot_script(script, &metrics, "title", "unused.png", "unused.svg", &error), &error);
    fclose(script);
    exp_metrics_free(&metrics);

    const char *line = strstr(text, "$curves << END\n");
    assert_non_null(line);
    for (int row = 0; row < 40; row++) {
        line = strchr(line, '\n') + 1;
        double step, loss, entropy, accuracy, smooth_loss, smooth_entropy, smooth_accuracy, snnl, temperature;
        assert_int_equal(sscanf(line, "%lf%lf%lf%lf%lf%lf%lf%lf%lf", &step, &loss, &entropy, &accuracy,
                                &smooth_loss, &smooth_entropy, &smooth_accuracy, &snnl, &temperature),
                         9);
        int reach = row < 3 ? row : 3;
        double above = 0; /* the mean of (row + k)^2 - row^2 over k = -reach ... reach */
        for (int k = -reach; k <= reach; k++)
            above += (double)(k * k) / (2 * reach + 1);
        assert_true(step == row + 1 && loss == row * row && accuracy == 50 && smooth_accuracy == 50);
        assert_true(fabs(smooth_loss - (row * row + above)) <= 1e-6 * (1 + smooth_loss));
        assert_true(entropy == 1 && smooth_entropy == 1 && fabs(snnl - 2.3) < 1e-6);
        assert_true(fabs(temperature / ldexp(1, row) - 1) < 1e-6);
    }
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pictures),        cmocka_unit_test(test_one_row),
        cmocka_unit_test(test_odd_names),       cmocka_unit_test(test_heading),
        cmocka_unit_test(test_background),      cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_without_gnuplot), cmocka_unit_test(test_smoothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
