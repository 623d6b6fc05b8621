/* panels.h - what the pictures of a descent are put together from, as text for gnuplot. */
#ifndef EXP_TOY_PANELS_H
#define EXP_TOY_PANELS_H

#include "experiments/common/canvas.h"
#include "record.h"

/* A picture that is being written; sizes are in pixels. */
typedef struct exp_toy_canvas {
    FILE *script;
    const exp_toy_record *record;
    bool optimal; /* temperature */
    int width, height;
    double left, bottom, side; /* the square that holds the points in all snapshots and frames */
} exp_toy_canvas;

exp_toy_canvas exp_toy_canvas_new(FILE *script, const exp_toy_record *record, bool optimal);

/* The data that the panels below refer to: of snapshots, of frames, and of the curves. */
void exp_toy_put_snapshots(const exp_toy_canvas *canvas);
void exp_toy_put_frames(const exp_toy_canvas *canvas);
void exp_toy_put_curves(const exp_toy_canvas *canvas);

/* Begins a file of the canvas' width and height, to be written to `output`; a GIF's frames are shown for `delay`
 * hundredths of a second. */
void exp_toy_put_terminal(const exp_toy_canvas *canvas, exp_canvas_format format, const char *output,
                          int delay);

/* The points of a snapshot or a frame under its value and step; numbers beside the axes only where asked for.
 * `marks` are the points' size. */
void exp_toy_put_points(const exp_toy_canvas *canvas, exp_box box, const exp_toy_picture *picture,
                        const char *data, bool numbers, double marks);

/* The loss over the steps with the snapshots marked, up to step `now` in full color and faint behind it. */
void exp_toy_put_loss(const exp_toy_canvas *canvas, exp_box box, uint64_t now);

/* The temperature over the steps. */
void exp_toy_put_temperature(const exp_toy_canvas *canvas, exp_box box);

#endif
