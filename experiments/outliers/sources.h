/* sources.h - what stands in as out-of-distribution for a trained run.
 *
 *   NAME              another data set's test examples, converted to the run's channels and size (transform.h)
 *   PATH              a folder or an archive of pictures: its test examples, in the run's channels and size
 *                     (datasets/pictures/)
 *   uniform           every value uniform in 0..1
 *   gaussian          every value normal with the mean and deviation that the run's training images have in its channel,
 *                     cut to 0..1: the right colors, and nothing else of an image
 *   noise             both of these
 *   rotation:DEGREES  the run's own test images, turned counterclockwise,
 *   blur:SIGMA        blurred (SIGMA in pixels),
 *   noise:SIGMA       with normal noise added (SIGMA of values 0..1)
 *
 * Images are made as values 0..1. Image i is a pure function of source, seed and i. */
#ifndef EXP_OUTLIERS_SOURCES_H
#define EXP_OUTLIERS_SOURCES_H

#include "experiments/common/trained_run.h"
#include "transform.h"

enum {
    EXP_SOURCES_MAX = 32,
    EXP_SOURCE_NAME_MAX = 40,
    EXP_SOURCES_TEXT = EXP_SOURCES_MAX * (EXP_SOURCE_NAME_MAX + 2)
};

typedef enum exp_source_kind {
    EXP_SOURCE_DATA,
    EXP_SOURCE_UNIFORM,
    EXP_SOURCE_GAUSSIAN,
    EXP_SOURCE_ROTATION, /* this and those after it are made from the run's test images */
    EXP_SOURCE_BLUR,
    EXP_SOURCE_NOISY
} exp_source_kind;

typedef struct exp_source {
    char name[EXP_SOURCE_NAME_MAX]; /* as in the list: "rotation:45"; of a path its end */
    exp_source_kind kind;
    double amount;           /* of the last three */
    char path[EXP_TEXT_MAX]; /* of pictures; else "" */
} exp_source;

/* Reads a list, separated by commas. NN_EARGUMENT for an unknown source, an amount out of range, one named twice, the data
 * set `own` (NULL: none), which is not out of the distribution, and an empty list. */
nn_status exp_sources_parse(const char *list, const char *own, exp_source sources[EXP_SOURCES_MAX],
                            int *count, nn_error *error);

/* Leaves out data sets that are not in the data root, and `own`; their names, separated by ", ", go to `left_out`, which is
 * "" where there are none. *count may come to 0. */
void exp_sources_keep_present(exp_source sources[EXP_SOURCES_MAX], int *count, const char *own,
                              const char *root, char left_out[EXP_SOURCES_TEXT]);

/* NN_EFILE where a source's data set is not in the data root: to be known before the work is done. */
nn_status exp_sources_check(const exp_source *sources, int count, const char *root, nn_error *error);

typedef struct exp_source_images {
    int count;
    float *images; /* [count] of the run's form, values 0..1 */
} exp_source_images;

/* Makes at most `most` images: the first ones of a data set, else of the run's test examples from number `first` on, and as
 * many of noise. NN_ESHAPE where channels cannot be converted. Released with free(images->images). */
nn_status exp_source_make(const exp_source *source, const exp_trained_run *run, const char *root, int first,
                          int most, uint64_t seed, exp_source_images *images, nn_error *error);

/* In place: values 0..1 to what the run's network takes. */
void exp_source_normalize(const exp_trained_run *run, int count, float *images);

#endif
