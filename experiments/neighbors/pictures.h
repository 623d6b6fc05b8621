/* pictures.h - what ./neighbors draws. NN_EFILE where gnuplot is missing or fails. */
#ifndef EXP_NEIGHBORS_PICTURES_H
#define EXP_NEIGHBORS_PICTURES_H

#include "files.h"

/* OUT/credibility.png and .svg: the reliability diagram of credibility, and its histogram. */
nn_status exp_neighbors_draw_credibility(const exp_neighbors_result *result, nn_error *error);

/* OUT/neighbors.png and .svg: each shown example with its nearest training images in every layer. */
nn_status exp_neighbors_draw_sheet(const exp_neighbors_result *result, nn_error *error);

#endif
