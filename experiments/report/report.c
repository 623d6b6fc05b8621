#define _GNU_SOURCE /* asprintf */
#include "report.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "experiments/common/options.h"
#include "framework/file.h"
#include "machine.h"
#include "section.h"

/* --- head ----------------------------------------------------------------------------------------------- */

static bool is_first_of_dataset(const exp_study_table *table, int i) {
    for (int k = 0; k < i; k++)
        if (table->results[k].state == EXP_RUN_DONE &&
            strcmp(table->results[k].run->options.dataset, table->results[i].run->options.dataset) == 0)
            return false;
    return table->results[i].state == EXP_RUN_DONE;
}

/* The first lines say what data there was, and what stood in for what was not there. */
static void put_data_notices(FILE *page, const exp_study_table *table, const exp_report_facts *facts) {
    for (int i = 0; i < table->count; i++) {
        const exp_study_run *run = table->results[i].run;
        bool said = !run->absent[0];
        for (int k = 0; k < i && !said; k++)
            said = strcmp(table->results[k].run->absent, run->absent) == 0;
        if (!said && run->skipped)
            exp_html_element(page, "p class=\"notice\"",
                             "The data set %s was not there: its runs are left out.", run->absent);
        else if (!said)
            exp_html_element(
                page, "p class=\"notice\"",
                "The data set %s was not there: the built-in drawn shapes stand in for it. Numbers under its "
                "name are of shapes.",
                run->absent);
    }
    if (facts->note && facts->note[0])
        exp_html_element(page, "p class=\"notice\"", "%s", facts->note);
    fputs("<p class=\"soft\">Data: ", page);
    for (int i = 0, listed = 0; i < table->count; i++)
        if (is_first_of_dataset(table, i)) {
            const exp_study_result *r = &table->results[i];
            fprintf(page, "%s%s (%.0f training and %.0f test images as found, checksum %s)",
                    listed++ ? "; " : "", r->run->options.dataset, r->train_examples, r->test_examples,
                    r->checksum);
        }
    fputs(".</p>\n", page);
}

static void put_head(FILE *page, const exp_study_table *table, const exp_report_facts *facts) {
    int done = 0, runs = 0;
    for (int i = 0; i < table->count; i++)
        if (!table->results[i].repeated && table->results[i].state != EXP_RUN_SKIPPED) {
            runs++;
            done += table->results[i].state == EXP_RUN_DONE;
        }
    exp_html_begin(page, "Entanglement, measured and trained");
    exp_html_element(
        page, "p",
        "A reproduction, at the size '%s', of what \"Analyzing and Improving Representations with the Soft "
        "Nearest Neighbor Loss\" (Frosst, Papernot and Hinton, ICML 2019) measures and how it regularises, "
        "by "
        "the framework entangle, %s. %d of %d trainings are done.",
        facts->size, exp_version, done, runs);
    put_data_notices(page, table, facts);
    exp_html_element(
        page, "p",
        "The soft nearest neighbor loss (SNNL) of a batch is high where the classes of its points are "
        "entangled, "
        "and low where they are apart. With 10 classes and batches of 128 it cannot exceed about 2.38 at its "
        "optimal temperature. Networks are trained with cross-entropy minus a weight times the SNNL of "
        "hidden "
        "layers: a weight above 0 keeps them entangled, one below 0 pulls their classes apart, and at 0 it "
        "is "
        "only measured.");
}

/* --- toy ------------------------------------------------------------------------------------------------ */

static nn_status put_toy(exp_section *section, const char *toy, nn_error *error) {
    char *svg;
    exp_html_element(section->page, "h2", "Points in the plane");
    exp_html_element(section->page, "p",
                     "200 points of a Gaussian with random labels of 4 classes; gradient descent on the "
                     "points' coordinates "
                     "lowers their SNNL. Made by ./toy.");
    exp_html_element(section->page, "p class=\"paper\"",
                     "The paper: four such pictures, with values of 1.35921, 1.26942, 0.990778 and 0.279559. "
                     "The digits depend "
                     "on seed, temperature and step; the sequence is what is reproduced.");
    if (asprintf(&svg, "%s/toy.svg", toy) < 0)
        return nn_fail_memory(error, toy);
    fputs("<div class=\"wide\"><figure class=\"panorama\">", section->page);
    nn_status status = exp_html_picture(section->page, svg, error);
    fputs("</figure></div>\n", section->page);
    free(svg);
    return status;
}

/* --- how it was made ------------------------------------------------------------------------------------ */

static void put_runs(FILE *page, const exp_study_table *table) {
    double seconds = 0;
    fputs(
        "<details><summary>All runs</summary>\n<div class=\"wide\"><table>\n<tr><th>run</th><th>seconds</th>"
        "<th>images/s</th><th>test accuracy, %</th></tr>\n",
        page);
    for (int i = 0; i < table->count; i++) {
        const exp_study_result *r = &table->results[i];
        if (r->repeated)
            continue;
        fputs("<tr>", page);
        exp_html_element(page, "td", "%s", r->run->name);
        if (r->state == EXP_RUN_DONE) {
            fprintf(page, "<td>%.0f</td><td>%.0f</td><td>%.2f</td></tr>\n", r->seconds, r->images_per_second,
                    100 * r->test_accuracy);
            seconds += r->seconds;
        } else
            fprintf(page, "<td>%s</td><td></td><td></td></tr>\n", exp_run_states[r->state]);
    }
    fputs("</table></div></details>\n", page);
    exp_html_element(page, "p", "All trainings together took %.0f minutes.", seconds / 60);
}

static void put_making(FILE *page, const exp_study_table *table, const exp_report_facts *facts) {
    char date[64], *machine = NULL;
    size_t size;
    time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(date, sizeof date, "%Y-%m-%d %H:%M UTC", &utc);
    exp_html_element(page, "h2", "How this was made");
    exp_html_element(page, "pre", "%s", facts->command);
    exp_html_element(
        page, "p",
        "Written on %s. Started again, the same command trains nothing that is there. Any run alone, "
        "to the same bits, whatever the number of threads:",
        date);
    exp_html_element(page, "pre", "./train --preset OUT/runs/NAME/config.ini");
    FILE *memory = open_memstream(&machine, &size);
    if (memory) {
        exp_machine_describe(memory);
        if (fclose(memory) == 0)
            exp_html_element(page, "pre", "%s", machine);
        free(machine);
    }
    put_runs(page, table);
}

/* --- the page ------------------------------------------------------------------------------------------- */

static nn_status make_folder(const char *path, nn_error *error) {
    if (mkdir(path, 0777) == 0 || errno == EEXIST)
        return NN_OK;
    return nn_fail(error, NN_EFILE, "cannot make the folder %s: %s", path, strerror(errno));
}

static nn_status write_page(exp_section *section, const exp_study_table *table, const exp_study *studies,
                            int count, const exp_report_facts *facts, nn_error *error) {
    nn_status status = NN_OK;
    put_head(section->page, table, facts);
    exp_report_findings(section, table, studies, count);
    if (facts->toy)
        status = put_toy(section, facts->toy, error);
    for (int s = 0; s < count && status == NN_OK; s++)
        status = exp_report_study(section, table, &studies[s], error);
    put_making(section->page, table, facts);
    exp_html_end(section->page);
    return status;
}

nn_status exp_report_write(const exp_study_table *table, const exp_study *studies, int count,
                           const exp_report_facts *facts, nn_error *error) {
    char *text = NULL, figures[EXP_TEXT_MAX + 32], path[EXP_TEXT_MAX + 32];
    size_t size = 0;
    snprintf(figures, sizeof figures, "%s/figures", table->out);
    snprintf(path, sizeof path, "%s/report.html", table->out);
    nn_status status = make_folder(figures, error);
    if (status != NN_OK)
        return status;
    exp_section section = {.page = open_memstream(&text, &size), .folder = figures, .data = facts->data};
    if (!section.page)
        return nn_fail_memory(error, path);
    status = write_page(&section, table, studies, count, facts, error);
    bool whole = !ferror(section.page);
    if (fclose(section.page) != 0 || !whole)
        status = status == NN_OK ? nn_fail_memory(error, path) : status;
    if (status == NN_OK)
        status = nn_file_write_atomic(path, text, size, error);
    free(text);
    return status;
}
