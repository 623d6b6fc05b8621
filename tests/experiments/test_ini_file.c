/* ini_file.c: text that inih reads as it was written, and what it would read otherwise. */
#include "experiments/common/ini_file.h"

#include <stdlib.h>
#include <string.h>

#include "experiments/common/train_options.h"
#include "tests/support/support.h"

enum { BUFFER = 16 };

static void refused(const void *bytes, size_t count, const char *part) {
    nn_error error = {0};
    char *text = "";
    test_fails(exp_ini_file_read(test_file("f.ini", bytes, count), BUFFER, &text, &error), NN_EFORMAT, &error,
               part);
    assert_null(text);
}

static void taken(const char *content) {
    nn_error error = {0};
    char *text;
    test_ok(exp_ini_file_read(test_file("f.ini", content, strlen(content)), BUFFER, &text, &error), &error);
    assert_string_equal(text, content);
    free(text);
}

static void texts(void **state) {
    (void)state;
    taken("");
    taken("a = 1\n\n\tb = \xc3\xa4\r\nlast");
    taken("14 characters.\n14 characters.");
}

static void what_is_refused(void **state) {
    (void)state;
    refused("a\n15 characters..", 17, "f.ini:2: the line is too long: it has 15 characters, at most 14");
    refused("a = 1\0\nb = 2\n", 13, "f.ini:1: a byte of value 0: this is no text");
    refused("a = 1\n\0", 7, "f.ini:2: a byte of value 0");
    refused("a\n\x1b[2J\n", 7, "f.ini:2: a byte of value 27");
}

static void a_line_of_100_megabytes(void **state) {
    (void)state;
    enum { LENGTH = 100000000 };
    char *line = test_bytes(LENGTH);
    memset(line, 'x', LENGTH);
    memcpy(line, "lr = ", 5);
    refused(line, LENGTH, "f.ini: holds more than the 1048576 bytes expected at most");
    free(line);
}

/* inih alone would take the end of the comment for a setting. */
static void nothing_hides_behind_a_long_line(void **state) {
    (void)state;
    for (size_t length = 1000; length < 1060; length++) {
        char text[2048];
        exp_train_options options = exp_train_defaults;
        nn_error error = {0};
        memset(text, ' ', sizeof text);
        text[0] = '#';
        strcpy(text + length, "seed = 77\n");
        const char *path = test_file("hidden.ini", text, strlen(text));
        nn_status status = exp_options_read_file(exp_train_table, &options, path, &error);
        assert_true(status == NN_OK || status == NN_EFORMAT);
        assert_true(options.seed == exp_train_defaults.seed);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(a_line_of_100_megabytes),
        cmocka_unit_test(nothing_hides_behind_a_long_line),
    };
    return cmocka_run_group_tests_name("ini_file", tests, NULL, NULL);
}
