/* Charts as SVG pictures: where the points come to lie, and what is odd in data and names. */
#include "experiments/report/chart.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "framework/file.h"
#include "tests/support/support.h"

/* --- pictures ------------------------------------------------------------------------------------------- */

/* Fails unless all that is opened in the SVG text is closed, in order. */
static void expect_balanced(const char *svg) {
    char open[64][32];
    int depth = 0;
    for (const char *at = strstr(svg, "<svg"); (at = strchr(at, '<')); at++) {
        const char *end = strchr(at, '>');
        assert_non_null(end);
        bool closing = at[1] == '/';
        const char *name = at + 1 + closing;
        int length = (int)strcspn(name, " \n\t/>");
        if (closing) {
            assert_true(depth > 0);
            if ((int)strlen(open[depth - 1]) != length || strncmp(open[depth - 1], name, (size_t)length) != 0)
                fail_msg("</%.*s> ends <%s>", length, name, open[depth - 1]);
            depth--;
        } else if (end[-1] != '/') {
            assert_true(depth < 64 && length < 32);
            snprintf(open[depth++], 32, "%.*s", length, name);
        }
    }
    assert_int_equal(depth, 0);
}

/* Draws and frees the chart. Returns the picture's text, for the caller to free. */
static char *draw(exp_chart *chart) {
    nn_error error = {0};
    unsigned char *bytes;
    size_t count;
    const char *path = test_path("chart.svg");
    unlink(path);
    test_ok(exp_chart_draw(chart, path, &error), &error);
    exp_chart_free(chart);
    test_ok(nn_file_read(path, 1 << 22, &bytes, &count, &error), &error);
    char *text = test_bytes(count + 1);
    memcpy(text, bytes, count);
    free(bytes);
    assert_int_equal(strlen(text), count);
    assert_memory_equal(text, "<?xml", 5);
    assert_string_equal(text + count - 8, "</svg>\n\n");
    for (size_t i = 0; i < count; i++)
        assert_true((unsigned char)text[i] >= 0x20 || strchr("\n\t", text[i]));
    expect_balanced(text);
    return text;
}

static void draw_only(exp_chart *chart) {
    free(draw(chart));
}

static int count_of(const char *text, const char *part) {
    int count = 0;
    for (const char *at = text; (at = strstr(at, part)); at++)
        count++;
    return count;
}

static void expect(const char *text, const char *part) {
    if (!strstr(text, part))
        fail_msg("the picture does not have '%s'", part);
}

enum { PLACES = 128 }; /* at most, of one path */

typedef struct place {
    double x, y;
    bool moved; /* the pen was lifted before it */
} place;

/* What the SVG's path number `path` (from 0) of gnuplot's plot number `plot` (from 1) goes through. */
static int path_of(const char *svg, int plot, int path, place *places) {
    char id[32];
    int count = 0, read;
    char pen;
    snprintf(id, sizeof id, "id=\"gnuplot_plot_%d\"", plot);
    const char *at = strstr(svg, id);
    for (int i = 0; at && i <= path; i++)
        at = strstr(at + 1, " d='");
    assert_non_null(at);
    at += 4;
    while (sscanf(at, " %c%lf,%lf%n", &pen, &places[count].x, &places[count].y, &read) == 3) {
        assert_true(pen == 'M' || pen == 'L');
        places[count++].moved = pen == 'M';
        at += read;
        assert_true(count < PLACES);
    }
    return count;
}

/* The marks of a plot: <use ... translate(x,y)>. */
static int marks_of(const char *svg, int plot, place *places) {
    char id[32];
    int count = 0;
    snprintf(id, sizeof id, "id=\"gnuplot_plot_%d\"", plot);
    const char *at = strstr(svg, id);
    assert_non_null(at);
    const char *end = strstr(at + 1, "id=\"gnuplot_plot_");
    while ((at = strstr(at, "<use xlink:href='#gpPt6' transform")) && (!end || at < end)) {
        assert_int_equal(sscanf(at, "<use xlink:href='#gpPt6' transform='translate(%lf,%lf)",
                                &places[count].x, &places[count].y),
                         2);
        at++;
        assert_true(++count < PLACES);
    }
    return count;
}

static void near_to(double actual, double expected) {
    if (!(fabs(actual - expected) <= 0.03)) /* pictures have two decimals */
        fail_msg("%g is not %g", actual, expected);
}

/* Fails unless the places are a linear image of the points, not mirrored along x, and upright (SVG's y grows downwards). */
static void expect_linear(const place *places, const double *x, const double *y, int count) {
    int last = count - 1;
    double x_scale = (places[last].x - places[0].x) / (x[last] - x[0]);
    double y_scale = (places[last].y - places[0].y) / (y[last] - y[0]);
    assert_true(x_scale > 1 && y_scale < 0);
    for (int i = 0; i < count; i++) {
        near_to(places[i].x, places[0].x + x_scale * (x[i] - x[0]));
        near_to(places[i].y, places[0].y + y_scale * (y[i] - y[0]));
        assert_true(places[i].x >= 0 && places[i].x <= 480 && places[i].y >= 0 && places[i].y <= 372);
    }
}

static exp_series *add(exp_chart *chart, exp_chart_style style, int count, const double *x, const double *y) {
    exp_series *s = exp_chart_add(chart, "series", "#0072B2", style, count, false);
    assert_non_null(s);
    for (int i = 0; i < count; i++) {
        s->x[i] = x[i];
        s->y[i] = y[i];
    }
    return s;
}

static exp_chart *new_chart(void) {
    exp_chart *chart = exp_chart_new("title", "along", "up");
    assert_non_null(chart);
    return chart;
}

/* --- positions ------------------------------------------------------------------------------------------ */

static const double steps[] = {0, 1, 2, 3, 5, 8}, values[] = {-2, 0.5, 3, 1e-3, -1, 2.25};

static void a_line_goes_through_its_points(void **state) {
    (void)state;
    place places[PLACES];
    exp_chart *chart = new_chart();
    add(chart, EXP_CHART_LINES, 6, steps, values);
    char *svg = draw(chart);
    assert_int_equal(path_of(svg, 1, 0, places), 6);
    expect_linear(places, steps, values, 6);
    expect(svg, "stroke='rgb(  0, 114, 178)'");
    expect(svg, "<text>title</text>");
    expect(svg, "<text>along</text>");
    expect(svg, "<text>up</text>");
    expect(svg, "viewBox=\"0 0 480 320\"");
    free(svg);
}

static void marks_have_bars(void **state) {
    (void)state;
    place line[PLACES], marks[PLACES], bars[PLACES];
    exp_chart *chart = new_chart();
    exp_series *s = exp_chart_add(chart, "series", "#D55E00", EXP_CHART_MARKS, 6, true);
    for (int i = 0; i < 6; i++) {
        s->x[i] = steps[i];
        s->y[i] = values[i];
        if (i == 3) /* of one run alone */
            continue;
        s->low[i] = values[i] - 0.5;
        s->high[i] = values[i] + 1;
    }
    char *svg = draw(chart);
    assert_int_equal(path_of(svg, 1, 0, line), 6);
    expect_linear(line, steps, values, 6);
    assert_int_equal(marks_of(svg, 2, marks), 6);
    expect_linear(marks, steps, values, 6);
    /* a bar is two short strokes across its ends and one from low to high, of six points where they meet and two */
    double scale = (line[5].y - line[0].y) / (values[5] - values[0]);
    assert_int_equal(path_of(svg, 3, 0, bars), 5 * 8);
    for (int i = 0, bar = 0; i < 6; i++) {
        if (i == 3)
            continue;
        const place *stroke = &bars[8 * bar++ + 6];
        near_to(stroke[0].x, line[i].x);
        near_to(stroke[1].x, line[i].x);
        near_to(stroke[0].y, line[i].y - 0.5 * scale);
        near_to(stroke[1].y, line[i].y + 1 * scale);
    }
    /* nothing is cleared around a mark */
    assert_null(strstr(strstr(svg, "gnuplot_plot_1"), "color='#FFFFFF'/>"));
    assert_null(strstr(strstr(svg, "gnuplot_plot_1"), "color='white'/>"));
    free(svg);
}

static void a_gap_is_left_open(void **state) {
    (void)state;
    place places[PLACES];
    double broken[] = {1, 2, NAN, INFINITY, 5, 6}, x[] = {0, 1, 2, 3, 4, 5};
    exp_chart *chart = new_chart();
    add(chart, EXP_CHART_LINES, 6, x, broken);
    char *svg = draw(chart);
    assert_int_equal(path_of(svg, 1, 0, places), 4);
    assert_true(places[0].moved && !places[1].moved && places[2].moved && !places[3].moved);
    expect_linear(places, (const double[]){0, 1, 4, 5}, (const double[]){1, 2, 5, 6}, 4);
    free(svg);
}

static void a_logarithmic_axis(void **state) {
    (void)state;
    place places[PLACES];
    const double x[] = {10, 20, 30, 40, 50}, y[] = {1e-3, 1, 0, 1e3, 1e6};
    exp_chart *chart = new_chart();
    add(chart, EXP_CHART_LINES, 5, x, y);
    chart->log_y = true;
    char *svg = draw(chart);
    assert_int_equal(path_of(svg, 1, 0, places), 4); /* 0 has no place on it */
    expect_linear(places, (const double[]){10, 20, 40, 50}, (const double[]){-3, 0, 3, 6}, 4);
    free(svg);
}

static void a_fixed_range_and_the_diagonal(void **state) {
    (void)state;
    place corner[PLACES], places[PLACES];
    const double x[] = {0.25, 0.5, 0.75}, y[] = {0.5, 0.5, 1};
    exp_chart *chart = new_chart();
    add(chart, EXP_CHART_MARKS, 3, x, y);
    chart->diagonal = true;
    chart->y_high = 1;
    char *svg = draw(chart);
    int count = path_of(svg, 1, 0, corner);
    assert_true(count >= 2);
    assert_int_equal(path_of(svg, 2, 0, places), 3);
    expect_linear(places, x, y, 3);
    double left = corner[0].x, right = corner[count - 1].x, bottom = corner[0].y, top = corner[count - 1].y;
    for (int i = 0; i < 3; i++) { /* both axes are from 0 to 1 */
        near_to(places[i].x, left + (right - left) * x[i]);
        near_to(places[i].y, bottom + (top - bottom) * y[i]);
    }
    free(svg);
}

/* Dots have a square field with the same unit along both axes. */
static void dots_keep_their_shape(void **state) {
    (void)state;
    place places[PLACES];
    const double x[] = {-30, 10, 50, 7}, y[] = {100, 102, 101, 99.5};
    exp_chart *chart = new_chart();
    add(chart, EXP_CHART_DOTS, 0, NULL, NULL); /* a class without members */
    add(chart, EXP_CHART_DOTS, 4, x, y);
    char *svg = draw(chart);
    expect(svg, "viewBox=\"0 0 320 372\"");
    expect(svg, "<text>along</text>");
    assert_null(strstr(svg, "<text>up</text>"));
    assert_int_equal(marks_of(svg, 2, places), 4);
    expect_linear(places, x, y, 4);
    assert_true(places[2].x - places[0].x > 250); /* the field is filled along the longer side */
    double unit = (places[2].x - places[0].x) / 80;
    for (int i = 1; i < 4; i++)
        near_to((places[i].y - places[0].y) / (y[0] - y[i]) / unit, 1);
    free(svg);
}

/* Series with bars stand side by side at a tick; those without are where their numbers say. */
static void marks_at_ticks(void **state) {
    (void)state;
    place a[PLACES], b[PLACES];
    for (int bars = 0; bars < 2; bars++) {
        exp_chart *chart = new_chart();
        for (int i = 0; i < 2; i++) {
            exp_series *s = exp_chart_add(chart, "s", exp_color(i), EXP_CHART_MARKS, 3, bars);
            for (int k = 0; k < 3; k++) {
                s->x[k] = k;
                s->y[k] = k + i;
            }
        }
        assert_true(exp_chart_name_ticks(chart, 3));
        for (int k = 0; k < 3; k++)
            snprintf(chart->tick_names[k], EXP_TICK_NAME_MAX, "tick%d", k);
        char *svg = draw(chart);
        assert_int_equal(path_of(svg, 1, 0, a), 3);
        assert_int_equal(path_of(svg, bars ? 4 : 3, 0, b), 3);
        double spacing = a[1].x - a[0].x;
        for (int k = 0; k < 3; k++)
            near_to((b[k].x - a[k].x) / spacing, bars ? 0.08 : 0);
        expect(svg, "<text>tick0</text>");
        expect(svg, "<text>tick2</text>");
        assert_null(strstr(svg, "rotate(-"));
        free(svg);
    }
}

/* --- little to show ------------------------------------------------------------------------------------- */

static void nothing_to_show(void **state) {
    (void)state;
    exp_chart *chart = new_chart();
    char *svg = draw(chart);
    expect(svg, "<text>no values</text>");
    expect(svg, "<text>title</text>");
    free(svg);
    static const double zeros[] = {0, 0, -1}, x[] = {0, 1, 2};
    for (exp_chart_style style = EXP_CHART_LINES; style <= EXP_CHART_DOTS; style++)
        for (int way = 0; way < 4; way++) {
            chart = new_chart();
            if (way == 3)
                add(chart, style, 3, x, zeros)->dashed = true;
            else
                exp_chart_add(chart, "unknown", "#000000", style, way == 2 ? 0 : 3, true); /* all NaN */
            chart->log_y = way == 0 || way == 3;
            if (way == 1)
                assert_true(exp_chart_name_ticks(chart, 3));
            svg = draw(chart);
            expect(svg, "<text>no values</text>");
            free(svg);
        }
    chart = new_chart();
    chart->diagonal = true;
    chart->y_high = 1;
    exp_chart_add(chart, "unknown", "#000000", EXP_CHART_MARKS, 3, false);
    draw_only(chart);
    exp_chart_free(NULL);
}

/* One that has points is shown beside one that has none. */
static void one_of_two(void **state) {
    (void)state;
    place places[PLACES];
    exp_chart *chart = new_chart();
    exp_chart_add(chart, "unknown", "#000000", EXP_CHART_MARKS, 6, true);
    add(chart, EXP_CHART_MARKS, 6, steps, values);
    char *svg = draw(chart);
    assert_null(strstr(svg, "no values"));
    assert_int_equal(path_of(svg, 4, 0, places), 6);
    expect_linear(places, steps, values, 6);
    free(svg);
}

static void one_point_and_equal_values(void **state) {
    (void)state;
    static const double equal[] = {3, 3, 3, 3};
    place places[PLACES];
    for (exp_chart_style style = EXP_CHART_LINES; style <= EXP_CHART_DOTS; style++)
        for (int logarithmic = 0; logarithmic < 2; logarithmic++) {
            exp_chart *chart = new_chart();
            add(chart, style, 1, (const double[]){7}, (const double[]){2.5});
            chart->log_y = logarithmic;
            draw_only(chart);
            chart = new_chart();
            add(chart, style, 4, steps, equal);
            chart->log_y = logarithmic;
            char *svg = draw(chart);
            if (style == EXP_CHART_LINES) {
                assert_int_equal(path_of(svg, 1, 0, places), 4);
                for (int i = 1; i < 4; i++)
                    assert_true(places[i].y == places[0].y && places[i].x > places[i - 1].x);
            }
            free(svg);
            chart = new_chart();
            add(chart, style, 4, equal, equal); /* all at one place */
            chart->log_y = logarithmic;
            draw_only(chart);
        }
}

/* --- names and numbers of things ------------------------------------------------------------------------ */

static void odd_names(void **state) {
    (void)state;
    exp_chart *chart =
        exp_chart_new("it's \"odd\" & `touch x` <$(y)>\n\x01%d\\ @a_{b}^c", "<a>&'x'\r", "\"\x7f\xff");
    add(chart, EXP_CHART_LINES, 6, steps, values);
    assert_true(exp_chart_name_ticks(chart, 4));
    strcpy(chart->tick_names[0], "'; quit '\n");
    strcpy(chart->tick_names[1], "]]><&amp;");
    strcpy(chart->tick_names[2], "\"90%s\\`\"\\\"");
    strcpy(chart->tick_names[3], "%%%%%%%%%%%%%%%%%%%%%%%");
    char *svg = draw(chart);
    expect(svg, "<text>it's \"odd\" &amp; `touch x` &lt;$(y)>??%d\\ @a_{b}^c</text>");
    expect(svg, "<text>&lt;a>&amp;'x'?</text>");
    expect(svg, "<text>\"?"
                "?</text>");
    expect(svg, "<text>'; quit '?</text>");
    expect(svg, "<text>]]>&lt;&amp;amp;</text>");
    expect(svg, "<text>\"90%s\\`\"\\\"</text>");
    expect(svg, "<text>%%%%%%%%%%%%%%%%%%%%%%%</text>");
    free(svg);
}

static void names_of_series_are_cut(void **state) {
    (void)state;
    char name[500];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    exp_chart *chart = new_chart();
    exp_series *s = exp_chart_add(chart, name, name, EXP_CHART_LINES, 2, true);
    assert_int_equal(strlen(s->name), NN_NAME_MAX - 1);
    assert_int_equal(strlen(s->color), EXP_COLOR_MAX - 1);
    for (int i = 0; i < 2; i++)
        assert_true(isnan(s->x[i]) && isnan(s->y[i]) && isnan(s->low[i]) && isnan(s->high[i]));
    exp_chart_free(chart);
}

static void more_series_than_are_kept(void **state) {
    (void)state;
    exp_chart *chart = new_chart();
    for (int i = 0; i < EXP_SERIES_MAX; i++) {
        exp_series *s = exp_chart_add(chart, "s", exp_color(i), EXP_CHART_MARKS, 2, true);
        assert_non_null(s);
        for (int k = 0; k < 2; k++) {
            s->x[k] = k;
            s->y[k] = i;
        }
    }
    assert_null(exp_chart_add(chart, "s", "#000000", EXP_CHART_LINES, 2, false));
    assert_int_equal(chart->count, EXP_SERIES_MAX);
    assert_true(exp_chart_name_ticks(chart, 2));
    place first[PLACES], last[PLACES];
    char *svg = draw(chart);
    assert_int_equal(path_of(svg, 1, 0, first), 2);
    assert_int_equal(path_of(svg, 3 * EXP_SERIES_MAX - 2, 0, last), 2);
    assert_true(last[0].x < first[1].x - 10); /* well apart from those at the next tick */
    free(svg);
}

/* Names that do not fit side by side are turned, and where they are very many, left out evenly. */
static void many_ticks_and_long_ones(void **state) {
    (void)state;
    static const struct {
        int ticks, length, shown;
        const char *turned;
    } cases[] = {
        {9, 5, 9, NULL}, {6, 23, 6, "rotate(-35"}, {24, 6, 24, "rotate(-90"}, {100, 6, 20, "rotate(-90"}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        exp_chart *chart = new_chart();
        exp_series *s = exp_chart_add(chart, "s", "#000000", EXP_CHART_LINES, cases[c].ticks, false);
        assert_true(exp_chart_name_ticks(chart, cases[c].ticks));
        for (int i = 0; i < cases[c].ticks; i++) {
            s->x[i] = s->y[i] = i;
            snprintf(chart->tick_names[i], EXP_TICK_NAME_MAX, "#%0*d", cases[c].length - 1, i);
        }
        char *svg = draw(chart);
        assert_int_equal(count_of(svg, "<text>#"), cases[c].shown);
        if (cases[c].turned)
            assert_int_equal(count_of(svg, cases[c].turned), cases[c].shown);
        else
            assert_null(strstr(svg, "rotate(-"));
        free(svg);
    }
}

/* --- trouble -------------------------------------------------------------------------------------------- */

static void paths_that_cannot_be_written(void **state) {
    (void)state;
    nn_error error = {0};
    exp_chart *chart = new_chart();
    add(chart, EXP_CHART_LINES, 6, steps, values);
    test_fails(exp_chart_draw(chart, test_path("absent/chart.svg"), &error), NN_EFILE, &error,
               "absent/chart.svg");
    assert_int_equal(mkdir(test_path("folder.svg"), 0777), 0);
    test_fails(exp_chart_draw(chart, test_path("folder.svg"), &error), NN_EFILE, &error, "folder.svg");
    char *path = strdup(getenv("PATH"));
    setenv("PATH", "/nowhere", 1);
    nn_status status = exp_chart_draw(chart, test_path("chart.svg"), &error);
    setenv("PATH", path, 1);
    free(path);
    test_fails(status, NN_EFILE, &error, "gnuplot-nox");
    exp_chart_free(chart);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_goes_through_its_points),
        cmocka_unit_test(marks_have_bars),
        cmocka_unit_test(a_gap_is_left_open),
        cmocka_unit_test(a_logarithmic_axis),
        cmocka_unit_test(a_fixed_range_and_the_diagonal),
        cmocka_unit_test(dots_keep_their_shape),
        cmocka_unit_test(marks_at_ticks),
        cmocka_unit_test(nothing_to_show),
        cmocka_unit_test(one_of_two),
        cmocka_unit_test(one_point_and_equal_values),
        cmocka_unit_test(odd_names),
        cmocka_unit_test(names_of_series_are_cut),
        cmocka_unit_test(more_series_than_are_kept),
        cmocka_unit_test(many_ticks_and_long_ones),
        cmocka_unit_test(paths_that_cannot_be_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
