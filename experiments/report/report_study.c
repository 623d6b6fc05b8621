/* report_study.c - one study: what it asks, what the paper shows, and its blocks. */
#include <math.h>
#include <string.h>

#include "experiments/study/summary.h"
#include "section.h"

static int count_finished(const exp_block_results *b) {
    int finished = 0;
    for (int i = 0; i < b->block->seeds * b->block->conditions; i++)
        finished += b->results[i].state == EXP_RUN_DONE;
    return finished;
}

/* "8" or, where the finished runs differ, "8 to 16". */
static void put_range(FILE *page, const exp_block_results *b, double (*of)(const exp_study_result *r)) {
    double low = INFINITY, high = -INFINITY;
    for (int i = 0; i < b->block->seeds * b->block->conditions; i++)
        if (b->results[i].state == EXP_RUN_DONE) {
            low = fmin(low, of(&b->results[i]));
            high = fmax(high, of(&b->results[i]));
        }
    fprintf(page, low < high ? "%.0f to %.0f" : "%.0f", low, high);
}

static double train_examples(const exp_study_result *r) {
    return r->train_examples;
}

static double steps(const exp_study_result *r) {
    return r->steps;
}

static double batch(const exp_study_result *r) {
    return (double)r->run->options.batch;
}

static void put_sizes(FILE *page, const exp_block_results *b) {
    fputs("<p class=\"soft\">", page);
    put_range(page, b, train_examples);
    fputs(" training examples, ", page);
    put_range(page, b, steps);
    fputs(" steps, batches of ", page);
    put_range(page, b, batch);
    fprintf(page, "; %d seed%s.</p>\n", b->block->seeds, b->block->seeds > 1 ? "s" : "");
}

/* What was trained on what, and how much of it is done. */
static void put_block_heading(exp_section *section, const exp_block_results *b) {
    FILE *page = section->page;
    const exp_study_run *run = &b->block->runs[0];
    int runs = b->block->seeds * b->block->conditions, done = count_finished(b);
    exp_html_element(page, "h3", "%s: %s on %s", b->block->name, run->options.model, run->options.dataset);
    if (run->skipped && !done)
        exp_html_element(page, "p class=\"notice\"", "Left out: the data set %s was not there.", run->absent);
    if (run->absent[0] && !run->skipped)
        exp_html_element(page, "p class=\"notice\"",
                         "The data set %s was not there: the built-in shapes stand in for it.", run->absent);
    if (done > 0)
        put_sizes(page, b);
    if (done < runs && (done || !run->skipped))
        exp_html_element(page, "p class=\"notice\"", "%d of %d runs are done%s", done, runs,
                         done > 0 ? "; what follows is of these." : ".");
}

/* The taps of a block's network at the end, a column for each condition: the mean over the seeds. */
static void put_taps(exp_section *section, const exp_block_results *b) {
    FILE *page = section->page;
    const exp_study_result *finished = exp_block_finished(b);
    char text[EXP_CONDITION_MAX];
    fputs("<div class=\"wide\"><table>\n<tr><th>SNNL on the test set</th>", page);
    for (int c = 0; c < b->block->conditions; c++)
        exp_html_element(page, "th", "%s", exp_condition_label(&b->block->runs[c], text));
    fputs("</tr>\n", page);
    for (int i = 0; i < finished->tap_count; i++) {
        fputs("<tr>", page);
        exp_html_element(page, "td", "%s", finished->taps[i].name);
        for (int c = 0; c < b->block->conditions; c++) {
            double snnl = exp_block_tap(b, c, finished->taps[i].name);
            if (isnan(snnl))
                fputs("<td></td>", page);
            else
                fprintf(page, "<td>%.3f</td>", snnl);
        }
        fputs("</tr>\n", page);
    }
    fputs("</table></div>\n", page);
}

/* The curves of every condition's first finished seed. */
static nn_status put_curves(exp_section *section, const exp_block_results *b, nn_error *error) {
    nn_status status = NN_OK;
    for (int c = 0; c < b->block->conditions && status == NN_OK; c++)
        for (int seed = 0; seed < b->block->seeds; seed++) {
            const exp_study_result *r = &b->results[seed * b->block->conditions + c];
            char text[EXP_CONDITION_MAX], heading[EXP_CONDITION_MAX + 96];
            if (r->state != EXP_RUN_DONE)
                continue;
            snprintf(heading, sizeof heading, "%.64s, %s, seed %llu", b->block->name,
                     exp_condition_label(r->run, text), (unsigned long long)r->run->options.seed);
            status = exp_report_curves(section, exp_study_path(b->table, r->run, ""), heading, error);
            break;
        }
    return status;
}

static nn_status put_block(exp_section *section, const exp_study *study, const exp_block_results *b,
                           nn_error *error) {
    put_block_heading(section, b);
    if (!exp_block_finished(b))
        return NN_OK;
    if (study->curves) {
        put_taps(section, b);
        nn_status status = put_curves(section, b, error);
        return status == NN_OK ? exp_report_embeddings(section, b, error) : status;
    }
    if (b->block->analysis_count > 0)
        return exp_report_analyses(section, b, error);
    exp_report_table(section, b);
    return exp_report_charts(section, b, error);
}

static nn_status put_reliability(exp_section *section, const exp_study_table *table, const exp_study *study,
                                 nn_error *error) {
    nn_status status = NN_OK;
    exp_html_element(section->page, "h3", "Reliability diagrams");
    exp_html_element(section->page, "p",
                     "How often a prediction is right, by how confident it is, over all seeds; on the "
                     "dashed line it is as often right as it says.");
    exp_section_grid(section, false);
    for (int i = 0; i < study->block_count && status == NN_OK; i++) {
        exp_block_results b = exp_block_results_of(table, &study->blocks[i]);
        if (exp_block_finished(&b))
            status = exp_report_reliability(section, &b, error);
    }
    exp_section_grid_end(section);
    return status;
}

nn_status exp_report_study(exp_section *section, const exp_study_table *table, const exp_study *study,
                           nn_error *error) {
    FILE *page = section->page;
    nn_status status = NN_OK;
    exp_html_element(page, "h2", "%s", study->title);
    if (study->about[0])
        exp_html_element(page, "p", "%s", study->about);
    if (study->paper[0])
        exp_html_element(page, "p class=\"paper\"", "The paper: %s", study->paper);
    for (int i = 0; i < study->block_count && status == NN_OK; i++) {
        exp_block_results b = exp_block_results_of(table, &study->blocks[i]);
        status = put_block(section, study, &b, error);
    }
    if (status == NN_OK && study->reliability)
        status = put_reliability(section, table, study, error);
    return status;
}
