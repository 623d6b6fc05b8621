/* The programs on folders and archives of pictures, as a user gives them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/json.h"
#include "tests/support/picture_files.h"
#include "tests/support/program.h"
#include "tests/support/run_files.h"

static const char quick[] = "--model mlp --batch 16 --log-every 1 --eval-every 0 --schedule constant --quiet";

/* Two classes in `pics` and in `pics.zip`, and the same in larger pictures in `large.tar`. */
static int make_data(void **state) {
    static picture_list list;
    if (program_begin(state) != 0)
        return -1;
    picture_add_class(&list, "train/x", 0, 60);
    picture_add_class(&list, "train/y", 3, 60);
    picture_add_class(&list, "test/x", 0, 20);
    picture_add_class(&list, "test/y", 3, 20);
    picture_folder("pics", &list);
    picture_archive("pics.zip", &list);
    picture_add(&list, "train/x/broken.png", "no picture", 10);
    picture_archive("broken.tar.gz", &list);
    picture_list_free(&list);
    for (int i = 0; i < 40; i++) {
        size_t count;
        char path[64];
        unsigned char *png = picture_plain(20 + i, 30, i % 2 ? 160 : 0, i % 2 ? 50 : 200, i, &count);
        snprintf(path, sizeof path, "test/%c/%d.png", 'x' + i % 2, i);
        picture_add(&list, path, png, count);
        free(png);
    }
    picture_archive("large.tar", &list);
    picture_list_free(&list);
    return 0;
}

static void in_config(const char *run, const char *line, bool wanted) {
    char path[128];
    snprintf(path, sizeof path, "%s/config.ini", run);
    char *text = program_file(path);
    if ((strstr(text, line) != NULL) != wanted)
        fail_msg("%s: '%s' is%s there", path, line, wanted ? " not" : "");
    free(text);
}

static void trains_on_a_folder(void **state) {
    (void)state;
    assert_int_equal(program_run("train", "--dataset pics %s --steps 30 --run folder --json", quick), 0);
    cJSON *summary = cJSON_Parse(program_output);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(summary, "dataset")), "pics");
    assert_true(json_number(summary, "train_examples") == 120 && json_number(summary, "test_examples") == 40);
    cJSON_Delete(summary);
    in_config("folder", "/pics\n", true);
    in_config("folder", "image-size", false);
    assert_int_equal(program_run("measure", "--run folder --json"), 0);
    cJSON *measured = cJSON_Parse(program_output);
    assert_true(json_number(measured, "examples") == 40 && json_number(measured, "accuracy") > 0.9);
    cJSON_Delete(measured);
}

/* What is not here is looked for in the data root. */
static void looks_in_the_data_root(void **state) {
    (void)state;
    assert_int_equal(program_run("train", "--data pics --dataset test %s --steps 1 --run root", quick), 0);
    in_config("root", "/pics/test\n", true);
    assert_int_equal(program_run("train", "--data pics --dataset tests %s --steps 1 --run none", quick), 2);
    program_complained("unknown data set 'tests'; there are mnist");
    program_said(program_errors, "here or in pics");
}

/* To the same bits, and where the one has stopped the other goes on. */
static void trains_on_an_archive_alike(void **state) {
    (void)state;
    assert_int_equal(program_run("train", "--dataset ./pics.zip %s --steps 30 --run archive", quick), 0);
    char *folder = run_files_metrics("folder/metrics.csv"),
         *archive = run_files_metrics("archive/metrics.csv");
    assert_string_equal(folder, archive);
    assert_int_equal(program_run("train", "--dataset pics/ %s --steps 10 --run parts", quick), 0);
    assert_int_equal(program_run("train", "--run parts --resume --steps 30 --quiet --dataset pics.zip"), 0);
    char *parts = run_files_metrics("parts/metrics.csv");
    assert_string_equal(parts, archive);
    assert_int_equal(program_run("train", "--run parts --resume --steps 40 --quiet --dataset pics/test"), 1);
    program_complained("give the same data");
    assert_int_equal(program_run("train", "--run parts --resume --steps 40 --quiet --dataset shapes"), 2);
    program_complained("it would be another run");
    free(folder);
    free(archive);
    free(parts);
}

/* A size that is asked for is recorded, and what a model was trained on is what it is given later. */
static void resizes_pictures(void **state) {
    (void)state;
    assert_int_equal(program_run("train", "--dataset pics --image-size 5x4 %s --steps 30 --run sized", quick),
                     0);
    in_config("sized", "image-size = 5x4\n", true);
    assert_int_equal(program_run("train", "--run sized --resume --steps 31 --image-size 6 --quiet"), 2);
    program_complained("--image-size: with 6 it would be another run");
    assert_int_equal(program_run("train", "--run sized --resume --steps 31 --image-size 5x4 --quiet"), 0);
    assert_int_equal(program_run("measure", "--run sized --dataset large.tar --json"), 0);
    cJSON *measured = cJSON_Parse(program_output);
    assert_true(json_number(measured, "examples") == 40);
    cJSON_Delete(measured);
}

static void names_broken_pictures(void **state) {
    (void)state;
    assert_int_equal(
        program_run("train", "--dataset broken.tar.gz --model mlp --steps 2 --run broken --json"), 0);
    program_said(
        program_errors,
        "NOTE: broken: 1 of 161 pictures cannot be read and are left out: train/x/broken.png (no PNG");
    cJSON *summary = cJSON_Parse(program_output);
    assert_true(json_number(summary, "unreadable_pictures") == 1);
    cJSON_Delete(summary);
}

static void shows_pictures_to_trained_runs(void **state) {
    (void)state;
    assert_int_equal(program_run("embed", "--run folder --tap dense1 --dataset large.tar --out large "
                                          "--perplexity 5 --iterations 20 --quiet"),
                     0);
    assert_true(program_file_exists("large.json"));
    assert_int_equal(
        program_run("attack", "--run folder --dataset large.tar --examples 20 --out attacked --quiet"), 0);
    assert_true(program_file_exists("attacked/summary.json"));
    assert_int_equal(
        program_run("neighbors", "--run folder --calibration 10 --outliers ./large.tar --out near --quiet"),
        0);
    char *summary = program_file("near/summary.json");
    program_said(summary, "large.tar");
    free(summary);
    assert_int_equal(program_run("gan",
                                 "--dataset pics --image-size 8 --steps 2 --batch 8 --filters 2 --examples 8 "
                                 "--snapshots 0 --no-pictures --run made --quiet"),
                     0);
    assert_true(program_file_exists("made/summary.json"));
}

static void refuses_what_is_no_data(void **state) {
    (void)state;
    static const struct {
        const char *arguments, *part;
        int status;
    } cases[] = {
        {"--dataset nowhere/pics", "no data at nowhere/pics: looked for a folder or an archive", 1},
        {"--dataset nowhere", "unknown data set 'nowhere'; there are mnist", 2},
        {"--dataset pics/train/x", "60 pictures, but no class folders", 1},
        {"--dataset pics/test/x/000.png", "no tar, gzip'd tar or zip archive", 1},
        {"--dataset shapes --image-size 16", "the images of shapes are 32 x 32", 2},
        {"--dataset pics --image-size 0", "--image-size: '0' is neither N nor WIDTHxHEIGHT", 2},
        {"--dataset pics --image-size 3x", "--image-size: '3x' is neither", 2},
        {"--dataset pics --image-size 3x4x5", "--image-size: '3x4x5' is neither", 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(
            program_run("train", "%s --model mlp --steps 1 --run wrong --quiet", cases[i].arguments),
            cases[i].status);
        program_complained(cases[i].part);
        assert_false(program_file_exists("wrong"));
    }
}

/* A study takes paths, and tells of those that are not there before it begins. */
static void studies_pictures(void **state) {
    (void)state;
    static const char study[] =
        "[pictures]\npreset = shapes_resnet\nmodel = mlp\ndataset = pics\nimage-size = 4\nsteps = 2\nbatch = "
        "16\nsnnl-weight = 0 | 1\n";
    FILE *file = fopen("pictures.ini", "w");
    assert_non_null(file);
    assert_true(fputs(study, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(program_run("reproduce", "--study ./pictures.ini --out studied --quiet"), 0);
    char *results = program_file("studied/results.csv");
    program_said(results, "pics-mlp-w1-seed1-");
    free(results);
    file = fopen("pictures.ini", "w");
    assert_non_null(file);
    assert_true(fputs("[pictures]\npreset = shapes_resnet\ndataset = ./nowhere\n", file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(program_run("reproduce", "--study ./pictures.ini --out none --quiet"), 2);
    program_complained("pictures.ini:3: dataset: there is no './nowhere'; there are: mnist");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trains_on_a_folder),         cmocka_unit_test(looks_in_the_data_root),
        cmocka_unit_test(trains_on_an_archive_alike), cmocka_unit_test(resizes_pictures),
        cmocka_unit_test(names_broken_pictures),      cmocka_unit_test(shows_pictures_to_trained_runs),
        cmocka_unit_test(refuses_what_is_no_data),    cmocka_unit_test(studies_pictures),
    };
    return cmocka_run_group_tests_name("picture_programs", tests, make_data, NULL);
}
