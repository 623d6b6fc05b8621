/* The numbers of a summary, by name. */
#include "experiments/study/named_numbers.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/support.h"

static nn_status read_text(const char *text, exp_named_numbers *numbers, nn_error *error) {
    return exp_named_numbers_read(numbers, test_file("numbers.json", text, strlen(text)), error);
}

static void every_number_has_a_name(void **state) {
    (void)state;
    static const char text[] =
        "{\"seconds\": 1.5, \"program\": \"neighbors\", \"done\": true, \"nothing\": null,\n"
        " \"deep\": {\"accuracy\": 0.25, \"deeper\": {\"x\": -3e-7}},\n"
        " \"histogram\": [1, 2, 3],\n"
        " \"outliers\": [{\"source\": \"noise\", \"examples\": 20, \"scores\": [\n"
        "    {\"score\": \"energy\", \"auroc\": 0.75}, {\"score\": \"density\", \"layer\": \"conv1\", "
        "\"auroc\": 0.5}]}],\n"
        " \"attacks\": [{\"method\": \"fgsm\", \"epsilon\": 0.1, \"step\": 0.02, \"accuracy\": 0.5}],\n"
        " \"snapshots\": [{\"step\": 400, \"snnl\": 0.625}],\n"
        " \"plain\": [{\"a\": 7}, {\"a\": 8}]}";
    static const struct {
        const char *name;
        double value;
    } expected[] = {{"seconds", 1.5},
                    {"deep.accuracy", 0.25},
                    {"deep.deeper.x", -3e-7},
                    {"outliers.noise.examples", 20},
                    {"outliers.noise.scores.energy.auroc", 0.75},
                    {"outliers.noise.scores.density:conv1.auroc", 0.5},
                    {"attacks.fgsm:0.1.epsilon", 0.1},
                    {"attacks.fgsm:0.1.step", 0.02},
                    {"attacks.fgsm:0.1.accuracy", 0.5},
                    {"snapshots.400.step", 400},
                    {"snapshots.400.snnl", 0.625}};
    exp_named_numbers numbers;
    nn_error error = {0};
    test_ok(read_text(text, &numbers, &error), &error);
    assert_int_equal(numbers.count, sizeof expected / sizeof *expected);
    for (int i = 0; i < numbers.count; i++) {
        assert_string_equal(numbers.items[i].name, expected[i].name);
        assert_true(numbers.items[i].value == expected[i].value);
        assert_true(exp_named_number_find(&numbers, expected[i].name) == expected[i].value);
    }
    assert_true(isnan(exp_named_number_find(&numbers, "histogram")));
    assert_true(isnan(exp_named_number_find(&numbers, "outliers.noise")));
    assert_true(isnan(exp_named_number_find(&numbers, "plain.0.a")));
    exp_named_numbers_free(&numbers);
    assert_int_equal(numbers.count, 0);
}

/* Their members have no names. */
static void lists_in_lists(void **state) {
    (void)state;
    exp_named_numbers numbers;
    nn_error error = {0};
    assert_int_equal(read_text("{\"a\": [[1, 2], [\"x\", 3]], \"b\": 4}", &numbers, &error), NN_OK);
    assert_int_equal(numbers.count, 1);
    assert_true(exp_named_number_find(&numbers, "b") == 4);
    exp_named_numbers_free(&numbers);
}

static void files_that_are_no_object(void **state) {
    (void)state;
    static const char *const texts[] = {"", "[1, 2]", "{\"a\": ", "7"};
    for (int i = 0; i < 4; i++) {
        exp_named_numbers numbers;
        nn_error error = {0};
        assert_int_equal(read_text(texts[i], &numbers, &error), NN_EFORMAT);
        assert_non_null(
            strstr(error.message, i % 2 ? "numbers.json: no JSON object" : "numbers.json: not JSON"));
        exp_named_numbers_free(&numbers);
    }
    exp_named_numbers numbers;
    nn_error error = {0};
    assert_int_equal(exp_named_numbers_read(&numbers, "/nowhere/summary.json", &error), NN_EFILE);
}

/* A name that does not fit is left out, not cut. */
static void names_too_long(void **state) {
    (void)state;
    char text[2048], name[1000];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    snprintf(text, sizeof text, "{\"%s\": 1, \"short\": 2}", name);
    exp_named_numbers numbers;
    nn_error error = {0};
    test_ok(read_text(text, &numbers, &error), &error);
    assert_int_equal(numbers.count, 1);
    assert_string_equal(numbers.items[0].name, "short");
    exp_named_numbers_free(&numbers);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_number_has_a_name),
        cmocka_unit_test(lists_in_lists),
        cmocka_unit_test(files_that_are_no_object),
        cmocka_unit_test(names_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
