/* panels.c - panels of points and of curves. Ranges are computed here; gnuplot only draws. */
#include "panels.h"

#include <math.h>

#include "experiments/common/gnuplot.h"
#include "experiments/common/palette.h"

enum { CURVE_POINTS = 1500 }; /* at most: more cannot be seen */

/* --- data ----------------------------------------------------------------------------------------------- */

static void grow(const exp_toy_picture *picture, int points, double low[2], double high[2]) {
    for (int i = 0; i < 2 * points; i++) {
        low[i % 2] = fmin(low[i % 2], picture->x[i]);
        high[i % 2] = fmax(high[i % 2], picture->x[i]);
    }
}

exp_toy_canvas exp_toy_canvas_new(FILE *script, const exp_toy_record *record, bool optimal) {
    double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
    for (int i = 0; i < record->snapshot_count; i++)
        grow(&record->snapshots[i], record->points, low, high);
    for (int i = 0; i < record->frame_count; i++)
        grow(&record->frames[i], record->points, low, high);
    double side = fmax(fmax(high[0] - low[0], high[1] - low[1]) * 1.08, 1e-6);
    return (exp_toy_canvas){.script = script,
                            .record = record,
                            .optimal = optimal,
                            .left = (low[0] + high[0] - side) / 2,
                            .bottom = (low[1] + high[1] - side) / 2,
                            .side = side};
}

static void put_picture(const exp_toy_canvas *c, const char *name, int index,
                        const exp_toy_picture *picture) {
    fprintf(c->script, "$%s%d << END\n", name, index);
    for (int i = 0; i < c->record->points; i++) {
        int label = c->record->labels[i];
        fprintf(c->script, "%.6g %.6g %u\n", picture->x[2 * i], picture->x[2 * i + 1],
                exp_class_color(label, c->record->classes));
    }
    fputs("END\n", c->script);
}

void exp_toy_put_snapshots(const exp_toy_canvas *c) {
    for (int i = 0; i < c->record->snapshot_count; i++)
        put_picture(c, "snapshot", i, &c->record->snapshots[i]);
}

void exp_toy_put_frames(const exp_toy_canvas *c) {
    for (int i = 0; i < c->record->frame_count; i++)
        put_picture(c, "frame", i, &c->record->frames[i]);
}

void exp_toy_put_curves(const exp_toy_canvas *c) {
    const exp_toy_record *r = c->record;
    uint64_t intervals = r->steps < CURVE_POINTS ? r->steps : CURVE_POINTS;
    fputs("$curves << END\n", c->script);
    for (uint64_t i = 0; i <= intervals; i++) {
        uint64_t step = intervals ? r->steps * i / intervals : 0;
        fprintf(c->script, "%llu %.7g %.7g\n", (unsigned long long)step, r->rows[step].value,
                r->rows[step].temperature);
    }
    fputs("END\n$marks << END\n", c->script);
    for (int i = 0; i < r->snapshot_count; i++)
        fprintf(c->script, "%llu %.7g %.7g\n", (unsigned long long)r->snapshots[i].step,
                r->snapshots[i].value, r->snapshots[i].temperature);
    fputs("END\n", c->script);
}

/* --- frames --------------------------------------------------------------------------------------------- */

void exp_toy_put_terminal(const exp_toy_canvas *c, exp_canvas_format format, const char *output, int delay) {
    exp_canvas_begin(&(exp_canvas){c->script, c->width, c->height}, format, output, delay);
}

static void put_box(const exp_toy_canvas *c, exp_box box) {
    exp_canvas_box(&(exp_canvas){c->script, c->width, c->height}, box);
}

static const char *value_text(double value, char text[32]) {
    snprintf(text, 32, fabs(value) < 1000 ? "%.4f" : "%.4g", value);
    return text;
}

/* The smallest of 1, 2 and 5 times a power of ten that is not below `least`. */
static double round_step(double least) {
    double power = pow(10, floor(log10(least)));
    return power * (least <= power ? 1 : least <= 2 * power ? 2 : least <= 5 * power ? 5 : 10);
}

/* --- points --------------------------------------------------------------------------------------------- */

void exp_toy_put_points(const exp_toy_canvas *c, exp_box box, const exp_toy_picture *picture,
                        const char *data, bool numbers, double marks) {
    FILE *script = c->script;
    char value[32];
    double step = round_step(c->side / 9);
    put_box(c, box);
    fprintf(script, "set label 1 'SNNL %s' at graph 0.5,1 center offset 0,1.9 font ',14'\n",
            value_text(picture->value, value));
    fprintf(script, "set label 2 'step %llu", (unsigned long long)picture->step);
    if (c->optimal)
        fprintf(script, ", T %.3g", picture->temperature);
    fprintf(script, "' at graph 0.5,1 center offset 0,0.7 textcolor rgb '#606060'\n");
    fprintf(script, "unset logscale\nset xrange [%.9g:%.9g]\nset yrange [%.9g:%.9g]\n", c->left,
            c->left + c->side, c->bottom, c->bottom + c->side);
    fprintf(script, "set format '%s'\nset xtics %.9g\nset ytics %.9g\n", numbers ? "%g" : "", step, step);
    fprintf(script, "unset xlabel\nunset ylabel\n");
    fprintf(script, "plot %s using 1:2:3 with points pt 7 ps %g*mark lc rgb variable\n", data, marks);
}

/* --- curves --------------------------------------------------------------------------------------------- */

static void put_steps(const exp_toy_canvas *c, exp_box box, const char *title) {
    double last = c->record->steps ? (double)c->record->steps : 1;
    put_box(c, box);
    fprintf(c->script, "unset label\nset label 1 '%s' at graph 0,1 left offset 0,0.9 font ',12'\n", title);
    fprintf(c->script, "set xrange [%.9g:%.9g]\nset xlabel 'step' offset 0,0.3\n", -0.015 * last,
            1.015 * last);
    fputs("unset logscale\nset format '%.7g'\nset xtics autofreq\nset ytics autofreq\n", c->script);
}

void exp_toy_put_loss(const exp_toy_canvas *c, exp_box box, uint64_t now) {
    const exp_toy_record *r = c->record;
    FILE *script = c->script;
    double low = INFINITY, high = r->limit;
    for (uint64_t step = 0; step <= r->steps; step++) {
        low = fmin(low, r->rows[step].value);
        high = fmax(high, r->rows[step].value);
    }
    double span = fmax(high - low, 0.01);
    put_steps(c, box, "Soft nearest neighbor loss (nats)");
    fprintf(script, "set yrange [%.9g:%.9g]\n", low >= 0 ? fmax(0, low - 0.08 * span) : low,
            high + 0.1 * span);
    bool limited = r->limit > low + 0.2 * span && r->limit <= high;
    if (limited) /* its name stands where the curve is away from it */
        fprintf(script,
                "set label 2 'every neighbor equally likely: %.4f' at graph %s, first %.9g %s offset 0,-0.7 "
                "textcolor rgb '#808080'\n",
                r->limit, r->rising ? "0.01" : "0.99", r->limit, r->rising ? "left" : "right");
    fputs("plot ", script);
    if (limited)
        fprintf(script, "%.9g with lines lw 1 dt 2 lc rgb '#A0A0A0', ", r->limit);
    if (now < r->steps)
        fprintf(script, "$curves using 1:2 with lines lw 2 lc rgb '#D8D8D8', ");
    fprintf(script, "$curves using ($1 <= %llu ? $1 : NaN):2 with lines lw 2 lc rgb '#303030'",
            (unsigned long long)now);
    if (now < r->steps)
        fprintf(script, ", '+' using (%llu):(%.9g) every ::::0 with points pt 7 ps 1.5 lc rgb '#D55E00'\n",
                (unsigned long long)now, r->rows[now].value);
    else
        fprintf(script, ", $marks using 1:2 with points pt 7 ps 1.2*mark lc rgb '#D55E00'\n");
}

void exp_toy_put_temperature(const exp_toy_canvas *c, exp_box box) {
    put_steps(c, box, "Temperature that minimises it");
    fputs("set logscale y\nset yrange [*:*]\nset format y '%g'\n"
          "plot $curves using 1:3 with lines lw 2 lc rgb '#303030', "
          "$marks using 1:3 with points pt 7 ps 1.2*mark lc rgb '#D55E00'\n",
          c->script);
}
