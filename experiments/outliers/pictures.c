/* pictures.c - panels in a grid. Sizes are pixels. */
#include "pictures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/common/gnuplot.h"
#include "experiments/common/palette.h"

enum {
    FIELD = 460, /* of a panel, without what is around it: */
    LEFT = 84,
    ABOVE = 52,
    BELOW = 64,
    HEADING = 76,
    BINS = 25,
    LAYERS_SHOWN = 4
};

/* Where the panels stand. */
typedef struct grid {
    int columns, rows;
    int field_height, right; /* of a panel, and room to the right of it */
} grid;

static grid grid_of(int panels, int most_columns, int field_height, int right) {
    int columns = panels == 4 ? 2 : panels < most_columns ? panels : most_columns;
    return (grid){columns, (panels + columns - 1) / columns, field_height, right};
}

static int width_of(const grid *g) {
    return g->columns * (LEFT + FIELD + g->right);
}

static int height_of(const grid *g) {
    return HEADING + g->rows * (ABOVE + g->field_height + BELOW);
}

/* Of panel k's field. */
static int left_of(const grid *g, int k) {
    return LEFT + k % g->columns * (LEFT + FIELD + g->right);
}

static int top_of(const grid *g, int k) {
    return HEADING + ABOVE + k / g->columns * (ABOVE + g->field_height + BELOW);
}

/* Begins panel k: its place and its title. */
static void put_panel(FILE *script, const grid *g, int k, const char *title, int examples) {
    double width = width_of(g), height = height_of(g);
    int left = left_of(g, k), top = top_of(g, k);
    fprintf(script, "set lmargin at screen %.6f\nset rmargin at screen %.6f\n", left / width,
            (left + FIELD) / width);
    fprintf(script, "set tmargin at screen %.6f\nset bmargin at screen %.6f\n", 1 - top / height,
            1 - (top + g->field_height) / height);
    fprintf(script, "unset label\nset label 3 ");
    exp_drawing_quote(script, title);
    fprintf(script, " at screen %.6f,%.6f left font ',14'\n", left / width, 1 - (top - 20) / height);
    fprintf(script,
            "set label 4 '%d examples' at screen %.6f,%.6f right font ',11' textcolor rgb '#707070'\n",
            examples, (left + FIELD) / width, 1 - (top - 20) / height);
}

static void put_heading(FILE *script, const grid *g, const char *title, const char *subtitle) {
    double width = width_of(g), height = height_of(g);
    fprintf(script, "set label 1 ");
    exp_drawing_quote(script, title);
    fprintf(script, " at screen %.6f,%.6f left font ',18'\nset label 2 ", LEFT / width, 1 - 30 / height);
    exp_drawing_quote(script, subtitle);
    fprintf(script, " at screen %.6f,%.6f left textcolor rgb '#505050'\n", LEFT / width, 1 - 60 / height);
}

/* --- credibility ---------------------------------------------------------------------------------------- */

static void put_bins(FILE *script, const char *name, int k, const double *values, int count) {
    int bins[BINS] = {0};
    for (int i = 0; i < count; i++)
        bins[(int)fmin(values[i] * BINS, BINS - 1)]++;
    fprintf(script, "$%s%d << END\n", name, k);
    for (int b = 0; b < BINS; b++)
        fprintf(script, "%.6f %.7g\n", (b + 0.5) / BINS, 100.0 * bins[b] / count);
    fprintf(script, "END\n");
}

static void put_histograms(FILE *script, const exp_outliers *out, const grid *g) {
    fprintf(script,
            "set key top center vertical Left reverse samplen 2 spacing 1.2 font ',11'\n"
            "set style fill transparent solid 0.6 noborder\nset boxwidth %.6f\n"
            "set xrange [0:1]\nset yrange [0:100]\nset nonlinear y via sqrt(y) inverse y*y\n"
            "set xtics 0,0.2,1\nset ytics (0, 1, 5, 10, 20, 40, 60, 80, 100)\n"
            "set xlabel 'credibility'\n",
            1.0 / BINS);
    for (int k = 0; k < out->sources; k++) {
        put_panel(script, g, k, out->source[k].source.name, out->source[k].count);
        if (k == 0)
            put_heading(script, g, out->title,
                        "credibility by the deep k-nearest neighbors of test examples and of others");
        fprintf(script, "set ylabel '%s' offset 1\n",
                k % g->columns ? "" : "% of the examples (square-root scale)");
        fprintf(script,
                "plot $in0 using 1:2 with boxes lc rgb '%s' title 'test examples', $out%d using 1:2 with "
                "boxes lc rgb "
                "'%s' title ",
                exp_color(0), k, exp_color(5));
        exp_drawing_quote(script, out->source[k].source.name);
        putc('\n', script);
    }
}

/* --- ROC ------------------------------------------------------------------------------------------------ */

/* Which columns are drawn: all of the network, and those of some layers, the last one among them. */
static bool is_drawn(const exp_outliers *out, int column) {
    int network = 0;
    while (network < out->columns && !out->column[network].layer)
        network++;
    int layers = (out->columns - network) / 2, layer = (column - network) / 2;
    if (column < network || layers <= LAYERS_SHOWN)
        return true;
    for (int k = 0; k < LAYERS_SHOWN; k++)
        if (layer == (int)lround(k * (layers - 1) / (double)(LAYERS_SHOWN - 1)))
            return true;
    return false;
}

/* Points that are as good as on each other are left out. */
static void put_curve(FILE *script, int source, int column, const exp_roc_point *roc, int points) {
    const double least = 0.002;
    exp_roc_point last = {-1, -1};
    fprintf(script, "$roc%d_%d << END\n", source, column);
    for (int i = 0; i < points; i++)
        if (i == points - 1 || hypot(roc[i].fpr - last.fpr, roc[i].tpr - last.tpr) > least) {
            last = roc[i];
            fprintf(script, "%.6f %.6f\n", last.fpr, last.tpr);
        }
    fprintf(script, "END\n");
}

static nn_status put_curves(FILE *script, const exp_outliers *out, nn_error *error) {
    nn_status status = NN_OK;
    for (int k = 0; k < out->sources && status == NN_OK; k++) {
        const exp_outlier_source *s = &out->source[k];
        size_t room = (size_t)out->in + (size_t)s->count + 1;
        exp_roc_point *roc = calloc(room, sizeof *roc);
        if (!roc)
            return nn_fail_memory(error, "the ROC curves");
        for (int c = 0; c < out->columns && status == NN_OK; c++) {
            exp_detection detection;
            int points;
            if (!is_drawn(out, c))
                continue;
            status = exp_detect(out->values + (size_t)c * (size_t)out->in, out->in,
                                s->values + (size_t)c * (size_t)s->count, s->count, &detection, roc, &points,
                                error);
            if (status == NN_OK)
                put_curve(script, k, c, roc, points);
        }
        free(roc);
    }
    return status;
}

/* A layer's density and agreement have its color, the latter dashed. */
static void put_style(FILE *script, const exp_outliers *out, int column, exp_tap_colors *colors,
                      char color[EXP_COLOR_MAX]) {
    static const int network[] = {6, 5, 0, 4}; /* black, red, blue, light blue */
    const exp_outlier_column *c = &out->column[column];
    if (!c->layer)
        snprintf(color, EXP_COLOR_MAX, "%s", exp_color(network[column % 4]));
    else if (c->score == EXP_SCORE_DENSITY)
        exp_tap_colors_take(colors, c->layer, color);
    fprintf(script, "lw %s lc rgb '%s'%s", c->layer ? "1.6" : "2.2", color,
            c->score == EXP_SCORE_AGREEMENT ? " dt (8,4)" : "");
}

static void put_roc_plot(FILE *script, const exp_outliers *out, int k) {
    exp_tap_colors colors = {0};
    char color[EXP_COLOR_MAX] = "#000000";
    for (int c = 0; c < out->columns; c++)
        if (is_drawn(out, c) && out->column[c].score == EXP_SCORE_DENSITY)
            exp_tap_colors_count(&colors, out->column[c].layer);
    fprintf(script, "plot x with lines lw 1 dt 3 lc rgb '#A0A0A0' notitle");
    for (int c = 0; c < out->columns; c++) {
        if (!is_drawn(out, c))
            continue;
        char title[2 * NN_NAME_MAX];
        const exp_outlier_column *column = &out->column[c];
        snprintf(title, sizeof title, "%.3f  %s%s%.60s", out->source[k].results[c].detection.auroc,
                 exp_score_names[column->score], column->layer ? " " : "",
                 column->layer ? column->layer : "");
        fprintf(script, ", \\\n$roc%d_%d using 1:2 with lines ", k, c);
        put_style(script, out, c, &colors, color);
        fprintf(script, " title ");
        exp_drawing_quote(script, title);
    }
    putc('\n', script);
}

/* Pixels beside a field: room for a line, a number and the longest name. */
static int legend_width(const exp_outliers *out) {
    size_t longest = 0;
    for (int c = 0; c < out->columns; c++)
        if (is_drawn(out, c) && out->column[c].layer && strlen(out->column[c].layer) > longest)
            longest = strlen(out->column[c].layer);
    return 130 + 9 * (int)(strlen("agreement ") + longest);
}

static void put_rocs(FILE *script, const exp_outliers *out, const grid *g) {
    fprintf(script, "set xrange [0:1]\nset yrange [0:1]\nset xtics 0,0.2,1\nset ytics 0,0.2,1\n"
                    "set xlabel 'outliers taken for test examples'\n");
    for (int k = 0; k < out->sources; k++) {
        put_panel(script, g, k, out->source[k].source.name, out->source[k].count);
        if (k == 0)
            put_heading(script, g, out->title,
                        "how well scores tell test examples from others: ROC curves and their areas");
        fprintf(script, "set ylabel '%s' offset 1\n", k % g->columns ? "" : "test examples accepted");
        fprintf(
            script,
            "set key at screen %.6f,%.6f left top vertical Left reverse samplen 2 spacing 1.25 font ',11'\n",
            (left_of(g, k) + FIELD + 4.0) / width_of(g), 1 - (top_of(g, k) - 4.0) / height_of(g));
        put_roc_plot(script, out, k);
    }
}

/* --- both ----------------------------------------------------------------------------------------------- */

typedef void put_panels(FILE *script, const exp_outliers *out, const grid *g);

static nn_status draw(const exp_outliers *out, exp_drawing *drawing, const grid *g, put_panels *put,
                      nn_error *error) {
    FILE *script = exp_drawing_script(drawing);
    for (int k = 0; k < 2; k++) {
        exp_drawing_terminal(script, k, k == 1, 12, width_of(g), height_of(g));
        fprintf(script,
                "set border 3 lc rgb '#808080'\nset tics nomirror textcolor rgb '#000000' font ',11'\n"
                "set grid lc rgb '#E8E8E8' lt 1\nset multiplot\n");
        put(script, out, g);
        fprintf(script, "unset multiplot\n");
    }
    fprintf(script, "unset output\n");
    return exp_drawing_draw(drawing, error);
}

nn_status exp_outliers_draw_credibility(const exp_outliers *out, const char *png, const char *svg,
                                        nn_error *error) {
    grid g = grid_of(out->sources, 3, 300, 24);
    int column = exp_outliers_column(out, EXP_SCORE_CREDIBILITY);
    exp_drawing *drawing;
    nn_status status = exp_drawing_new(&drawing, (const char *[]){png, svg, NULL}, error);
    if (status != NN_OK)
        return status;
    FILE *script = exp_drawing_script(drawing);
    put_bins(script, "in", 0, out->values + (size_t)column * (size_t)out->in, out->in);
    for (int k = 0; k < out->sources; k++)
        put_bins(script, "out", k, out->source[k].values + (size_t)column * (size_t)out->source[k].count,
                 out->source[k].count);
    return draw(out, drawing, &g, put_histograms, error);
}

nn_status exp_outliers_draw_roc(const exp_outliers *out, const char *png, const char *svg, nn_error *error) {
    grid g = grid_of(out->sources, 2, FIELD, legend_width(out));
    exp_drawing *drawing;
    nn_status status = exp_drawing_new(&drawing, (const char *[]){png, svg, NULL}, error);
    if (status != NN_OK)
        return status;
    status = put_curves(exp_drawing_script(drawing), out, error);
    if (status == NN_OK)
        return draw(out, drawing, &g, put_rocs, error);
    exp_drawing_free(drawing);
    return status;
}
