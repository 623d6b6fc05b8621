#include "canvas.h"

#include "gnuplot.h"

/* The formats count fonts and marks in units of their own. */
void exp_canvas_begin(const exp_canvas *c, exp_canvas_format format, const char *output, int delay) {
    FILE *script = c->script;
    fputs("reset\nset encoding utf8\nset terminal ", script);
    if (format == EXP_CANVAS_PNG)
        fprintf(script, "pngcairo noenhanced font 'Sans,11'");
    else if (format == EXP_CANVAS_SVG)
        fprintf(script, "svg noenhanced font 'Sans,11' fontscale 1.333");
    else
        fprintf(script, "gif animate delay %d loop 0 optimize noenhanced font 'Sans,10'", delay);
    fprintf(script, " size %d,%d background '#FFFFFF'\nset output ", c->width, c->height);
    exp_drawing_quote(script, output);
    fprintf(script, "\nmark = %g\n", format == EXP_CANVAS_SVG ? 0.75 : 1);
    fputs("set border 15 lc rgb '#B0B0B0'\nset tics nomirror scale 0.5 textcolor rgb '#505050'\nunset key\n"
          "set grid lt 1 lw 1 lc rgb '#EEEEEE'\n",
          script);
}

void exp_canvas_box(const exp_canvas *c, exp_box box) {
    fprintf(c->script, "set lmargin at screen %.6f\nset rmargin at screen %.6f\n",
            (double)box.left / c->width, (double)(box.left + box.width) / c->width);
    fprintf(c->script, "set bmargin at screen %.6f\nset tmargin at screen %.6f\n",
            (double)box.bottom / c->height, (double)(box.bottom + box.height) / c->height);
}
