/* chart.h - curves with their uncertainty, as an SVG picture. */
#ifndef EXP_CHART_H
#define EXP_CHART_H

#include "experiments/common/palette.h"
#include "framework/framework.h"

typedef enum exp_chart_style {
    EXP_CHART_LINES, /* a line through the points */
    EXP_CHART_MARKS, /* points, joined by a line, with bars from low to high */
    EXP_CHART_DOTS /* points alone; the chart's axes have equal units and no numbers, and its x label stands under it */
} exp_chart_style;

typedef struct exp_series {
    char name[NN_NAME_MAX]; /* for the legend, which is not in the picture: see exp_html_legend */
    char color[EXP_COLOR_MAX];
    bool dashed;
    exp_chart_style style;
    int count;
    double *x, *y;      /* [count]; a NaN in y is a gap */
    double *low, *high; /* [count], or NULL */
} exp_series;

enum { EXP_SERIES_MAX = 40, EXP_TICK_NAME_MAX = 24 };

typedef struct exp_chart {
    const char *title, *x_label, *y_label;
    bool log_y;
    double y_low, y_high; /* equal: fitted */
    bool diagonal;        /* the line y = x, and x has the range of y */
    int ticks;            /* names at x = 0, 1, ...; 0: numbers */
    char (*tick_names)
        [EXP_TICK_NAME_MAX]; /* [ticks]; where they are many only every second or third ... is shown */
    bool no_legend;
    int count;
    exp_series series[EXP_SERIES_MAX];
} exp_chart;

/* A chart without series; freed with all its arrays by exp_chart_free. NULL without memory. */
exp_chart *exp_chart_new(const char *title, const char *x_label, const char *y_label);
void exp_chart_free(exp_chart *chart);

/* The next series, with arrays for `count` points, low and high only if wanted, all NaN. The first EXP_SERIES_MAX are
 * kept; NULL for those after them, and without memory. */
exp_series *exp_chart_add(exp_chart *chart, const char *name, const char *color, exp_chart_style style,
                          int count, bool bars);

/* Room for the names of x = 0, 1, ..., count - 1: chart->tick_names, empty. False without memory; then x has numbers. */
bool exp_chart_name_ticks(exp_chart *chart, int count);

/* Draws into the file `svg`, which scales with the page. A chart without a point that can be shown says so. NN_EFILE where
 * the file cannot be written. */
nn_status exp_chart_draw(const exp_chart *chart, const char *svg, nn_error *error);

#endif
