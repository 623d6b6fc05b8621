/* Weights from files of other programs: PyTorch's logits, every type of element, every misfit named, nothing half taken. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/support.h"

/* --- PyTorch's file ------------------------------------------------------------------------------------- */

static nn_npy read_golden(const char *path) {
    nn_npy array;
    nn_error error = {0};
    test_ok(nn_npy_read(path, &array, &error), &error);
    return array;
}

static void pytorch_weights_give_pytorch_logits(void **state) {
    (void)state;
    nn_npy images = read_golden("tests/golden/pytorch_small_images.npy"),
           logits = read_golden("tests/golden/pytorch_small_logits.npy");
    nn_error error = {0};
    nn_store store;
    nn_plan *plan;
    nn_safetensors *file;
    nn_weights_report report;
    nn_store_begin(&store, 1);
    nn_graph *graph = nn_graph_new(&store);
    nn_node *x = nn_input(graph, "image", NN_SHAPE4(6, 6, 6, 3));
    nn_node *h = nn_conv(
        x, "conv", (nn_conv_options){.filters = 4, .kernel = 3, .stride = 2, .padding = 1, .bias = true});
    h = nn_flatten(nn_relu(nn_batch_norm(h, "norm", (nn_batch_norm_options){0})));
    h = nn_relu(nn_dense(h, "hidden", (nn_dense_options){.units = 8}));
    h = nn_dense(h, "logits", (nn_dense_options){.units = 5});
    test_ok(nn_plan_new(&plan, graph, (nn_plan_options){.keep = &h, .keep_count = 1}, &error), &error);
    test_ok(nn_safetensors_open(&file, "tests/golden/pytorch_small.safetensors", &error), &error);
    test_ok(nn_weights_take(&store, file, "", &report, &error), &error);
    assert_true(report.taken == 10 && report.left == 0 && report.misfits == 0 && !report.text);
    for (size_t i = 0; i < images.count; i++)
        nn_plan_data(plan, x)[i] = (float)nn_npy_number(&images, i);
    test_ok(nn_plan_forward(plan, (nn_run){.rows = 6}, &error), &error);
    double expected[30];
    for (size_t i = 0; i < 30; i++)
        expected[i] = nn_npy_number(&logits, i);
    test_close("logits", nn_plan_data(plan, h), expected, 30, 1e-5);
    nn_safetensors_close(file);
    nn_plan_free(plan);
    nn_graph_free(graph);
    nn_store_free(&store);
    nn_npy_free(&images);
    nn_npy_free(&logits);
}

/* --- files made by hand --------------------------------------------------------------------------------- */

static void declare(nn_store *store, const char *name, nn_entry_kind kind, nn_shape shape) {
    nn_error error = {0};
    nn_entry entry = {.kind = kind, .shape = shape, .init = {.kind = NN_INIT_CONSTANT, .value = -1}};
    int index;
    snprintf(entry.name, sizeof entry.name, "%s", name);
    test_ok(nn_store_declare(store, entry, &index, &error), &error);
}

/* a [3], b [2, 2] and the statistic s [1], every value -1. */
static nn_store make_store(void) {
    nn_store store;
    nn_error error = {0};
    nn_store_begin(&store, 1);
    declare(&store, "a", NN_PARAMETER, NN_SHAPE1(3));
    declare(&store, "b", NN_PARAMETER, NN_SHAPE2(2, 2));
    declare(&store, "s", NN_STATISTIC, NN_SHAPE1(1));
    test_ok(nn_store_freeze(&store, &error), &error);
    return store;
}

static nn_status take(nn_store *store, const char *header, const void *bytes, size_t count, const char *skip,
                      nn_weights_report *report, nn_error *error) {
    unsigned char text[2048] = {0};
    nn_safetensors *file;
    size_t length = strlen(header);
    text[0] = (unsigned char)(length & 255);
    text[1] = (unsigned char)(length >> 8);
    memcpy(text + 8, header, length);
    memcpy(text + 8 + length, bytes, count);
    const char *path = test_file("weights.safetensors", text, 8 + length + count);
    nn_status status = nn_safetensors_open(&file, path, error);
    if (status == NN_OK)
        status = nn_weights_take(store, file, skip, report, error);
    nn_safetensors_close(file);
    return status;
}

#define TENSOR(name, type, shape, place)                                                                     \
    "\"" name "\":{\"dtype\":\"" type "\",\"shape\":" shape ",\"data_offsets\":" place "}"
#define B TENSOR("b", "F32", "[2,2]", "[0,16]")
#define S TENSOR("s", "F32", "[1]", "[0,4]")

/* The bit patterns are those of IEEE 754. */
static void types_of_elements(void **state) {
    (void)state;
    static const struct {
        const char *type, *place;
        unsigned char bytes[24];
        float expected[3];
    } cases[] = {
        {"F16", "[0,6]", {0x00, 0x3c, 0x01, 0x00, 0xff, 0xfb}, {1, 0x1p-24f, -65504}},
        {"F16", "[0,6]", {0x00, 0x80, 0x00, 0x04, 0x55, 0x35}, {-0.0f, 0x1p-14f, 0x1.554p-2f}},
        {"BF16", "[0,6]", {0x80, 0x3f, 0x49, 0xc0, 0x01, 0x00}, {1, -3.140625f, 0x1p-133f}},
        {"F32", "[0,12]", {0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0, 0xdb, 0x0f, 0x49, 0x40}, {1, -2, 3.14159274f}},
        {"F64",
         "[0,24]",
         {0,    0,    0, 0,    0, 0, 0xf0, 0x3f, 0x18, 0x2d, 0x44, 0x54,
          0xfb, 0x21, 9, 0x40, 0, 0, 0,    0,    0,    0,    0,    0xc0},
         {1, 3.14159274f, -2}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char header[512];
        nn_error error = {0};
        nn_weights_report report;
        nn_store store = make_store();
        snprintf(header, sizeof header, "{\"a\":{\"dtype\":\"%s\",\"shape\":[3],\"data_offsets\":%s}}",
                 cases[i].type, cases[i].place);
        test_ok(take(&store, header, cases[i].bytes, 24, "b,s", &report, &error), &error);
        test_same_bits(cases[i].type, nn_store_values(&store, nn_store_find(&store, "a")), cases[i].expected,
                       12);
        assert_true(nn_store_values(&store, nn_store_find(&store, "b"))[0] == -1);
        assert_true(report.taken == 1 && report.left == 2);
        assert_string_equal(report.text, "left       b: as it was\nleft       s: as it was\n");
        free(report.text);
        nn_store_free(&store);
    }
}

static void expect_unchanged(const nn_store *store) {
    for (size_t i = 0; i < store->parameter_count; i++)
        assert_true(store->parameters[i] == -1);
    assert_true(store->statistics[0] == -1);
}

static void every_misfit_is_named(void **state) {
    (void)state;
    nn_error error = {0};
    nn_weights_report report;
    nn_store store = make_store();
    float zeros[8] = {0};
    const char *header =
        "{\"__metadata__\":{\"format\":\"pt\"}," TENSOR("a", "I64", "[3]", "[0,24]") "," TENSOR(
            "b", "F32", "[2,3,1]",
            "[0,24]") "," TENSOR("c", "F32", "[]", "[0,4]") "," TENSOR("n.num_batches_tracked", "I64", "[]",
                                                                       "[0,8]") "}";
    nn_status status = take(&store, header, zeros, sizeof zeros, "", &report, &error);
    test_fails(status, NN_EFORMAT, &error, "4 of its tensors do not fit the model");
    assert_int_equal(report.misfits, 4);
    assert_string_equal(report.text, "type       a: I64 in the file; F32, F64, F16 and BF16 can be taken\n"
                                     "shape      b: 2 x 3 x 1 in the file, 2 x 2 in the model\n"
                                     "unexpected c: scalar in the file, not in the model\n"
                                     "missing    s: not in the file, 1 in the model\n");
    free(report.text);
    report = (nn_weights_report){0};
    expect_unchanged(&store);
    /* all of them left out */
    test_ok(take(&store, header, zeros, sizeof zeros, "[ab], c,s", &report, &error), &error);
    assert_true(report.taken == 0 && report.left == 3);
    free(report.text);
    nn_store_free(&store);
}

static void nothing_is_half_taken(void **state) {
    (void)state;
    static const struct {
        const char *header, *skip, *message;
        nn_status status;
    } cases[] = {
        {"{" B "," TENSOR("a", "F32", "[3]", "[16,28]") "," S "}", "", "'a' has a value that is NaN",
         NN_ENUMERIC},
        {"{" B "," TENSOR("a", "F32", "[3]", "[0,8]") "," S "}", "",
         "'a' has 8 bytes, but its shape needs 12", NN_EFORMAT},
        {"{" B "," S "}", "a,x*", "'x*' meets no tensor", NN_EARGUMENT},
        {"{" B "," TENSOR("a", "F32", "[3]", "[24,64]") "," S "}", "", ": a: not a whole", NN_EFORMAT},
        {"{" B "," TENSOR("a", "F32", "[3]", "[8,4]") "," S "}", "", ": a: not a whole", NN_EFORMAT},
        {"{" B "," TENSOR("a", "F32", "[-3]", "[0,12]") "," S "}", "", ": a: not a whole", NN_EFORMAT},
        {"{" B "," TENSOR("a", "F32", "[1,1,1,1,1,1,1,1,3]", "[0,12]") "," S "}", "", ": a: not a whole",
         NN_EFORMAT},
        {"{" B ",\"a\":7," S "}", "", ": a: not a whole", NN_EFORMAT},
    };
    float values[8] = {1, 2, 3, 4, 5, NAN, 7, 8};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nn_error error = {0};
        nn_weights_report report;
        nn_store store = make_store();
        nn_status status =
            take(&store, cases[i].header, values, sizeof values, cases[i].skip, &report, &error);
        test_fails(status, cases[i].status, &error, cases[i].message);
        expect_unchanged(&store);
        free(report.text);
        nn_store_free(&store);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pytorch_weights_give_pytorch_logits),
        cmocka_unit_test(types_of_elements),
        cmocka_unit_test(every_misfit_is_named),
        cmocka_unit_test(nothing_is_half_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
