/* report_analyses.c - what other programs have made of a block's runs: which section tells of which, and the table that they
 * share. */
#include <math.h>
#include <string.h>

#include "analyses.h"
#include "experiments/common/program_names.h"
#include "experiments/study/analysis.h"
#include "experiments/study/summary.h"
#include "numbers.h"

static int finished(const exp_block_results *b, int analysis) {
    int count = 0;
    for (int i = 0; i < b->block->seeds * b->block->conditions; i++)
        count += b->results[i].analyses[analysis].state == EXP_RUN_DONE;
    return count;
}

/* How much of it is done. Failures say where their program's words are. */
static void put_progress(exp_section *section, const exp_block_results *b, int analysis) {
    int runs = b->block->seeds * b->block->conditions, done = finished(b, analysis);
    char folder[EXP_ANALYSIS_PATH_MAX], call[EXP_CALL_MAX];
    if (done < runs)
        exp_html_element(section->page, "p class=\"notice\"", "%s is done for %d of %d runs%s",
                         exp_program_call(b->block->analyses[analysis].program, call), done, runs,
                         done > 0 ? "; what follows is of these." : ".");
    for (int i = 0; i < runs; i++)
        if (b->results[i].analyses[analysis].state == EXP_RUN_FAILED)
            exp_html_element(
                section->page, "p class=\"notice\"", "Failed: see %s.failed.",
                exp_analysis_folder(b->table, &b->results[i], &b->block->analyses[analysis], folder));
}

nn_status exp_report_analyses(exp_section *section, const exp_block_results *b, nn_error *error) {
    static const struct {
        const char *program;
        nn_status (*report)(exp_section *section, const exp_block_results *b, int analysis, nn_error *error);
    } reports[] = {
        {"neighbors", exp_report_neighbors}, {"attack", exp_report_attack}, {"gan", exp_report_gan}};
    nn_status status = NN_OK;
    for (int k = 0; k < b->block->analysis_count; k++) {
        put_progress(section, b, k);
        for (size_t i = 0; i < sizeof reports / sizeof *reports && status == NN_OK; i++)
            if (finished(b, k) && strcmp(reports[i].program, b->block->analyses[k].program) == 0)
                status = reports[i].report(section, b, k, error);
    }
    return status;
}

const exp_study_result *exp_block_analysed(const exp_block_results *b, int condition, int analysis) {
    for (int seed = 0; seed < b->block->seeds; seed++) {
        const exp_study_result *r = &b->results[seed * b->block->conditions + condition];
        if (r->analyses[analysis].state == EXP_RUN_DONE)
            return r;
    }
    return NULL;
}

const exp_study_result *exp_block_first_analysed(const exp_block_results *b, int analysis) {
    for (int c = 0; c < b->block->conditions; c++)
        if (exp_block_analysed(b, c, analysis))
            return exp_block_analysed(b, c, analysis);
    return NULL;
}

const char *exp_block_analysis_file(const exp_block_results *b, const exp_study_result *result, int analysis,
                                    const char *name, char path[PATH_MAX]) {
    char folder[EXP_ANALYSIS_PATH_MAX];
    exp_analysis_folder(b->table, result, &b->block->analyses[analysis], folder);
    snprintf(path, PATH_MAX, "%s/%s", folder, name);
    return path;
}

/* --- the table ------------------------------------------------------------------------------------------ */

static bool is_weighted(const exp_block_results *b, int condition) {
    return b->block->runs[condition].options.snnl_weight != 0;
}

void exp_report_lines_begin(exp_section *section, const exp_block_results *b, const char *heading) {
    char text[EXP_CONDITION_MAX];
    fputs("<div class=\"wide\"><table>\n<tr>", section->page);
    exp_html_element(section->page, "th", "%s", heading);
    for (int c = 0; c < b->block->conditions; c++) {
        exp_html_element(section->page, "th", "%s", exp_condition_label(&b->block->runs[c], text));
        if (is_weighted(b, c))
            fputs("<th>difference</th>", section->page);
    }
    fputs("</tr>\n", section->page);
}

void exp_report_line(exp_section *section, const exp_block_results *b, const char *program,
                     const exp_line *line) {
    FILE *page = section->page;
    double values[EXP_VALUES_MAX];
    fputs("<tr>", page);
    exp_html_element(page, "td", "%s", line->label);
    for (int c = 0; c < b->block->conditions; c++) {
        exp_block_analysis(b, c, program, line->name, values);
        exp_put_number(page, exp_mean(values, b->block->seeds) * line->scale, line->digits);
        exp_difference d = exp_block_analysis_difference(b, c, program, line->name);
        d.mean *= line->scale;
        d.low *= line->scale;
        d.high *= line->scale;
        if (is_weighted(b, c))
            exp_put_difference(page, &d, line->digits);
    }
    fputs("</tr>\n", page);
}

void exp_report_lines_end(exp_section *section) {
    fputs("</table></div>\n", section->page);
}

/* --- pictures ------------------------------------------------------------------------------------------- */

nn_status exp_report_pictures(exp_section *section, const exp_block_results *b, int analysis,
                              const char *name, bool wide, nn_error *error) {
    nn_status status = NN_OK;
    if (b->block != b->results->study->blocks)
        return NN_OK;
    if (!wide)
        exp_section_grid(section, false);
    for (int c = 0; c < b->block->conditions && status == NN_OK; c++) {
        char path[PATH_MAX], label[EXP_CONDITION_MAX];
        const exp_study_result *r = exp_block_analysed(b, c, analysis);
        if (r)
            status = exp_section_image(section, exp_block_analysis_file(b, r, analysis, name, path),
                                       exp_condition_label(r->run, label), error);
    }
    if (!wide)
        exp_section_grid_end(section);
    return status;
}
