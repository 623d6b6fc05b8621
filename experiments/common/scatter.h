/* scatter.h - points of the plane, colored by class, as a picture. */
#ifndef EXP_SCATTER_H
#define EXP_SCATTER_H

#include "datasets/datasets.h"

typedef struct exp_scatter {
    const char *title, *subtitle;
    int count;
    const double *y;       /* [count][2] */
    const int32_t *labels; /* [count], each < classes; NULL: one color and no legend */
    int classes;
    const char (*names)[DATA_NAME_MAX]; /* [classes] */
} exp_scatter;

/* Draws a PNG and an SVG file of the same size: both axes in the same units, without numbers, which would mean
 * nothing. NN_EFILE where gnuplot is missing or fails. */
nn_status exp_scatter_draw(const exp_scatter *scatter, const char *png, const char *svg, nn_error *error);

#endif
