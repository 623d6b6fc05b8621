/* test_metrics.c - metrics.csv into columns; what is malformed is refused with its place. */
#include "experiments/common/metrics.h"
#include "tests/support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LEADING "step,epoch,images,seconds,lr,loss,cross_entropy,accuracy,"
#define HEADER                                                                                               \
    LEADING                                                                                                  \
    "snnl/block1,temperature/block1,snnl/block9.conv1,temperature/block9.conv1,test_loss,test_accuracy"
#define ROW "10,0,1280,1.5,0.1,-2.25,2.25,0.125,2.1,100,1.9,1e3,"

static nn_status read_text(const char *text, exp_metrics *metrics, nn_error *error) {
    return exp_metrics_read(test_file("metrics.csv", text, strlen(text)), metrics, error);
}

static void refuse(const char *text, const char *part) {
    exp_metrics metrics;
    nn_error error = {0};
    test_fails(read_text(text, &metrics, &error), NN_EFORMAT, &error, part);
}

static void test_columns(void **state) {
    (void)state;
    exp_metrics metrics;
    nn_error error = {0};
    test_ok(read_text(HEADER "\n" ROW ",\n20,1,2560,3,0.05,nan,1,0.5,2,50,1.5,900,0.75,0.875\n", &metrics,
                      &error),
            &error);
    assert_int_equal(metrics.rows, 2);
    assert_int_equal(metrics.columns, 14);
    assert_string_equal(metrics.names[6], "cross_entropy");
    assert_int_equal(metrics.tap_count, 2);
    assert_string_equal(metrics.taps[0].name, "block1");
    assert_string_equal(metrics.taps[1].name, "block9.conv1");
    assert_true(metrics.taps[0].snnl[1] == 2 && metrics.taps[0].temperature[1] == 50);
    assert_true(metrics.taps[1].snnl[0] == 1.9 && metrics.taps[1].temperature[0] == 1000);
    const double *loss = exp_metrics_column(&metrics, "loss");
    assert_true(loss[0] == -2.25 && isnan(loss[1]));
    const double *accuracy = exp_metrics_column(&metrics, "test_accuracy");
    assert_true(isnan(accuracy[0]) && accuracy[1] == 0.875);
    assert_null(exp_metrics_column(&metrics, "test"));
    exp_metrics_free(&metrics);
}

static void test_later_columns(void **state) {
    (void)state;
    exp_metrics metrics;
    nn_error error = {0};
    test_ok(read_text(LEADING
                      "test_loss,test_accuracy,memory\r\n1,0,1,1,1,1,1,1,,,7\r\n2,0,1,1,1,1,1,1,,,\r\n",
                      &metrics, &error),
            &error);
    assert_int_equal(metrics.tap_count, 0);
    const double *memory = exp_metrics_column(&metrics, "memory");
    assert_true(memory[0] == 7 && isnan(memory[1]));
    exp_metrics_free(&metrics);
}

static void test_unfinished_line(void **state) {
    (void)state;
    exp_metrics metrics;
    nn_error error = {0};
    test_ok(read_text(HEADER "\n" ROW ",\n" ROW "0.5,0.7", &metrics, &error), &error);
    assert_int_equal(metrics.rows, 1);
    exp_metrics_free(&metrics);
    refuse(HEADER, "line 1: no header line");
    refuse(HEADER "\n" ROW, "line 2: no step");
}

static void test_malformed_header(void **state) {
    (void)state;
    refuse("", "line 1: no header line");
    refuse("\n", "line 1, column 1: wanted 'step', found ''");
    refuse("step,epoch,seconds\n", "line 1, column 3: wanted 'images', found 'seconds'");
    refuse("step,epoch\n", "line 1, column 3: wanted 'images', found 'the end of the line'");
    refuse(LEADING "snnl/a,temperature/b,test_loss,test_accuracy\n",
           "line 1, column 10: wanted 'temperature/a', found 'temperature/b'");
    refuse(LEADING "snnl/a\n", "line 1, column 10: wanted 'temperature/a'");
    refuse(LEADING "test_loss\n", "line 1, column 10: wanted 'test_accuracy'");
}

static void test_malformed_rows(void **state) {
    (void)state;
    refuse(HEADER "\n" ROW ",\n" ROW "\n", "line 3: 13 columns, but the header has 14");
    refuse(HEADER "\n" ROW ",,\n", "line 2: 15 columns");
    refuse(HEADER "\n" ROW ",\n\n", "line 3: 1 columns");
    refuse(HEADER "\n" ROW ",\n1,0,1,1,1,1.5x,1,1,1,1,1,1,,\n",
           "line 3, column 6 (loss): '1.5x' is not a number");
    refuse(HEADER "\n1,0,1,1,1,1,1,1,,1,1,1,,\n", "line 2, column 9 (snnl/block1): '' is not a number");
    refuse(HEADER "\n" ROW ",high\n", "column 14 (test_accuracy): 'high'");
}

static void test_zero_byte(void **state) {
    (void)state;
    char text[] = HEADER "\n" ROW ",\n";
    *strstr(text, "1280") = '\0';
    exp_metrics metrics;
    nn_error error = {0};
    test_fails(exp_metrics_read(test_file("zero.csv", text, sizeof text - 1), &metrics, &error), NN_EFORMAT,
               &error, "line 2, column 3 (images)");
}

static void test_missing_file(void **state) {
    (void)state;
    exp_metrics metrics;
    nn_error error = {0};
    test_fails(exp_metrics_read(test_path("absent.csv"), &metrics, &error), NN_EFILE, &error, "absent.csv");
}

/* Ten thousand columns and a million empty lines: a table of 80 gigabytes out of two megabytes. */
static void test_no_memory_for_what_is_not_there(void **state) {
    (void)state;
    enum { COLUMNS = 10000, LINES = 1000000 };
    char *text = test_bytes(sizeof HEADER + COLUMNS + LINES);
    strcpy(text, HEADER);
    size_t length = strlen(text);
    memset(text + length, ',', COLUMNS);
    memset(text + length + COLUMNS, '\n', LINES);
    refuse(text, "metrics.csv: 999999 lines behind the header are too short for its 10014 columns");
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns),          cmocka_unit_test(test_no_memory_for_what_is_not_there),
        cmocka_unit_test(test_later_columns),    cmocka_unit_test(test_unfinished_line),
        cmocka_unit_test(test_malformed_header), cmocka_unit_test(test_malformed_rows),
        cmocka_unit_test(test_zero_byte),        cmocka_unit_test(test_missing_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
