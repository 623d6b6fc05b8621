/* layout.h - classes and splits by the paths of pictures, and the order of the examples.
 *
 *     train/CLASS/...  test/CLASS/...   "training" and "testing" are names for them, too, in capitals or not; without a folder
 *                                       for tests "val", "valid" or "validation" is taken, which else is left out
 *     CLASS/...                         or train/ alone: a tenth of each class, rounded, at least one of two or more, is for
 *                                       testing
 *
 * or one folder with such a layout in it, as archives often have. A class is the folder with its name and all below it; their
 * order is that of their names' bytes. A picture beside the class folders is left out.
 *
 * Examples lie mixed, for the first of them are to be a sample, and batches in this order are to hold all classes: by a random
 * number that the path from the class on decides, and nothing else. Which of a class are for testing goes by the same
 * order. So folder, archive and any copy of the same pictures give the same data, on every machine and for every run's seed. */
#ifndef DATA_PICTURES_LAYOUT_H
#define DATA_PICTURES_LAYOUT_H

#include "datasets/datasets.h"
#include "files.h"

typedef struct data_place {
    size_t file; /* in files->list */
    int label;
    uint64_t key;     /* the random number */
    const char *path; /* from the class on, within the file's */
} data_place;

typedef struct data_layout {
    int classes;
    const char *names[DATA_CLASSES_MAX]; /* owned by the layout */
    size_t train_count, test_count;
    data_place *train, *test; /* in the examples' order */
    bool divided;             /* the tests are a part of the training pictures */
    size_t beside;            /* pictures left out: beside the class folders, */
    size_t unused;            /* or in a folder that is for neither training nor testing */
} data_layout;

/* NN_EFORMAT, with what was found and what was looked for, where there is no such layout, fewer than two classes or more than
 * DATA_CLASSES_MAX, a name that is too long, a class that is only tested. *files must outlive the layout. Released with
 * data_layout_free, also after a failure. */
nn_status data_layout_find(data_layout *layout, const data_picture_files *files, nn_error *error);
void data_layout_free(data_layout *layout);

#endif
