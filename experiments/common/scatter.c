/* scatter.c - a square field of translucent dots, and a legend beside it. */
#include "scatter.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gnuplot.h"
#include "palette.h"

enum {
    FIELD = 1080, /* pixels of a side */
    EDGE = 24,    /* around the field */
    HEADING = 96, /* above it */
    HEIGHT = FIELD + HEADING + EDGE,
    LEGEND_ROWS = 40
};

/* Dots of many points are small and let what is under them through. */
static double dot_size(int count) {
    return fmin(fmax(1.7 * sqrt(1000.0 / count), 0.35), 2);
}

static unsigned transparency(int count) {
    return count > 1000 ? 0x55 : 0x30;
}

/* --- script --------------------------------------------------------------------------------------------- */

/* Points in an order that no class gains by: the last is drawn over the others. */
static nn_status put_points(FILE *script, const exp_scatter *s, nn_error *error) {
    uint32_t *order = calloc((size_t)s->count, sizeof *order);
    nn_stream stream = nn_stream_named(0, "scatter");
    if (!order)
        return nn_fail_memory(error, "the picture");
    for (int i = 0; i < s->count; i++)
        order[i] = (uint32_t)i;
    nn_random_shuffle(&stream, order, (uint32_t)s->count);
    fprintf(script, "$points << END\n");
    for (int k = 0; k < s->count; k++) {
        size_t i = order[k];
        unsigned color = s->labels ? exp_class_color(s->labels[i], s->classes) : exp_class_color(0, 1);
        fprintf(script, "%.6g %.6g %u\n", s->y[2 * i], s->y[2 * i + 1], transparency(s->count) << 24 | color);
    }
    fprintf(script, "END\n");
    free(order);
    return NN_OK;
}

static void put_range(FILE *script, const exp_scatter *s) {
    double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY}, side = 0;
    for (int k = 0; k < 2 * s->count; k++) {
        low[k % 2] = fmin(low[k % 2], s->y[k]);
        high[k % 2] = fmax(high[k % 2], s->y[k]);
    }
    for (int axis = 0; axis < 2; axis++)
        side = fmax(side, high[axis] - low[axis]);
    side = side > 0 ? 1.06 * side : 1;
    for (int axis = 0; axis < 2; axis++) {
        double middle = (low[axis] + high[axis]) / 2;
        fprintf(script, "set %crange [%.9g:%.9g]\n", "xy"[axis], middle - side / 2, middle + side / 2);
    }
}

static void put_legend(FILE *script, const exp_scatter *s) {
    int shown = s->classes > LEGEND_ROWS ? LEGEND_ROWS - 1 : s->classes;
    for (int k = 0; k < shown; k++) {
        fprintf(script, ", \\\nNaN with points pt 7 ps 1.6*mark lc rgb '#%06X' title ",
                exp_class_color(k, s->classes));
        exp_drawing_quote(script, s->names[k]);
    }
    if (shown < s->classes)
        fprintf(script, ", \\\nNaN with points pt 7 ps 0 lc rgb '#FFFFFF' title 'and %d more'",
                s->classes - shown);
}

/* Pixels beside the field: room for a dot and the longest name. */
static int legend_width(const exp_scatter *s) {
    size_t longest = strlen("and 99 more");
    if (!s->labels)
        return 0;
    for (int k = 0; k < s->classes && s->classes <= LEGEND_ROWS; k++)
        longest = k == 0 || strlen(s->names[k]) > longest ? strlen(s->names[k]) : longest;
    return 56 + 11 * (int)longest;
}

static void put_picture(FILE *script, const exp_scatter *s, int width) {
    fprintf(script, "set lmargin at screen %.9g\nset rmargin at screen %.9g\n", (double)EDGE / width,
            (double)(EDGE + FIELD) / width);
    fprintf(script, "set bmargin at screen %.9g\nset tmargin at screen %.9g\n", (double)EDGE / HEIGHT,
            (double)(EDGE + FIELD) / HEIGHT);
    fprintf(script, "set label 1 ");
    exp_drawing_quote(script, s->title);
    fprintf(script, " at screen %.9g,0.968 left font ',18'\nset label 2 ", (double)EDGE / width);
    exp_drawing_quote(script, s->subtitle);
    fprintf(script, " at screen %.9g,0.937 left textcolor rgb '#505050'\n", (double)EDGE / width);
    fprintf(script,
            "unset tics\nset border 15 lc rgb '#D0D0D0'\n"
            "set key at screen %.9g,%.9g left top vertical Left reverse samplen 1 spacing 1.2 font ',13'\n",
            (EDGE + FIELD + 10.0) / width, (EDGE + FIELD + 4.0) / HEIGHT);
    put_range(script, s);
    fprintf(script, "plot $points using 1:2:3 with points pt 7 ps %.3g*mark lc rgb variable notitle",
            dot_size(s->count));
    if (s->labels)
        put_legend(script, s);
    putc('\n', script);
}

static nn_status put_script(FILE *script, const exp_scatter *s, nn_error *error) {
    int width = FIELD + 2 * EDGE + legend_width(s);
    fprintf(script, "set encoding utf8\n");
    nn_status status = put_points(script, s, error);
    /* Both in the same sizes: PNG counts fonts in points of 4/3 pixels and draws smaller marks. */
    fprintf(script,
            "set terminal pngcairo noenhanced size %d,%d font 'Sans,12' background '#FFFFFF'\nmark = 1\n"
            "set output '%s'\n",
            width, HEIGHT, exp_drawing_output(0));
    put_picture(script, s, width);
    fprintf(script,
            "set terminal svg noenhanced size %d,%d font 'Sans,12' fontscale 1.333 background '#FFFFFF'\n"
            "mark = 0.75\nset output '%s'\n",
            width, HEIGHT, exp_drawing_output(1));
    put_picture(script, s, width);
    fprintf(script, "unset output\n");
    return status;
}

nn_status exp_scatter_draw(const exp_scatter *scatter, const char *png, const char *svg, nn_error *error) {
    exp_drawing *drawing;
    nn_status status = exp_drawing_new(&drawing, (const char *[]){png, svg, NULL}, error);
    if (status != NN_OK)
        return status;
    status = put_script(exp_drawing_script(drawing), scatter, error);
    if (status == NN_OK)
        return exp_drawing_draw(drawing, error);
    exp_drawing_free(drawing);
    return status;
}
