/* arrays.h - the soft nearest neighbor loss of representations stored in .npy files. */
#ifndef EXP_MEASURE_ARRAYS_H
#define EXP_MEASURE_ARRAYS_H

#include <stdio.h>

#include "framework/framework.h"

typedef struct exp_arrays {
    const char *features; /* .npy of float32 or float64, [b, ...], flattened to [b][d]; or FILE.npz:NAME */
    const char *labels;   /* .npy of any integer type, [b]; or FILE.npz:NAME */
    const char *gradient; /* .npy to write d loss / d features to, float32, the features' shape; or NULL */
    double temperature;   /* 0: the optimal one */
    nn_distance distance;
} exp_arrays;

/* Measures in double precision and prints one line of JSON to `output`:
 * {"snnl": v, "temperature": T, "distance": "...", "points": b, "usable": u, "skipped": s} */
nn_status exp_measure_arrays(const exp_arrays *arrays, FILE *output, nn_error *error);

#endif
