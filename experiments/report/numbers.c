#include "numbers.h"

#include <math.h>

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

void exp_block_numbers(const exp_block_results *b, int condition, exp_number *of,
                       double values[EXP_VALUES_MAX]) {
    for (int seed = 0; seed < b->block->seeds; seed++)
        values[seed] = of(&b->results[seed * b->block->conditions + condition]);
}

exp_difference exp_block_difference(const exp_block_results *b, int condition, exp_number *of) {
    double values[EXP_VALUES_MAX], baselines[EXP_VALUES_MAX];
    exp_block_numbers(b, condition, of, values);
    for (int seed = 0; seed < b->block->seeds; seed++) {
        const exp_study_result *result = &b->results[seed * b->block->conditions + condition];
        const exp_study_result *baseline =
            result->run->options.snnl_weight != 0 ? exp_study_baseline(b->table, result) : NULL;
        baselines[seed] = baseline ? of(baseline) : NAN;
    }
    return exp_paired_difference(values, baselines, b->block->seeds);
}
