#define _GNU_SOURCE /* asprintf */
#include "section.h"

#include <stdlib.h>

void exp_section_grid(exp_section *section, bool begin) {
    fputs(begin ? "<div class=\"grid\">\n" : "</div>\n", section->page);
}

nn_status exp_section_chart(exp_section *section, exp_chart *chart, nn_error *error) {
    char *svg;
    if (!chart)
        return nn_fail_memory(error, "a figure");
    if (asprintf(&svg, "%s/figure-%02d.svg", section->folder, ++section->figures) < 0) {
        exp_chart_free(chart);
        return nn_fail_memory(error, "a figure");
    }
    nn_status status = exp_chart_draw(chart, svg, error);
    if (status == NN_OK) {
        fputs("<figure>", section->page);
        status = exp_html_picture(section->page, svg, error);
        if (chart->count > 1)
            exp_html_legend(section->page, chart);
        fputs("</figure>\n", section->page);
    }
    free(svg);
    exp_chart_free(chart);
    return status;
}
