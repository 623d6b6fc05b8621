#include "numbers.h"

#include <math.h>
#include <string.h>

double exp_number_accuracy(const exp_study_result *r) {
    return 100 * r->test_accuracy;
}

double exp_number_cross_entropy(const exp_study_result *r) {
    return r->test_cross_entropy;
}

double exp_number_calibration_error(const exp_study_result *r) {
    return 100 * r->test_ece;
}

double exp_number_generalisation_gap(const exp_study_result *r) {
    return 100 * (r->train_accuracy - r->test_accuracy);
}

double exp_analysis_number(const exp_study_result *r, const char *program, const char *name) {
    for (int i = 0; i < r->block->analysis_count; i++)
        if (strcmp(r->block->analyses[i].program, program) == 0)
            return exp_named_number_find(&r->analyses[i].numbers, name);
    return NAN;
}

/* Where a number comes from: the training's summary, or an analysis. */
typedef struct quantity {
    exp_number *of;
    const char *program, *name; /* where `of` is NULL */
} quantity;

static double value_of(const exp_study_result *r, const quantity *q) {
    return q->of ? q->of(r) : exp_analysis_number(r, q->program, q->name);
}

/* The number of the run that `result` is compared with. */
static double baseline_of(const exp_block_results *b, const exp_study_result *result, const quantity *q) {
    if (result->run->options.snnl_weight == 0)
        return NAN;
    for (int measured = 1; measured >= 0; measured--)
        for (int i = 0; i < b->table->count; i++) {
            const exp_study_result *other = &b->table->results[i];
            if (other->state == EXP_RUN_DONE && exp_study_is_baseline(result->run, other->run, measured) &&
                !isnan(value_of(other, q)))
                return value_of(other, q);
        }
    return NAN;
}

static void collect(const exp_block_results *b, int condition, const quantity *q, double *values) {
    for (int seed = 0; seed < b->block->seeds; seed++)
        values[seed] = value_of(&b->results[seed * b->block->conditions + condition], q);
}

static exp_difference compare(const exp_block_results *b, int condition, const quantity *q) {
    double values[EXP_VALUES_MAX], baselines[EXP_VALUES_MAX];
    collect(b, condition, q, values);
    for (int seed = 0; seed < b->block->seeds; seed++)
        baselines[seed] = baseline_of(b, &b->results[seed * b->block->conditions + condition], q);
    return exp_paired_difference(values, baselines, b->block->seeds);
}

void exp_block_numbers(const exp_block_results *b, int condition, exp_number *of,
                       double values[EXP_VALUES_MAX]) {
    collect(b, condition, &(quantity){.of = of}, values);
}

exp_difference exp_block_difference(const exp_block_results *b, int condition, exp_number *of) {
    return compare(b, condition, &(quantity){.of = of});
}

void exp_block_analysis(const exp_block_results *b, int condition, const char *program, const char *name,
                        double values[EXP_VALUES_MAX]) {
    collect(b, condition, &(quantity){.program = program, .name = name}, values);
}

exp_difference exp_block_analysis_difference(const exp_block_results *b, int condition, const char *program,
                                             const char *name) {
    return compare(b, condition, &(quantity){.program = program, .name = name});
}

void exp_put_number(FILE *page, double value, int digits) {
    fputs("<td>", page);
    if (isfinite(value))
        fprintf(page, "%.*f", digits, value);
    fputs("</td>", page);
}

void exp_put_difference(FILE *page, const exp_difference *d, int digits) {
    fputs("<td>", page);
    if (d->pairs > 0)
        fprintf(page, "%+.*f", digits, d->mean);
    if (!isnan(d->low))
        fprintf(page, " <span class=\"soft\">[%+.*f, %+.*f]</span>", digits, d->low, digits, d->high);
    fputs("</td>", page);
}
