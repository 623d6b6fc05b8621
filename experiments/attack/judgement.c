#include "judgement.h"

#include <math.h>

#include "experiments/common/gnuplot.h"
#include "experiments/common/palette.h"

enum { WIDTH = 1200, HEIGHT = 560, EDGE = 84, BETWEEN = 60, HEADING = 118, BOTTOM = 66 };

static void put_data(FILE *script, const char *name, const exp_calibration *reliability) {
    fprintf(script, "$%s << END\n", name);
    for (int b = 0; b < EXP_JUDGEMENT_BINS; b++) {
        exp_reliability bin = exp_calibration_bin(reliability, b);
        fprintf(script, "%.4f %d ", (b + 0.5) / EXP_JUDGEMENT_BINS, bin.count);
        exp_drawing_number(script, bin.count ? bin.accuracy : NAN, '\n');
    }
    fputs("END\n", script);
}

static void put_label(FILE *script, int number, const char *text, int from_top, int font, const char *color) {
    fprintf(script, "set label %d ", number);
    exp_drawing_quote(script, text);
    fprintf(script, " at screen %.6f,%.6f left font ',%d' textcolor rgb '%s'\n", (double)EDGE / WIDTH,
            1 - (double)from_top / HEIGHT, font, color);
}

static void put_heading(FILE *script, const exp_attack_credibility *c, const exp_attack_evaluation *e) {
    char text[2 * EXP_TEXT_MAX], name[EXP_TEXT_MAX];
    exp_attack_model_describe(&e->models[0], name, sizeof name);
    snprintf(text, sizeof text, "Credibility under %s: %.300s on %s", exp_attack_titles[c->method], name,
             e->models[0].run.set.name);
    put_label(script, 1, text, 28, 16, "#000000");
    snprintf(text, sizeof text,
             "Deep k-nearest neighbors, %d in each layer, trimmed p-values of %d test images; %d others are "
             "judged; "
             "AUROC of credibility %.3f",
             c->neighbors, c->calibration, c->examples, c->auroc[EXP_DKNN_TRIMMED]);
    put_label(script, 2, text, 56, 11, "#505050");
}

/* Both panels have the counts' axis to the left and the accuracies' one to the right. */
static void put_panel(FILE *script, int panel, const char *data, const char *title,
                      const exp_credibility_judgement *j, int most) {
    double width = (WIDTH - 2.0 * EDGE - BETWEEN) / 2, left = EDGE + panel * (width + BETWEEN);
    fprintf(script,
            "set lmargin at screen %.6f\nset rmargin at screen %.6f\nset tmargin at screen %.6f\n"
            "set bmargin at screen %.6f\n",
            left / WIDTH, (left + width) / WIDTH, 1 - (double)HEADING / HEIGHT, (double)BOTTOM / HEIGHT);
    fprintf(script, "set title ");
    exp_drawing_quote(script, title);
    fprintf(script, ".sprintf(': DkNN %%.1f%%%%, network %%.1f%%%%', %.9g, %.9g) offset 0,-0.3\n",
            100 * j->accuracy, 100 * j->network_accuracy);
    fprintf(script, "set yrange [0:%d]\nset ylabel '%s'\nset y2label '%s'\n", most,
            panel ? " " : "test images", panel ? "accuracy of the DkNN" : " ");
    fprintf(script,
            "plot $%s using 1:2 with boxes lc rgb '#BBD5E8' notitle, \\\n"
            "$%s using 1:3 axes x1y2 with linespoints pt 7 ps 1.2*mark lw 2.5 lc rgb '%s' notitle\n",
            data, data, exp_color(5));
}

static void put_picture(FILE *script, const exp_attack_credibility *c, const exp_attack_evaluation *e) {
    char attacked[64];
    int most = 1;
    for (int b = 0; b < EXP_JUDGEMENT_BINS; b++) {
        int clean = exp_calibration_bin(&c->clean.reliability[EXP_DKNN_TRIMMED], b).count,
            adversarial = exp_calibration_bin(&c->adversarial.reliability[EXP_DKNN_TRIMMED], b).count;
        most = clean > most ? clean : most;
        most = adversarial > most ? adversarial : most;
    }
    fprintf(
        script,
        "set multiplot\nset border 11 lc rgb '#B0B0B0'\nset tics nomirror scale 0.5 textcolor rgb '#505050'\n"
        "set grid ytics lt 1 lw 1 lc rgb '#EEEEEE'\nset xrange [0:1]\nset xtics 0.2\nset xlabel "
        "'credibility'\n"
        "set boxwidth 0.092\nset style fill solid noborder\nunset key\nset y2range [0:1]\nset y2tics 0.2\n"
        "set format y2 '%%.1f'\nset y2label textcolor rgb '%s'\nset title font ',13'\n",
        exp_color(5));
    put_heading(script, c, e);
    most += most / 20 + 1;
    put_panel(script, 0, "clean", "as they are", &c->clean, most);
    snprintf(attacked, sizeof attacked, "%s %s", exp_attack_titles[c->method], c->epsilon.text);
    fputs("unset label\n", script);
    put_panel(script, 1, "adversarial", attacked, &c->adversarial, most);
    fputs("unset multiplot\n", script);
}

nn_status exp_attack_judgement_draw(const exp_attack_credibility *c, const exp_attack_evaluation *e,
                                    const char *png, const char *svg, nn_error *error) {
    exp_drawing *drawing;
    if (exp_drawing_new(&drawing, (const char *[]){png, svg, NULL}, error) != NN_OK)
        return error->status;
    FILE *script = exp_drawing_script(drawing);
    put_data(script, "clean", &c->clean.reliability[EXP_DKNN_TRIMMED]);
    put_data(script, "adversarial", &c->adversarial.reliability[EXP_DKNN_TRIMMED]);
    for (int k = 0; k < 2; k++) {
        exp_drawing_terminal(script, k, k == 1, 11, WIDTH, HEIGHT);
        put_picture(script, c, e);
    }
    fputs("unset output\n", script);
    return exp_drawing_draw(drawing, error);
}
