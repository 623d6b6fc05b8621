/* error.c: messages, of which the first is kept, and text from files that must not command a terminal. */
#include "tests/support/support.h"

#include <string.h>

static void the_first_message_is_kept(void **state) {
    (void)state;
    nn_error error = {0};
    assert_int_equal(nn_fail(&error, NN_EFILE, "cannot open %s", "a"), NN_EFILE);
    assert_int_equal(nn_fail(&error, NN_EFORMAT, "no data"), NN_EFORMAT);
    assert_int_equal(error.status, NN_EFILE);
    assert_string_equal(error.message, "cannot open a");
}

static void control_bytes_do_not_reach_a_terminal(void **state) {
    (void)state;
    nn_error error = {0};
    char text[] = "caf\xc3\xa9\x1b]0;title\x07\n\x7f~";
    nn_fail(&error, NN_EFORMAT, "no class '%s'", "\x1b[2Jx\r");
    assert_string_equal(error.message, "no class '?[2Jx?'");
    nn_remove_controls(text);
    assert_string_equal(text, "caf\xc3\xa9?]0;title???~");
}

static void long_messages_are_cut(void **state) {
    (void)state;
    nn_error error = {0};
    nn_fail(&error, NN_EFORMAT, "%1000d", 7);
    assert_int_equal(strlen(error.message), sizeof error.message - 1);
}

static void products(void **state) {
    (void)state;
    size_t product;
    assert_true(nn_multiply(SIZE_MAX / 2, 2, &product));
    assert_true(product == SIZE_MAX - 1);
    assert_false(nn_multiply(SIZE_MAX / 2 + 1, 2, &product));
    assert_true(nn_multiply(SIZE_MAX, 0, &product) && product == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_message_is_kept),
        cmocka_unit_test(control_bytes_do_not_reach_a_terminal),
        cmocka_unit_test(long_messages_are_cut),
        cmocka_unit_test(products),
    };
    return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
