/* layout.c by the data sets that come of it: layouts, order, splits, what is no layout. */
#include "tests/support/picture_sets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void reads_train_and_test(void **state) {
    (void)state;
    static data_set set;
    picture_set_add_parts("", 7, 3);
    picture_set_load(&set, picture_set_folder("parts"), (data_form){0});
    assert_string_equal(set.name, "parts");
    assert_true(set.height == 6 && set.width == 6 && set.channels == 3);
    assert_true(set.train.count == 21 && set.test.count == 9 && set.classes == 3);
    /* by their bytes: capitals, then what is the beginning of another name */
    assert_string_equal(set.class_names[0], "Z");
    assert_string_equal(set.class_names[1], "a");
    assert_string_equal(set.class_names[2], "a b");
    assert_string_equal(set.note, "");
    const int class_of[] = {2, 1, 0}; /* as picture_add_class was called */
    for (int k = 0; k < 3; k++)
        assert_true(picture_set_count(&set.train, k) == 7 && picture_set_count(&set.test, k) == 3);
    for (int i = 0; i < set.train.count; i++) {
        const unsigned char *pixel = set.train.pixels + i * 6 * 6 * 3;
        assert_int_equal(pixel[1], 200 - 50 * class_of[set.train.labels[i]]);
        assert_true(pixel[2] < 7);
    }
    data_free(&set);
}

/* Folder, tar, gzip'd tar and zip of the same pictures, as they are or in one more folder, in whichever order the archive
 * has them: the same set, to the bit. */
static void is_the_same_from_anywhere(void **state) {
    (void)state;
    static data_set first, other;
    static const char *const names[] = {"same.tar", "same.tar.gz", "same.zip"};
    nn_error error = {0};
    picture_set_add_parts("", 7, 3);
    picture_set_load(&first, picture_set_folder("same"), (data_form){0});
    for (int turned = 0; turned < 2; turned++) {
        for (int k = 0; k < 3; k++) {
            picture_set_load(&other, picture_set_archive(names[k]), (data_form){0});
            assert_string_equal(other.name, "same");
            picture_set_same(&first, &other);
            data_free(&other);
        }
        for (int i = 0; i < picture_set_files.count / 2; i++) {
            const picture_file kept = picture_set_files.files[i];
            picture_set_files.files[i] = picture_set_files.files[picture_set_files.count - 1 - i];
            picture_set_files.files[picture_set_files.count - 1 - i] = kept;
        }
    }
    picture_list_free(&picture_set_files);
    picture_set_add_parts("some/wrapper/", 7, 3);
    picture_set_load(&other, picture_set_archive("wrapped.zip"), (data_form){0});
    picture_set_same(&first, &other);
    data_free(&other);
    picture_list_free(&picture_set_files);
    picture_set_add_parts("./x/", 7, 3);
    picture_set_load(&other, picture_set_archive("dotted.tar"), (data_form){0});
    picture_set_same(&first, &other);
    data_free(&other);

    char command[1024], path[256];
    snprintf(path, sizeof path, "%s", test_path("by-tar.tgz"));
    snprintf(command, sizeof command, "tar -czf %s -C %s .", path, first.source);
    assert_int_equal(system(command), 0);
    test_ok(data_load(&other, path, "", 0, 0, &error), &error);
    picture_set_same(&first, &other);
    data_free(&other);
    data_free(&first);
}

static void takes_validation_for_tests(void **state) {
    (void)state;
    static data_set set;
    static const char *const names[] = {"val", "valid", "VALIDATION"};
    for (int k = 0; k < 3; k++) {
        char path[64], root[64];
        picture_add_class(&picture_set_files, "Training/x", 0, 12);
        picture_add_class(&picture_set_files, "Training/y", 1, 12);
        for (int c = 0; c < 2; c++) {
            snprintf(path, sizeof path, "%s/%c", names[k], 'x' + c);
            picture_add_class(&picture_set_files, path, c, 4);
        }
        snprintf(root, sizeof root, "validation%d", k);
        picture_set_load(&set, picture_set_folder(root), (data_form){0});
        assert_true(set.train.count == 24 && set.test.count == 8);
        data_free(&set);
        /* With tests of its own it is left out. */
        picture_add_class(&picture_set_files, "Testing/x", 0, 3);
        snprintf(root, sizeof root, "validation%d.tar", k);
        picture_set_load(&set, picture_set_archive(root), (data_form){0});
        assert_true(set.train.count == 24 && set.test.count == 3);
        picture_set_says(&set, "8 pictures are in folders for neither training nor testing");
        data_free(&set);
        picture_list_free(&picture_set_files);
    }
}

/* A tenth of each class, by the paths alone: other pictures, classes or places change nothing. */
static void divides_where_there_are_no_tests(void **state) {
    (void)state;
    static data_set set, other;
    picture_add_class(&picture_set_files, "x", 0, 40);
    picture_add_class(&picture_set_files, "y", 1, 25);
    picture_add_class(&picture_set_files, "z", 2, 2);
    picture_add_class(&picture_set_files, "one", 3, 1);
    picture_set_load(&set, picture_set_folder("divided"), (data_form){0});
    picture_set_says(&set, "no folder for testing: a tenth of each class");
    assert_int_equal(picture_set_count(&set.test, 1), 4); /* "one", "x", "y", "z" */
    assert_int_equal(picture_set_count(&set.test, 2), 3);
    assert_int_equal(picture_set_count(&set.test, 3), 1);
    assert_int_equal(picture_set_count(&set.test, 0), 0);
    assert_int_equal(picture_set_count(&set.train, 1), 36);
    assert_int_equal(picture_set_count(&set.train, 2), 22);
    assert_int_equal(picture_set_count(&set.train, 3), 1);
    assert_int_equal(picture_set_count(&set.train, 0), 1);

    picture_list_free(&picture_set_files);
    picture_add_class(&picture_set_files, "far/train/z", 2, 2);
    picture_add_class(&picture_set_files, "far/train/y", 1, 25);
    picture_add_class(&picture_set_files, "far/train/x", 0, 40);
    picture_add_class(&picture_set_files, "far/train/one", 3, 1);
    picture_set_load(&other, picture_set_archive("divided.tgz"), (data_form){0});
    picture_set_same(&set, &other);
    data_free(&set);
    data_free(&other);
}

/* Batches in the set's order hold all classes, and so do its first examples. */
static void mixes_the_classes(void **state) {
    (void)state;
    static data_set set;
    picture_add_class(&picture_set_files, "train/x", 0, 150);
    picture_add_class(&picture_set_files, "train/y", 1, 150);
    picture_add_class(&picture_set_files, "test/x", 0, 60);
    picture_add_class(&picture_set_files, "test/y", 1, 60);
    picture_set_load(&set, picture_set_archive("mixed.tar"), (data_form){0});
    for (int i = 0; i + 30 <= set.train.count; i += 30) {
        const data_split part = {.count = 30, .labels = set.train.labels + i};
        const int of_first = picture_set_count(&part, 0);
        assert_in_range(of_first, 5, 25);
    }
    const data_split part = {.count = 30, .labels = set.test.labels};
    assert_in_range(picture_set_count(&part, 0), 5, 25);
    data_free(&set);
}

static void takes_deeper_folders(void **state) {
    (void)state;
    static data_set set;
    picture_add_class(&picture_set_files, "x/one", 0, 3);
    picture_add_class(&picture_set_files, "x/two/three", 0, 3);
    picture_add_class(&picture_set_files, "x", 0, 3);
    picture_add_class(&picture_set_files, "y", 1, 3);
    picture_set_load(&set, picture_set_folder("deeper"), (data_form){0});
    assert_int_equal(set.classes, 2);
    assert_int_equal(picture_set_count(&set.train, 0) + picture_set_count(&set.test, 0), 9);
    data_free(&set);
}

/* --- what is refused ------------------------------------------------------------------------------------ */

static void refuses_other_layouts(void **state) {
    (void)state;
    picture_set_refused("/nowhere/pictures", NN_EFILE,
                        "no data at /nowhere/pictures: looked for a folder or an archive");
    picture_set_refused("nowhere.tar.gz", NN_EFILE, "no data at nowhere.tar.gz");
    picture_set_refused("nowhere", NN_EARGUMENT, "unknown data set 'nowhere'; there are mnist");
    picture_set_refused(picture_set_folder("empty"), NN_EFORMAT,
                        "empty: no pictures (0 other files): wanted are train/CLASS/ and test/CLASS/");
    picture_set_refused("/dev/null", NN_EFORMAT, "neither a folder nor an archive");
    picture_add_class(&picture_set_files, ".", 0, 3);
    picture_set_refused(picture_set_folder("flat"), NN_EFORMAT,
                        "flat: 3 pictures, but no class folders: wanted are");
    picture_list_free(&picture_set_files);
    picture_add_class(&picture_set_files, "x", 0, 3);
    picture_set_refused(picture_set_folder("single"), NN_EFORMAT, "single: one class alone, x: wanted are");
    picture_list_free(&picture_set_files);
    picture_add_class(&picture_set_files, "train", 0, 3);
    picture_add_class(&picture_set_files, "test", 0, 3);
    picture_set_refused(picture_set_folder("unlabelled"), NN_EFORMAT,
                        "unlabelled: the pictures in test/ are in no class folders");
    picture_list_free(&picture_set_files);
    picture_set_add_parts("", 2, 2);
    picture_add_class(&picture_set_files, "test/new", 0, 2);
    picture_set_refused(picture_set_folder("untrained"), NN_EFORMAT,
                        "the class 'new' is among the pictures for testing, but not for training");
}

static void keeps_to_the_limits_of_classes(void **state) {
    (void)state;
    static data_set set;
    char path[120];
    for (int k = 0; k < DATA_CLASSES_MAX; k++) {
        snprintf(path, sizeof path, "class%d/1.png", k);
        picture_set_add_plain(path, 1, 1, k, 0, 0);
    }
    picture_set_load(&set, picture_set_archive("most.tar"), (data_form){0});
    assert_int_equal(set.classes, DATA_CLASSES_MAX);
    for (int i = 0; i < set.train.count; i++) {
        snprintf(path, sizeof path, "class%d", set.train.pixels[3 * i]);
        assert_string_equal(set.class_names[set.train.labels[i]], path);
    }
    data_free(&set);
    picture_set_add_plain("one more/1.png", 1, 1, 0, 0, 0);
    picture_set_refused(picture_set_archive("more.tar"), NN_EFORMAT, "more than 256 class folders");
    picture_list_free(&picture_set_files);
    picture_add_class(&picture_set_files, "x", 0, 2);
    memset(path, 'n', 80);
    path[80] = '\0';
    picture_add_class(&picture_set_files, path, 0, 2);
    picture_set_refused(picture_set_archive("long.tar"), NN_EFORMAT,
                        "has more than 63 bytes: rename the folder");
}

#define test(f) cmocka_unit_test_teardown(f, picture_set_forget)

int main(void) {
    const struct CMUnitTest tests[] = {
        test(reads_train_and_test),       test(is_the_same_from_anywhere),
        test(takes_validation_for_tests), test(divides_where_there_are_no_tests),
        test(mixes_the_classes),          test(takes_deeper_folders),
        test(refuses_other_layouts),      test(keeps_to_the_limits_of_classes),
    };
    return cmocka_run_group_tests_name("layout", tests, NULL, NULL);
}
