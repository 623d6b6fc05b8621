#include "curves.h"

#include <math.h>

#include "experiments/common/canvas.h"
#include "experiments/common/gnuplot.h"
#include "experiments/common/palette.h"

enum { LEFT = 78, PLOT = 900, KEY = 300, PANEL = 250, GAP = 84, BELOW = 58, HEADING = 92 };

/* Columns of the data, counted from 1 as gnuplot does; then one of SNNL per tap. */
enum { STEP = 1, LOSS_D, LOSS_G, RIGHT_REAL, RIGHT_GENERATED, TOP, SNNL, FIRST_TAP };

/* What the talk of Frosst, Papernot and Hinton (ICML 2019) shows of a generator: step and SNNL. */
static const double talk[][2] = {{0, 0.5617}, {400, 0.6196}, {800, 0.6208}, {2000, 0.6487}};

static const char *const pixels_name[] = {"coordinates", "pixels"};

static void put_data(FILE *script, const exp_gan_record *r) {
    fputs("$rows << END\n", script);
    for (size_t i = 0; i < r->row_count; i++) {
        const exp_gan_row *row = &r->rows[i];
        bool trained = row->losses.steps > 0, judged = trained && r->judged;
        fprintf(script, "%llu ", (unsigned long long)row->step);
        exp_drawing_number(script, judged ? row->losses.discriminator : NAN, ' ');
        exp_drawing_number(script, trained ? row->losses.generator : NAN, ' ');
        exp_drawing_number(script, judged ? row->losses.accuracy_real : NAN, ' ');
        exp_drawing_number(script, judged ? row->losses.accuracy_generated : NAN, ' ');
        exp_drawing_number(script, r->taps ? row->quality.top_probability : NAN, ' ');
        exp_drawing_number(script, row->snnl, ' ');
        for (int k = 0; k < r->taps; k++)
            exp_drawing_number(script, row->tap_snnl[k], ' ');
        fputc('\n', script);
    }
    fputs("END\n$talk << END\n", script);
    double last = (double)r->rows[r->row_count - 1].step;
    for (size_t i = 0; i < sizeof talk / sizeof *talk && talk[i][0] <= last; i++)
        fprintf(script, "%g %g\n", talk[i][0], talk[i][1]);
    fputs("END\n", script);
}

/* --- panels --------------------------------------------------------------------------------------------- */

typedef struct panels {
    exp_canvas canvas;
    const exp_gan_outcome *outcome;
    bool
        trained; /* whether a step was taken: else there are no losses, which gnuplot does not like to plot */
    bool judged; /* trained with a discriminator */
    bool sure;   /* there is a classifier */
    int count, next; /* from above */
} panels;

static void begin_panel(panels *p, const char *title) {
    const exp_canvas *c = &p->canvas;
    const exp_gan_record *r = p->outcome->record;
    double last = fmax((double)r->rows[r->row_count - 1].step, 1);
    int below = BELOW + (p->count - 1 - p->next++) * (PANEL + GAP);
    exp_canvas_box(c, (exp_box){LEFT, below, PLOT, PANEL});
    fprintf(c->script, "set label 1 '%s' at graph 0,1 left offset 0,0.9 font ',12'\n", title);
    fprintf(c->script, "set xrange [%.9g:%.9g]\nset xlabel 'step' offset 0,0.3\nset yrange [*:*]\n",
            -0.015 * last, 1.015 * last);
    fprintf(c->script, "set key at screen %.6f,%.6f left top vertical Left reverse samplen 2 spacing 1.25\n",
            (double)(LEFT + PLOT + 16) / c->width, (double)(below + PANEL + 6) / c->height);
}

/* `first`: the panel's first curve. */
static void put_curve(const panels *p, bool first, int column, const char *color, double width,
                      const char *name) {
    FILE *script = p->canvas.script;
    fprintf(script, "%s$rows using %d:%d with lines lw %g lc rgb '%s' title ", first ? "plot " : ", \\\n",
            STEP, column, width, color);
    exp_drawing_quote(script, name);
}

static void put_snnl(panels *p) {
    const exp_gan_record *r = p->outcome->record;
    FILE *script = p->canvas.script;
    exp_tap_colors colors = {0};
    bool images = p->outcome->real->loader != NULL;
    begin_panel(p, "Soft nearest neighbor loss of real and generated examples (nats)");
    fprintf(script, "set yrange [-0.02:0.75]\nset ytics 0.1\n");
    put_curve(p, true, SNNL, "#000000", 3, pixels_name[images]);
    for (int i = 0; i < r->taps; i++)
        exp_tap_colors_count(&colors, r->tap_names[i]);
    for (int i = 0; i < r->taps; i++) {
        char color[EXP_COLOR_MAX];
        exp_tap_colors_take(&colors, r->tap_names[i], color);
        put_curve(p, false, FIRST_TAP + i, color, 2, r->tap_names[i]);
    }
    fprintf(script, ", \\\n%.9g with lines lw 1.5 dt 2 lc rgb '#808080' title 'log 2: alike'", log(2));
    if (images)
        fprintf(
            script,
            ", \\\n$talk with points pt 6 ps 1.7*mark lw 2 lc rgb '%s' title 'shown in the authors'' talk'",
            exp_color(5));
    fputs("\nset ytics autofreq\n", script);
}

static void put_losses(panels *p) {
    bool judged = p->judged;
    fputs("set offsets 0, 0, graph 0.06, graph 0.06\n", p->canvas.script);
    begin_panel(p, judged ? "Losses (nats)" : "Loss of the generator: minus SNNL of its batches (nats)");
    if (judged)
        put_curve(p, true, LOSS_D, exp_color(0), 2, "discriminator");
    put_curve(p, !judged, LOSS_G, exp_color(5), 2, "generator");
    fputs("\nunset offsets\n", p->canvas.script);
}

static void put_shares(panels *p) {
    begin_panel(p, p->judged && p->sure ? "What the discriminator gets right, and how sure the classifier is"
                   : p->judged          ? "What the discriminator gets right"
                                        : "How sure the classifier is");
    fputs("set yrange [0:1.02]\n", p->canvas.script);
    if (p->judged) {
        put_curve(p, true, RIGHT_REAL, exp_color(0), 2, "of real");
        put_curve(p, false, RIGHT_GENERATED, exp_color(5), 2, "of generated");
    }
    if (p->sure)
        put_curve(p, !p->judged, TOP, exp_color(2), 3, "classifier: top probability");
    fputc('\n', p->canvas.script);
}

static void put_heading(const panels *p) {
    const exp_gan_options *o = p->outcome->options;
    const exp_canvas *c = &p->canvas;
    static const char *const objectives[] = {"against a discriminator",
                                             "by the soft nearest neighbor loss alone",
                                             "against a discriminator and by the soft nearest neighbor loss"};
    char heading[256];
    snprintf(heading, sizeof heading, "Generator of %.100s, trained %s",
             p->outcome->real->loader ? p->outcome->real->name : "a mixture of Gaussians",
             objectives[o->objective]);
    fputs("set label 10 ", c->script);
    exp_drawing_quote(c->script, heading);
    fprintf(c->script, " at screen %.6f,%.6f left font ',16'\n", (double)LEFT / c->width,
            1 - 24.0 / c->height);
    fprintf(c->script,
            "set label 11 'batch %llu, learning rate %g, seed %llu; SNNL of %d real and %d generated "
            "examples at its "
            "optimal temperature' at screen %.6f,%.6f left textcolor rgb '#606060'\n",
            (unsigned long long)o->batch, o->rate, (unsigned long long)o->seed, p->outcome->real->examples,
            p->outcome->real->examples, (double)LEFT / c->width, 1 - 48.0 / c->height);
}

static void put_picture(panels *p, exp_canvas_format format, int picture) {
    p->next = 0;
    exp_canvas_begin(&p->canvas, format, exp_drawing_output(picture), 0);
    fputs("set multiplot\n", p->canvas.script);
    put_heading(p);
    put_snnl(p);
    fputs("unset label\n", p->canvas.script); /* the heading: once is enough */
    if (p->trained)
        put_losses(p);
    if (p->judged || p->sure)
        put_shares(p);
    fputs("unset multiplot\nunset output\n", p->canvas.script);
}

nn_status exp_gan_draw_curves(const exp_gan_outcome *outcome, nn_error *error) {
    char png[EXP_TEXT_MAX + 16], svg[EXP_TEXT_MAX + 16];
    const exp_gan_record *r = outcome->record;
    exp_drawing *drawing;
    snprintf(png, sizeof png, "%s/curves.png", r->folder);
    snprintf(svg, sizeof svg, "%s/curves.svg", r->folder);
    if (exp_drawing_new(&drawing, (const char *[]){png, svg, NULL}, error) != NN_OK)
        return error->status;
    panels p = {.canvas = {.script = exp_drawing_script(drawing), .width = LEFT + PLOT + KEY},
                .outcome = outcome,
                .trained = outcome->training->steps > 0,
                .sure = r->taps > 0};
    p.judged = p.trained && r->judged;
    p.count = 1 + p.trained + (p.judged || p.sure);
    p.canvas.height = BELOW + p.count * (PANEL + GAP) - GAP + HEADING;
    put_data(p.canvas.script, r);
    put_picture(&p, EXP_CANVAS_PNG, 0);
    put_picture(&p, EXP_CANVAS_SVG, 1);
    return exp_drawing_draw(drawing, error);
}
