/* picture_sets.h - data sets of pictures made for a test, and what they are compared by. */
#ifndef TEST_PICTURE_SETS_H
#define TEST_PICTURE_SETS_H

#include "datasets/datasets.h"
#include "picture_files.h"

/* The files of the test that runs; picture_set_forget is its tear-down. */
extern picture_list picture_set_files;
int picture_set_forget(void **state);

/* Makes a folder or an archive of them. The path is valid until the next call. */
const char *picture_set_folder(const char *name);
const char *picture_set_archive(const char *name);

/* Adds FRONT/train/CLASS/ and FRONT/test/CLASS/ with so many pictures each for classes "Z", "a" and "a b", made as
 * picture_add_class makes classes 2, 1 and 0; FRONT is "" or ends with '/'. */
void picture_set_add_parts(const char *front, int train, int test);

/* Adds a PNG of one color. */
void picture_set_add_plain(const char *path, int height, int width, int red, int green, int blue);

/* Loads without limits; fails the test where that fails, or where it does not and has not this status and message. */
void picture_set_load(data_set *set, const char *path, data_form form);
void picture_set_refused(const char *path, nn_status status, const char *part);

/* Fails unless two sets are the same in all that a run sees, but for name and source; or two splits of sets alike. */
void picture_set_same(const data_set *a, const data_set *b);
void picture_set_same_split(const data_set *set, const data_split *a, const data_split *b);

int picture_set_count(const data_split *split, int label);

/* Fails unless the set's note contains `part`. */
void picture_set_says(const data_set *set, const char *part);

#endif
