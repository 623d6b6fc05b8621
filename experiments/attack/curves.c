#include "curves.h"

#include <math.h>
#include <string.h>

#include "experiments/common/gnuplot.h"
#include "experiments/common/palette.h"

enum { PANEL = 520, LONE_PANEL = 680, PANEL_HEIGHT = 400, HEADING = 56, LEGEND_ROW = 26, EDGE = 12 };

static int panels_of(const exp_attack_evaluation *e) {
    return e->model_count > 1 ? e->settings->method_count : 1;
}

static int panel_width(const exp_attack_evaluation *e) {
    return panels_of(e) > 1 ? PANEL : LONE_PANEL;
}

static int lines_of(const exp_attack_evaluation *e) {
    return e->model_count > 1 ? e->model_count : e->settings->method_count;
}

static int method_of(const exp_attack_evaluation *e, int panel, int line) {
    return e->model_count > 1 ? panel : line;
}

static int model_of(const exp_attack_evaluation *e, int line) {
    return e->model_count > 1 ? line : 0;
}

static void put_data(FILE *script, const exp_attack_evaluation *e, int panel, int line) {
    int shown = model_of(e, line);
    fprintf(script, "$line%d_%d << END\n0 %.7g\n", panel, line, e->clean[shown]);
    for (int i = 0; i < e->row_count; i++) {
        const exp_attack_row *row = &e->rows[i];
        if (row->model == shown && row->method == method_of(e, panel, line))
            fprintf(script, "%.9g %.7g\n", e->settings->epsilons[row->epsilon].value, row->accuracy);
    }
    fputs("END\n", script);
}

/* What a line is, for the legend. */
static void name_line(const exp_attack_evaluation *e, int line, char *text, size_t size) {
    char name[2 * EXP_TEXT_MAX];
    exp_attack_model_describe(&e->models[model_of(e, line)], name, sizeof name);
    if (e->model_count == 1)
        snprintf(text, size, "%s", exp_attack_titles[e->settings->methods[line]]);
    else
        snprintf(text, size, "%s: %.400s", line ? "shown to" : "attacked", name);
}

/* The epsilons themselves, as written, where there is room for them. */
static void put_ticks(FILE *script, const exp_attack_settings *s) {
    double last = 0, most = s->epsilons[s->epsilon_count - 1].value;
    fputs("set xtics ('0' 0", script);
    for (int i = 0; i < s->epsilon_count; i++) {
        if (s->epsilons[i].value - last < 0.08 * most)
            continue;
        last = s->epsilons[i].value;
        fputs(", ", script);
        exp_drawing_quote(script, s->epsilons[i].text);
        fprintf(script, " %.9g", last);
    }
    fputs(")\n", script);
}

static void put_panel(FILE *script, const exp_attack_evaluation *e, int panel, int width, int height) {
    int lines = lines_of(e);
    double top = HEADING, bottom = top + PANEL_HEIGHT;
    double left = EDGE + panel * panel_width(e) + 66, right = EDGE + (panel + 1) * panel_width(e) - 24;
    fprintf(
        script,
        "set lmargin at screen %.6g\nset rmargin at screen %.6g\nset tmargin at screen %.6g\nset bmargin at "
        "screen %.6g\n",
        left / width, right / width, 1 - (top + 26) / height, 1 - (bottom - 56) / height);
    fputs("set title ", script);
    exp_drawing_quote(script, e->model_count > 1 ? exp_attack_titles[e->settings->methods[panel]] : "");
    fputs(" font ',13' offset 0,-0.4\n", script);
    fprintf(script, panel ? "set ylabel ' '\n" : "set ylabel 'accuracy' offset 0.5,0\n");
    fputs("plot ", script);
    for (int line = 0; line < lines; line++)
        fprintf(script, "%s$line%d_%d using 1:2 with linespoints pt %d ps 1.2*mark lw %s lc rgb '%s' notitle",
                line ? ", \\\n" : "", panel, line, line ? 6 : 7, line || e->model_count == 1 ? "2" : "3",
                exp_color(line));
    putc('\n', script);
}

/* One under the other, below the panels. */
static void put_legend(FILE *script, const exp_attack_evaluation *e, int width, int height) {
    for (int line = 0; line < lines_of(e); line++) {
        char name[512];
        double y = 1 - (HEADING + PANEL_HEIGHT + (line + 0.5) * LEGEND_ROW) / height, left = EDGE + 66;
        name_line(e, line, name, sizeof name);
        fprintf(script, "set arrow %d from screen %.6g,%.6g to screen %.6g,%.6g nohead lw 3 lc rgb '%s'\n",
                line + 1, left / width, y, (left + 34) / width, y, exp_color(line));
        fprintf(script, "set label %d ", line + 10);
        exp_drawing_quote(script, name);
        fprintf(script, " at screen %.6g,%.6g left\n", (left + 46) / width, y);
    }
}

static void put_picture(FILE *script, const exp_attack_evaluation *e, int width, int height) {
    const exp_attack_settings *s = e->settings;
    char title[2 * EXP_TEXT_MAX], name[EXP_TEXT_MAX];
    exp_attack_model_describe(&e->models[0], name, sizeof name);
    snprintf(title, sizeof title, "%s%s attacks on %.32s%s%.400s",
             s->aim == EXP_AIM_NONE ? "White-box" : "Targeted white-box",
             e->model_count > 1 ? " and transferred" : "", e->models[0].run.set.name,
             e->model_count > 1 ? "" : ": ", e->model_count > 1 ? "" : name);
    fputs("set multiplot\nset label 1 ", script);
    exp_drawing_quote(script, title);
    fprintf(script, " at screen %.6g,%.6g left font ',15'\n", (EDGE + 10.0) / width, 1 - 26.0 / height);
    fprintf(
        script,
        "set border 3 lc rgb '#808080'\nset tics nomirror textcolor rgb '#303030'\nset grid lt 1 lw 1 lc rgb "
        "'#E4E4E4'\nunset key\nset yrange [0:1]\nset ytics 0.2\nset format y '%%.1f'\nset xrange [0:%.9g]\n"
        "set xlabel '\xce\xb5, the most that a pixel (0 to 1) is moved'\n",
        s->epsilons[s->epsilon_count - 1].value * 1.02 + 1e-9);
    put_ticks(script, s);
    put_legend(script, e, width, height);
    for (int panel = 0; panel < panels_of(e); panel++) {
        put_panel(script, e, panel, width, height);
        if (panel == 0) /* once is enough */
            fputs("unset label\nunset arrow\n", script);
    }
    fputs("unset multiplot\n", script);
}

static void put_script(FILE *script, const exp_attack_evaluation *e) {
    int width = 2 * EDGE + panels_of(e) * panel_width(e);
    int height = HEADING + PANEL_HEIGHT + lines_of(e) * LEGEND_ROW + EDGE;
    for (int panel = 0; panel < panels_of(e); panel++)
        for (int line = 0; line < lines_of(e); line++)
            put_data(script, e, panel, line);
    for (int k = 0; k < 2; k++) {
        exp_drawing_terminal(script, k, k == 1, 11, width, height);
        put_picture(script, e, width, height);
    }
    fputs("unset output\n", script);
}

nn_status exp_attack_curves_draw(const exp_attack_evaluation *e, const char *png, const char *svg,
                                 nn_error *error) {
    exp_drawing *drawing;
    if (exp_drawing_new(&drawing, (const char *[]){png, svg, NULL}, error) != NN_OK)
        return error->status;
    put_script(exp_drawing_script(drawing), e);
    return exp_drawing_draw(drawing, error);
}
