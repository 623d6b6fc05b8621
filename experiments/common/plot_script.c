/* plot_script.c - four panels: loss, accuracy, and every layer's SNNL and temperature.
 *
 * Smoothing and the axes' ranges are computed here; gnuplot only draws. Positions and sizes are fractions of
 * the picture. */
#include "plot_script.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gnuplot.h"
#include "palette.h"

enum {
    WIDTH = 1600, /* pixels */
    HEIGHT = 1300,
    MOST_POINTS = 1500, /* of one curve: more cannot be seen */
    FEW_POINTS = 25     /* up to here each is marked */
};

/* The columns of the data, then one of SNNL per tap, then one of temperature per tap. */
enum { STEP, LOSS, CROSS_ENTROPY, ACCURACY, SMOOTH_LOSS, SMOOTH_CROSS_ENTROPY, SMOOTH_ACCURACY, FIRST_TAP };

/* What is drawn: some of the file's rows, evenly spaced, and averages around them. */
struct curves {
    const exp_metrics *metrics;
    size_t points, half_window, columns, test_points;
    double *values; /* [columns][points] */
};

struct range {
    double low, high;
};

/* Where a panel's plot stands. */
struct box {
    double left, right, bottom, top;
};

/* The faint ones are mixed with white. */
static const char color_loss[] = "#E69F00", color_loss_faint[] = "#FBECCC";
static const char color_train[] = "#0072B2", color_train_faint[] = "#C2DDEE";
static const char color_test[] = "#B8390E";

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Fills two columns, as logged and smoothed, from a column of the file times `factor`. */
static void take_column(struct curves *curves, const double *source, double factor, double *raw,
                        double *smooth, bool logarithmic) {
    size_t rows = curves->metrics->rows;
    for (size_t i = 0; i < curves->points; i++) {
        size_t row = curves->points > 1 ? i * (rows - 1) / (curves->points - 1) : 0;
        if (raw)
            raw[i] = factor * source[row];
        if (smooth)
            smooth[i] = factor * exp_metrics_average(source, rows, row, curves->half_window, logarithmic);
    }
}

static nn_status make_curves(const exp_metrics *metrics, struct curves *curves, nn_error *error) {
    size_t points = smaller(metrics->rows, MOST_POINTS), taps = metrics->tap_count;
    *curves =
        (struct curves){metrics, points, exp_metrics_half_window(metrics), FIRST_TAP + 2 * taps, 0, NULL};
    curves->values = calloc(curves->columns * points, sizeof *curves->values);
    if (!curves->values)
        return nn_fail_memory(error, "the curves");
    double *column = curves->values;
    take_column(curves, exp_metrics_column(metrics, "step"), 1, column, NULL, false);
    static const char *const names[] = {"loss", "cross_entropy", "accuracy"};
    for (size_t i = 0; i < 3; i++)
        take_column(curves, exp_metrics_column(metrics, names[i]), i == 2 ? 100 : 1,
                    column + (LOSS + i) * points, column + (SMOOTH_LOSS + i) * points, false);
    for (size_t i = 0; i < taps; i++) {
        take_column(curves, metrics->taps[i].snnl, 1, NULL, column + (FIRST_TAP + i) * points, false);
        take_column(curves, metrics->taps[i].temperature, 1, NULL, column + (FIRST_TAP + taps + i) * points,
                    true);
    }
    return NN_OK;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The range to show of `count` values times `factor` (of their logarithms to base 10, if asked for):
 * all of them, but for a few that lie so far out that nothing could be seen of the others. Empty (low > high)
 * where no value is finite. */
static nn_status find_range(const double *values, size_t count, double factor, bool logarithmic,
                            struct range *found, nn_error *error) {
    double *sorted = malloc(count * sizeof *sorted);
    if (!sorted)
        return nn_fail_memory(error, "the axes' ranges");
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        double value = logarithmic ? log10(values[i]) : factor * values[i];
        if (isfinite(value))
            sorted[n++] = value;
    }
    *found = (struct range){INFINITY, -INFINITY};
    if (n > 0) {
        qsort(sorted, n, sizeof *sorted, compare);
        struct range all = {sorted[0], sorted[n - 1]};
        struct range inner = {sorted[n / 50], sorted[n - 1 - n / 50]};
        double reach = 2 * (inner.high - inner.low);
        bool far_below = reach > 0 && all.low < inner.low - reach;
        bool far_above = reach > 0 && all.high > inner.high + reach;
        *found = (struct range){far_below ? inner.low : all.low, far_above ? inner.high : all.high};
    }
    free(sorted);
    return NN_OK;
}

static struct range join(struct range a, struct range b) {
    return (struct range){fmin(a.low, b.low), fmax(a.high, b.high)};
}

/* Room around a range, and at least `smallest` in all: a constant is drawn as one, in the middle. */
static struct range widen(struct range inner, double smallest) {
    if (!(inner.low <= inner.high))
        return (struct range){0, 1};
    double span = inner.high - inner.low;
    double room = fmax(0.06 * span, 0.5 * (smallest - span));
    return (struct range){inner.low - room, inner.high + room};
}

/* The least span of a linear axis: noise in the last digits must not fill a panel. */
static double least_span(struct range inner) {
    double size = fmax(fabs(inner.low), fabs(inner.high));
    return size > 0 ? 0.01 * size : 1;
}

static void put_data(FILE *script, struct curves *curves) {
    fprintf(script, "$curves << END\n");
    for (size_t i = 0; i < curves->points; i++)
        for (size_t c = 0; c < curves->columns; c++)
            exp_drawing_number(script, curves->values[c * curves->points + i],
                               c + 1 < curves->columns ? ' ' : '\n');
    fprintf(script, "END\n$test << END\n");
    const exp_metrics *metrics = curves->metrics;
    const double *step = exp_metrics_column(metrics, "step");
    const double *loss = exp_metrics_column(metrics, "test_loss");
    const double *accuracy = exp_metrics_column(metrics, "test_accuracy");
    for (size_t row = 0; row < metrics->rows; row++) {
        if (!isfinite(loss[row]) && !isfinite(accuracy[row]))
            continue;
        exp_drawing_number(script, step[row], ' ');
        exp_drawing_number(script, loss[row], ' ');
        exp_drawing_number(script, 100 * accuracy[row], '\n');
        curves->test_points++;
    }
    fprintf(script, "END\n");
}

static void put_frame(FILE *script, struct box box) {
    fprintf(script, "set lmargin at screen %g\nset rmargin at screen %g\n", box.left, box.right);
    fprintf(script, "set bmargin at screen %g\nset tmargin at screen %g\n", box.bottom, box.top);
}

/* An axis' name, upright beside its numbers. */
static void put_axis_name(FILE *script, int label, const char *name, double position) {
    fprintf(script, "set label %d '%s' at screen %g, graph 0.5 center rotate\n", label, name, position);
}

/* A panel's place, title and axes; what is drawn in it follows with `plot`. */
static void put_panel(FILE *script, struct box box, const char *title, const char *axis, struct range shown) {
    put_frame(script, box);
    fprintf(script, "set label 1 '%s' at graph 0,1 left offset 0,1 font ',14'\n", title);
    put_axis_name(script, 2, axis, box.left - 0.053);
    fprintf(script, "set yrange [%.9g:%.9g]\n", shown.low, shown.high);
}

static const char *style(const struct curves *curves) {
    return curves->points <= FEW_POINTS ? "linespoints pt 7 ps 0.6*mark" : "lines";
}

/* One curve over the steps, faintly as logged if it was smoothed. */
static void put_faint(FILE *script, const struct curves *curves, int column, const char *axes,
                      const char *color) {
    if (curves->half_window > 0)
        fprintf(script, "$curves using 1:%d axes %s with lines lw 1 lc rgb '%s' notitle, \\\n", column + 1,
                axes, color);
}

static void put_curve(FILE *script, const struct curves *curves, int column, const char *axes,
                      const char *color, const char *title) {
    fprintf(script, "$curves using 1:%d axes %s with %s lw 2 lc rgb '%s' title '%s'", column + 1, axes,
            style(curves), color, title);
}

static void put_test(FILE *script, const struct curves *curves, int column) {
    if (curves->test_points > 0)
        fprintf(script,
                ", \\\n$test using 1:%d with linespoints lw 2 pt 7 ps %g*mark lc rgb '%s' title 'test'",
                column, curves->test_points > 60 ? 0.4 : 0.9, color_test);
    putc('\n', script);
}

static nn_status put_loss(FILE *script, const struct curves *curves, struct box box, nn_error *error) {
    const double *values = curves->values, *test = exp_metrics_column(curves->metrics, "test_loss");
    size_t points = curves->points;
    struct range loss, entropy, tested;
    if (find_range(values + LOSS * points, points, 1, false, &loss, error) != NN_OK ||
        find_range(values + CROSS_ENTROPY * points, points, 1, false, &entropy, error) != NN_OK ||
        find_range(test, curves->metrics->rows, 1, false, &tested, error) != NN_OK)
        return error->status;
    entropy = join(entropy, tested);

    /* A heavy SNNL term takes the loss far from the cross-entropy: then each has an axis of its own. */
    struct range both = join(loss, entropy);
    bool apart = both.high - both.low > 4 * (entropy.high - entropy.low);
    struct range left = apart ? entropy : both;
    put_panel(script, box, "Loss", apart ? "cross-entropy (nats)" : "loss (nats)",
              widen(left, least_span(left)));
    const char *axes = "x1y1", *title = "loss";
    bool same = memcmp(values + LOSS * points, values + CROSS_ENTROPY * points, points * sizeof *values) == 0;
    if (apart) {
        struct range right = widen(loss, least_span(loss));
        fprintf(script, "set y2range [%.9g:%.9g]\nset y2tics\n", right.low, right.high);
        put_axis_name(script, 3, "loss (nats)", box.right + 0.053);
        axes = "x1y2";
        title = "loss (right axis)";
    }
    fprintf(script, "plot ");
    if (!same)
        put_faint(script, curves, LOSS, axes, color_loss_faint);
    put_faint(script, curves, CROSS_ENTROPY, "x1y1", color_train_faint);
    if (!same) {
        put_curve(script, curves, SMOOTH_LOSS, axes, color_loss, title);
        fprintf(script, ", \\\n");
    }
    put_curve(script, curves, SMOOTH_CROSS_ENTROPY, "x1y1", color_train,
              same ? "loss = cross-entropy" : "cross-entropy");
    put_test(script, curves, 2);
    fprintf(script, "unset y2tics\nunset label\n");
    return NN_OK;
}

static nn_status put_accuracy(FILE *script, const struct curves *curves, struct box box, nn_error *error) {
    const double *test = exp_metrics_column(curves->metrics, "test_accuracy");
    struct range train, tested;
    if (find_range(curves->values + ACCURACY * curves->points, curves->points, 1, false, &train, error) !=
            NN_OK ||
        find_range(test, curves->metrics->rows, 100, false, &tested, error) != NN_OK)
        return error->status;
    struct range shown = widen(join(train, tested), 2);
    shown = (struct range){fmax(shown.low, -1), fmin(shown.high, 101)};
    put_panel(script, box, "Accuracy", "accuracy (%)", shown);
    fprintf(script, "plot ");
    put_faint(script, curves, ACCURACY, "x1y1", color_train_faint);
    put_curve(script, curves, SMOOTH_ACCURACY, "x1y1", color_train, "training");
    put_test(script, curves, 3);
    return NN_OK;
}

/* One curve for each tap, from the column `first` on, or only the names, for a legend, where that is 0. */
static void put_taps(FILE *script, const struct curves *curves, size_t first) {
    const exp_metrics *metrics = curves->metrics;
    exp_tap_colors colors = {0};
    char color[EXP_COLOR_MAX];
    for (size_t i = 0; i < metrics->tap_count; i++)
        exp_tap_colors_count(&colors, metrics->taps[i].name);
    fprintf(script, "plot ");
    for (size_t i = 0; i < metrics->tap_count; i++) {
        const char *name = metrics->taps[i].name;
        exp_tap_colors_take(&colors, name, color);
        if (first > 0)
            fprintf(script, "$curves using 1:%zu", first + i + 1);
        else
            fprintf(script, "NaN");
        fprintf(script, " with %s lw 2 dt %s lc rgb '%s' title ", style(curves),
                exp_is_inner_tap(name) ? "(9,4)" : "1", color);
        exp_drawing_quote(script, name);
        fprintf(script, i + 1 < metrics->tap_count ? ", \\\n" : "\n");
    }
}

/* A logarithmic axis over 10^low to 10^high, with 2 and 5 marked beside the powers of ten where there is
 * room. */
static void put_log_axis(FILE *script, struct range decades) {
    fprintf(script, "set logscale y\nset mytics 10\nset grid mytics\nset format y '%%g'\n");
    if (decades.high - decades.low > 3)
        return;
    const char *before = "set ytics (";
    /* NOLINTNEXTLINE(clang-analyzer-security.FloatLoopCounter): whole numbers */
    for (double decade = floor(decades.low); decade <= decades.high; decade++) {
        double power = pow(10, decade);
        fprintf(script, "%s%g, %g, %g", before, power, 2 * power, 5 * power);
        before = ", ";
    }
    fprintf(script, ")\n");
}

static nn_status put_layers(FILE *script, const struct curves *curves, struct box snnl_box,
                            struct box temperature_box, nn_error *error) {
    size_t taps = curves->metrics->tap_count, count = taps * curves->points;
    const double *values = curves->values + FIRST_TAP * curves->points;
    struct range snnl, temperature;
    if (find_range(values, count, 1, false, &snnl, error) != NN_OK ||
        find_range(values + count, count, 1, true, &temperature, error) != NN_OK)
        return error->status;
    put_panel(script, snnl_box, "Soft nearest neighbor loss of each layer", "SNNL (nats)",
              widen(snnl, least_span(snnl)));
    fprintf(script, "unset key\n");
    put_taps(script, curves, FIRST_TAP);

    /* At least a decade, so that a power of ten is always marked. */
    temperature = widen(temperature, 1);
    struct range shown = {pow(10, temperature.low), pow(10, temperature.high)};
    put_panel(script, temperature_box, "Temperature of each layer", "temperature", shown);
    put_log_axis(script, temperature);
    put_taps(script, curves, FIRST_TAP + taps);

    /* gnuplot makes a legend as high as its panel: one for both panels takes a panel of its own. */
    put_frame(script, (struct box){snnl_box.right, 1, temperature_box.bottom, snnl_box.top});
    fprintf(script,
            "unset logscale y\nunset border\nunset tics\nunset grid\nunset xlabel\nunset label\n"
            "set key at graph 0.12,1 left top vertical Left reverse maxrows 40 samplen 2.5 spacing 1.15\n");
    put_taps(script, curves, 0);
    return NN_OK;
}

static void put_heading(FILE *script, const struct curves *curves, const char *title) {
    fprintf(script, "set label 10 ");
    exp_drawing_quote(script, title);
    fprintf(script, " at screen 0.5,0.975 center font ',18'\n");
    if (curves->half_window > 0)
        fprintf(script,
                "set label 11 'lines: moving average over %zu logged steps; faint: as logged' "
                "at screen 0.5,0.951 center textcolor rgb '#606060'\n",
                2 * curves->half_window + 1);
}

static nn_status put_picture(FILE *script, const struct curves *curves, const char *title, nn_error *error) {
    bool layers = curves->metrics->tap_count > 0;
    double bottom = layers ? 0.665 : 0.06;
    const double *step = curves->values + STEP * curves->points;
    struct range steps = {step[0], step[curves->points - 1]};
    if (!(steps.low < steps.high))
        steps = (struct range){steps.low - 1, steps.low + 1};
    else if (steps.low > 0 && steps.low < 0.1 * steps.high)
        steps.low = 0;
    fprintf(script, "reset\nset multiplot\nset xrange [%.9g:%.9g]\nset xlabel 'training step'\n", steps.low,
            steps.high);
    fprintf(script,
            "set border 3 lc rgb '#808080'\nset tics nomirror textcolor rgb '#303030' format '%%.7g'\n"
            "set grid lt 1 lw 1 lc rgb '#DDDDDD', lt 1 lw 1 lc rgb '#F0F0F0'\n"
            "set key at graph 1,1 right bottom horizontal Left reverse maxrows 1 samplen 2\n");
    put_heading(script, curves, title);
    nn_status status = put_loss(script, curves, (struct box){0.065, 0.455, bottom, 0.9}, error);
    if (status == NN_OK)
        status = put_accuracy(script, curves, (struct box){0.58, 0.98, bottom, 0.9}, error);
    if (status == NN_OK && layers)
        status = put_layers(script, curves, (struct box){0.065, 0.85, 0.36, 0.585},
                            (struct box){0.065, 0.85, 0.06, 0.28}, error);
    fprintf(script, "unset multiplot\n");
    return status;
}

nn_status exp_plot_script(FILE *script, const exp_metrics *metrics, const char *title, const char *png,
                          const char *svg, nn_error *error) {
    struct curves curves;
    nn_status status = make_curves(metrics, &curves, error);
    if (status != NN_OK)
        return status;
    fprintf(script, "set encoding utf8\n");
    put_data(script, &curves);
    /* Both in the same sizes: PNG counts fonts in points of 4/3 pixels and draws smaller marks. */
    fprintf(script,
            "set terminal pngcairo noenhanced size %d,%d font 'Sans,12' background '#FFFFFF'\nmark = 1\n"
            "set output ",
            WIDTH, HEIGHT);
    exp_drawing_quote(script, png);
    putc('\n', script);
    status = put_picture(script, &curves, title, error);
    fprintf(script,
            "set terminal svg noenhanced size %d,%d font 'Sans,12' fontscale 1.333 background "
            "'#FFFFFF'\nmark = 0.75\nset output ",
            WIDTH, HEIGHT);
    exp_drawing_quote(script, svg);
    putc('\n', script);
    if (status == NN_OK)
        status = put_picture(script, &curves, title, error);
    fprintf(script, "unset output\n");
    free(curves.values);
    return status;
}
