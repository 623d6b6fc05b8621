/* points_file.h - points, and perhaps their classes, from .npy files or arrays of .npz files, FILE.npz:NAME. */
#ifndef EXP_POINTS_FILE_H
#define EXP_POINTS_FILE_H

#include "framework/framework.h"

typedef struct exp_points_file {
    nn_npy features; /* float32 or float64, [count, ...], all of it finite; nn_npy_number reads it */
    int count, dims;
    int32_t *labels;       /* [count]: places in class_values; NULL without a file of labels */
    int classes;           /* distinct labels */
    int64_t *class_values; /* [classes], ascending */
} exp_points_file;

/* Reads features, flattened to [count][dims], and labels of any integer type, [count], unless that is NULL.
 * NN_ENUMERIC where a feature is NaN or infinite. Release with exp_points_file_free, after a failure too. */
nn_status exp_points_file_read(exp_points_file *points, const char *features, const char *labels,
                               nn_error *error);
void exp_points_file_free(exp_points_file *points);

#endif
