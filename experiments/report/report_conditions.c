/* report_conditions.c - what a block's conditions came to, as a table and as charts.
 *
 * A block that varies one option has it along the x axis. One that varies two has a curve for each value of one of them:
 * of the SNNL weight where that is varied, else of the one with fewer values. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/study/summary.h"
#include "numbers.h"

/* --- table ---------------------------------------------------------------------------------------------- */

static double best(const double *values, int count) {
    double largest = NAN;
    for (int i = 0; i < count; i++)
        largest = isnan(largest) || values[i] > largest ? values[i] : largest;
    return largest;
}

static void put_condition(FILE *page, const exp_block_results *b, int condition) {
    static const struct {
        exp_number *of;
        int digits;
    } columns[] = {
        {exp_number_accuracy, 2}, {exp_number_cross_entropy, 3}, {exp_number_calibration_error, 2}};
    double values[EXP_VALUES_MAX];
    int seeds = b->block->seeds;
    char text[EXP_CONDITION_MAX];
    fputs("<tr><td>", page);
    exp_html_text(page, exp_condition_label(b->results[condition].run, text));
    exp_block_numbers(b, condition, exp_number_accuracy, values);
    fprintf(page, "</td><td>%d</td>", exp_known(values, seeds));
    exp_put_number(page, best(values, seeds), 2);
    for (size_t k = 0; k < sizeof columns / sizeof *columns; k++) {
        exp_block_numbers(b, condition, columns[k].of, values);
        exp_difference difference = exp_block_difference(b, condition, columns[k].of);
        exp_put_number(page, exp_mean(values, seeds), columns[k].digits);
        exp_put_difference(page, &difference, columns[k].digits);
    }
    exp_block_numbers(b, condition, exp_number_generalisation_gap, values);
    exp_put_number(page, exp_mean(values, seeds), 2);
    fputs("</tr>\n", page);
}

void exp_report_table(exp_section *section, const exp_block_results *b) {
    FILE *page = section->page;
    fputs("<div class=\"wide\"><table>\n<tr><th>condition</th><th>seeds</th><th>best accuracy, "
          "%</th><th>mean accuracy, %</th>"
          "<th>difference</th><th>cross-entropy</th><th>difference</th><th>ECE, %</th><th>difference</th>"
          "<th>train &minus; test, %</th></tr>\n",
          page);
    for (int condition = 0; condition < b->block->conditions; condition++)
        put_condition(page, b, condition);
    fputs("</table></div>\n", page);
}

/* --- charts --------------------------------------------------------------------------------------------- */

enum { ALL = -1, NONE = -2 };

/* Places in block->varied: what runs along x (ALL: the conditions as they come) and what has a curve for each of its
 * values (or NONE). */
typedef struct axes {
    int x, curves;
} axes;

static axes choose_axes(const exp_study_block *block) {
    if (block->varied_count == 1)
        return (axes){0, NONE};
    if (block->varied_count != 2)
        return (axes){ALL, NONE};
    for (int i = 0; i < 2; i++)
        if (strcmp(block->varied[i].name, "snnl-weight") == 0)
            return (axes){1 - i, i};
    int fewer = block->varied[1].count < block->varied[0].count;
    return (axes){1 - fewer, fewer};
}

static int x_count(const exp_study_block *block, axes a) {
    return a.x == ALL ? block->conditions : block->varied[a.x].count;
}

static int curve_count(const exp_study_block *block, axes a) {
    return a.curves == NONE ? 1 : block->varied[a.curves].count;
}

/* Conditions are in the order of a product, the last option fastest. */
static int condition_at(const exp_study_block *block, axes a, int x, int curve) {
    if (a.curves == NONE)
        return x;
    return a.x < a.curves ? x * block->varied[a.curves].count + curve : curve * block->varied[a.x].count + x;
}

/* What is along x: an option, or all that vary. */
static const char *x_label(const exp_study_block *block, axes a, char text[EXP_CONDITION_MAX]) {
    text[0] = '\0';
    for (int i = 0; i < block->varied_count; i++)
        if (a.x == ALL || a.x == i)
            snprintf(text + strlen(text), EXP_CONDITION_MAX - strlen(text), "%s%s", text[0] ? ", " : "",
                     block->varied[i].name);
    return text;
}

/* The values of these options at place x. */
static void name_tick(const exp_study_block *block, axes a, int x, char name[EXP_TICK_NAME_MAX]) {
    int rest = x, chosen[EXP_VALUES_MAX] = {0};
    if (a.x != ALL) {
        snprintf(name, EXP_TICK_NAME_MAX, "%.*s", EXP_TICK_NAME_MAX - 1, block->varied[a.x].values[x]);
        return;
    }
    for (int i = block->varied_count - 1; i >= 0; rest /= block->varied[i--].count)
        chosen[i] = rest % block->varied[i].count;
    for (int i = 0; i < block->varied_count; i++)
        snprintf(name + strlen(name), EXP_TICK_NAME_MAX - strlen(name), "%s%s", i ? ", " : "",
                 block->varied[i].values[chosen[i]]);
}

static void name_ticks(exp_chart *chart, const exp_study_block *block, axes a) {
    if (exp_chart_name_ticks(chart, x_count(block, a)))
        for (int x = 0; x < chart->ticks; x++)
            name_tick(block, a, x, chart->tick_names[x]);
}

/* Mean over the seeds, and the lowest and highest of them. */
static void put_point(exp_series *series, int i, const double *values, int count) {
    series->x[i] = i;
    series->y[i] = exp_mean(values, count);
    for (int k = 0; series->low && k < count; k++) {
        if (isnan(values[k]))
            continue;
        series->low[i] = fmin(series->low[i], values[k]);
        series->high[i] = fmax(series->high[i], values[k]);
    }
}

static nn_status draw_number(exp_section *section, const exp_block_results *b, exp_number *of,
                             const char *title, const char *unit, nn_error *error) {
    const exp_study_block *block = b->block;
    axes a = choose_axes(block);
    char along[EXP_CONDITION_MAX];
    exp_chart *chart = exp_chart_new(title, x_label(block, a, along), unit);
    for (int curve = 0; chart && curve < curve_count(block, a); curve++) {
        char name[NN_NAME_MAX] = "";
        if (a.curves != NONE)
            snprintf(name, sizeof name, "%.24s %.36s", block->varied[a.curves].name,
                     block->varied[a.curves].values[curve]);
        exp_series *series =
            exp_chart_add(chart, name, exp_color(curve), EXP_CHART_MARKS, x_count(block, a), true);
        for (int i = 0; series && i < series->count; i++) {
            double values[EXP_VALUES_MAX];
            exp_block_numbers(b, condition_at(block, a, i, curve), of, values);
            put_point(series, i, values, block->seeds);
        }
    }
    if (chart)
        name_ticks(chart, block, a);
    return exp_section_chart(section, chart, error);
}

/* Every layer's SNNL along x, for one of the curves. */
static nn_status draw_layers(exp_section *section, const exp_block_results *b, int curve, nn_error *error) {
    const exp_study_block *block = b->block;
    const exp_study_result *first = exp_block_finished(b);
    axes a = choose_axes(block);
    char along[EXP_CONDITION_MAX], title[160] = "SNNL of every layer on the test set";
    if (a.curves != NONE)
        snprintf(title, sizeof title, "SNNL of every layer, %.24s %.60s", block->varied[a.curves].name,
                 block->varied[a.curves].values[curve]);
    exp_chart *chart = exp_chart_new(title, x_label(block, a, along), "SNNL (nats)");
    exp_tap_colors colors = {0};
    for (int i = 0; i < first->tap_count; i++)
        if (!exp_is_inner_tap(first->taps[i].name))
            exp_tap_colors_count(&colors, first->taps[i].name);
    for (int i = 0; chart && i < first->tap_count; i++) {
        const char *tap = first->taps[i].name;
        char color[EXP_COLOR_MAX];
        if (exp_is_inner_tap(tap))
            continue;
        exp_tap_colors_take(&colors, tap, color);
        exp_series *series = exp_chart_add(chart, tap, color, EXP_CHART_MARKS, x_count(block, a), false);
        for (int x = 0; series && x < series->count; x++) {
            series->x[x] = x;
            series->y[x] = exp_block_tap(b, condition_at(block, a, x, curve), tap);
        }
    }
    if (chart)
        name_ticks(chart, block, a);
    return exp_section_chart(section, chart, error);
}

nn_status exp_report_charts(exp_section *section, const exp_block_results *b, nn_error *error) {
    static const struct {
        exp_number *of;
        const char *title, *unit;
    } charts[] = {{exp_number_accuracy, "Test accuracy", "accuracy (%)"},
                  {exp_number_cross_entropy, "Negative log-likelihood on the test set", "nats"},
                  {exp_number_calibration_error, "Expected calibration error", "ECE (%)"},
                  {exp_number_generalisation_gap, "Generalisation gap: training less test accuracy",
                   "percentage points"}};
    nn_status status = NN_OK;
    if (x_count(b->block, choose_axes(b->block)) < 2 || !exp_block_finished(b))
        return NN_OK;
    exp_section_grid(section, false);
    for (size_t i = 0; i < sizeof charts / sizeof *charts && status == NN_OK; i++)
        status = draw_number(section, b, charts[i].of, charts[i].title, charts[i].unit, error);
    for (int curve = 0; curve < curve_count(b->block, choose_axes(b->block)) && status == NN_OK; curve++)
        status = draw_layers(section, b, curve, error);
    exp_section_grid_end(section);
    return status;
}

/* --- reliability ---------------------------------------------------------------------------------------- */

/* All seeds' bins of a condition together. */
static void pool(const exp_block_results *b, int condition, exp_series *series) {
    for (int bin = 0; bin < EXP_CALIBRATION_BINS; bin++) {
        double count = 0, confidence = 0, right = 0;
        for (int seed = 0; seed < b->block->seeds; seed++) {
            const exp_study_result *r = &b->results[seed * b->block->conditions + condition];
            const exp_reliability *from = &r->reliability[bin];
            if (r->state != EXP_RUN_DONE)
                continue;
            count += from->count;
            confidence += from->count * from->confidence;
            right += from->count * from->accuracy;
        }
        if (count > 0) {
            series->x[bin] = confidence / count;
            series->y[bin] = right / count;
        }
    }
}

static void add_reliability(exp_chart *chart, const exp_block_results *b, int condition) {
    char text[EXP_CONDITION_MAX], name[NN_NAME_MAX];
    snprintf(name, sizeof name, "%.*s", NN_NAME_MAX - 1,
             exp_condition_label(&b->block->runs[condition], text));
    exp_series *series =
        exp_chart_add(chart, name, exp_color(condition), EXP_CHART_MARKS, EXP_CALIBRATION_BINS, false);
    if (series)
        pool(b, condition, series);
}

/* A diagram of the conditions from `first` on. */
static nn_status draw_reliability(exp_section *section, const exp_block_results *b, const char *title,
                                  int first, int count, nn_error *error) {
    exp_chart *chart = exp_chart_new(title, "confidence", "accuracy");
    for (int condition = first; chart && condition < first + count; condition++)
        add_reliability(chart, b, condition);
    if (chart) {
        chart->diagonal = true;
        chart->y_high = 1;
    }
    return exp_section_chart(section, chart, error);
}

/* More curves than these in one diagram hide each other. */
enum { RELIABILITY_CURVES = 3 };

nn_status exp_report_reliability(exp_section *section, const exp_block_results *b, nn_error *error) {
    char title[160], label[EXP_CONDITION_MAX];
    int conditions = b->block->conditions;
    nn_status status = NN_OK;
    snprintf(title, sizeof title, "Reliability, %.64s", b->block->name);
    if (conditions <= RELIABILITY_CURVES)
        return draw_reliability(section, b, title, 0, conditions, error);
    for (int c = 0; c < conditions && status == NN_OK; c++) {
        snprintf(title, sizeof title, "Reliability, %.64s, %.80s", b->block->name,
                 exp_condition_label(&b->block->runs[c], label));
        status = draw_reliability(section, b, title, c, 1, error);
    }
    return status;
}
