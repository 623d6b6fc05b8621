#include "picture_sets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

picture_list picture_set_files;

int picture_set_forget(void **state) {
    (void)state;
    picture_list_free(&picture_set_files);
    return 0;
}

const char *picture_set_folder(const char *name) {
    static char path[256];
    snprintf(path, sizeof path, "%s", picture_folder(name, &picture_set_files));
    return path;
}

const char *picture_set_archive(const char *name) {
    static char path[256];
    snprintf(path, sizeof path, "%s", picture_archive(name, &picture_set_files));
    return path;
}

void picture_set_load(data_set *set, const char *path, data_form form) {
    nn_error error = {0};
    test_ok(data_load_as(set, path, "/nowhere", form, 0, 0, &error), &error);
}

void picture_set_refused(const char *path, nn_status status, const char *part) {
    static data_set set;
    nn_error error = {0};
    test_fails(data_load(&set, path, "/nowhere", 0, 0, &error), status, &error, part);
    assert_null(set.train.pixels);
    assert_int_equal(set.test.count, 0);
}

static size_t image_bytes(const data_set *set) {
    return (size_t)set->height * (size_t)set->width * (size_t)set->channels;
}

void picture_set_same_split(const data_set *set, const data_split *a, const data_split *b) {
    assert_int_equal(a->count, b->count);
    if (a->count == 0)
        return;
    assert_memory_equal(a->labels, b->labels, a->count);
    assert_memory_equal(a->pixels, b->pixels, (size_t)a->count * image_bytes(set));
}

void picture_set_same(const data_set *a, const data_set *b) {
    assert_true(a->height == b->height && a->width == b->width && a->channels == b->channels);
    assert_int_equal(a->classes, b->classes);
    for (int i = 0; i < a->classes; i++)
        assert_string_equal(a->class_names[i], b->class_names[i]);
    picture_set_same_split(a, &a->train, &b->train);
    picture_set_same_split(a, &a->test, &b->test);
    assert_true(a->checksum == b->checksum);
}

int picture_set_count(const data_split *split, int label) {
    int count = 0;
    for (int i = 0; i < split->count; i++)
        count += split->labels[i] == label;
    return count;
}

void picture_set_says(const data_set *set, const char *part) {
    if (!strstr(set->note, part))
        fail_msg("the note '%s' does not say '%s'", set->note, part);
}

void picture_set_add_parts(const char *front, int train, int test) {
    static const char *const classes[] = {"a b", "a", "Z"};
    char path[100];
    for (int k = 2; k >= 0; k--) {
        snprintf(path, sizeof path, "%strain/%s", front, classes[k]);
        picture_add_class(&picture_set_files, path, k, train);
        snprintf(path, sizeof path, "%stest/%s", front, classes[k]);
        picture_add_class(&picture_set_files, path, k, test);
    }
}

void picture_set_add_plain(const char *path, int height, int width, int red, int green, int blue) {
    size_t count;
    unsigned char *png = picture_plain(height, width, red, green, blue, &count);
    picture_add(&picture_set_files, path, png, count);
    free(png);
}
