/* Folders and archives of pictures as data sets: layouts, order, splits, what is left out, what is refused. */
#include "tests/support/picture_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "datasets/datasets.h"
#include "framework/kernels/kernels.h"

static picture_list list;

static int forget(void **state) {
    (void)state;
    picture_list_free(&list);
    return 0;
}

/* A copy, for test_path keeps few. */
static const char *folder(const char *name) {
    static char path[256];
    snprintf(path, sizeof path, "%s", picture_folder(name, &list));
    return path;
}

static const char *archive(const char *name) {
    static char path[256];
    snprintf(path, sizeof path, "%s", picture_archive(name, &list));
    return path;
}

static void load(data_set *set, const char *path, data_form form) {
    nn_error error = {0};
    test_ok(data_load_as(set, path, "/nowhere", form, 0, 0, &error), &error);
}

static void refuses(const char *path, nn_status status, const char *part) {
    static data_set set;
    nn_error error = {0};
    test_fails(data_load(&set, path, "/nowhere", 0, 0, &error), status, &error, part);
    assert_null(set.train.pixels);
    assert_int_equal(set.test.count, 0);
}

static size_t image_bytes(const data_set *set) {
    return (size_t)set->height * (size_t)set->width * (size_t)set->channels;
}

static void same_split(const data_set *set, const data_split *a, const data_split *b) {
    assert_int_equal(a->count, b->count);
    if (a->count == 0)
        return;
    assert_memory_equal(a->labels, b->labels, a->count);
    assert_memory_equal(a->pixels, b->pixels, (size_t)a->count * image_bytes(set));
}

/* All that a run sees of two sets, but for name and source. */
static void expect_same(const data_set *a, const data_set *b) {
    assert_true(a->height == b->height && a->width == b->width && a->channels == b->channels);
    assert_int_equal(a->classes, b->classes);
    for (int i = 0; i < a->classes; i++)
        assert_string_equal(a->class_names[i], b->class_names[i]);
    same_split(a, &a->train, &b->train);
    same_split(a, &a->test, &b->test);
    assert_true(a->checksum == b->checksum);
}

static int count_label(const data_split *split, int label) {
    int count = 0;
    for (int i = 0; i < split->count; i++)
        count += split->labels[i] == label;
    return count;
}

static void says(const data_set *set, const char *part) {
    if (!strstr(set->note, part))
        fail_msg("the note '%s' does not say '%s'", set->note, part);
}

/* Class 2 first, so that the order of classes is not that of the files. */
static void add_parts(const char *front, int train, int test) {
    static const char *const classes[] = {"a b", "a", "Z"};
    char path[100];
    for (int k = 2; k >= 0; k--) {
        snprintf(path, sizeof path, "%strain/%s", front, classes[k]);
        picture_add_class(&list, path, k, train);
        snprintf(path, sizeof path, "%stest/%s", front, classes[k]);
        picture_add_class(&list, path, k, test);
    }
}

/* --- layouts -------------------------------------------------------------------------------------------- */

static void reads_train_and_test(void **state) {
    (void)state;
    static data_set set;
    add_parts("", 7, 3);
    load(&set, folder("parts"), (data_form){0});
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
        assert_true(count_label(&set.train, k) == 7 && count_label(&set.test, k) == 3);
    for (int i = 0; i < set.train.count; i++) {
        const unsigned char *pixel = set.train.pixels + (size_t)i * image_bytes(&set);
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
    add_parts("", 7, 3);
    load(&first, folder("same"), (data_form){0});
    for (int turned = 0; turned < 2; turned++) {
        for (int k = 0; k < 3; k++) {
            load(&other, archive(names[k]), (data_form){0});
            assert_string_equal(other.name, "same");
            expect_same(&first, &other);
            data_free(&other);
        }
        for (int i = 0; i < list.count / 2; i++) {
            const picture_file kept = list.files[i];
            list.files[i] = list.files[list.count - 1 - i];
            list.files[list.count - 1 - i] = kept;
        }
    }
    picture_list_free(&list);
    add_parts("some/wrapper/", 7, 3);
    load(&other, archive("wrapped.zip"), (data_form){0});
    expect_same(&first, &other);
    data_free(&other);
    picture_list_free(&list);
    add_parts("./x/", 7, 3);
    load(&other, archive("dotted.tar"), (data_form){0});
    expect_same(&first, &other);
    data_free(&other);

    char command[1024], path[256];
    snprintf(path, sizeof path, "%s", test_path("by-tar.tgz"));
    snprintf(command, sizeof command, "tar -czf %s -C %s .", path, first.source);
    assert_int_equal(system(command), 0);
    test_ok(data_load(&other, path, "", 0, 0, &error), &error);
    expect_same(&first, &other);
    data_free(&other);
    data_free(&first);
}

static void takes_validation_for_tests(void **state) {
    (void)state;
    static data_set set;
    static const char *const names[] = {"val", "valid", "VALIDATION"};
    for (int k = 0; k < 3; k++) {
        char path[64], root[64];
        picture_add_class(&list, "Training/x", 0, 12);
        picture_add_class(&list, "Training/y", 1, 12);
        for (int c = 0; c < 2; c++) {
            snprintf(path, sizeof path, "%s/%c", names[k], 'x' + c);
            picture_add_class(&list, path, c, 4);
        }
        snprintf(root, sizeof root, "validation%d", k);
        load(&set, folder(root), (data_form){0});
        assert_true(set.train.count == 24 && set.test.count == 8);
        data_free(&set);
        /* With tests of its own it is left out. */
        picture_add_class(&list, "Testing/x", 0, 3);
        snprintf(root, sizeof root, "validation%d.tar", k);
        load(&set, archive(root), (data_form){0});
        assert_true(set.train.count == 24 && set.test.count == 3);
        says(&set, "8 pictures are in folders for neither training nor testing");
        data_free(&set);
        picture_list_free(&list);
    }
}

/* A tenth of each class, by the paths alone: other pictures, classes or places change nothing. */
static void divides_where_there_are_no_tests(void **state) {
    (void)state;
    static data_set set, other;
    picture_add_class(&list, "x", 0, 40);
    picture_add_class(&list, "y", 1, 25);
    picture_add_class(&list, "z", 2, 2);
    picture_add_class(&list, "one", 3, 1);
    load(&set, folder("divided"), (data_form){0});
    says(&set, "no folder for testing: a tenth of each class");
    assert_int_equal(count_label(&set.test, 1), 4); /* "one", "x", "y", "z" */
    assert_int_equal(count_label(&set.test, 2), 3);
    assert_int_equal(count_label(&set.test, 3), 1);
    assert_int_equal(count_label(&set.test, 0), 0);
    assert_int_equal(count_label(&set.train, 1), 36);
    assert_int_equal(count_label(&set.train, 2), 22);
    assert_int_equal(count_label(&set.train, 3), 1);
    assert_int_equal(count_label(&set.train, 0), 1);

    picture_list_free(&list);
    picture_add_class(&list, "far/train/z", 2, 2);
    picture_add_class(&list, "far/train/y", 1, 25);
    picture_add_class(&list, "far/train/x", 0, 40);
    picture_add_class(&list, "far/train/one", 3, 1);
    load(&other, archive("divided.tgz"), (data_form){0});
    expect_same(&set, &other);
    data_free(&set);
    data_free(&other);
}

/* Batches in the set's order hold all classes, and so do its first examples. */
static void mixes_the_classes(void **state) {
    (void)state;
    static data_set set;
    picture_add_class(&list, "train/x", 0, 150);
    picture_add_class(&list, "train/y", 1, 150);
    picture_add_class(&list, "test/x", 0, 60);
    picture_add_class(&list, "test/y", 1, 60);
    load(&set, archive("mixed.tar"), (data_form){0});
    for (int i = 0; i + 30 <= set.train.count; i += 30) {
        const data_split part = {.count = 30, .labels = set.train.labels + i};
        const int of_first = count_label(&part, 0);
        assert_in_range(of_first, 5, 25);
    }
    const data_split part = {.count = 30, .labels = set.test.labels};
    assert_in_range(count_label(&part, 0), 5, 25);
    data_free(&set);
}

static void takes_deeper_folders(void **state) {
    (void)state;
    static data_set set;
    picture_add_class(&list, "x/one", 0, 3);
    picture_add_class(&list, "x/two/three", 0, 3);
    picture_add_class(&list, "x", 0, 3);
    picture_add_class(&list, "y", 1, 3);
    load(&set, folder("deeper"), (data_form){0});
    assert_int_equal(set.classes, 2);
    assert_int_equal(count_label(&set.train, 0) + count_label(&set.test, 0), 9);
    data_free(&set);
}

/* --- forms ---------------------------------------------------------------------------------------------- */

static void add_plain(const char *path, int height, int width, int red, int green, int blue) {
    size_t count;
    unsigned char *png = picture_plain(height, width, red, green, blue, &count);
    picture_add(&list, path, png, count);
    free(png);
}

static void chooses_the_size(void **state) {
    (void)state;
    static data_set set;
    add_plain("x/1.png", 9, 14, 1, 2, 3);
    add_plain("y/1.png", 9, 14, 4, 5, 6);
    load(&set, archive("size1.tar"), (data_form){0});
    assert_true(set.height == 9 && set.width == 14);
    data_free(&set);
    add_plain("y/2.png", 90, 140, 4, 5, 6);
    load(&set, archive("size2.tar"), (data_form){0});
    assert_true(set.height == 32 && set.width == 32);
    says(&set, "made from pictures of 14 x 9 to 140 x 90 (width x height)");
    data_free(&set);
    load(&set, archive("size3.tar"), (data_form){.height = 5, .width = 4});
    assert_true(set.height == 5 && set.width == 4);
    for (int i = 0; i < set.train.count; i++)
        for (int p = 0; p < 20; p++)
            assert_int_equal(set.train.pixels[(i * 20 + p) * 3], set.train.labels[i] ? 4 : 1);
    data_free(&set);
}

static void chooses_the_channels(void **state) {
    (void)state;
    static data_set set;
    static const unsigned char gray[4 * 4] = {9, 9, 9}, both[4 * 4 * 2] = {9, 255};
    size_t count;
    unsigned char *png = picture_png(4, 4, 1, gray, &count);
    picture_add(&list, "x/1.png", png, count);
    free(png);
    png = picture_png(4, 4, 2, both, &count);
    picture_add(&list, "y/1.PNG", png, count);
    free(png);
    load(&set, archive("gray.zip"), (data_form){0});
    assert_int_equal(set.channels, 1);
    data_free(&set);
    load(&set, archive("gray.zip"), (data_form){.channels = 3});
    assert_int_equal(set.channels, 3);
    data_free(&set);
    add_plain("x/2.png", 4, 4, 1, 2, 3);
    load(&set, archive("color.zip"), (data_form){0});
    assert_int_equal(set.channels, 3);
    data_free(&set);
    load(&set, archive("color.zip"), (data_form){.channels = 1, .height = 4, .width = 4});
    assert_int_equal(set.channels, 1);
    data_free(&set);
}

static void is_the_same_for_every_thread_count(void **state) {
    (void)state;
    static data_set first, other;
    picture_add_class(&list, "x", 0, 90);
    picture_add_class(&list, "y", 1, 90);
    picture_add(&list, "y/broken.png", "text", 4);
    const char *path = archive("threads.tar");
    nn_threads_set(1);
    load(&first, path, (data_form){.height = 4, .width = 5});
    for (int threads = 2; threads <= 7; threads += 5) {
        nn_threads_set(threads);
        load(&other, path, (data_form){.height = 4, .width = 5});
        expect_same(&first, &other);
        assert_string_equal(first.note, other.note);
        data_free(&other);
    }
    nn_threads_set(0);
    data_free(&first);
}

/* --- what is left out ----------------------------------------------------------------------------------- */

static void counts_what_it_skips(void **state) {
    (void)state;
    static data_set set, clean;
    picture_add_class(&list, "train/x", 0, 5);
    picture_add_class(&list, "train/y", 1, 5);
    picture_add_class(&list, "test/x", 0, 5);
    load(&clean, folder("clean"), (data_form){0});
    picture_add(&list, "readme.txt", "text", 4);
    picture_add(&list, "train/x/Thumbs.db", "text", 4);
    picture_add(&list, "train/preview.png", "text", 4);
    picture_add(&list, "train/x/.hidden.png", "text", 4);
    picture_add(&list, "__MACOSX/train/x/000.png", "text", 4);
    picture_add(&list, "more/x/1.png", "text", 4);
    load(&set, folder("skips"), (data_form){0});
    expect_same(&clean, &set);
    says(&set, "2 other files skipped (");
    says(&set, "2 hidden files or folders skipped");
    says(&set, "1 pictures are in no class folder");
    says(&set, "1 pictures are in folders for neither training nor testing");
    assert_int_equal(set.unreadable, 0);
    data_free(&set);
    load(&set, archive("skips.tar.gz"), (data_form){0});
    expect_same(&clean, &set);
    data_free(&set);
    data_free(&clean);
}

/* Names that lead elsewhere, and links, of an archive. */
static void stays_inside(void **state) {
    (void)state;
    static data_set set, clean;
    char outside[DATA_PATH_MAX + 16];
    picture_add_class(&list, "x", 0, 20);
    picture_add_class(&list, "y", 1, 20);
    load(&clean, folder("inside"), (data_form){0});
    snprintf(outside, sizeof outside, "%s/x/000.png", clean.source);
    picture_add(&list, "../x/900.png", "text", 4);
    picture_add(&list, "x/../../901.png", "text", 4);
    picture_add_kind(&list, PICTURE_SYMLINK, "x/902.png", outside);
    picture_add_kind(&list, PICTURE_HARDLINK, "x/903.png", "x/000.png");
    load(&set, archive("inside.tar"), (data_form){0});
    expect_same(&clean, &set);
    says(&set, "2 files with '..' in their path skipped");
    says(&set, "2 links or special files skipped");
    data_free(&set);
    /* An absolute path is a name as any other. */
    picture_list_free(&list);
    picture_add_class(&list, "/x", 0, 20);
    picture_add_class(&list, "/y", 1, 20);
    load(&set, archive("absolute.tar"), (data_form){0});
    expect_same(&clean, &set);
    data_free(&set);
    data_free(&clean);
}

/* A folder is its owner's: links in it lead on. */
static void follows_links_of_folders(void **state) {
    (void)state;
    static data_set set;
    char target[256];
    picture_add_class(&list, "x", 0, 10);
    snprintf(target, sizeof target, "%s", folder("linked"));
    picture_list_free(&list);
    picture_add_class(&list, "y", 1, 10);
    picture_add_kind(&list, PICTURE_SYMLINK, "z", strcat(target, "/x"));
    picture_add_kind(&list, PICTURE_SYMLINK, "y/round", "..");
    picture_add_kind(&list, PICTURE_SYMLINK, "y/nowhere.png", "/nowhere");
    picture_add_kind(&list, PICTURE_PIPE, "y/pipe.png", "");
    load(&set, folder("links"), (data_form){0});
    assert_int_equal(set.classes, 2);
    assert_int_equal(count_label(&set.train, 1) + count_label(&set.test, 1), 10);
    says(&set, "2 links that lead nowhere or round skipped");
    says(&set, "1 other files skipped (pipe.png)");
    data_free(&set);
}

/* Of several members of one path the last is what unpacking would leave. */
static void takes_the_last_of_a_path(void **state) {
    (void)state;
    static data_set set;
    add_plain("x/1.png", 2, 2, 10, 0, 0);
    add_plain("y/1.png", 2, 2, 20, 0, 0);
    add_plain("./x//1.png", 2, 2, 30, 0, 0);
    load(&set, archive("twice.tar"), (data_form){0});
    assert_int_equal(set.train.count, 2);
    for (int i = 0; i < 2; i++)
        assert_int_equal(set.train.pixels[i * 12], set.train.labels[i] ? 20 : 30);
    data_free(&set);
}

static void leaves_out_the_unreadable(void **state) {
    (void)state;
    static data_set set, clean;
    picture_add_class(&list, "train/x", 0, 120);
    picture_add_class(&list, "train/y", 1, 120);
    picture_add_class(&list, "test/y", 1, 60);
    load(&clean, folder("readable"), (data_form){0});
    picture_add(&list, "train/x/b.png", list.files[3].bytes, list.files[3].count - 20);
    picture_add(&list, "train/x/a.jpg", "no picture", 10);
    picture_add(&list, "test/y/c.bmp", "", 0);
    /* three of 303 are fewer than one in a hundred */
    for (int k = 0; k < 2; k++) {
        load(&set, k ? archive("unreadable.zip") : folder("unreadable"), (data_form){0});
        same_split(&set, &clean.train, &set.train);
        same_split(&set, &clean.test, &set.test);
        assert_int_equal(set.unreadable, 3);
        says(&set, "3 of 303 pictures cannot be read and are left out: test/y/c.bmp (");
        says(&set, "train/x/a.jpg (no PNG, JPEG or BMP)");
        says(&set, "train/x/b.png (the PNG is cut short)");
        data_free(&set);
    }
    picture_add(&list, "train/y/d.png", "no picture", 10);
    refuses(archive("unreadable.tar"), NN_EFORMAT,
            "unreadable.tar: 4 of 304 pictures cannot be read, more than 1%: test/y/c.bmp (");
    refuses(list.files[0].path, NN_EFILE, "no data at train/x/000.png");
    data_free(&clean);
}

/* --- what is refused ------------------------------------------------------------------------------------ */

static void refuses_other_layouts(void **state) {
    (void)state;
    refuses("/nowhere/pictures", NN_EFILE, "no data at /nowhere/pictures: looked for a folder or an archive");
    refuses("nowhere.tar.gz", NN_EFILE, "no data at nowhere.tar.gz");
    refuses("nowhere", NN_EARGUMENT, "unknown data set 'nowhere'; there are mnist");
    refuses(folder("empty"), NN_EFORMAT,
            "empty: no pictures (0 other files): wanted are train/CLASS/ and test/CLASS/");
    refuses("/dev/null", NN_EFORMAT, "neither a folder nor an archive");
    picture_add_class(&list, ".", 0, 3);
    refuses(folder("flat"), NN_EFORMAT, "flat: 3 pictures, but no class folders: wanted are");
    picture_list_free(&list);
    picture_add_class(&list, "x", 0, 3);
    refuses(folder("single"), NN_EFORMAT, "single: one class alone, x: wanted are");
    picture_list_free(&list);
    picture_add_class(&list, "train", 0, 3);
    picture_add_class(&list, "test", 0, 3);
    refuses(folder("unlabelled"), NN_EFORMAT, "unlabelled: the pictures in test/ are in no class folders");
    picture_list_free(&list);
    add_parts("", 2, 2);
    picture_add_class(&list, "test/new", 0, 2);
    refuses(folder("untrained"), NN_EFORMAT,
            "the class 'new' is among the pictures for testing, but not for training");
}

static void keeps_to_the_limits_of_classes(void **state) {
    (void)state;
    static data_set set;
    char path[120];
    for (int k = 0; k < DATA_CLASSES_MAX; k++) {
        snprintf(path, sizeof path, "class%d/1.png", k);
        add_plain(path, 1, 1, k, 0, 0);
    }
    load(&set, archive("most.tar"), (data_form){0});
    assert_int_equal(set.classes, DATA_CLASSES_MAX);
    for (int i = 0; i < set.train.count; i++) {
        snprintf(path, sizeof path, "class%d", set.train.pixels[3 * i]);
        assert_string_equal(set.class_names[set.train.labels[i]], path);
    }
    data_free(&set);
    add_plain("one more/1.png", 1, 1, 0, 0, 0);
    refuses(archive("more.tar"), NN_EFORMAT, "more than 256 class folders");
    picture_list_free(&list);
    picture_add_class(&list, "x", 0, 2);
    memset(path, 'n', 80);
    path[80] = '\0';
    picture_add_class(&list, path, 0, 2);
    refuses(archive("long.tar"), NN_EFORMAT, "has more than 63 bytes: rename the folder");
}

static void tells_paths_from_names(void **state) {
    (void)state;
    nn_error error = {0};
    static data_set set;
    assert_true(data_is_named("mnist") && !data_is_named("mnist2"));
    assert_false(data_is_path("mnist") || data_is_path("nowhere"));
    assert_true(data_is_path("a/b") && data_is_path("x.tgz") && data_is_path("tests"));
    assert_true(data_present(test_path("."), "") && !data_present("/nowhere/x", ""));
    /* Only pictures are resized. */
    test_fails(data_load_as(&set, "shapes", "", (data_form){.height = 28, .width = 28}, 0, 0, &error),
               NN_EARGUMENT, &error, "the images of shapes are 32 x 32");
    test_ok(data_load_as(&set, "shapes", "", (data_form){.height = 32, .width = 32}, 1, 1, &error), &error);
    data_free(&set);
}

#define test(f) cmocka_unit_test_teardown(f, forget)

int main(void) {
    const struct CMUnitTest tests[] = {
        test(reads_train_and_test),
        test(is_the_same_from_anywhere),
        test(takes_validation_for_tests),
        test(divides_where_there_are_no_tests),
        test(mixes_the_classes),
        test(takes_deeper_folders),
        test(chooses_the_size),
        test(chooses_the_channels),
        test(is_the_same_for_every_thread_count),
        test(counts_what_it_skips),
        test(stays_inside),
        test(follows_links_of_folders),
        test(takes_the_last_of_a_path),
        test(leaves_out_the_unreadable),
        test(refuses_other_layouts),
        test(keeps_to_the_limits_of_classes),
        test(tells_paths_from_names),
    };
    return cmocka_run_group_tests_name("pictures", tests, NULL, NULL);
}
