/* credibility.c - the reliability diagram of credibility: accuracy as bars, examples as a line; and its histogram. */
#include <math.h>

#include "experiments/common/gnuplot.h"
#include "experiments/common/palette.h"
#include "pictures.h"

enum {
    WIDTH = 1360,
    HEIGHT = 650,
    LEFT = 78, /* around and between the panels */
    MIDDLE = 170,
    RIGHT = 34,
    BOTTOM = 64,
    HEADING = 146,
    PANEL = (WIDTH - LEFT - MIDDLE - RIGHT) / 2
};

static const char *const marked = "#4C4C4C"; /* line of counts */

static void put_data(FILE *script, const exp_credibility *c) {
    fputs("$reliability << END\n", script);
    for (int m = 0; m < EXP_CREDIBILITY_BINS; m++) {
        exp_reliability bin = exp_calibration_bin(&c->reliability, m);
        fprintf(script, "%.4f %d ", (m + 0.5) / EXP_CREDIBILITY_BINS, bin.count);
        exp_drawing_number(script, bin.count ? bin.accuracy : NAN, '\n');
    }
    fputs("END\n$histogram << END\n", script);
    for (int m = 0; m < EXP_HISTOGRAM_BINS; m++)
        fprintf(script, "%.4f %d %d\n", (m + 0.5) / EXP_HISTOGRAM_BINS, c->right[m] + c->wrong[m],
                c->wrong[m]);
    fputs("END\n", script);
}

static void put_heading(FILE *script, const exp_neighbors_result *r) {
    const exp_neighbors_statistics *s = &r->statistics;
    const exp_credibility *c = &s->variants[r->variant];
    const exp_dknn *dknn = r->judged->dknn;
    char text[2 * EXP_TEXT_MAX];
    snprintf(text, sizeof text, "Credibility of %s on %s", r->run->options.model, r->run->set.name);
    fputs("set label 1 ", script);
    exp_drawing_quote(script, text);
    fprintf(script, " at screen %.6f,%.6f left font ',16'\n", (double)LEFT / WIDTH, 1 - 28.0 / HEIGHT);
    snprintf(text, sizeof text,
             "Deep k-nearest neighbors, %d of %d training images in each of %d layer%s; %d test images, %s "
             "p-values of %d others",
             exp_dknn_neighbors(dknn), exp_dknn_training(dknn), exp_dknn_layers(dknn),
             exp_dknn_layers(dknn) == 1 ? "" : "s", s->count, exp_dknn_variants[r->variant], r->calibration);
    fputs("set label 2 ", script);
    exp_drawing_quote(script, text);
    fprintf(script, " at screen %.6f,%.6f left textcolor rgb '#505050'\n", (double)LEFT / WIDTH,
            1 - 56.0 / HEIGHT);
    snprintf(text, sizeof text,
             "accuracy %.4f, of the network %.4f; mean credibility %.3f; ECE of credibility %.3f",
             s->accuracy, s->network_accuracy, c->credibility, exp_calibration_error(&c->reliability));
    fputs("set label 3 ", script);
    exp_drawing_quote(script, text);
    fprintf(script, " at screen %.6f,%.6f left textcolor rgb '#505050'\n", (double)LEFT / WIDTH,
            1 - 78.0 / HEIGHT);
}

static void put_box(FILE *script, int left) {
    fprintf(script, "set lmargin at screen %.6f\nset rmargin at screen %.6f\n", (double)left / WIDTH,
            (double)(left + PANEL) / WIDTH);
    fprintf(script, "set bmargin at screen %.6f\nset tmargin at screen %.6f\n", (double)BOTTOM / HEIGHT,
            1 - (double)HEADING / HEIGHT);
}

static void put_picture(FILE *script, const exp_neighbors_result *r) {
    fputs(
        "set multiplot\nset border 11 lc rgb '#B0B0B0'\nset tics nomirror scale 0.5 textcolor rgb '#505050'\n"
        "set grid ytics lt 1 lw 1 lc rgb '#EEEEEE'\nset xrange [0:1]\nset xtics 0.1\n"
        "set xlabel 'credibility'\nset style fill solid noborder\n",
        script);
    put_heading(script, r);
    put_box(script, LEFT);
    fprintf(script,
            "set ylabel 'accuracy' offset 1,0\nset yrange [0:1]\nset ytics 0.1\nset format y '%%.1f'\n"
            "set y2label 'test images' offset -0.5,0 textcolor rgb '%s'\nset y2range [0:*]\nset y2tics\n"
            "set key at graph 0,1.065 left center horizontal maxrows 1 Left reverse samplen 1.4 width -1 "
            "font ',10'\n"
            "plot $reliability using 1:3:(0.088) with boxes lc rgb '%s' title 'accuracy', "
            "x with lines dt 2 lw 1.5 lc rgb '#909090' title 'ideal', "
            "$reliability using 1:2 axes x1y2 with linespoints lw 2 pt 7 ps 1.1*mark lc rgb '%s' title 'test "
            "images'\n",
            marked, "#9ECAE1", marked);
    fputs("unset label\nset border 3\nunset y2tics\nunset y2label\nset format y '%g'\nset ytics autofreq\n",
          script);
    put_box(script, LEFT + PANEL + MIDDLE);
    fprintf(script,
            "set ylabel 'test images' offset 0.5,0\nset yrange [0:*]\n"
            "plot $histogram using 1:2:(0.044) with boxes lc rgb '%s' title 'rightly classified', "
            "'' using 1:3:(0.044) with boxes lc rgb '%s' title 'wrongly classified'\nunset multiplot\n",
            "#9ECAE1", "#D55E00");
}

nn_status exp_neighbors_draw_credibility(const exp_neighbors_result *r, nn_error *error) {
    char paths[2][EXP_TEXT_MAX + 64];
    exp_drawing *drawing;
    snprintf(paths[0], sizeof paths[0], "%s/credibility.png", r->out);
    snprintf(paths[1], sizeof paths[1], "%s/credibility.svg", r->out);
    nn_status status = exp_drawing_new(&drawing, (const char *[]){paths[0], paths[1], NULL}, error);
    if (status != NN_OK)
        return status;
    FILE *script = exp_drawing_script(drawing);
    put_data(script, &r->statistics.variants[r->variant]);
    exp_drawing_terminal(script, 0, false, 11, WIDTH, HEIGHT);
    put_picture(script, r);
    exp_drawing_terminal(script, 1, true, 11, WIDTH, HEIGHT);
    put_picture(script, r);
    fputs("unset output\n", script);
    return exp_drawing_draw(drawing, error);
}
