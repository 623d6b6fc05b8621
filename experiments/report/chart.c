#include "chart.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/common/gnuplot.h"

enum {
    WIDTH = 480,
    HEIGHT = 320,
    DOTS_WIDTH = 320,
    DOTS_HEIGHT = 372
};                        /* units of the picture, in which letters are 13 high */
enum { MOST_TICKS = 24 }; /* that can be read side by side */

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
    if (!chart)
        return;
    for (int i = 0; i < chart->count; i++)
        free(chart->series[i].x); /* one block holds all arrays of a series */
    free(chart->tick_names);
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

bool exp_chart_name_ticks(exp_chart *chart, int count) {
    free(chart->tick_names);
    chart->tick_names = calloc((size_t)count + 1, sizeof *chart->tick_names);
    chart->ticks = chart->tick_names ? count : 0;
    return chart->tick_names != NULL;
}

static void put_data(FILE *script, const exp_chart *chart) {
    for (int i = 0; i < chart->count; i++) {
        const exp_series *s = &chart->series[i];
        fprintf(script, "$series%d << END\n", i);
        for (int k = 0; k < s->count; k++) {
            exp_drawing_number(script, s->x[k], ' ');
            exp_drawing_number(script, s->y[k], ' ');
            exp_drawing_number(script, s->low ? s->low[k] : NAN, ' ');
            exp_drawing_number(script, s->high ? s->high[k] : NAN, '\n');
        }
        fputs("END\n", script);
    }
}

/* In a tick's name % begins a number's format. */
static void put_tick_name(FILE *script, const char *name) {
    char text[2 * EXP_TICK_NAME_MAX];
    size_t length = 0;
    for (; *name; name++) {
        text[length++] = *name;
        if (*name == '%')
            text[length++] = '%';
    }
    text[length] = '\0';
    exp_drawing_quote(script, text);
}

/* Names that do not fit side by side are slanted, or, where that is not enough, upright. */
static void put_ticks(FILE *script, const exp_chart *chart) {
    int step = (chart->ticks + MOST_TICKS - 1) / MOST_TICKS;
    size_t longest = 0, shown = 0;
    if (chart->ticks == 0)
        return;
    fprintf(script, "set xrange [-0.5:%d.5]\nset xtics (", chart->ticks - 1);
    for (int i = 0; i < chart->ticks; i += step, shown++) {
        size_t length = strlen(chart->tick_names[i]);
        longest = length > longest ? length : longest;
        fputs(i ? ", " : "", script);
        put_tick_name(script, chart->tick_names[i]);
        fprintf(script, " %d", i);
    }
    fputs(")\n", script);
    if (longest > 3 && shown > 12)
        fputs("set xtics rotate by 90 right\nset rmargin 3\n", script);
    else if ((10 * longest + 7) * shown > 540)
        fputs("set xtics rotate by 35 right\nset rmargin 3\n", script);
}

static bool has_dots(const exp_chart *chart) {
    return chart->count > 0 && chart->series[0].style == EXP_CHART_DOTS;
}

/* Whether any point can be seen. */
static bool has_points(const exp_chart *chart) {
    for (int i = 0; i < chart->count; i++)
        for (int k = 0; k < chart->series[i].count; k++) {
            double x = chart->series[i].x[k], y = chart->series[i].y[k];
            if (isfinite(x) && isfinite(y) && (y > 0 || !chart->log_y))
                return true;
        }
    return false;
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
          "unset ylabel\n"
          "set lmargin 1.5\nset rmargin 1.5\nset bmargin 2.2\nset xlabel offset 0,0.2 textcolor rgb "
          "'#505050'\n",
          script);
}

static void put_axes(FILE *script, const exp_chart *chart) {
    fputs("set border 3 lc rgb '#808080'\nset tics nomirror textcolor rgb '#303030'\nset grid lt 1 lw 1 lc "
          "rgb '#E4E4E4'\n"
          "unset mytics\nunset key\nset tmargin 2.5\nset title ",
          script);
    exp_drawing_quote(script, chart->title);
    fputs(" font ',14' offset 0,-0.3\nset xlabel ", script);
    exp_drawing_quote(script, chart->x_label);
    fputs("\nset ylabel ", script);
    exp_drawing_quote(script, chart->y_label);
    fputs("\nset autoscale xfix\n", script);
    fputs(chart->log_y ? "set logscale y\nset format y '%g'\n" : "set offsets 0, 0, graph 0.04, graph 0.04\n",
          script);
    if (chart->y_low < chart->y_high)
        fprintf(script, "set yrange [%.7g:%.7g]\n", chart->y_low, chart->y_high);
    if (chart->y_low < chart->y_high && chart->diagonal)
        fprintf(script, "set xrange [%.7g:%.7g]\n", chart->y_low, chart->y_high);
    put_ticks(script, chart);
    if (has_dots(chart))
        put_square(script, chart);
}

/* gnuplot's own bars are cleared around their middle, so that lines and marks would be hidden by them: these are vectors
 * with flat heads. */
static void put_series(FILE *script, const exp_chart *chart, int i) {
    const exp_series *s = &chart->series[i];
    /* Bars of neighbouring series stand side by side, so that they can be told apart. */
    double aside =
        s->low && chart->ticks ? fmin(0.08, 0.6 / chart->count) * (i - (chart->count - 1) / 2.0) : 0;
    if (s->style == EXP_CHART_DOTS) {
        fprintf(script, "$series%d using 1:2 notitle with points pt 7 ps 0.28 lc rgb '%s'", i, s->color);
        return;
    }
    fprintf(script, "$series%d using ($1+%.3g):2 notitle with lines lw 2 dt %s lc rgb '%s'", i, aside,
            s->dashed ? "(8,4)" : "1", s->color);
    if (s->style == EXP_CHART_LINES)
        return;
    fprintf(script, ", $series%d using ($1+%.3g):2 notitle with points pt 7 ps 0.6 lc rgb '%s'", i, aside,
            s->color);
    if (s->low)
        fprintf(
            script,
            ", $series%d using ($1+%.3g):3:(0):($4-$3) notitle with vectors heads size graph 0.01,90 fixed "
            "lw 1.2 lc rgb '%s'",
            i, aside, s->color);
}

static void put_plot(FILE *script, const exp_chart *chart) {
    if (!has_points(chart)) {
        fputs("set label 'no values' at graph 0.5, graph 0.5 center textcolor rgb '#808080'\nunset logscale\n"
              "set xrange [0:1]\nset yrange [0:1]\nunset tics\nplot NaN notitle\n",
              script);
        return;
    }
    fputs("plot ", script);
    if (chart->diagonal)
        fputs("x notitle with lines lw 1 dt (4,4) lc rgb '#909090'", script);
    for (int i = 0; i < chart->count; i++) {
        if (i > 0 || chart->diagonal)
            fputs(", \\\n", script);
        put_series(script, chart, i);
    }
    putc('\n', script);
}

nn_status exp_chart_draw(const exp_chart *chart, const char *svg, nn_error *error) {
    exp_drawing *drawing;
    if (exp_drawing_new(&drawing, (const char *[]){svg, NULL}, error) != NN_OK)
        return error->status;
    FILE *script = exp_drawing_script(drawing);
    int width = has_dots(chart) ? DOTS_WIDTH : WIDTH, height = has_dots(chart) ? DOTS_HEIGHT : HEIGHT;
    put_data(script, chart);
    fprintf(script,
            "set encoding utf8\nset terminal svg noenhanced dynamic size %d,%d font 'Sans,13' background "
            "'#FFFFFF'\nset output '%s'\n",
            width, height, exp_drawing_output(0));
    put_axes(script, chart);
    put_plot(script, chart);
    fputs("unset output\n", script);
    return exp_drawing_draw(drawing, error);
}
