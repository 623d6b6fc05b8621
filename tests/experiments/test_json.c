/* json.c: numbers as JSON has them, and files that are no JSON or too much of it. */
#include "experiments/common/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/support.h"

static void numbers(void **state) {
    (void)state;
    cJSON *object = cJSON_CreateObject();
    exp_json_number(object, "a", 0.1f);
    exp_json_number(object, "b", NAN);
    exp_json_number(object, "c", -INFINITY);
    exp_json_count(object, "d", ~0ULL);
    char *text = cJSON_PrintUnformatted(object);
    assert_string_equal(text, "{\"a\":0.100000001,\"b\":null,\"c\":null,\"d\":18446744073709551615}");
    free(text);
    cJSON_Delete(object);
}

static nn_status read_text(const char *text, size_t count, cJSON **json, nn_error *error) {
    *json = (cJSON *)text;
    return exp_json_read(test_file("f.json", text, count), json, error);
}

static void refused(const char *text, size_t count, const char *part) {
    nn_error error = {0};
    cJSON *json;
    test_fails(read_text(text, count, &json, &error), NN_EFORMAT, &error, part);
    assert_null(json);
}

static void files(void **state) {
    (void)state;
    nn_error error = {0};
    cJSON *json;
    test_ok(read_text(" {\"a\": [1]}\n", 12, &json, &error), &error);
    assert_true(cJSON_IsObject(json));
    cJSON_Delete(json);
    static const char *const texts[] = {"", "{", "{\"1\":1,", "{} x", "[1", "\"", "nul"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        refused(texts[i], strlen(texts[i]), "f.json: not JSON");
    refused("{}\0{}", 5, "f.json: not JSON");
    test_fails(exp_json_read(test_path("absent.json"), &json, &error), NN_EFILE, &error, "absent.json");
}

/* Each level would be a call on the stack. */
static void deeply_nested(void **state) {
    (void)state;
    enum { DEPTH = 1000000 };
    char *text = test_bytes(2 * DEPTH + 1);
    memset(text, '[', DEPTH);
    memset(text + DEPTH, ']', DEPTH);
    refused(text, 2 * DEPTH, "f.json: not JSON");
    free(text);
}

static void too_large(void **state) {
    (void)state;
    size_t count = ((size_t)EXP_JSON_MIB << 20) + 1;
    char *text = test_bytes(count);
    memset(text, ' ', count);
    memcpy(text, "[]", 2);
    refused(text, count, "f.json: holds more than the 4194304 bytes");
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(files),
        cmocka_unit_test(deeply_nested),
        cmocka_unit_test(too_large),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
