/* Model files: written and read byte by byte, PyTorch's layouts, and what is refused. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/small_network.h"

/* --- a store of every kind of entry, and the same as a file made by hand -------------------------------- */

enum { CONV = 24, IMAGE = 24, MATRIX = 6, CHANNELS = 2, FLOATS = CONV + IMAGE + MATRIX + 2 * CHANNELS };

static void declare(nn_store *store, const char *name, nn_entry entry) {
    nn_error error = {0};
    int index;
    snprintf(entry.name, sizeof entry.name, "%s", name);
    test_ok(nn_store_declare(store, entry, &index, &error), &error);
}

/* Every value is -1, so that what a load changes is seen. */
static nn_store make_store(void) {
    nn_store store;
    nn_error error = {0};
    nn_init unset = {.kind = NN_INIT_CONSTANT, .value = -1};
    nn_store_begin(&store, 1);
    declare(&store, "conv.weight", (nn_entry){.shape = NN_SHAPE4(2, 2, 3, 2), .init = unset});
    declare(&store, "image.weight", (nn_entry){.shape = NN_SHAPE4(2, 2, 2, 3), .flat = true, .init = unset});
    declare(&store, "matrix.weight", (nn_entry){.shape = NN_SHAPE2(2, 3), .flat = true, .init = unset});
    declare(&store, "bn.weight", (nn_entry){.shape = NN_SHAPE1(CHANNELS), .init = unset});
    declare(&store, "bn.running_mean",
            (nn_entry){.kind = NN_STATISTIC, .shape = NN_SHAPE1(CHANNELS), .init = unset});
    declare(&store, "snnl.log_t",
            (nn_entry){.kind = NN_STATISTIC, .shape = NN_SHAPE1(1), .internal = true, .init = unset});
    test_ok(nn_store_freeze(&store, &error), &error);
    return store;
}

#define TENSOR(name, shape, place)                                                                           \
    "\"" name "\":{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":" place "}"
#define CONV_TENSOR   TENSOR("conv.weight", "[2,2,2,3]", "[0,96]")
#define IMAGE_TENSOR  TENSOR("image.weight", "[2,12]", "[96,192]")
#define MATRIX_TENSOR TENSOR("matrix.weight", "[2,3]", "[192,216]")
#define BN_TENSORS    TENSOR("bn.weight", "[2]", "[216,224]") "," TENSOR("bn.running_mean", "[2]", "[224,232]")
#define METADATA      "\"__metadata__\":{\"format\":\"pt\"}"
static const char whole_header[] =
    "{" METADATA "," CONV_TENSOR "," IMAGE_TENSOR "," MATRIX_TENSOR "," BN_TENSORS "}";

/* The file's floats count up from 0; `length` is what the file says of its header, -1: the truth. */
static const char *make_file(const char *header, int floats, long long length, size_t *size) {
    static unsigned char bytes[4096];
    size_t text = strlen(header);
    uint64_t said = length < 0 ? text : (uint64_t)length;
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(said >> (8 * i));
    memcpy(bytes + 8, header, text);
    for (int i = 0; i < floats; i++) {
        float value = (float)i;
        memcpy(bytes + 8 + text + 4 * i, &value, 4);
    }
    *size = 8 + text + 4 * (size_t)floats;
    return test_file("model.safetensors", bytes, *size);
}

/* Fails unless no value of the store has changed. */
static void expect_unchanged(const nn_store *store, const char *what) {
    for (size_t i = 0; i < store->parameter_count; i++)
        if (store->parameters[i] != -1)
            fail_msg("%s: parameter %zu has changed", what, i);
    for (size_t i = 0; i < store->statistic_count; i++)
        if (store->statistics[i] != -1)
            fail_msg("%s: statistic %zu has changed", what, i);
}

static float value_of(const nn_store *store, const char *name, int index) {
    return nn_store_values(store, nn_store_find(store, name))[index];
}

/* --- layouts -------------------------------------------------------------------------------------------- */

/* The file counts up in its own order: filter, channel, row, column. Here channels are last. */
static void expect_layout(const nn_store *store) {
    int n = 0;
    for (int k = 0; k < 2; k++)
        for (int c = 0; c < 2; c++)
            for (int r = 0; r < 2; r++)
                for (int s = 0; s < 3; s++)
                    assert_true(value_of(store, "conv.weight", ((k * 2 + r) * 3 + s) * 2 + c) == n++);
    for (int out = 0; out < 2; out++)
        for (int c = 0; c < 3; c++)
            for (int row = 0; row < 2; row++)
                for (int column = 0; column < 2; column++)
                    assert_true(value_of(store, "image.weight", ((out * 2 + row) * 2 + column) * 3 + c) ==
                                n++);
    for (int i = 0; i < MATRIX; i++)
        assert_true(value_of(store, "matrix.weight", i) == n++);
    for (int i = 0; i < CHANNELS; i++)
        assert_true(value_of(store, "bn.weight", i) == n++);
    for (int i = 0; i < CHANNELS; i++)
        assert_true(value_of(store, "bn.running_mean", i) == n++);
    assert_true(value_of(store, "snnl.log_t", 0) == -1);
}

static void a_file_made_by_hand_is_read(void **state) {
    (void)state;
    nn_error error = {0};
    size_t size;
    nn_store store = make_store();
    test_ok(nn_safetensors_load(&store, make_file(whole_header, FLOATS, -1, &size), &error), &error);
    expect_layout(&store);
    nn_store_free(&store);

    /* blanks behind the header, tensors and their places in another order, no metadata */
    store = make_store();
    const char *mixed = "{" BN_TENSORS ", " CONV_TENSOR ",\n" MATRIX_TENSOR "," IMAGE_TENSOR "}       ";
    test_ok(nn_safetensors_load(&store, make_file(mixed, FLOATS, -1, &size), &error), &error);
    expect_layout(&store);
    nn_store_free(&store);
}

static unsigned char *read_bytes(const char *path, size_t *count) {
    unsigned char *bytes;
    nn_error error = {0};
    test_ok(nn_file_read(path, 1 << 20, &bytes, count, &error), &error);
    return bytes;
}

static void a_saved_file_has_the_formats_bytes(void **state) {
    (void)state;
    nn_error error = {0};
    size_t size, count;
    nn_store store = make_store();
    test_ok(nn_safetensors_load(&store, make_file(whole_header, FLOATS, -1, &size), &error), &error);
    const char *path = test_path("saved.safetensors");
    test_ok(nn_safetensors_save(&store, NULL, path, &error), &error);
    unsigned char *bytes = read_bytes(path, &count);
    size_t text = strlen(whole_header), padded = bytes[0] | (size_t)bytes[1] << 8;
    for (int i = 2; i < 8; i++)
        assert_int_equal(bytes[i], 0);
    assert_true(padded % 8 == 0 && padded >= text && padded < text + 8);
    assert_memory_equal(bytes + 8, whole_header, text);
    for (size_t i = text; i < padded; i++)
        assert_int_equal(bytes[8 + i], ' ');
    assert_int_equal(count, 8 + padded + 4 * FLOATS);
    for (int i = 0; i < FLOATS; i++) {
        float value;
        memcpy(&value, bytes + 8 + padded + 4 * (size_t)i, 4);
        assert_true(value == (float)i);
    }
    free(bytes);
    nn_store_free(&store);
}

/* A network saved with one seed and loaded into one of another seed. */
static void a_network_comes_back(void **state) {
    small_network *f = *state;
    small_network_plan(f, (nn_plan_options){.training = true, .loss = f->loss});
    test_ok(small_network_step(f, (nn_run){.rows = 4}), &f->error); /* running statistics that differ */
    const char *path = test_path("network.safetensors");
    test_ok(nn_safetensors_save(&f->store, NULL, path, &f->error), &f->error);
    nn_store other;
    nn_node *image, *labels;
    nn_store_begin(&other, 99);
    nn_graph *graph = nn_graph_new(&other);
    assert_non_null(small_network_layers(graph, &image, &labels, 4));
    test_ok(nn_store_freeze(&other, &f->error), &f->error);
    assert_memory_not_equal(other.parameters, f->store.parameters, 4 * f->store.parameter_count);
    test_ok(nn_safetensors_load(&other, path, &f->error), &f->error);
    test_same_bits("parameters", other.parameters, f->store.parameters, 4 * f->store.parameter_count);
    test_same_bits("statistics", other.statistics, f->store.statistics, 4 * f->store.statistic_count);
    nn_graph_free(graph);
    nn_store_free(&other);
}

/* --- metadata ------------------------------------------------------------------------------------------- */

static void metadata_comes_back(void **state) {
    (void)state;
    nn_error error = {0};
    char text[32];
    nn_store store = make_store();
    nn_metadata metadata[] = {{"model", "a \"quoted\\\" \n name é"}, {"empty", ""}, {0}};
    const char *path = test_path("metadata.safetensors");
    test_ok(nn_safetensors_save(&store, metadata, path, &error), &error);
    test_ok(nn_safetensors_metadata(path, "model", text, sizeof text, &error), &error);
    assert_string_equal(text, metadata[0].value);
    test_ok(nn_safetensors_metadata(path, "empty", text, sizeof text, &error), &error);
    assert_string_equal(text, "");
    test_ok(nn_safetensors_metadata(path, "format", text, 3, &error), &error);
    assert_string_equal(text, "pt");
    test_fails(nn_safetensors_metadata(path, "format", text, 2, &error), NN_EFORMAT, &error, "no 'format'");
    test_fails(nn_safetensors_metadata(path, "other", text, sizeof text, &error), NN_EFORMAT, &error,
               "metadata has no 'other'");
    test_ok(nn_safetensors_load(&store, path, &error), &error);
    nn_store_free(&store);

    size_t size;
    path = make_file("{" CONV_TENSOR "}", CONV, -1, &size);
    test_fails(nn_safetensors_metadata(path, "model", text, sizeof text, &error), NN_EFORMAT, &error,
               "no 'model'");
    path = make_file("{\"__metadata__\":{\"model\":7}}", 0, -1, &size);
    test_fails(nn_safetensors_metadata(path, "model", text, sizeof text, &error), NN_EFORMAT, &error,
               "no 'model'");
}

/* --- refusals ------------------------------------------------------------------------------------------- */

static void a_file_cut_short_anywhere_is_refused(void **state) {
    (void)state;
    nn_error error = {0};
    size_t size, count;
    nn_store store = make_store();
    unsigned char *bytes = read_bytes(make_file(whole_header, FLOATS, -1, &size), &count);
    assert_int_equal(count, size);
    for (size_t n = 0; n < size; n++) {
        const char *path = test_file("cut.safetensors", bytes, n);
        test_fails(nn_safetensors_load(&store, path, &error), NN_EFORMAT, &error, "cut.safetensors: ");
        expect_unchanged(&store, "cut short");
    }
    test_ok(nn_safetensors_load(&store, test_file("cut.safetensors", bytes, size), &error), &error);
    free(bytes);
    nn_store_free(&store);
}

typedef struct refusal {
    const char *header;
    int floats;
    long long length;
    const char *part;
} refusal;

#define CONV_AS(type, shape, place)                                                                          \
    "{\"conv.weight\":{\"dtype\":" type ",\"shape\":" shape ",\"data_offsets\":" place "}," IMAGE_TENSOR     \
    "," MATRIX_TENSOR "," BN_TENSORS "}"
#define NOT_CONV "tensor 'conv.weight' should be float32, 2 x 2 x 2 x 3"

static const refusal refusals[] = {
    {"", 0, 1, "its header would end behind the file"},
    {"{}", 0, 3, "its header would end behind the file"},
    {"{}", 0, 1LL << 62, "its header would end behind the file"},
    {"", 0, 0, "its header is not a JSON object"},
    {"{\"a\":", 0, -1, "its header is not a JSON object"},
    {"[1, 2]", 0, -1, "its header is not a JSON object"},
    {"17", 0, -1, "its header is not a JSON object"},
    {"\x80\x02}q\x01", 0, -1, "its header is not a JSON object"}, /* a pickle */
    {"{}", 0, -1, "no tensor 'conv.weight'"},
    {"{" CONV_TENSOR "," IMAGE_TENSOR "," BN_TENSORS "}", FLOATS, -1, "no tensor 'matrix.weight'"},
    {"{" TENSOR("snnl.log_t", "[1]", "[232,236]") "," CONV_TENSOR "," IMAGE_TENSOR "," MATRIX_TENSOR
                                                  "," BN_TENSORS "}",
     FLOATS + 1, -1, "no place for its tensor 'snnl.log_t'"},
    {"{" CONV_TENSOR "," IMAGE_TENSOR "," MATRIX_TENSOR "," BN_TENSORS
     "," TENSOR("extra", "[1]", "[232,236]") "}",
     FLOATS + 1, -1, "no place for its tensor 'extra'"},
    {CONV_AS("\"F16\"", "[2,2,2,3]", "[0,96]"), FLOATS, -1, NOT_CONV},
    {CONV_AS("32", "[2,2,2,3]", "[0,96]"), FLOATS, -1, NOT_CONV},
    {CONV_AS("\"F32\"", "[2,2,3,2]", "[0,96]"), FLOATS, -1, NOT_CONV}, /* channels last */
    {CONV_AS("\"F32\"", "[2,2,2]", "[0,96]"), FLOATS, -1, NOT_CONV},
    {CONV_AS("\"F32\"", "[2,2,2,3,1]", "[0,96]"), FLOATS, -1, NOT_CONV},
    {CONV_AS("\"F32\"", "\"2\"", "[0,96]"), FLOATS, -1, NOT_CONV},
    {CONV_AS("\"F32\"", "[2,2,2,\"3\"]", "[0,96]"), FLOATS, -1, NOT_CONV},
    {CONV_AS("\"F32\"", "[2,2,2,3]", "[0,92]"), FLOATS, -1, "conv.weight: not a whole safetensors file"},
    {CONV_AS("\"F32\"", "[2,2,2,3]", "[0,100]"), FLOATS, -1, "conv.weight: not a whole"},
    {CONV_AS("\"F32\"", "[2,2,2,3]", "[-96,0]"), FLOATS, -1, "conv.weight: not a whole"},
    {CONV_AS("\"F32\"", "[2,2,2,3]", "[0.5,96.5]"), FLOATS, -1, "conv.weight: not a whole"},
    {CONV_AS("\"F32\"", "[2,2,2,3]", "[140,236]"), FLOATS, -1, "conv.weight: not a whole"},
    {CONV_AS("\"F32\"", "[2,2,2,3]", "[1e30,1e30]"), FLOATS, -1, "conv.weight: not a whole"},
    {CONV_AS("\"F32\"", "[2,2,2,3]", "[96,0]"), FLOATS, -1, "conv.weight: not a whole"},
    {CONV_AS("\"F32\"", "[2,2,2,3]", "[0]"), FLOATS, -1, "conv.weight: not a whole"},
    {CONV_AS("\"F32\"", "[2,2,2,3]", "null"), FLOATS, -1, "conv.weight: not a whole"},
    {CONV_AS("\"F32\"", "[2,2,2,3]", "[0,96]"), FLOATS + 1, -1, "its tensors do not fill it"},
};

static void hostile_files_are_refused(void **state) {
    (void)state;
    nn_error error = {0};
    nn_store store = make_store();
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        size_t size;
        const refusal *r = &refusals[i];
        const char *path = make_file(r->header, r->floats, r->length, &size);
        test_fails(nn_safetensors_load(&store, path, &error), NN_EFORMAT, &error, r->part);
        expect_unchanged(&store, r->part);
    }
    nn_store_free(&store);
}

static void the_system_refuses(void **state) {
    (void)state;
    nn_error error = {0};
    nn_store store = make_store();
    const char *path = test_path("absent/model.safetensors");
    test_fails(nn_safetensors_load(&store, path, &error), NN_EFILE, &error, path);
    test_fails(nn_safetensors_save(&store, NULL, path, &error), NN_EFILE, &error, path);
    test_fails(nn_safetensors_save(&store, NULL, "/dev/full", &error), NN_EFILE, &error, "/dev/full");
    nn_store_free(&store);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_made_by_hand_is_read),
        cmocka_unit_test(a_saved_file_has_the_formats_bytes),
        small_network_test(a_network_comes_back),
        cmocka_unit_test(metadata_comes_back),
        cmocka_unit_test(a_file_cut_short_anywhere_is_refused),
        cmocka_unit_test(hostile_files_are_refused),
        cmocka_unit_test(the_system_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
