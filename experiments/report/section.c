#include "section.h"

#include <limits.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "experiments/study/statistics.h"

nn_status exp_section_omit(exp_section *section, const char *what, nn_error *error) {
    if (error->status == NN_EMEMORY)
        return error->status;
    exp_html_element(section->page, "p class=\"notice\"", "%s: left out. %s.", what, error->message);
    *error = (nn_error){0};
    return NN_OK;
}

void exp_section_grid(exp_section *section, bool small) {
    fprintf(section->page, "<div class=\"grid%s\">\n", small ? " small" : "");
}

void exp_section_grid_end(exp_section *section) {
    fputs("</div>\n", section->page);
}

static bool figure_path(const exp_section *section, int number, char path[PATH_MAX]) {
    return snprintf(path, PATH_MAX, "%s/figure-%02d.svg", section->folder, number) < PATH_MAX;
}

void exp_section_remove_older(const exp_section *section) {
    char path[PATH_MAX];
    int number = section->figures + 1;
    while (figure_path(section, number, path) && unlink(path) == 0)
        number++;
}

nn_status exp_section_chart(exp_section *section, exp_chart *chart, nn_error *error) {
    char svg[PATH_MAX];
    if (!chart)
        return nn_fail_memory(error, "a figure");
    if (!figure_path(section, ++section->figures, svg)) {
        exp_chart_free(chart);
        return nn_fail(error, NN_EARGUMENT, "--out: the path is too long");
    }
    nn_status status = exp_chart_draw(chart, svg, error);
    if (status == NN_OK) {
        fputs("<figure>", section->page);
        status = exp_html_picture(section->page, svg, error);
        if (chart->count > 1 && !chart->no_legend)
            exp_html_legend(section->page, chart);
        fputs("</figure>\n", section->page);
    }
    exp_chart_free(chart);
    return status;
}

/* Ends a figure whose picture came out with this status. */
static nn_status end_figure(exp_section *section, const char *caption, nn_status status, nn_error *error) {
    if (status == NN_OK)
        exp_html_element(section->page, "figcaption", "%s", caption);
    fputs("</figure>\n", section->page);
    return status == NN_OK ? NN_OK : exp_section_omit(section, caption, error);
}

nn_status exp_section_image(exp_section *section, const char *png, const char *caption, nn_error *error) {
    fputs("<figure>", section->page);
    return end_figure(section, caption, exp_html_image(section->page, png, caption, error), error);
}

nn_status exp_section_picture(exp_section *section, const char *svg, const char *caption, nn_error *error) {
    fputs("<figure>", section->page);
    return end_figure(section, caption, exp_html_picture(section->page, svg, error), error);
}

exp_block_results exp_block_results_of(const exp_study_table *table, const exp_study_block *block) {
    return (exp_block_results){table, block, exp_study_table_block(table, block)};
}

const exp_study_result *exp_block_finished(const exp_block_results *b) {
    for (int i = 0; i < b->block->seeds * b->block->conditions; i++)
        if (b->results[i].state == EXP_RUN_DONE)
            return &b->results[i];
    return NULL;
}

double exp_block_tap(const exp_block_results *b, int condition, const char *tap) {
    double values[EXP_VALUES_MAX];
    for (int seed = 0; seed < b->block->seeds; seed++) {
        const exp_study_result *r = &b->results[seed * b->block->conditions + condition];
        values[seed] = NAN;
        for (int i = 0; i < r->tap_count; i++)
            if (strcmp(r->taps[i].name, tap) == 0)
                values[seed] = r->taps[i].snnl;
    }
    return exp_mean(values, b->block->seeds);
}
