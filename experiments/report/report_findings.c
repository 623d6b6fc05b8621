/* report_findings.c - what the numbers say, in sentences that are made from them. */
#include <math.h>
#include <string.h>

#include "experiments/study/summary.h"
#include "numbers.h"

/* --- layers --------------------------------------------------------------------------------------------- */

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
    exp_html_format(
        page,
        "Plain %s on %s: the test set's SNNL goes from %.2f in %s to %.2f in %s, and falls in %d of "
        "%d steps from layer to layer.",
        r->run->options.model, r->run->options.dataset, first->snnl, first->name, last->snnl, last->name,
        falls, steps);
    const exp_tap_result *inner = next_tap(r, 0, true), *end = last_tap(r, true);
    if (inner && inner != end)
        exp_html_format(page, " Inside the final block it goes from %.2f in %s to %.2f in %s.", inner->snnl,
                        inner->name, end->snnl, end->name);
    fputs("</li>\n", page);
}

/* Of the taps that carry a weight in `weighted`: their mean SNNL in run r, which has the same taps. */
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
    double weight = weighted->run->options.snnl_weight;
    if (!last || !plain_last || isnan(mean_of_weighted(weighted, weighted)))
        return;
    exp_html_element(
        page, "li",
        "%s at weight %g (%s, %s): the weighted layers end at a mean SNNL of %.2f, against %.2f in the plain "
        "network; %s, the last layer, at %.2f against %.2f; test accuracy %.2f%% against %.2f%%.",
        weight > 0 ? "Entangled" : "Disentangled", weight, weighted->run->options.model,
        weighted->run->options.dataset, mean_of_weighted(weighted, weighted),
        mean_of_weighted(weighted, plain), last->name, last->snnl, plain_last->snnl,
        100 * weighted->test_accuracy, 100 * plain->test_accuracy);
}

/* The first finished run whose weight has this sign and that can be compared, with the one at weight 0 that it is compared
 * with: same seed, same batches. */
static void say_sign(FILE *page, const exp_block_results *b, int sign) {
    for (int i = 0; i < b->block->seeds * b->block->conditions; i++) {
        const exp_study_result *r = &b->results[i];
        double weight = r->run->options.snnl_weight;
        if (r->state != EXP_RUN_DONE || (weight > 0) - (weight < 0) != sign)
            continue;
        const exp_study_result *plain = sign ? exp_study_baseline(b->table, r) : r;
        if (!plain)
            continue;
        if (sign)
            say_weighted(page, plain, r);
        else
            say_depth(page, r);
        return;
    }
}

static void say_layers(FILE *page, const exp_block_results *b) {
    say_sign(page, b, 0);
    say_sign(page, b, 1);
    say_sign(page, b, -1);
}

/* --- differences ---------------------------------------------------------------------------------------- */

/* "+0.10 points of accuracy [-0.02, +0.22]", and what the interval says; `of` follows `what`. */
static void say_difference(FILE *page, const exp_difference *d, int digits, const char *what,
                           const char *of) {
    fprintf(page, "%+.*f %s", digits, d->mean, what);
    exp_html_text(page, of);
    if (isnan(d->low))
        return;
    const char *verdict = d->low > 0 ? "higher" : d->high < 0 ? "lower" : "no clear difference";
    fprintf(page, " [%+.*f, %+.*f], %s", digits, d->low, digits, d->high, verdict);
}

static void say_condition(FILE *page, const exp_block_results *b, int condition) {
    exp_difference accuracy = exp_block_difference(b, condition, exp_number_accuracy);
    exp_difference likelihood = exp_block_difference(b, condition, exp_number_cross_entropy);
    exp_difference calibration = exp_block_difference(b, condition, exp_number_calibration_error);
    char text[EXP_CONDITION_MAX];
    if (accuracy.pairs == 0)
        return;
    int seeds = accuracy.pairs;
    fputs("<li>", page);
    exp_html_format(page, "%s, %s, against weight 0 (%d seed%s): ", b->block->name,
                    exp_condition_label(&b->block->runs[condition], text), seeds, seeds > 1 ? "s" : "");
    say_difference(page, &accuracy, 2, "points of accuracy", "");
    fputs("; ", page);
    say_difference(page, &likelihood, 3, "nats of negative log-likelihood", "");
    fputs("; ", page);
    say_difference(page, &calibration, 2, "points of calibration error", "");
    fputs(".</li>\n", page);
}

/* --- what other programs have found --------------------------------------------------------------------- */

/* Numbers of summaries that are worth a sentence: those whose names begin and end so. */
static const struct {
    const char *program, *begin, *end, *what;
    double scale;
    int digits;
} told[] = {
    {"neighbors", "outliers.", ".scores.softmax.auroc", "of AUROC of the softmax probability against ", 1, 3},
    {"neighbors", "outliers.", ".scores.credibility.auroc", "of AUROC of credibility against ", 1, 3},
    {"attack", "attacks.fgsm:", ".accuracy", "points of accuracy under FGSM at epsilon ", 100, 2},
    {"attack", "gradients.snnl", "", "of SNNL of the signs of input gradients", 1, 3},
    {"attack", "credibility.auroc.conformal", "", "of AUROC of credibility, clean against attacked", 1, 3},
};

/* What stands in the place of the `*` of begin*end; false where the name is none of those. */
static bool fill_in(const char *name, int t, char *between, size_t size) {
    size_t length = strlen(name), begin = strlen(told[t].begin), end = strlen(told[t].end);
    if (length < begin + end || strncmp(name, told[t].begin, begin) != 0 ||
        strcmp(name + length - end, told[t].end) != 0 || (end == 0 && length != begin) ||
        strstr(name, ".transfer."))
        return false;
    snprintf(between, size, "%.*s", (int)(length - begin - end), name + begin);
    return true;
}

static void say_number(FILE *page, const exp_block_results *b, int condition, int t, const char *name,
                       int *said) {
    char between[EXP_NUMBER_NAME_MAX], text[EXP_CONDITION_MAX];
    if (!fill_in(name, t, between, sizeof between))
        return;
    exp_difference d = exp_block_analysis_difference(b, condition, told[t].program, name);
    if (d.pairs == 0)
        return;
    d.mean *= told[t].scale;
    d.low *= told[t].scale;
    d.high *= told[t].scale;
    if ((*said)++ == 0) {
        fputs("<li>", page);
        exp_html_format(page, "%s, %s, against weight 0 (%d seed%s): ", b->block->name,
                        exp_condition_label(&b->block->runs[condition], text), d.pairs,
                        d.pairs > 1 ? "s" : "");
    } else
        fputs("; ", page);
    say_difference(page, &d, told[t].digits, told[t].what, between);
}

static void say_analyses(FILE *page, const exp_block_results *b, int condition) {
    int said = 0;
    for (int k = 0; k < b->block->analysis_count; k++) {
        const exp_named_numbers *numbers = &b->results[condition].analyses[k].numbers;
        for (int t = 0; t < (int)(sizeof told / sizeof *told); t++)
            for (int i = 0; i < numbers->count; i++)
                if (strcmp(told[t].program, b->block->analyses[k].program) == 0)
                    say_number(page, b, condition, t, numbers->items[i].name, &said);
    }
    if (said)
        fputs(".</li>\n", page);
}

static void say_all(FILE *page, const exp_study_table *table, const exp_study *studies, int count) {
    for (int s = 0; s < count; s++)
        for (int i = 0; i < studies[s].block_count; i++) {
            exp_block_results b = exp_block_results_of(table, &studies[s].blocks[i]);
            if (studies[s].curves)
                say_layers(page, &b);
            for (int c = 0; studies[s].findings && c < b.block->conditions; c++)
                say_condition(page, &b, c);
            for (int c = 0; c < b.block->conditions; c++)
                say_analyses(page, &b, c);
        }
}

void exp_report_findings(exp_section *section, const exp_study_table *table, const exp_study *studies,
                         int count) {
    FILE *page = section->page;
    exp_html_element(page, "h2", "Findings");
    exp_html_element(
        page, "p",
        "Made from the runs below. Differences are means of pairs with the same initial weights and the same "
        "batches, and in brackets are 95%% intervals of these means by Student's t.");
    fputs("<ul>\n", page);
    long before = ftell(page);
    say_all(page, table, studies, count);
    if (ftell(page) == before)
        exp_html_element(page, "li", "None yet: no runs that can be compared are done.");
    fputs("</ul>\n", page);
}
