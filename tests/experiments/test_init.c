/* ./train --init, run as a user runs it. */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/json.h"
#include "tests/support/program.h"
#include "tests/support/run_files.h"

#define QUICK "--quiet --dataset mnist --model mlp --batch 10 --log-every 0 "
#define STILL QUICK "--lr 0 --steps 1 " /* keeps the weights that it begins with */

static int set_up(void **state) {
    program_begin(state);
    program_data("data", "mnist");
    return program_run("train", QUICK "--lr 0.02 --steps 9 --run first") +
           program_run("train", STILL "--run fresh");
}

/* The tensor of a run's model as text for comparison: its bytes are found by the header. */
static void expect_tensor(const char *run, const char *other, const char *name, bool same) {
    nn_stored_tensor tensors[2] = {0};
    nn_safetensors *files[2];
    const char *runs[] = {run, other};
    nn_error error = {0};
    for (int i = 0; i < 2; i++) {
        char path[64];
        bool found = true;
        snprintf(path, sizeof path, "%s/model.safetensors", runs[i]);
        test_ok(nn_safetensors_open(&files[i], path, &error), &error);
        do {
            test_ok(nn_safetensors_next(files[i], &tensors[i], &found, &error), &error);
            assert_true(found);
        } while (strcmp(tensors[i].name, name) != 0);
    }
    assert_int_equal(tensors[0].size, tensors[1].size);
    assert_int_equal(memcmp(tensors[0].bytes, tensors[1].bytes, tensors[0].size) == 0, same);
    for (int i = 0; i < 2; i++)
        nn_safetensors_close(files[i]);
}

static void weights_of_a_run_or_a_file(void **state) {
    (void)state;
    assert_int_equal(program_run("train", STILL "--init first --run a"), 0);
    assert_string_equal(program_errors, "");
    assert_int_equal(program_run("train", STILL "--seed 5 --init first/model.safetensors --run b"), 0);
    static const char *const names[] = {"dense1.weight", "dense2.bias", "logits.weight"};
    for (int i = 0; i < 3; i++) {
        expect_tensor("a", "first", names[i], true);
        expect_tensor("b", "first", names[i], true);
        expect_tensor("fresh", "first", names[i], false);
    }
}

static void parts_begin_afresh(void **state) {
    (void)state;
    assert_int_equal(program_run("train", STILL "--no-quiet --init first --init-skip logits.* --run c"), 0);
    program_said(program_errors, "weights  4 tensors of first, checksum ");
    program_said(program_errors, "left       logits.weight: as it was\n");
    program_said(program_errors, "left       logits.bias: as it was\n");
    expect_tensor("c", "first", "dense1.weight", true);
    expect_tensor("c", "fresh", "logits.weight", true);
    /* another number of inputs: only what is said */
    assert_int_equal(
        program_run("train",
                    "--quiet --dataset shapes --train-limit 40 --test-limit 10 --model mlp --batch 10 "
                    "--lr 0 --steps 1 --log-every 0 --init first --init-skip dense1.* --run d"),
        0);
    expect_tensor("d", "first", "dense2.weight", true);
}

static void misfits(void **state) {
    (void)state;
    assert_int_equal(
        program_run("train", "--quiet --dataset shapes --model mlp --batch 10 --init first --run never"), 1);
    program_said(program_errors,
                 "shape      dense1.weight: 256 x 64 in the file, 256 x 3072 in the model\n"
                 "train: --init: first/model.safetensors: 1 of its tensors do not fit the model "
                 "(--init-skip GLOB leaves tensors out, to begin afresh)\n");
    assert_int_equal(program_run("train", QUICK "--model cifar_resnet --init first --run never"), 1);
    program_said(program_errors, "unexpected dense1.weight: 256 x 64 in the file, not in the model\n");
    program_said(program_errors, "missing    block9.bn2.running_var: not in the file, 64 in the model\n");
    static const struct {
        int code;
        const char *line, *message;
    } cases[] = {
        {2, "--init-skip a", "train: --init-skip: of which file? name it with --init FILE"},
        {2, "--init-checksum 12", "train: --init-checksum: of which file? name it with --init FILE"},
        {2, "--init first --init-skip nothing*", "'nothing*' meets no tensor of the model or the file"},
        {1, "--init absent", "absent: No such file"},
        {1, "--init data", "data/model.safetensors: No such file"},
        {1, "--init first/config.ini", "first/config.ini: its header would end behind the file"},
        {1, "--init torch.pt", "torch.pt: a zip archive, as torch.save writes"},
        {1, "--init first --init-checksum 12", "--init-checksum is 12: it is another file"},
    };
    test_file("torch.pt", "PK\3\4 and so on", 14);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(program_run("train", QUICK "--run never %s", cases[i].line), cases[i].code);
        program_complained(cases[i].message);
    }
    assert_false(program_file_exists("never"));
}

/* What the run began with is part of what it is; resumed it goes on without the file, and to the same bits. */
static void identity(void **state) {
    (void)state;
    assert_int_equal(program_run("train", QUICK "--lr 0.02 --steps 6 --init first --run whole"), 0);
    cJSON *summary = json_file("whole/summary.json");
    const char *checksum = cJSON_GetStringValue(cJSON_GetObjectItem(summary, "init_checksum"));
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(summary, "init")), "first");
    assert_int_equal(strlen(checksum), 16);
    char *config = program_file("whole/config.ini"), line[64];
    snprintf(line, sizeof line, "\ninit = first\ninit-checksum = %s\n", checksum);
    program_said(config, line);
    free(config);
    cJSON_Delete(summary);
    assert_int_equal(program_run("train", "--quiet --preset whole/config.ini --run again"), 0);
    run_files_same("whole", "again");

    assert_int_equal(
        program_run("train", QUICK "--lr 0.02 --schedule constant --steps 3 --init first --run part"), 0);
    assert_int_equal(
        program_run("train", QUICK "--lr 0.02 --schedule constant --steps 6 --init first --run long"), 0);
    assert_int_equal(rename("first/model.safetensors", "elsewhere"), 0);
    assert_int_equal(program_run("train", "--quiet --run part --resume --steps 6 --init first"), 0);
    assert_int_equal(program_run("train", "--quiet --run part --resume --steps 9 --init elsewhere"), 2);
    program_complained("--init: with elsewhere it would be another run than that in part, which has first");
    assert_int_equal(rename("fresh/model.safetensors", "first/model.safetensors"), 0);
    assert_int_equal(program_run("train", "--quiet --preset whole/config.ini --run never"), 1);
    program_complained("it is another file");
    run_files_same("part", "long");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_of_a_run_or_a_file),
        cmocka_unit_test(parts_begin_afresh),
        cmocka_unit_test(misfits),
        cmocka_unit_test(identity),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
