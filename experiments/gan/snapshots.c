#include "snapshots.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/common/canvas.h"
#include "experiments/common/gnuplot.h"
#include "experiments/common/palette.h"
#include "experiments/tsne/tsne.h"

enum {
    PANEL = 356, /* pixels of a side: twice those of six images of 28 with gaps between them */
    GAP = 26,
    EDGE = 26,
    HEADING = 84,
    TITLE = 58,  /* above a plot of points */
    STEP = 40,   /* above a sheet of samples */
    COLUMNS = 6, /* of samples */
    BETWEEN = 2  /* pixels of the samples, between two */
};

static const char *const real_color = "#0072B2", *const generated_color = "#D55E00";

typedef struct strip {
    const exp_gan_outcome *outcome;
    exp_canvas canvas;
    bool images;
    double *points; /* [2 * examples][2]: real, then generated */
} strip;

/* --- data ----------------------------------------------------------------------------------------------- */

static int shade(const float *image, int channels, int channel) {
    float value = image[channels < 3 ? 0 : channel];
    return (int)lroundf(255 * fminf(fmaxf((value + 1) / 2, 0), 1));
}

/* A pixel of the square of samples: its three colors, white between images and where there is none. */
static void put_pixel(const strip *s, const float *images, int x, int y) {
    const exp_gan_real *r = s->outcome->real;
    int wide = r->width + BETWEEN, high = r->height + BETWEEN, image = y / high * COLUMNS + x / wide;
    const float *pixel =
        images + (size_t)image * r->row + (size_t)((y % high * r->width + x % wide) * r->channels);
    bool inside = x % wide < r->width && y % high < r->height && image < r->examples;
    for (int c = 0; c < 3; c++)
        fprintf(s->canvas.script, " %d", inside ? shade(pixel, r->channels, c) : 255);
}

/* gnuplot finds out the grid from the order: line by line, without an end to lines. */
static void put_samples(const strip *s, int snapshot) {
    const exp_gan_real *r = s->outcome->real;
    const float *images = s->outcome->record->snapshots[snapshot].generated;
    fprintf(s->canvas.script, "$samples%d << END\n", snapshot);
    for (int y = 0; y < COLUMNS * (r->height + BETWEEN) - BETWEEN; y++)
        for (int x = 0; x < COLUMNS * (r->width + BETWEEN) - BETWEEN; x++) {
            fprintf(s->canvas.script, "%d %d", x, y);
            put_pixel(s, images, x, y);
            fputc('\n', s->canvas.script);
        }
    fputs("END\n", s->canvas.script);
}

/* In turn, so that neither class lies above the other. */
static void put_points(const strip *s, int snapshot) {
    int count = s->outcome->real->examples;
    fprintf(s->canvas.script, "$points%d << END\n", snapshot);
    for (int i = 0; i < 2 * count; i++) {
        int at = i / 2 + i % 2 * count;
        fprintf(s->canvas.script, "%.6g %.6g 0x40%s\n", s->points[2 * at], s->points[2 * at + 1],
                (i % 2 ? generated_color : real_color) + 1);
    }
    fputs("END\n", s->canvas.script);
}

/* Where the points of a snapshot lie in the plane: as they are, or by t-SNE. */
static nn_status place(const strip *s, int snapshot, nn_error *error) {
    const exp_gan_real *r = s->outcome->real;
    size_t half = (size_t)r->examples * r->row;
    const float *generated = s->outcome->record->snapshots[snapshot].generated;
    for (size_t i = 0; i < 2 * half && !s->images; i++)
        s->points[i] = i < half ? r->held[i] : generated[i - half];
    if (!s->images)
        return NN_OK;
    exp_tsne_options options = exp_tsne_defaults;
    double kl;
    options.perplexity = fmin(options.perplexity, exp_tsne_largest_perplexity(2 * r->examples));
    float *x = malloc(2 * half * sizeof *x);
    if (!x)
        return nn_fail_memory(error, "t-SNE");
    memcpy(x, r->held, half * sizeof *x);
    memcpy(x + half, generated, half * sizeof *x);
    nn_status status = exp_tsne(&options, 2 * r->examples, (int)r->row, x, s->points, &kl, error);
    free(x);
    return status;
}

/* --- panels --------------------------------------------------------------------------------------------- */

static void put_heading(const strip *s) {
    const exp_canvas *c = &s->canvas;
    const exp_gan_real *r = s->outcome->real;
    double x = (double)EDGE / c->width;
    fprintf(c->script, "set label 10 '%s%s' at screen %.6f,%.6f left font ',16'\n",
            s->images ? "Samples, and t-SNE of real and generated examples: "
                      : "A mixture of Gaussians, and generated points",
            s->images ? r->name : "", x, 1 - 24.0 / c->height);
    fprintf(c->script,
            "set label 11 '%d real' at screen %.6f,%.6f left textcolor rgb '%s'\n"
            "set label 12 '%d generated' at screen %.6f,%.6f left textcolor rgb '%s'\n"
            "set label 13 'SNNL of the two classes at its optimal temperature%s; alike: 0.693' at screen "
            "%.6f,%.6f left "
            "textcolor rgb '#606060'\n",
            r->examples, x, 1 - 50.0 / c->height, real_color, r->examples, x + 90.0 / c->width,
            1 - 50.0 / c->height, generated_color, s->images ? ", of pixels" : "", x + 220.0 / c->width,
            1 - 50.0 / c->height);
}

static void put_sheet(const strip *s, int snapshot, exp_box box) {
    const exp_gan_real *r = s->outcome->real;
    FILE *script = s->canvas.script;
    exp_canvas_box(&s->canvas, box);
    fprintf(script,
            "set label 1 'step %llu' at graph 0.5,1 center offset 0,0.9 font ',14'\n"
            "set xrange [-0.5:%d.5]\nset yrange [%d.5:-0.5]\nunset tics\nunset border\n"
            "plot $samples%d using 1:2:3:4:5 with rgbimage\nunset label\n",
            (unsigned long long)exp_gan_record_at(s->outcome->record, snapshot)->step,
            COLUMNS * (r->width + BETWEEN) - BETWEEN - 1, COLUMNS * (r->height + BETWEEN) - BETWEEN - 1,
            snapshot);
}

static void put_range(const strip *s, int snapshot) {
    double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
    int count = 2 * s->outcome->real->examples;
    for (int i = 0; i < 2 * count && s->images; i++) {
        low[i % 2] = fmin(low[i % 2], s->points[i]);
        high[i % 2] = fmax(high[i % 2], s->points[i]);
    }
    double side = 1.08 * fmax(fmax(high[0] - low[0], high[1] - low[1]), 1e-6);
    for (int axis = 0; axis < 2; axis++)
        if (s->images) /* each t-SNE has units of its own; points of the mixture have the same */
            fprintf(s->canvas.script, "%crange%d = '[%.9g:%.9g]'\n", "xy"[axis], snapshot,
                    (low[axis] + high[axis] - side) / 2, (low[axis] + high[axis] + side) / 2);
        else
            fprintf(s->canvas.script, "%crange%d = '[-3:3]'\n", "xy"[axis], snapshot);
}

static void put_plane(const strip *s, int snapshot, exp_box box) {
    const exp_gan_row *row = exp_gan_record_at(s->outcome->record, snapshot);
    FILE *script = s->canvas.script;
    double mark = fmin(fmax(0.75 * sqrt(256.0 / s->outcome->real->examples), 0.3), 1.2);
    char below[64] = "";
    if (!s->images)
        snprintf(below, sizeof below, "step %llu, ", (unsigned long long)row->step);
    snprintf(below + strlen(below), sizeof below - strlen(below), "temperature %.3g", row->temperature);
    exp_canvas_box(&s->canvas, box);
    fprintf(script,
            "set label 1 'SNNL %.4f' at graph 0.5,1 center offset 0,1.9 font ',14'\n"
            "set label 2 '%s' at graph 0.5,1 center offset 0,0.7 textcolor rgb '#606060'\n"
            "eval 'set xrange '.xrange%d\neval 'set yrange '.yrange%d\n"
            "unset tics\nset border 15 lc rgb '#D0D0D0'\n"
            "plot $points%d using 1:2:3 with points pt 7 ps %.3g*mark lc rgb variable\nunset label\n",
            row->snnl, below, snapshot, snapshot, snapshot, mark);
}

static void put_picture(const strip *s) {
    const exp_canvas *c = &s->canvas;
    exp_canvas_begin(c, EXP_CANVAS_PNG, exp_drawing_output(0), 0);
    fputs("set multiplot\n", c->script);
    put_heading(s);
    for (int i = 0; i < s->outcome->record->snapshot_count; i++) {
        int left = EDGE + i * (PANEL + GAP);
        if (s->images)
            put_sheet(s, i, (exp_box){left, EDGE + PANEL + TITLE, PANEL, PANEL});
        put_plane(s, i, (exp_box){left, EDGE, PANEL, PANEL});
    }
    fputs("unset multiplot\nunset output\n", c->script);
}

nn_status exp_gan_draw_snapshots(const exp_gan_outcome *outcome, nn_error *error) {
    char png[EXP_TEXT_MAX + 16];
    int count = outcome->record->snapshot_count;
    exp_drawing *drawing;
    strip s = {.outcome = outcome, .images = outcome->real->loader != NULL};
    s.points = calloc(4 * (size_t)outcome->real->examples, sizeof *s.points);
    if (!s.points)
        return nn_fail_memory(error, "the pictures");
    snprintf(png, sizeof png, "%s/snapshots.png", outcome->record->folder);
    nn_status status = exp_drawing_new(&drawing, (const char *[]){png, NULL}, error);
    if (status == NN_OK) {
        int width = 2 * EDGE + count * (PANEL + GAP) - GAP;
        s.canvas = (exp_canvas){exp_drawing_script(drawing), width < 900 ? 900 : width,
                                EDGE + PANEL + TITLE + (s.images ? PANEL + STEP : 0) + HEADING};
        for (int i = 0; i < count && status == NN_OK; i++) {
            status = place(&s, i, error);
            put_points(&s, i);
            put_range(&s, i);
            if (s.images)
                put_samples(&s, i);
        }
        put_picture(&s);
        if (status == NN_OK)
            status = exp_drawing_draw(drawing, error);
        else
            exp_drawing_free(drawing);
    }
    free(s.points);
    return status;
}
