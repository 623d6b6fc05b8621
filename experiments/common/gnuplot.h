/* gnuplot.h - pictures drawn by gnuplot. */
#ifndef EXP_GNUPLOT_H
#define EXP_GNUPLOT_H

#include <stdbool.h>
#include <stdio.h>

#include "framework/framework.h"

enum { EXP_PICTURES_MAX = 8 };

/* A script that is being written, then gnuplot at work on it. */
typedef struct exp_drawing exp_drawing;

/* A drawing with an empty script. Picture k is what the script sends to exp_drawing_output(k), and becomes the
 * file paths[k]; paths is copied and ends with NULL, after 1 to EXP_PICTURES_MAX of them. NN_EFILE where there is
 * no room for temporary files. */
nn_status exp_drawing_new(exp_drawing **drawing, const char *const *paths, nn_error *error);

/* Where the script is to be written, data included: it belongs to the drawing. */
FILE *exp_drawing_script(exp_drawing *drawing);

/* The file that picture k is to be written to: for `set output`. */
const char *exp_drawing_output(int k);

/* Begins picture k, a PNG file or an SVG file of width x height pixels with letters of `font` points. Both look the same:
 * PNG counts letters in points of 4/3 pixels, and marks are to be drawn in sizes times the variable `mark`. */
void exp_drawing_terminal(FILE *script, int k, bool svg, int font, int width, int height);

/* Writes `text` as a string of gnuplot's, without what could end the string or break an SVG file. */
void exp_drawing_quote(FILE *script, const char *text);

/* Writes a number of a data block, or NaN, which is a gap, and the separator behind it. */
void exp_drawing_number(FILE *script, double value, char after);

/* Starts gnuplot. NN_EFILE where it is missing; the drawing is then still to be freed. */
nn_status exp_drawing_start(exp_drawing *drawing, nn_error *error);

/* Waits for gnuplot and puts the pictures in place: each appears whole or not at all, and none unless gnuplot
 * ended well. NN_EFILE with gnuplot's first words where it failed. */
nn_status exp_drawing_finish(exp_drawing *drawing, nn_error *error);

void exp_drawing_free(exp_drawing *drawing); /* NULL is fine; not between start and finish */

/* Start, finish and free, for callers that have nothing else to do. */
nn_status exp_drawing_draw(exp_drawing *drawing, nn_error *error);

#endif
