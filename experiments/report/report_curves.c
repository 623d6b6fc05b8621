/* report_curves.c - a run's layers over the training steps, from its metrics.csv. */
#define _GNU_SOURCE /* asprintf */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/common/metrics.h"
#include "section.h"

enum { MOST_POINTS = 300 }; /* of one curve: more cannot be seen at the size of a figure */

/* Whether a tap is shown. */
typedef bool choice(const exp_metrics *metrics, size_t tap);

static bool is_outer(const exp_metrics *metrics, size_t tap) {
    return !exp_is_inner_tap(metrics->taps[tap].name);
}

/* The block that the inner taps are in counts with them: it is where they lead. */
static bool is_in_last_block(const exp_metrics *metrics, size_t tap) {
    const char *name = metrics->taps[tap].name;
    for (size_t i = 0; i < metrics->tap_count; i++) {
        const char *inner = metrics->taps[i].name, *dot = strchr(inner, '.');
        if (dot && strncmp(inner, name, (size_t)(dot - inner)) == 0 &&
            (name[dot - inner] == '\0' || name[dot - inner] == '.'))
            return true;
    }
    return false;
}

static void fill(exp_series *series, const exp_metrics *metrics, const double *column, bool logarithmic) {
    const double *step = exp_metrics_column(metrics, "step");
    size_t half_window = exp_metrics_half_window(metrics);
    for (int k = 0; k < series->count; k++) {
        size_t row = series->count > 1 ? (size_t)k * (metrics->rows - 1) / (size_t)(series->count - 1) : 0;
        series->x[k] = step[row];
        series->y[k] = exp_metrics_average(column, metrics->rows, row, half_window, logarithmic);
    }
}

static nn_status draw(exp_section *section, const exp_metrics *metrics, choice *shown, bool temperature,
                      const char *title, nn_error *error) {
    exp_chart *chart = exp_chart_new(title, "training step", temperature ? "temperature" : "SNNL (nats)");
    exp_tap_colors colors = {0};
    for (size_t i = 0; i < metrics->tap_count; i++)
        if (shown(metrics, i))
            exp_tap_colors_count(&colors, metrics->taps[i].name);
    for (size_t i = 0; chart && i < metrics->tap_count; i++) {
        const exp_metrics_tap *tap = &metrics->taps[i];
        char color[EXP_COLOR_MAX];
        if (!shown(metrics, i))
            continue;
        exp_tap_colors_take(&colors, tap->name, color);
        int points = metrics->rows < MOST_POINTS ? (int)metrics->rows : MOST_POINTS;
        if (shown == is_in_last_block && !exp_is_inner_tap(tap->name))
            snprintf(color, sizeof color, "#000000"); /* the block's output, among what is inside it */
        exp_series *series = exp_chart_add(chart, tap->name, color, EXP_CHART_LINES, points, false);
        if (!series)
            break;
        series->dashed = exp_is_inner_tap(tap->name);
        fill(series, metrics, temperature ? tap->temperature : tap->snnl, temperature);
    }
    if (chart)
        chart->log_y = temperature;
    return exp_section_chart(section, chart, error);
}

static bool has_inner_taps(const exp_metrics *metrics) {
    for (size_t i = 0; i < metrics->tap_count; i++)
        if (!is_outer(metrics, i))
            return true;
    return false;
}

nn_status exp_report_curves(exp_section *section, const char *run, const char *heading, nn_error *error) {
    exp_metrics metrics;
    char *path;
    if (asprintf(&path, "%s/metrics.csv", run) < 0)
        return nn_fail_memory(error, run);
    nn_status status = exp_metrics_read(path, &metrics, error);
    free(path);
    exp_html_element(section->page, "h3", "%s", heading);
    if (status != NN_OK)
        return exp_section_omit(section, "The curves", error);
    exp_section_grid(section, false);
    if (has_inner_taps(&metrics))
        status =
            draw(section, &metrics, is_in_last_block, false, "Layers of the final residual block", error);
    if (status == NN_OK)
        status = draw(section, &metrics, is_outer, false, "Every layer", error);
    if (status == NN_OK)
        status = draw(section, &metrics, is_outer, true, "Temperature of every layer", error);
    exp_section_grid_end(section);
    exp_metrics_free(&metrics);
    return status;
}
