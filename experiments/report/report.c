#define _GNU_SOURCE /* asprintf */
#include "report.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "experiments/common/options.h"
#include "experiments/common/program_names.h"
#include "framework/file.h"
#include "machine.h"
#include "section.h"

/* --- head ----------------------------------------------------------------------------------------------- */

/* The first lines say what data there was not, and what stood in for it. */
static void put_notices(FILE *page, const exp_study_table *table, const exp_report_facts *facts) {
    for (int i = 0; i < table->count; i++) {
        const exp_study_run *run = table->results[i].run;
        bool finished_elsewhere = run->skipped && table->results[i].state == EXP_RUN_DONE;
        bool said = !run->absent[0] || finished_elsewhere;
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
}

static bool is_finished_on(const exp_study_result *r, const char *dataset) {
    return r->state == EXP_RUN_DONE && strcmp(r->run->options.dataset, dataset) == 0;
}

/* A data set, and the largest parts of it that finished runs used, the first of which is table->results[first]. */
static void put_dataset(FILE *page, const exp_study_table *table, int first) {
    const exp_study_result *r = &table->results[first];
    double train = 0, test = 0;
    for (int i = first; i < table->count; i++)
        if (is_finished_on(&table->results[i], r->run->options.dataset)) {
            train = fmax(train, table->results[i].train_examples);
            test = fmax(test, table->results[i].test_examples);
        }
    exp_html_format(page, " %s (%.0f training and %.0f test images were used; checksum %s)",
                    r->run->options.dataset, train, test, r->checksum);
}

static void put_datasets(FILE *page, const exp_study_table *table) {
    int listed = 0;
    for (int i = 0; i < table->count; i++) {
        const exp_study_result *r = &table->results[i];
        bool seen = r->state != EXP_RUN_DONE;
        for (int k = 0; k < i && !seen; k++)
            seen = is_finished_on(&table->results[k], r->run->options.dataset);
        if (seen)
            continue;
        fputs(listed++ ? ";" : "<p class=\"soft\">Data:", page);
        put_dataset(page, table, i);
    }
    fputs(listed ? ".</p>\n" : "", page);
}

static void put_count(FILE *page, const exp_study_table *table) {
    int counts[4] = {0};
    for (int i = 0; i < table->count; i++)
        counts[table->results[i].state] += !table->results[i].repeated;
    fprintf(page, " %d of %d trainings are done", counts[EXP_RUN_DONE],
            counts[EXP_RUN_DONE] + counts[EXP_RUN_FAILED] + counts[EXP_RUN_MISSING]);
    if (counts[EXP_RUN_FAILED])
        fprintf(page, ", and %d failed", counts[EXP_RUN_FAILED]);
    putc('.', page);
}

static void put_head(FILE *page, const exp_study_table *table, const exp_report_facts *facts) {
    exp_html_begin(page, "Entanglement, measured and trained");
    put_notices(page, table, facts);
    fputs("<p>", page);
    exp_html_format(
        page,
        "A reproduction, at the size '%s', of what \"Analyzing and Improving Representations with the Soft "
        "Nearest Neighbor Loss\" (Frosst, Papernot and Hinton, ICML 2019) measures and how it regularises, "
        "by the framework entangle, %s.",
        facts->size, exp_version);
    put_count(page, table);
    fputs("</p>\n", page);
    put_datasets(page, table);
    exp_html_element(
        page, "p",
        "The soft nearest neighbor loss (SNNL) of a batch is high where the classes of its points are "
        "entangled, and low where they are apart. With 10 classes and batches of 128 it cannot exceed about "
        "2.38 at its optimal temperature. Networks are trained with cross-entropy minus a weight times the "
        "SNNL of hidden layers: a weight above 0 keeps them entangled, one below 0 pulls their classes "
        "apart, "
        "and at 0 it is only measured.");
}

/* --- toy ------------------------------------------------------------------------------------------------ */

static nn_status put_toy(exp_section *section, const char *toy, nn_error *error) {
    char *svg, call[EXP_CALL_MAX];
    exp_html_element(section->page, "h2", "Points in the plane");
    exp_html_element(section->page, "p",
                     "200 points of a Gaussian with random labels of 4 classes; gradient descent on the "
                     "points' coordinates "
                     "lowers their SNNL. Made by %s.",
                     exp_program_call("toy", call));
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
    return status == NN_OK ? NN_OK : exp_section_omit(section, "The picture", error);
}

/* --- how it was made ------------------------------------------------------------------------------------ */

static const char *time_text(double seconds, char text[32]) {
    if (seconds < 100)
        snprintf(text, 32, "%.0f seconds", seconds);
    else if (seconds < 6000)
        snprintf(text, 32, "%.0f minutes", seconds / 60);
    else
        snprintf(text, 32, "%.1f hours", seconds / 3600);
    return text;
}

static void put_runs(FILE *page, const exp_study_table *table, double call) {
    char all[32], last[32];
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
    exp_html_element(page, "p", "All trainings together took %s, the last call of the program %s.",
                     time_text(seconds, all), time_text(call, last));
}

static void put_making(FILE *page, const exp_study_table *table, const exp_report_facts *facts) {
    char date[64], call[EXP_CALL_MAX], *machine = NULL;
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
    exp_html_element(page, "pre", "%s --preset OUT/runs/NAME/config.ini", exp_program_call("train", call));
    FILE *memory = open_memstream(&machine, &size);
    if (memory) {
        exp_machine_describe(memory);
        if (fclose(memory) == 0)
            exp_html_element(page, "pre", "%s", machine);
        free(machine);
    }
    put_runs(page, table, facts->seconds);
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
    if (status == NN_OK)
        exp_section_remove_older(&section);
    free(text);
    return status;
}
