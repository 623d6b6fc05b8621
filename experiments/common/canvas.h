/* canvas.h - pictures of several panels, as text for gnuplot: files, and where their panels stand. */
#ifndef EXP_CANVAS_H
#define EXP_CANVAS_H

#include <stdio.h>

typedef enum exp_canvas_format { EXP_CANVAS_PNG, EXP_CANVAS_SVG, EXP_CANVAS_GIF } exp_canvas_format;

/* A picture that is being written; sizes are in pixels. */
typedef struct exp_canvas {
    FILE *script;
    int width, height;
} exp_canvas;

/* Where a panel's plot stands, in pixels from the left and from below. */
typedef struct exp_box {
    int left, bottom, width, height;
} exp_box;

/* Begins a file of the canvas' width and height, to be written to `output`: all sizes are the same in all formats, if
 * points are given as multiples of `mark`. A GIF's frames are shown for `delay` hundredths of a second. */
void exp_canvas_begin(const exp_canvas *canvas, exp_canvas_format format, const char *output, int delay);

/* The next plot's axes stand around the box. */
void exp_canvas_box(const exp_canvas *canvas, exp_box box);

#endif
