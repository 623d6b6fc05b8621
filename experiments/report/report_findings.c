/* report_findings.c - what the numbers say, in sentences that are made from them. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "experiments/study/summary.h"
#include "section.h"

/* --- layers --------------------------------------------------------------------------------------------- */

static const exp_study_result *find_weight(const exp_block_results *b, bool (*wanted)(double weight)) {
    for (int i = 0; i < b->block->seeds * b->block->conditions; i++)
        if (b->results[i].state == EXP_RUN_DONE && wanted(b->results[i].run->options.snnl_weight))
            return &b->results[i];
    return NULL;
}

static bool is_zero(double weight) {
    return weight == 0;
}

static bool is_positive(double weight) {
    return weight > 0;
}

static bool is_negative(double weight) {
    return weight < 0;
}

/* The next tap from `from` on that is or is not inside a block; NULL: none. */
static const exp_tap_result *next_tap(const exp_study_result *r, int from, bool inner) {
    for (int i = from; i < r->tap_count; i++)
        if (exp_is_inner_tap(r->taps[i].name) == inner)
            return &r->taps[i];
    return NULL;
}

static const exp_tap_result *last_tap(const exp_study_result *r, bool inner) {
    const exp_tap_result *last = NULL;
    for (const exp_tap_result *t = next_tap(r, 0, inner); t; t = next_tap(r, (int)(t - r->taps) + 1, inner))
        last = t;
    return last;
}

static void say_depth(FILE *page, const exp_study_result *r) {
    const exp_tap_result *first = next_tap(r, 0, false), *last = last_tap(r, false);
    int falls = 0, steps = 0;
    for (const exp_tap_result *t = first, *next; t; t = next) {
        next = next_tap(r, (int)(t - r->taps) + 1, false);
        steps += next != NULL;
        falls += next && next->snnl < t->snnl;
    }
    if (!first || first == last)
        return;
    fputs("<li>", page);
    fprintf(page,
            "Plain %s on %s: the test set's SNNL goes from %.2f in %s to %.2f in %s, and falls in %d of %d "
            "steps from "
            "layer to layer.",
            r->run->options.model, r->run->options.dataset, first->snnl, first->name, last->snnl, last->name,
            falls, steps);
    const exp_tap_result *inner = next_tap(r, 0, true), *end = last_tap(r, true);
    if (inner && inner != end)
        fprintf(page, " Inside the final block it goes from %.2f in %s to %.2f in %s.", inner->snnl,
                inner->name, end->snnl, end->name);
    fputs("</li>\n", page);
}

/* Of the taps that carry a weight in `weighted`: their mean SNNL in run r. */
static double mean_of_weighted(const exp_study_result *weighted, const exp_study_result *r) {
    double sum = 0;
    int taps = 0;
    for (int i = 0; i < weighted->tap_count && i < r->tap_count; i++)
        if (weighted->taps[i].weight != 0) {
            sum += r->taps[i].snnl;
            taps++;
        }
    return taps ? sum / taps : NAN;
}

static void say_weighted(FILE *page, const exp_study_result *plain, const exp_study_result *weighted) {
    const exp_tap_result *last = last_tap(weighted, false), *plain_last = last_tap(plain, false);
    if (!last || !plain_last)
        return;
    fprintf(page,
            "<li>%s at weight %g (%s, %s): the weighted layers end at a mean SNNL of %.2f, against %.2f in "
            "the plain "
            "network; %s, the last layer, at %.2f against %.2f; test accuracy %.2f%% against %.2f%%.</li>\n",
            weighted->run->options.snnl_weight > 0 ? "Entangled" : "Disentangled",
            weighted->run->options.snnl_weight, weighted->run->options.model, weighted->run->options.dataset,
            mean_of_weighted(weighted, weighted), mean_of_weighted(weighted, plain), last->name, last->snnl,
            plain_last->snnl, 100 * weighted->test_accuracy, 100 * plain->test_accuracy);
}

static void say_layers(FILE *page, const exp_block_results *b) {
    const exp_study_result *plain = find_weight(b, is_zero), *entangled = find_weight(b, is_positive),
                           *disentangled = find_weight(b, is_negative);
    if (!plain)
        return;
    say_depth(page, plain);
    if (entangled)
        say_weighted(page, plain, entangled);
    if (disentangled)
        say_weighted(page, plain, disentangled);
}

/* --- differences ---------------------------------------------------------------------------------------- */

/* "+0.10 points of accuracy [-0.02, +0.22]", and what the interval says. */
static void say_difference(FILE *page, const exp_difference *d, double factor, int digits, const char *what) {
    fprintf(page, "%+.*f %s", digits, factor * d->mean, what);
    if (d->pairs < 2)
        return;
    const char *verdict = d->low > 0 ? "higher" : d->high < 0 ? "lower" : "no clear difference";
    fprintf(page, " [%+.*f, %+.*f], %s", digits, factor * d->low, digits, factor * d->high, verdict);
}

static void say_condition(FILE *page, const exp_block_results *b, int condition) {
    exp_condition_summary accuracy =
        exp_study_condition(b->table, b->block, condition, offsetof(exp_study_result, test_accuracy));
    exp_condition_summary likelihood =
        exp_study_condition(b->table, b->block, condition, offsetof(exp_study_result, test_cross_entropy));
    exp_condition_summary calibration =
        exp_study_condition(b->table, b->block, condition, offsetof(exp_study_result, test_ece));
    char text[EXP_CONDITION_MAX];
    if (accuracy.difference.pairs == 0)
        return;
    fputs("<li>", page);
    exp_html_text(page, b->block->name);
    fputs(", ", page);
    exp_html_text(page, exp_condition_label(&b->block->runs[condition], text));
    fprintf(page, ", less weight 0 (%d seeds): ", accuracy.difference.pairs);
    say_difference(page, &accuracy.difference, 100, 2, "points of accuracy");
    fputs("; ", page);
    say_difference(page, &likelihood.difference, 1, 3, "nats of negative log-likelihood");
    fputs("; ", page);
    say_difference(page, &calibration.difference, 100, 2, "points of calibration error");
    fputs(".</li>\n", page);
}

void exp_report_findings(exp_section *section, const exp_study_table *table, const exp_study *studies,
                         int count) {
    FILE *page = section->page;
    exp_html_element(page, "h2", "Findings");
    exp_html_element(
        page, "p",
        "Made from the runs below. Intervals are 95%% intervals of the mean of paired differences "
        "(same initial weights, same batches) by Student's t.");
    fputs("<ul>\n", page);
    for (int s = 0; s < count; s++)
        for (int i = 0; i < studies[s].block_count; i++) {
            exp_block_results b = exp_block_results_of(table, &studies[s].blocks[i]);
            if (studies[s].curves)
                say_layers(page, &b);
            for (int c = 0; studies[s].findings && c < b.block->conditions; c++)
                say_condition(page, &b, c);
        }
    fputs("</ul>\n", page);
}
