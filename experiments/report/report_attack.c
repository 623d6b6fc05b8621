/* report_attack.c - adversarial examples: accuracy against epsilon, transfer, credibility, the structure of gradients. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyses.h"
#include "experiments/common/palette.h"
#include "experiments/study/summary.h"
#include "numbers.h"

enum { EPSILONS_MAX = 32 };

static const char program[] = "attack";
static const char *const methods[][2] = {
    {"fgsm", "Fast gradient sign"}, {"bim", "Basic iterative method"}, {"pgd", "Projected gradient descent"}};

/* The epsilons of a method's attacks as they stand in the numbers' names, in order. */
static int list_epsilons(const exp_named_numbers *numbers, const char *method,
                         char epsilons[EPSILONS_MAX][32]) {
    char beginning[64];
    int count = 0;
    snprintf(beginning, sizeof beginning, "attacks.%s:", method);
    size_t length = strlen(beginning);
    for (int i = 0; i < numbers->count && count < EPSILONS_MAX; i++) {
        const char *name = numbers->items[i].name;
        size_t end = strlen(name), tail = strlen(".epsilon");
        if (strncmp(name, beginning, length) == 0 && end > length + tail &&
            strcmp(name + end - tail, ".epsilon") == 0)
            snprintf(epsilons[count++], 32, "%.*s", (int)(end - tail - length), name + length);
    }
    return count;
}

/* --- accuracy against epsilon --------------------------------------------------------------------------- */

static void put_curve(exp_series *series, const exp_block_results *b, int condition, const char *method,
                      char epsilons[EPSILONS_MAX][32]) {
    for (int i = 0; i < series->count; i++) {
        char name[EXP_NUMBER_NAME_MAX];
        double values[EXP_VALUES_MAX];
        snprintf(name, sizeof name, "attacks.%s:%s.accuracy", method, epsilons[i]);
        exp_block_analysis(b, condition, program, name, values);
        series->x[i] = strtod(epsilons[i], NULL);
        series->y[i] = 100 * exp_mean(values, b->block->seeds);
        for (int seed = 0; seed < b->block->seeds; seed++) {
            series->low[i] = fmin(series->low[i], 100 * values[seed]);
            series->high[i] = fmax(series->high[i], 100 * values[seed]);
        }
    }
}

static nn_status draw_method(exp_section *section, const exp_block_results *b, int analysis, int method,
                             nn_error *error) {
    exp_chart *chart = NULL;
    for (int c = 0; c < b->block->conditions; c++) {
        char epsilons[EPSILONS_MAX][32], label[EXP_CONDITION_MAX];
        const exp_study_result *r = exp_block_analysed(b, c, analysis);
        int count = r ? list_epsilons(&r->analyses[analysis].numbers, methods[method][0], epsilons) : 0;
        if (count == 0)
            continue;
        if (!chart)
            chart = exp_chart_new(methods[method][1], "epsilon (of pixels from 0 to 1)", "accuracy (%)");
        if (!chart)
            return nn_fail_memory(error, "a figure");
        exp_series *series = exp_chart_add(chart, exp_condition_label(&b->block->runs[c], label),
                                           exp_color(c), EXP_CHART_MARKS, count, true);
        if (series)
            put_curve(series, b, c, methods[method][0], epsilons);
    }
    if (!chart)
        return NN_OK;
    chart->y_high = 100;
    return exp_section_chart(section, chart, error);
}

/* --- one attack, looked at closely ---------------------------------------------------------------------- */

/* The attack whose credibility was asked for, else the last one: "fgsm:0.25". False where there is none. */
static bool choose_attack(const exp_study_result *r, int analysis, char attack[64]) {
    const exp_named_numbers *numbers = &r->analyses[analysis].numbers;
    double wanted = exp_named_number_find(numbers, "credibility.epsilon");
    attack[0] = '\0';
    for (size_t m = 0; m < sizeof methods / sizeof *methods; m++) {
        char epsilons[EPSILONS_MAX][32];
        int count = list_epsilons(numbers, methods[m][0], epsilons);
        for (int i = 0; i < count; i++)
            if (!attack[0] || (m == 0 && fabs(strtod(epsilons[i], NULL) - wanted) < 1e-9) ||
                (m == 0 && isnan(wanted)))
                snprintf(attack, 64, "%s:%.31s", methods[m][0], epsilons[i]);
    }
    return attack[0] != '\0';
}

/* Mean over the seeds of the share that an attack made for a condition's network turns wrong in the network of another
 * condition (or of the same) and of the next seed, of those that both had right. */
static double transfer(const exp_block_results *b, const char *attack, int from, int to) {
    double values[EXP_VALUES_MAX];
    int seeds = b->block->seeds;
    for (int seed = 0; seed < seeds; seed++) {
        char name[EXP_NUMBER_NAME_MAX];
        const exp_study_run *other = &b->block->runs[(seed + 1) % seeds * b->block->conditions + to];
        snprintf(name, sizeof name, "attacks.%s.transfer.%s.success", attack, other->name);
        values[seed] = exp_analysis_number(&b->results[seed * b->block->conditions + from], program, name);
    }
    return exp_mean(values, seeds);
}

static void put_transfer(exp_section *section, const exp_block_results *b, const char *attack) {
    FILE *page = section->page;
    char label[EXP_CONDITION_MAX];
    if (isnan(transfer(b, attack, 0, 0)))
        return;
    exp_html_element(
        page, "p",
        "Transfer: of the images that both networks had right, the share (%%) that the attack %s on one "
        "network turns wrong in another one, of another seed. Means over the seeds.",
        attack);
    fputs("<div class=\"wide\"><table>\n<tr><th>made on, shown to</th>", page);
    for (int to = 0; to < b->block->conditions; to++)
        exp_html_element(page, "th", "%s", exp_condition_label(&b->block->runs[to], label));
    fputs("</tr>\n", page);
    for (int from = 0; from < b->block->conditions; from++) {
        fputs("<tr>", page);
        exp_html_element(page, "td", "%s", exp_condition_label(&b->block->runs[from], label));
        for (int to = 0; to < b->block->conditions; to++)
            exp_put_number(page, 100 * transfer(b, attack, from, to), 1);
        fputs("</tr>\n", page);
    }
    fputs("</table></div>\n", page);
}

static void put_numbers(exp_section *section, const exp_block_results *b, const char *attack) {
    char accuracy[EXP_NUMBER_NAME_MAX], success[EXP_NUMBER_NAME_MAX];
    snprintf(accuracy, sizeof accuracy, "attacks.%s.accuracy", attack);
    snprintf(success, sizeof success, "attacks.%s.success", attack);
    const exp_line lines[] = {
        {"network, clean, accuracy, %", "clean_accuracy", 100, 2},
        {"network, attacked, accuracy, %", accuracy, 100, 2},
        {"attacks that succeed, %", success, 100, 2},
        {"DkNN, clean, accuracy, %", "credibility.clean.dknn_accuracy", 100, 2},
        {"DkNN, attacked, accuracy, %", "credibility.adversarial.dknn_accuracy", 100, 2},
        {"mean credibility, clean", "credibility.clean.conformal.mean", 1, 3},
        {"mean credibility, attacked", "credibility.adversarial.conformal.mean", 1, 3},
        {"AUROC of credibility, clean against attacked", "credibility.auroc.conformal", 1, 3},
        {"SNNL of the signs of input gradients", "gradients.snnl", 1, 3},
    };
    char heading[96];
    snprintf(heading, sizeof heading, "attack %s", attack);
    exp_report_lines_begin(section, b, heading);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        exp_report_line(section, b, program, &lines[i]);
    exp_report_lines_end(section);
}

nn_status exp_report_attack(exp_section *section, const exp_block_results *b, int analysis, nn_error *error) {
    nn_status status = NN_OK;
    char attack[64];
    const exp_study_result *first = exp_block_first_analysed(b, analysis);
    exp_section_grid(section, false);
    for (int m = 0; m < (int)(sizeof methods / sizeof *methods) && status == NN_OK; m++)
        status = draw_method(section, b, analysis, m, error);
    exp_section_grid_end(section);
    if (status != NN_OK || !choose_attack(first, analysis, attack))
        return status;
    put_numbers(section, b, attack);
    put_transfer(section, b, attack);
    return exp_report_pictures(section, b, analysis, "gradients.png", false, error);
}
