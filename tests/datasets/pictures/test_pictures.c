/* Folders and archives of pictures as data sets: the form of the images, what is left out, what tells a path from a name. */
#include "tests/support/picture_sets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "framework/kernels/kernels.h"

/* --- forms ---------------------------------------------------------------------------------------------- */

static void chooses_the_size(void **state) {
    (void)state;
    static data_set set;
    picture_set_add_plain("x/1.png", 9, 14, 1, 2, 3);
    picture_set_add_plain("y/1.png", 9, 14, 4, 5, 6);
    picture_set_load(&set, picture_set_archive("size1.tar"), (data_form){0});
    assert_true(set.height == 9 && set.width == 14);
    data_free(&set);
    picture_set_add_plain("y/2.png", 90, 140, 4, 5, 6);
    picture_set_load(&set, picture_set_archive("size2.tar"), (data_form){0});
    assert_true(set.height == 32 && set.width == 32);
    picture_set_says(&set, "made from pictures of 14 x 9 to 140 x 90 (width x height)");
    data_free(&set);
    picture_set_load(&set, picture_set_archive("size3.tar"), (data_form){.height = 5, .width = 4});
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
    picture_add(&picture_set_files, "x/1.png", png, count);
    free(png);
    png = picture_png(4, 4, 2, both, &count);
    picture_add(&picture_set_files, "y/1.PNG", png, count);
    free(png);
    picture_set_load(&set, picture_set_archive("gray.zip"), (data_form){0});
    assert_int_equal(set.channels, 1);
    data_free(&set);
    picture_set_load(&set, picture_set_archive("gray.zip"), (data_form){.channels = 3});
    assert_int_equal(set.channels, 3);
    data_free(&set);
    picture_set_add_plain("x/2.png", 4, 4, 1, 2, 3);
    picture_set_load(&set, picture_set_archive("color.zip"), (data_form){0});
    assert_int_equal(set.channels, 3);
    data_free(&set);
    picture_set_load(&set, picture_set_archive("color.zip"),
                     (data_form){.channels = 1, .height = 4, .width = 4});
    assert_int_equal(set.channels, 1);
    data_free(&set);
}

static void is_the_same_for_every_thread_count(void **state) {
    (void)state;
    static data_set first, other;
    picture_add_class(&picture_set_files, "x", 0, 90);
    picture_add_class(&picture_set_files, "y", 1, 90);
    picture_add(&picture_set_files, "y/broken.png", "text", 4);
    const char *path = picture_set_archive("threads.tar");
    nn_threads_set(1);
    picture_set_load(&first, path, (data_form){.height = 4, .width = 5});
    for (int threads = 2; threads <= 7; threads += 5) {
        nn_threads_set(threads);
        picture_set_load(&other, path, (data_form){.height = 4, .width = 5});
        picture_set_same(&first, &other);
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
    picture_add_class(&picture_set_files, "train/x", 0, 5);
    picture_add_class(&picture_set_files, "train/y", 1, 5);
    picture_add_class(&picture_set_files, "test/x", 0, 5);
    picture_set_load(&clean, picture_set_folder("clean"), (data_form){0});
    picture_add(&picture_set_files, "readme.txt", "text", 4);
    picture_add(&picture_set_files, "train/x/Thumbs.db", "text", 4);
    picture_add(&picture_set_files, "train/preview.png", "text", 4);
    picture_add(&picture_set_files, "train/x/.hidden.png", "text", 4);
    picture_add(&picture_set_files, "__MACOSX/train/x/000.png", "text", 4);
    picture_add(&picture_set_files, "more/x/1.png", "text", 4);
    picture_set_load(&set, picture_set_folder("skips"), (data_form){0});
    picture_set_same(&clean, &set);
    picture_set_says(&set, "2 other files skipped (");
    picture_set_says(&set, "2 hidden files or folders skipped");
    picture_set_says(&set, "1 pictures are in no class folder");
    picture_set_says(&set, "1 pictures are in folders for neither training nor testing");
    assert_int_equal(set.unreadable, 0);
    data_free(&set);
    picture_set_load(&set, picture_set_archive("skips.tar.gz"), (data_form){0});
    picture_set_same(&clean, &set);
    data_free(&set);
    data_free(&clean);
}

/* Names that lead elsewhere, and links, of an archive. */
static void stays_inside(void **state) {
    (void)state;
    static data_set set, clean;
    char outside[DATA_PATH_MAX + 16];
    picture_add_class(&picture_set_files, "x", 0, 20);
    picture_add_class(&picture_set_files, "y", 1, 20);
    picture_set_load(&clean, picture_set_folder("inside"), (data_form){0});
    snprintf(outside, sizeof outside, "%s/x/000.png", clean.source);
    picture_add(&picture_set_files, "../x/900.png", "text", 4);
    picture_add(&picture_set_files, "x/../../901.png", "text", 4);
    picture_add_kind(&picture_set_files, PICTURE_SYMLINK, "x/902.png", outside);
    picture_add_kind(&picture_set_files, PICTURE_HARDLINK, "x/903.png", "x/000.png");
    picture_set_load(&set, picture_set_archive("inside.tar"), (data_form){0});
    picture_set_same(&clean, &set);
    picture_set_says(&set, "2 files with '..' in their path skipped");
    picture_set_says(&set, "2 links or special files skipped");
    data_free(&set);
    /* An absolute path is a name as any other. */
    picture_list_free(&picture_set_files);
    picture_add_class(&picture_set_files, "/x", 0, 20);
    picture_add_class(&picture_set_files, "/y", 1, 20);
    picture_set_load(&set, picture_set_archive("absolute.tar"), (data_form){0});
    picture_set_same(&clean, &set);
    data_free(&set);
    data_free(&clean);
}

/* A folder is its owner's: links in it lead on. */
static void follows_links_of_folders(void **state) {
    (void)state;
    static data_set set;
    char target[256];
    picture_add_class(&picture_set_files, "x", 0, 10);
    snprintf(target, sizeof target, "%s", picture_set_folder("linked"));
    picture_list_free(&picture_set_files);
    picture_add_class(&picture_set_files, "y", 1, 10);
    picture_add_kind(&picture_set_files, PICTURE_SYMLINK, "z", strcat(target, "/x"));
    picture_add_kind(&picture_set_files, PICTURE_SYMLINK, "y/round", "..");
    picture_add_kind(&picture_set_files, PICTURE_SYMLINK, "y/nowhere.png", "/nowhere");
    picture_add_kind(&picture_set_files, PICTURE_PIPE, "y/pipe.png", "");
    picture_set_load(&set, picture_set_folder("links"), (data_form){0});
    assert_int_equal(set.classes, 2);
    assert_int_equal(picture_set_count(&set.train, 1) + picture_set_count(&set.test, 1), 10);
    picture_set_says(&set, "2 links that lead nowhere or round skipped");
    picture_set_says(&set, "1 other files skipped (pipe.png)");
    data_free(&set);
}

/* Of several members of one path the last is what unpacking would leave. */
static void takes_the_last_of_a_path(void **state) {
    (void)state;
    static data_set set;
    picture_set_add_plain("x/1.png", 2, 2, 10, 0, 0);
    picture_set_add_plain("y/1.png", 2, 2, 20, 0, 0);
    picture_set_add_plain("./x//1.png", 2, 2, 30, 0, 0);
    picture_set_load(&set, picture_set_archive("twice.tar"), (data_form){0});
    assert_int_equal(set.train.count, 2);
    for (int i = 0; i < 2; i++)
        assert_int_equal(set.train.pixels[i * 12], set.train.labels[i] ? 20 : 30);
    data_free(&set);
}

static void leaves_out_the_unreadable(void **state) {
    (void)state;
    static data_set set, clean;
    picture_add_class(&picture_set_files, "train/x", 0, 120);
    picture_add_class(&picture_set_files, "train/y", 1, 120);
    picture_add_class(&picture_set_files, "test/y", 1, 60);
    picture_set_load(&clean, picture_set_folder("readable"), (data_form){0});
    picture_add(&picture_set_files, "train/x/b.png", picture_set_files.files[3].bytes,
                picture_set_files.files[3].count - 20);
    picture_add(&picture_set_files, "train/x/a.jpg", "no picture", 10);
    picture_add(&picture_set_files, "test/y/c.bmp", "", 0);
    /* three of 303 are fewer than one in a hundred */
    for (int k = 0; k < 2; k++) {
        picture_set_load(&set, k ? picture_set_archive("unreadable.zip") : picture_set_folder("unreadable"),
                         (data_form){0});
        picture_set_same_split(&set, &clean.train, &set.train);
        picture_set_same_split(&set, &clean.test, &set.test);
        assert_int_equal(set.unreadable, 3);
        picture_set_says(&set, "3 of 303 pictures cannot be read and are left out: test/y/c.bmp (");
        picture_set_says(&set, "train/x/a.jpg (no PNG, JPEG or BMP)");
        picture_set_says(&set, "train/x/b.png (the PNG is cut short)");
        data_free(&set);
    }
    picture_add(&picture_set_files, "train/y/d.png", "no picture", 10);
    picture_set_refused(picture_set_archive("unreadable.tar"), NN_EFORMAT,
                        "unreadable.tar: 4 of 304 pictures cannot be read, more than 1%: test/y/c.bmp (");
    picture_set_refused(picture_set_files.files[0].path, NN_EFILE, "no data at train/x/000.png");
    data_free(&clean);
}

/* --- names -------------------------------------------------------------------------------------------------- */

static void tells_paths_from_names(void **state) {
    (void)state;
    nn_error error = {0};
    static data_set set;
    assert_true(data_is_named("mnist") && !data_is_named("mnist2"));
    assert_false(data_is_path("mnist", "tests") || data_is_path("nowhere", "tests"));
    assert_true(data_is_path("a/b", "") && data_is_path("x.tgz", "") && data_is_path("tests", "") &&
                data_is_path("fuzz", "tests"));
    assert_true(data_present(test_path("."), "") && !data_present("/nowhere/x", ""));
    /* Only pictures are resized. */
    test_fails(data_load_as(&set, "shapes", "", (data_form){.height = 28, .width = 28}, 0, 0, &error),
               NN_EARGUMENT, &error, "the images of shapes are 32 x 32");
    test_ok(data_load_as(&set, "shapes", "", (data_form){.height = 32, .width = 32}, 1, 1, &error), &error);
    data_free(&set);
}

#define test(f) cmocka_unit_test_teardown(f, picture_set_forget)

int main(void) {
    const struct CMUnitTest tests[] = {
        test(chooses_the_size),
        test(chooses_the_channels),
        test(is_the_same_for_every_thread_count),
        test(counts_what_it_skips),
        test(stays_inside),
        test(follows_links_of_folders),
        test(takes_the_last_of_a_path),
        test(leaves_out_the_unreadable),
        test(tells_paths_from_names),
    };
    return cmocka_run_group_tests_name("pictures", tests, NULL, NULL);
}
