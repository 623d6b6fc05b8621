#include "pictures.h"

#include <math.h>
#include <string.h>

#include "experiments/common/gnuplot.h"
#include "panels.h"

enum {
    PANEL = 270, /* side of a panel of points in the strip, pixels */
    GAP = 22,
    LEFT = 62,
    RIGHT = 24,
    HEADING = 66,
    CURVES = 190, /* height of the curves below the strip */
    LARGE = 620,  /* side of a snapshot alone */
    MOVING = 460  /* side of the animation's panels */
};

/* Hundredths of a second; the first and the last frame are held. */
enum { PLAY = 450, DELAY_LEAST = 4, DELAY_MOST = 20, HOLD_FIRST = 80, HOLD_LAST = 220 };

/* A drawing of files in the folder, ended by NULL. */
static nn_status open_drawing(exp_drawing **drawing, const char *folder, const char *const *names,
                              nn_error *error) {
    char paths[EXP_PICTURES_MAX][EXP_TEXT_MAX + 64];
    const char *list[EXP_PICTURES_MAX + 1] = {NULL};
    for (int i = 0; names[i]; i++) {
        snprintf(paths[i], sizeof paths[i], "%s/%s", folder, names[i]);
        list[i] = paths[i];
    }
    return exp_drawing_new(drawing, list, error);
}

/* The size of marks: fewer points are larger, and so are those of a larger panel. */
static double marks(const exp_toy_record *record, int side) {
    double size = 0.9 * sqrt((double)side / PANEL) * pow(200.0 / record->points, 0.35);
    return fmin(fmax(size, 0.2), 1.8);
}

static void put_heading(const exp_toy_canvas *c, const exp_toy_options *o) {
    const exp_toy_record *r = c->record;
    fprintf(
        c->script,
        "set label 10 'Gradient %s on the soft nearest neighbor loss' at screen %.6f,%.6f left font ',16'\n",
        r->rising ? "ascent" : "descent", (double)LEFT / c->width, 1 - 24.0 / c->height);
    fprintf(c->script, "set label 11 '%d points, %d classes%s, %s %s, seed %llu", r->points, r->classes,
            o->apart > 0 ? ", apart at first" : ", labels drawn at random",
            c->optimal ? "optimal" : "temperature", c->optimal ? "temperature" : o->temperature,
            (unsigned long long)o->seed);
    fprintf(c->script, "' at screen %.6f,%.6f left textcolor rgb '#606060'\n", (double)LEFT / c->width,
            1 - 48.0 / c->height);
}

/* --- strip ---------------------------------------------------------------------------------------------- */

static void put_strip(exp_toy_canvas *c, const exp_toy_options *options, exp_canvas_format format,
                      int picture) {
    const exp_toy_record *r = c->record;
    int width = r->snapshot_count * (PANEL + GAP) - GAP, below = 56 + CURVES + 72;
    c->width = LEFT + width + RIGHT;
    c->height = below + PANEL + 52 + HEADING;
    exp_toy_put_terminal(c, format, exp_drawing_output(picture), 0);
    fputs("set multiplot\n", c->script);
    put_heading(c, options);
    for (int i = 0; i < r->snapshot_count; i++) {
        char data[32];
        snprintf(data, sizeof data, "$snapshot%d", i);
        exp_toy_put_points(c, (exp_box){LEFT + i * (PANEL + GAP), below, PANEL, PANEL}, &r->snapshots[i],
                           data, i == 0, marks(r, PANEL));
        fputs("unset label\n", c->script); /* the heading too: once is enough */
    }
    int half = (width - LEFT - GAP) / 2;
    exp_toy_put_loss(c, (exp_box){LEFT, 56, c->optimal ? half : width, CURVES}, r->steps);
    if (c->optimal)
        exp_toy_put_temperature(c, (exp_box){LEFT + width - half, 56, half, CURVES});
    fputs("unset multiplot\nunset output\n", c->script);
}

static nn_status draw_strip(const char *folder, const exp_toy_record *record, const exp_toy_options *options,
                            bool optimal, nn_error *error) {
    exp_drawing *drawing;
    if (open_drawing(&drawing, folder, (const char *[]){"toy.png", "toy.svg", NULL}, error) != NN_OK)
        return error->status;
    exp_toy_canvas canvas = exp_toy_canvas_new(exp_drawing_script(drawing), record, optimal);
    exp_toy_put_snapshots(&canvas);
    exp_toy_put_curves(&canvas);
    put_strip(&canvas, options, EXP_CANVAS_PNG, 0);
    put_strip(&canvas, options, EXP_CANVAS_SVG, 1);
    return exp_drawing_draw(drawing, error);
}

/* --- snapshots ------------------------------------------------------------------------------------------ */

static nn_status draw_snapshots(const char *folder, const exp_toy_record *record, bool optimal,
                                nn_error *error) {
    char names[EXP_TOY_SNAPSHOTS][32];
    const char *list[EXP_TOY_SNAPSHOTS + 1] = {NULL};
    for (int i = 0; i < record->snapshot_count; i++) {
        snprintf(names[i], sizeof names[i], "snapshot-%d.png", i + 1);
        list[i] = names[i];
    }
    exp_drawing *drawing;
    if (open_drawing(&drawing, folder, list, error) != NN_OK)
        return error->status;
    exp_toy_canvas canvas = exp_toy_canvas_new(exp_drawing_script(drawing), record, optimal);
    canvas.width = LEFT + LARGE + RIGHT;
    canvas.height = 46 + LARGE + 70;
    exp_toy_put_snapshots(&canvas);
    for (int i = 0; i < record->snapshot_count; i++) {
        char data[32];
        snprintf(data, sizeof data, "$snapshot%d", i);
        exp_toy_put_terminal(&canvas, EXP_CANVAS_PNG, exp_drawing_output(i), 0);
        exp_toy_put_points(&canvas, (exp_box){LEFT, 46, LARGE, LARGE}, &record->snapshots[i], data, true,
                           marks(record, LARGE));
        fputs("unset output\n", canvas.script);
    }
    return exp_drawing_draw(drawing, error);
}

/* --- animation ------------------------------------------------------------------------------------------ */

/* gnuplot leaves out a frame that equals the one before it: of two such ones, one has a corner of almost white. */
static void put_frame(const exp_toy_canvas *c, int frame, bool tinted) {
    const exp_toy_picture *picture = &c->record->frames[frame];
    char data[32];
    snprintf(data, sizeof data, "$frame%d", frame);
    fputs("set multiplot\nunset object\n", c->script);
    if (tinted)
        fputs("set object 1 rectangle from screen 0,0 to screen 0.01,0.02 behind fc rgb '#FCFCFC' fs solid "
              "noborder\n",
              c->script);
    exp_toy_put_points(c, (exp_box){LEFT, 56, MOVING, MOVING}, picture, data, true, marks(c->record, MOVING));
    exp_toy_put_loss(c, (exp_box){LEFT + MOVING + LEFT, 56, MOVING, MOVING}, picture->step);
    fputs("unset multiplot\n", c->script);
}

static nn_status draw_animation(const char *folder, const exp_toy_record *record, bool optimal,
                                nn_error *error) {
    exp_drawing *drawing;
    if (open_drawing(&drawing, folder, (const char *[]){"toy.gif", NULL}, error) != NN_OK)
        return error->status;
    int delay = PLAY / record->frame_count;
    delay = delay < DELAY_LEAST ? DELAY_LEAST : delay > DELAY_MOST ? DELAY_MOST : delay;
    exp_toy_canvas canvas = exp_toy_canvas_new(exp_drawing_script(drawing), record, optimal);
    canvas.width = 2 * (LEFT + MOVING) + RIGHT;
    canvas.height = 56 + MOVING + 60;
    exp_toy_put_frames(&canvas);
    exp_toy_put_curves(&canvas);
    exp_toy_put_terminal(&canvas, EXP_CANVAS_GIF, exp_drawing_output(0), delay);
    /* All frames last equally long: those that stand are drawn several times. */
    for (int i = 0; i < record->frame_count; i++) {
        int hold = i == 0 ? HOLD_FIRST : i == record->frame_count - 1 ? HOLD_LAST : 0;
        for (int k = 0; k <= hold / delay; k++)
            put_frame(&canvas, i, k % 2 == 1);
    }
    fputs("unset output\n", canvas.script);
    return exp_drawing_draw(drawing, error);
}

nn_status exp_toy_draw(const char *folder, const exp_toy_record *record, const exp_toy_options *options,
                       nn_error *error) {
    bool optimal = strcmp(options->temperature, "optimal") == 0;
    nn_status status = draw_strip(folder, record, options, optimal, error);
    if (status == NN_OK)
        status = draw_snapshots(folder, record, optimal, error);
    if (status == NN_OK)
        status = draw_animation(folder, record, optimal, error);
    return status;
}
