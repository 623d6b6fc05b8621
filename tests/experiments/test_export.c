/* ./export, run as a user runs it: the ONNX file, run by an interpreter, gives the logits and taps that ./measure dumps. */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/support/json.h"
#include "tests/support/onnx_run.h"
#include "tests/support/program.h"

enum { EXAMPLES = 4, PIXELS = PROGRAM_SIDE * PROGRAM_SIDE };

static int set_up(void **state) {
    program_begin(state);
    program_data("data", "mnist");
    const char *line = "--quiet --dataset mnist --batch 20 --steps 12 --lr 0.02 --log-every 0";
    return program_run("train", "%s --model mlp --run mlp", line) +
           program_run("train", "%s --model cifar_resnet --run resnet", line);
}

/* The first test images, from 0 to 1. */
static void read_images(float images[EXAMPLES * PIXELS]) {
    char *file = program_file("data/mnist/t10k-images-idx3-ubyte");
    for (int i = 0; i < EXAMPLES * PIXELS; i++)
        images[i] = (float)((unsigned char *)file)[16 + i] / 255;
    free(file);
}

static void expect(const onnx_file *file, const char *run, const char *name) {
    char path[128];
    nn_npy ours;
    nn_error error = {0};
    const onnx_tensor *found = onnx_find(file, name);
    snprintf(path, sizeof path, "dump-%s/%s.npy", run, name);
    test_ok(nn_npy_read(path, &ours, &error), &error);
    assert_true(found->rank == ours.rank && found->count == ours.count);
    float *values = test_zeros(ours.count);
    for (size_t i = 0; i < ours.count; i++)
        values[i] = (float)nn_npy_number(&ours, i);
    test_close(name, values, found->values, ours.count, 1e-5);
    free(values);
    nn_npy_free(&ours);
}

/* Channels last, as the dump's are; with one channel the input is the same in both layouts. */
static void check(const char *run, const char *options, const char *const *taps) {
    onnx_file file;
    float images[EXAMPLES * PIXELS];
    read_images(images);
    assert_int_equal(
        program_run("measure", "--run %s --examples %d --dump dump-%s --json", run, EXAMPLES, run), 0);
    assert_int_equal(program_run("export", "--run %s --out %s.onnx %s", run, run, options), 0);
    assert_string_equal(program_output, "");
    char path[64];
    snprintf(path, sizeof path, "%s.onnx", run);
    onnx_open(&file, path);
    onnx_run(&file, "image", 4, (size_t[]){EXAMPLES, PROGRAM_SIDE, PROGRAM_SIDE, 1}, images);
    expect(&file, run, "logits");
    for (int i = 0; taps[i]; i++)
        expect(&file, run, taps[i]);
    onnx_close(&file);
}

static void what_it_computes(void **state) {
    (void)state;
    check("mlp", "--taps --layout channels-last", (const char *[]){"dense1", "dense2", NULL});
    check("resnet", "--taps --layout channels-last",
          (const char *[]){"block1", "block4", "block9.bn1", "block9.conv2", "block9", NULL});
    program_said(program_errors,
                 "resnet.onnx: cifar_resnet, 272186 parameters; image (batch x 8 x 8 x 1, values 0 to 1) -> "
                 "logits (batch x 10) and every tap\n");
}

/* Without data, beside the run's other files, channels second; and what the file says of itself. */
static void defaults(void **state) {
    (void)state;
    onnx_file file;
    assert_int_equal(rename("data", "hidden"), 0);
    assert_int_equal(program_run("export", "--run mlp --json --quiet"), 0);
    assert_int_equal(rename("hidden", "data"), 0);
    assert_string_equal(program_errors, "");
    cJSON *json = cJSON_Parse(program_output);
    assert_non_null(json);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(json, "onnx")), "mlp/model.onnx");
    assert_true(json_number(json, "parameters") == 64 * 256 + 256 + 256 * 256 + 256 + 2570);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(json, "outputs")), 1);
    cJSON_Delete(json);
    onnx_open(&file, "mlp/model.onnx");
    assert_true(file.inputs == 1 && file.outputs == 1);
    assert_string_equal(onnx_dimensions(&file, "image"), "batch 1 8 8");
    assert_string_equal(onnx_dimensions(&file, "logits"), "batch 10");
    assert_string_equal(onnx_metadata(&file, "model"), "mlp");
    assert_string_equal(onnx_metadata(&file, "dataset"), "mnist");
    assert_string_equal(onnx_metadata(&file, "classes"),
                        "[\"0\",\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\"]");
    onnx_close(&file);
}

/* The caller normalises, by what the metadata says. */
static void normalised(void **state) {
    (void)state;
    onnx_file file;
    float images[EXAMPLES * PIXELS];
    read_images(images);
    assert_int_equal(program_run("measure", "--run mlp --examples %d --dump dump-mlp --json", EXAMPLES), 0);
    assert_int_equal(program_run("export", "--run mlp --normalized --out mlp.onnx --quiet"), 0);
    onnx_open(&file, "mlp.onnx");
    const float mean = (float)atof(onnx_metadata(&file, "mean")),
                deviation = (float)atof(onnx_metadata(&file, "deviation"));
    for (int i = 0; i < EXAMPLES * PIXELS; i++)
        images[i] = (images[i] - mean) / deviation;
    onnx_run(&file, "image", 4, (size_t[]){EXAMPLES, 1, PROGRAM_SIDE, PROGRAM_SIDE}, images);
    expect(&file, "mlp", "logits");
    onnx_close(&file);
}

static void refusals(void **state) {
    (void)state;
    static const struct {
        int code;
        const char *line, *message;
    } cases[] = {
        {2, "", "export: which run? name its folder with --run DIR"},
        {2, "--run mlp --layout sideways",
         "--layout: 'sideways' is not one of: channels-first, channels-last"},
        {2, "--nosuch", "--nosuch: there is no such option"},
        {1, "--run absent", "absent/config.ini: No such file"},
        {1, "--run mlp --out absent/x.onnx", "absent/x.onnx: No such file"},
        {1, "--run broken", "broken/model.safetensors: shorter than 8 bytes: not a whole safetensors file"},
    };
    assert_int_equal(mkdir("broken", 0777), 0);
    char *config = program_file("mlp/config.ini");
    test_file("broken/config.ini", config, strlen(config));
    test_file("broken/model.safetensors", "", 0);
    free(config);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(program_run("export", "%s", cases[i].line), cases[i].code);
        program_complained(cases[i].message);
    }
    assert_int_equal(program_run("export", "--help"), 0);
    program_said(program_output, "--[no-]taps");
    program_next.output = "/dev/full";
    assert_int_equal(program_run("export", "--run mlp --json --quiet"), 1);
    program_complained("export: cannot write the summary to standard output");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_computes),
        cmocka_unit_test(defaults),
        cmocka_unit_test(normalised),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
