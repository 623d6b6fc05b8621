#include "chart.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/common/gnuplot.h"

enum { WIDTH = 480, HEIGHT = 320, SQUARE = 400 }; /* units of the picture, in which letters are 13 high */

exp_chart *exp_chart_new(const char *title, const char *x_label, const char *y_label) {
    exp_chart *chart = calloc(1, sizeof *chart);
    if (chart) {
        chart->title = title;
        chart->x_label = x_label;
        chart->y_label = y_label;
    }
    return chart;
}

void exp_chart_free(exp_chart *chart) {
    for (int i = 0; chart && i < chart->count; i++)
        free(chart->series[i].x); /* one block holds all arrays of a series */
    free(chart);
}

exp_series *exp_chart_add(exp_chart *chart, const char *name, const char *color, exp_chart_style style,
                          int count, bool bars) {
    size_t arrays = bars ? 4 : 2, points = (size_t)count;
    double *values = chart->count < EXP_SERIES_MAX ? calloc(arrays * points + 1, sizeof *values) : NULL;
    if (!values)
        return NULL;
    for (size_t i = 0; i < arrays * points; i++)
        values[i] = NAN;
    exp_series *s = &chart->series[chart->count++];
    *s = (exp_series){.style = style, .count = count, .x = values, .y = values + points};
    if (bars) {
        s->low = values + 2 * points;
        s->high = values + 3 * points;
    }
    snprintf(s->name, sizeof s->name, "%s", name);
    snprintf(s->color, sizeof s->color, "%s", color);
    return s;
}

static void put_number(FILE *script, double value, char after) {
    if (isfinite(value))
        fprintf(script, "%.7g%c", value, after);
    else
        fprintf(script, "NaN%c", after);
}

static void put_data(FILE *script, const exp_chart *chart) {
    for (int i = 0; i < chart->count; i++) {
        const exp_series *s = &chart->series[i];
        fprintf(script, "$series%d << END\n", i);
        for (int k = 0; k < s->count; k++) {
            put_number(script, s->x[k], ' ');
            put_number(script, s->y[k], ' ');
            put_number(script, s->low ? s->low[k] : NAN, ' ');
            put_number(script, s->high ? s->high[k] : NAN, '\n');
        }
        fputs("END\n", script);
    }
}

static void put_ticks(FILE *script, const exp_chart *chart) {
    if (chart->ticks == 0)
        return;
    fprintf(script, "set xrange [-0.5:%d.5]\nset xtics (", chart->ticks - 1);
    for (int i = 0; i < chart->ticks; i++) {
        exp_drawing_quote(script, chart->tick_names[i]);
        fprintf(script, " %d%s", i, i + 1 < chart->ticks ? ", " : ")\n");
    }
    size_t longest = 0;
    for (int i = 0; i < chart->ticks; i++)
        longest = strlen(chart->tick_names[i]) > longest ? strlen(chart->tick_names[i]) : longest;
    if (longest * (size_t)chart->ticks > 55)
        fputs("set xtics rotate by -35\nset rmargin 6\n", script);
}

static bool has_dots(const exp_chart *chart) {
    return chart->count > 0 && chart->series[0].style == EXP_CHART_DOTS;
}

/* A square field with room around the dots. */
static void put_square(FILE *script, const exp_chart *chart) {
    double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
    for (int i = 0; i < chart->count; i++)
        for (int k = 0; k < chart->series[i].count; k++)
            for (int axis = 0; axis < 2; axis++) {
                double value = (axis ? chart->series[i].y : chart->series[i].x)[k];
                low[axis] = fmin(low[axis], value);
                high[axis] = fmax(high[axis], value);
            }
    double half = 0.53 * fmax(high[0] - low[0], high[1] - low[1]);
    if (half > 0 && isfinite(half))
        for (int axis = 0; axis < 2; axis++)
            fprintf(script, "set %crange [%.6g:%.6g]\n", "xy"[axis], (low[axis] + high[axis]) / 2 - half,
                    (low[axis] + high[axis]) / 2 + half);
    fputs("set offsets 0, 0, 0, 0\nset size ratio 1\nset border 15 lc rgb '#C0C0C0'\nunset xtics\nunset "
          "ytics\nunset grid\n"
          "unset xlabel\nunset ylabel\n",
          script);
}

static void put_axes(FILE *script, const exp_chart *chart) {
    fputs("set border 3 lc rgb '#808080'\nset tics nomirror textcolor rgb '#303030'\nset grid lt 1 lw 1 lc "
          "rgb '#E4E4E4'\n"
          "unset key\nset title ",
          script);
    exp_drawing_quote(script, chart->title);
    fputs(" font ',14'\nset xlabel ", script);
    exp_drawing_quote(script, chart->x_label);
    fputs("\nset ylabel ", script);
    exp_drawing_quote(script, chart->y_label);
    fputs("\nset autoscale xfix\n", script);
    fputs(chart->log_y ? "set logscale y\nset format y '%g'\n" : "set offsets 0, 0, graph 0.04, graph 0.04\n",
          script);
    if (chart->y_low < chart->y_high)
        fprintf(script, "set yrange [%.7g:%.7g]\n", chart->y_low, chart->y_high);
    put_ticks(script, chart);
    if (has_dots(chart))
        put_square(script, chart);
}

static void put_series(FILE *script, const exp_chart *chart, int i) {
    const exp_series *s = &chart->series[i];
    /* Marks of neighbouring series stand side by side, so that their bars can be told apart. */
    double aside = s->style == EXP_CHART_MARKS && chart->ticks ? 0.08 * (i - (chart->count - 1) / 2.0) : 0;
    const char *dash = s->dashed ? "(8,4)" : "1";
    fprintf(script, "$series%d using ($1+%.3g):2 ", i, aside);
    if (s->style == EXP_CHART_DOTS)
        fprintf(script, "with points pt 7 ps 0.22 lc rgb '%s'", s->color);
    else
        fprintf(script, "with lines lw 2 dt %s lc rgb '%s'", dash, s->color);
    if (s->style != EXP_CHART_MARKS)
        return;
    fprintf(script, ", $series%d using ($1+%.3g):2 with points pt 7 ps 0.6 lc rgb '%s'", i, aside, s->color);
    if (s->low)
        fprintf(script, ", $series%d using ($1+%.3g):2:3:4 with yerrorbars pt 0 lw 1.2 lc rgb '%s'", i, aside,
                s->color);
}

nn_status exp_chart_draw(const exp_chart *chart, const char *svg, nn_error *error) {
    exp_drawing *drawing;
    if (exp_drawing_new(&drawing, (const char *[]){svg, NULL}, error) != NN_OK)
        return error->status;
    FILE *script = exp_drawing_script(drawing);
    put_data(script, chart);
    fprintf(script,
            "set encoding utf8\nset terminal svg noenhanced dynamic size %d,%d font 'Sans,13' background "
            "'#FFFFFF'\n",
            has_dots(chart) ? SQUARE : WIDTH, has_dots(chart) ? SQUARE : HEIGHT);
    fprintf(script, "set output '%s'\n", exp_drawing_output(0));
    put_axes(script, chart);
    fputs("plot ", script);
    if (chart->diagonal)
        fputs("x with lines lw 1 dt (4,4) lc rgb '#909090'", script);
    for (int i = 0; i < chart->count; i++) {
        if (i > 0 || chart->diagonal)
            fputs(", \\\n", script);
        put_series(script, chart, i);
    }
    fputs(chart->count == 0 && !chart->diagonal ? "NaN\nunset output\n" : "\nunset output\n", script);
    return exp_drawing_draw(drawing, error);
}
