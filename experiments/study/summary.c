#include "summary.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

static double number_at(const exp_study_result *result, size_t place) {
    return result ? *(const double *)((const char *)result + place) : NAN;
}

exp_condition_summary exp_study_condition(const exp_study_table *table, const exp_study_block *block,
                                          int condition, size_t number) {
    double values[EXP_VALUES_MAX], baselines[EXP_VALUES_MAX];
    exp_condition_summary s = {.first = exp_study_table_block(table, block) + condition};
    bool weighted = s.first->run->options.snnl_weight != 0;
    for (int i = 0; i < block->seeds; i++) {
        const exp_study_result *result = s.first + i * block->conditions;
        values[i] = number_at(result, number);
        baselines[i] = weighted ? number_at(exp_study_baseline(table, result), number) : NAN;
    }
    s.runs = exp_known(values, block->seeds);
    s.mean = exp_mean(values, block->seeds);
    s.deviation = exp_deviation(values, block->seeds);
    s.difference = exp_paired_difference(values, baselines, block->seeds);
    return s;
}

/* --- printing ------------------------------------------------------------------------------------------- */

const char *exp_condition_label(const exp_study_run *run, char text[EXP_CONDITION_MAX]) {
    char weight[32];
    snprintf(text, EXP_CONDITION_MAX, "%s", run->condition);
    if (!text[0])
        snprintf(text, EXP_CONDITION_MAX, "snnl-weight %s",
                 exp_number_text(run->options.snnl_weight, weight));
    return text;
}

static int widest_label(const exp_study *study) {
    char text[EXP_CONDITION_MAX];
    size_t width = strlen("condition");
    for (int b = 0; b < study->block_count; b++)
        for (int c = 0; c < study->blocks[b].conditions; c++) {
            size_t length = strlen(exp_condition_label(&study->blocks[b].runs[c], text));
            width = length > width ? length : width;
        }
    return (int)width;
}

static void print_condition(const exp_condition_summary *s, const exp_study_block *block, int width,
                            FILE *file) {
    char text[EXP_CONDITION_MAX], spread[32] = "";
    const exp_difference *d = &s->difference;
    fprintf(file, "  %-*s  %2d of %d", width, exp_condition_label(s->first->run, text), s->runs,
            block->seeds);
    if (s->runs > 0)
        fprintf(file, "%*s  %7.2f%%", block->seeds < 10, "", 100 * s->mean);
    if (s->runs > 1)
        snprintf(spread, sizeof spread, "%.2f", 100 * s->deviation);
    if (s->runs > 1 || d->pairs > 0)
        fprintf(file, "  %6s", spread);
    if (d->pairs > 0)
        fprintf(file, "  %+7.2f", 100 * d->mean);
    if (!isnan(d->low))
        fprintf(file, "  [%+.2f, %+.2f]", 100 * d->low, 100 * d->high);
    fputc('\n', file);
}

static void print_block(const exp_study_table *table, const exp_study_block *block, int width, FILE *file) {
    const exp_study_run *run = &block->runs[0];
    fprintf(file, "[%s]", block->name);
    if (run->absent[0])
        fprintf(file, run->skipped ? " skipped: no %s data" : " on shapes, for want of %s data", run->absent);
    fputc('\n', file);
    for (int c = 0; c < block->conditions && !run->skipped; c++) {
        exp_condition_summary s =
            exp_study_condition(table, block, c, offsetof(exp_study_result, test_accuracy));
        print_condition(&s, block, width, file);
    }
}

void exp_study_print(const exp_study_table *table, const exp_study *study, FILE *file) {
    int width = widest_label(study);
    fprintf(file, "%s: %s\n", study->name, study->title);
    fprintf(file, "  %-*s  %-8s  %8s  %6s  %s\n", width, "condition", " runs", "accuracy", "spread",
            "difference from weight 0, same seeds [95%]");
    for (int b = 0; b < study->block_count; b++)
        print_block(table, &study->blocks[b], width, file);
}
