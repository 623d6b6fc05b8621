/* sheet.c - images and their nearest training images, as a sheet: a panel for each shown example, in it a row for each
 * layer from the input's side to the output's.
 *
 * Places are in pixels from the sheet's upper left corner. */
#include <string.h>

#include "experiments/common/gnuplot.h"
#include "pictures.h"

enum {
    THUMBS = 10, /* neighbours in a row, at most */
    SIDE = 64,   /* of their images */
    STEP = SIDE + 8,
    INPUT = 104, /* side of the example itself */
    NAMES = 132, /* room for the layers' names */
    PANEL = NAMES + THUMBS * STEP,
    ROW = SIDE + 30,
    TOP = INPUT + 44, /* of a panel, above its rows */
    EDGE = 28,        /* around the panels and between them */
    HEADING = 84
};

static const char *const other = "#D55E00"; /* frames and names of what has another label */

typedef struct sheet {
    FILE *script;
    const exp_neighbors_result *result;
    int columns, rows; /* of panels */
    int width, height;
    int thumbs; /* neighbours in a row */
} sheet;

static int panel_height(const sheet *s) {
    return TOP + exp_dknn_layers(s->result->judged->dknn) * ROW;
}

static int panel_left(const sheet *s, int panel) {
    return EDGE + panel % s->columns * (PANEL + EDGE);
}

static int panel_top(const sheet *s, int panel) {
    return HEADING + panel / s->columns * (panel_height(s) + EDGE);
}

static void put_text(const sheet *s, int x, int y, const char *style, const char *text) {
    fputs("set label ", s->script);
    exp_drawing_quote(s->script, text);
    fprintf(s->script, " at %d,%d %s\n", x, y, style);
}

/* --- images --------------------------------------------------------------------------------------------- */

/* A data block: x y red green blue of each pixel, the image within `side` pixels from (left, top) on. */
static void put_image(const sheet *s, int number, const unsigned char *pixels, int left, int top, int side) {
    const data_set *set = &s->result->run->set;
    int longer = set->height > set->width ? set->height : set->width;
    double size = (double)side / longer;
    double x0 = left + (side - size * set->width) / 2, y0 = top + (side - size * set->height) / 2;
    fprintf(s->script, "$image%d << END\n", number);
    for (int y = 0; y < set->height; y++)
        for (int x = 0; x < set->width; x++, pixels += set->channels) {
            bool color = set->channels >= 3;
            fprintf(s->script, "%.2f %.2f %d %d %d\n", x0 + (x + 0.5) * size, y0 + (y + 0.5) * size,
                    pixels[0], pixels[color ? 1 : 0], pixels[color ? 2 : 0]);
        }
    fputs("END\n", s->script);
}

static const unsigned char *image_of(const sheet *s, const data_split *split, int example) {
    const data_set *set = &s->result->run->set;
    return split->pixels + (size_t)example * (size_t)set->height * (size_t)set->width * (size_t)set->channels;
}

/* All images of all panels, as data blocks numbered from 0; returns how many. */
static int put_images(const sheet *s) {
    const exp_judged *j = s->result->judged;
    int count = 0;
    for (int p = 0; p < s->result->shown_count; p++) {
        int i = s->result->shown[p], left = panel_left(s, p), top = panel_top(s, p);
        put_image(s, count++, image_of(s, j->split, j->first + i), left + NAMES, top, INPUT);
        for (int l = 0; l < exp_dknn_layers(j->dknn); l++)
            for (int n = 0; n < s->thumbs; n++)
                put_image(s, count++,
                          image_of(s, &s->result->run->set.train, exp_judged_neighbors(j, i, l)[n]),
                          left + NAMES + n * STEP, top + TOP + l * ROW, SIDE);
    }
    return count;
}

/* --- words ---------------------------------------------------------------------------------------------- */

static const char *class_name(const sheet *s, int class) {
    return s->result->run->set.class_names[class];
}

/* Beside the example. */
static void put_verdict(const sheet *s, int panel) {
    const exp_neighbors_result *r = s->result;
    const exp_judged *j = r->judged;
    const exp_dknn_verdict *v = &j->verdicts[r->shown[panel]];
    static const char *const kinds[] = {"Conformal: the most credible", "Nonconformal: the least credible"};
    int x = panel_left(s, panel) + NAMES + INPUT + 18, y = panel_top(s, panel);
    char text[256];
    if (r->chosen)
        /* NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): two are chosen at most */
        put_text(s, x, y + 10, "left font ',14'", kinds[panel]);
    snprintf(text, sizeof text, "test image %d, label %s", j->first + r->shown[panel],
             class_name(s, exp_judged_label(j, r->shown[panel])));
    put_text(s, x, y + 36, "left", text);
    snprintf(text, sizeof text, "nearest neighbors say %s, the network says %s", class_name(s, v->prediction),
             class_name(s, v->network));
    put_text(s, x, y + 58, "left", text);
    snprintf(text, sizeof text, "credibility %.3f, confidence %.3f", v->credibility[r->variant],
             v->confidence[r->variant]);
    put_text(s, x, y + 80, "left", text);
    snprintf(text, sizeof text, "%d of %d neighbors have another label", v->nonconformity,
             exp_dknn_layers(j->dknn) * exp_dknn_neighbors(j->dknn));
    put_text(s, x, y + 102, "left textcolor rgb '#505050'", text);
}

/* A frame around and a name under an image that does not have the predicted class. */
static void put_neighbor(const sheet *s, int left, int top, int class, bool same) {
    char style[96];
    snprintf(style, sizeof style, "center font ',9' textcolor rgb '%s'", same ? "#505050" : other);
    put_text(s, left + SIDE / 2, top + SIDE + 10, style, class_name(s, class));
    if (!same)
        fprintf(s->script,
                "set object rectangle from %d,%d to %d,%d front fs empty border lc rgb '%s' lw 3\n", left - 1,
                top - 1, left + SIDE + 1, top + SIDE + 1, other);
}

static void put_layer(const sheet *s, int panel, int layer) {
    const exp_judged *j = s->result->judged;
    int i = s->result->shown[panel], prediction = j->verdicts[i].prediction;
    int left = panel_left(s, panel), top = panel_top(s, panel) + TOP + layer * ROW;
    char text[64];
    put_text(s, left + NAMES - 14, top + SIDE / 2 - 9, "right", exp_dknn_layer(j->dknn, layer));
    snprintf(text, sizeof text, "%d of %d", exp_judged_votes(j, i, layer)[prediction],
             exp_dknn_neighbors(j->dknn));
    put_text(s, left + NAMES - 14, top + SIDE / 2 + 11, "right font ',9' textcolor rgb '#505050'", text);
    for (int n = 0; n < s->thumbs; n++) {
        int class = s->result->run->set.train.labels[exp_judged_neighbors(j, i, layer)[n]];
        put_neighbor(s, left + NAMES + n * STEP, top, class, class == prediction);
    }
}

static void put_heading(const sheet *s) {
    const exp_neighbors_result *r = s->result;
    char text[2 * EXP_TEXT_MAX];
    snprintf(text, sizeof text, "Nearest neighbors: %s on %s", r->run->options.model, r->run->set.name);
    put_text(s, EDGE, 28, "left font ',16'", text);
    snprintf(
        text, sizeof text,
        "the %d nearest training images in each layer, nearest first; framed: another label than the one "
        "predicted",
        s->thumbs);
    put_text(s, EDGE, 54, "left textcolor rgb '#505050'", text);
}

/* --- the sheet ------------------------------------------------------------------------------------------ */

static void put_picture(const sheet *s, int images) {
    fprintf(
        s->script,
        "set lmargin 0\nset rmargin 0\nset tmargin 0\nset bmargin 0\nunset tics\nunset border\nunset key\n"
        "set xrange [0:%d]\nset yrange [%d:0]\n",
        s->width, s->height);
    put_heading(s);
    for (int p = 0; p < s->result->shown_count; p++) {
        put_verdict(s, p);
        for (int l = 0; l < exp_dknn_layers(s->result->judged->dknn); l++)
            put_layer(s, p, l);
    }
    for (int i = 0; i < images; i++)
        fprintf(s->script, "%s $image%d with rgbimage", i ? ",\\\n" : "plot", i);
    putc('\n', s->script);
}

nn_status exp_neighbors_draw_sheet(const exp_neighbors_result *r, nn_error *error) {
    char paths[2][EXP_TEXT_MAX + 64];
    exp_drawing *drawing;
    sheet s = {.result = r, .columns = r->shown_count > 1 ? 2 : 1};
    int k = exp_dknn_neighbors(r->judged->dknn);
    s.thumbs = k < THUMBS ? k : THUMBS;
    s.rows = (r->shown_count + s.columns - 1) / s.columns;
    s.width = EDGE + s.columns * (PANEL + EDGE);
    s.height = HEADING + s.rows * (panel_height(&s) + EDGE);
    snprintf(paths[0], sizeof paths[0], "%s/neighbors.png", r->out);
    snprintf(paths[1], sizeof paths[1], "%s/neighbors.svg", r->out);
    nn_status status = exp_drawing_new(&drawing, (const char *[]){paths[0], paths[1], NULL}, error);
    if (status != NN_OK)
        return status;
    s.script = exp_drawing_script(drawing);
    int images = put_images(&s);
    for (int picture = 0; picture < 2; picture++) {
        exp_drawing_terminal(s.script, picture, picture == 1, 11, s.width, s.height);
        put_picture(&s, images);
    }
    fputs("unset output\n", s.script);
    return exp_drawing_draw(drawing, error);
}
