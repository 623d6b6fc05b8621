#include "sheet.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/common/gnuplot.h"

/* In pixels of the images, which are drawn some times as large. */
enum { GAP = 3, CAPTION = 7, HEADING = 16, EDGE = 3 };
enum { TITLE_WIDTH = 560 }; /* in pixels of the picture */

static const char right_color[] = "#007A59", wrong_color[] = "#C24E00";

nn_status exp_attack_sheet_new(exp_attack_sheet *s, const exp_attack_evaluation *e, nn_error *error) {
    *s = (exp_attack_sheet){.evaluation = e};
    for (int k = 0; k < e->models[0].run.set.classes && s->count < EXP_SHEET_ROWS; k++) {
        int i = 0;
        while (i < e->examples && !(e->labels[i] == k && e->predictions[i] == k))
            i++;
        if (i < e->examples)
            s->chosen[s->count++] = i;
    }
    size_t images = (size_t)e->settings->method_count * (size_t)e->settings->epsilon_count * (size_t)s->count;
    s->adversarial = calloc(images * e->models[0].size + 1, sizeof *s->adversarial);
    s->predictions = calloc(images + 1, sizeof *s->predictions);
    return s->adversarial && s->predictions ? NN_OK : nn_fail_memory(error, "the images to be shown");
}

void exp_attack_sheet_free(exp_attack_sheet *s) {
    free(s->adversarial);
    free(s->predictions);
}

static size_t place_of(const exp_attack_sheet *s, int method, int epsilon, int row) {
    return ((size_t)method * (size_t)s->evaluation->settings->epsilon_count + (size_t)epsilon) *
               (size_t)s->count +
           (size_t)row;
}

void exp_attack_sheet_take(exp_attack_sheet *s, const exp_attack_made *made) {
    size_t size = s->evaluation->models[0].size;
    for (int row = 0; row < s->count; row++) {
        size_t place = place_of(s, made->method, made->epsilon, row);
        memcpy(s->adversarial + place * size, made->adversarial + (size_t)s->chosen[row] * size,
               size * sizeof(float));
        s->predictions[place] = made->predictions[s->chosen[row]];
    }
}

/* --- drawing -------------------------------------------------------------------------------------------- */

/* The cell of a column: 0 is the image left alone. */
static const float *image_at(const exp_attack_sheet *s, int method, int row, int column, int *class) {
    const exp_attack_evaluation *e = s->evaluation;
    size_t size = e->models[0].size;
    if (column == 0) {
        *class = e->predictions[s->chosen[row]];
        return e->images + (size_t)s->chosen[row] * size;
    }
    size_t place = place_of(s, method, column - 1, row);
    *class = s->predictions[place];
    return s->adversarial + place * size;
}

typedef struct layout {
    int columns, cell_width, cell_height, width, height, zoom;
} layout;

static layout lay_out(const exp_attack_sheet *s) {
    const data_set *set = &s->evaluation->models[0].run.set;
    layout l = {.columns = s->evaluation->settings->epsilon_count + 1};
    l.cell_width = set->width + GAP;
    l.cell_height = set->height + CAPTION;
    l.width = l.columns * l.cell_width - GAP + 2 * EDGE;
    l.height = HEADING + s->count * l.cell_height + EDGE;
    int side = set->width > set->height ? set->width : set->height;
    l.zoom = side < 100 ? 100 / side : 1;
    if (l.width * l.zoom < TITLE_WIDTH)
        l.width = TITLE_WIDTH / l.zoom;
    return l;
}

static void put_pixels(FILE *script, const exp_attack_sheet *s, const layout *l, int method, int row,
                       int column) {
    const data_set *set = &s->evaluation->models[0].run.set;
    int class, left = EDGE + column * l->cell_width, top = HEADING + row * l->cell_height;
    const float *image = image_at(s, method, row, column, &class);
    fprintf(script, "$image%d_%d << END\n", row, column);
    for (int y = 0; y < set->height; y++)
        for (int x = 0; x < set->width; x++) {
            const float *pixel = image + ((size_t)y * (size_t)set->width + (size_t)x) * (size_t)set->channels;
            fprintf(script, "%g %g", left + x + 0.5, top + y + 0.5);
            for (int c = 0; c < 3; c++)
                fprintf(script, " %ld", lround(255.0 * pixel[set->channels >= 3 ? c : 0]));
            fputc('\n', script);
        }
    fputs("END\n", script);
}

/* A frame, and the class under it: heavier and with a cross where it is wrong. */
static void put_caption(FILE *script, const exp_attack_sheet *s, const layout *l, int method, int row,
                        int column) {
    const exp_attack_evaluation *e = s->evaluation;
    const data_set *set = &e->models[0].run.set;
    int class, left = EDGE + column * l->cell_width, top = HEADING + row * l->cell_height;
    image_at(s, method, row, column, &class);
    const char *name = set->class_names[class];
    bool right = class == e->labels[s->chosen[row]];
    const char *color = right ? right_color : wrong_color;
    fprintf(script, "set object rectangle from %d,%d to %d,%d front fs empty border lc rgb '%s' lw %g\n",
            left, top, left + set->width, top + set->height, color, right ? 1.0 : 2.5);
    fputs(right ? "set label " : "set label '\xc3\x97 '.", script);
    exp_drawing_quote(script, name);
    fprintf(script, " at %g,%g center front textcolor rgb '%s' font '%s,%d'\n", left + set->width / 2.0,
            top + set->height + 3.2, color, right ? "Sans" : "Sans Bold", strlen(name) > 8 ? 9 : 10);
}

static void put_headings(FILE *script, const exp_attack_sheet *s, const layout *l, int method) {
    const exp_attack_evaluation *e = s->evaluation;
    const exp_attack_settings *a = e->settings;
    char title[EXP_TEXT_MAX + 200], name[2 * EXP_TEXT_MAX], target[EXP_TEXT_MAX];
    exp_attack_model_describe(&e->models[0], name, sizeof name);
    exp_attack_target_text(e, target, sizeof target);
    snprintf(title, sizeof title, "%s on %s%s%.64s: %.300s", exp_attack_titles[a->methods[method]],
             e->models[0].run.set.name, a->aim == EXP_AIM_NONE ? "" : ", aimed at ",
             a->aim == EXP_AIM_NONE ? "" : target, name);
    fputs("set label ", script);
    exp_drawing_quote(script, title);
    fprintf(script, " at %d,4.2 left font 'Sans,13'\n", EDGE);
    for (int column = 0; column < l->columns; column++) {
        fputs(column ? "set label '\xce\xb5 = '." : "set label ", script);
        exp_drawing_quote(script, column ? a->epsilons[column - 1].text : "as it is");
        fprintf(script, " at %g,12.5 center font 'Sans,11' textcolor rgb '#404040'\n",
                EDGE + column * l->cell_width + (l->cell_width - GAP) / 2.0);
    }
}

static void put_script(FILE *script, const exp_attack_sheet *s, int method) {
    layout l = lay_out(s);
    exp_drawing_terminal(script, 0, false, 10, l.width * l.zoom, l.height * l.zoom);
    fprintf(
        script,
        "set lmargin at screen 0\nset rmargin at screen 1\nset tmargin at screen 1\nset bmargin at screen 0\n"
        "unset border\nunset tics\nunset key\nset xrange [0:%d]\nset yrange [%d:0]\n",
        l.width, l.height);
    put_headings(script, s, &l, method);
    for (int row = 0; row < s->count; row++)
        for (int column = 0; column < l.columns; column++) {
            put_caption(script, s, &l, method, row, column);
            put_pixels(script, s, &l, method, row, column);
        }
    fputs("plot ", script);
    for (int row = 0; row < s->count; row++)
        for (int column = 0; column < l.columns; column++)
            fprintf(script, "%s$image%d_%d using 1:2:3:4:5 with rgbimage", row || column ? ", \\\n" : "", row,
                    column);
    fputs("\nunset output\n", script);
}

nn_status exp_attack_sheet_draw(const exp_attack_sheet *s, int method, const char *png, nn_error *error) {
    exp_drawing *drawing;
    if (s->count == 0)
        return NN_OK;
    if (exp_drawing_new(&drawing, (const char *[]){png, NULL}, error) != NN_OK)
        return error->status;
    put_script(exp_drawing_script(drawing), s, method);
    return exp_drawing_draw(drawing, error);
}
