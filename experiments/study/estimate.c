#include "estimate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Which finished runs tell about one that is to be done: from the best to the least alike. */
enum { SAME_MODEL_AND_DATA, SAME_MODEL, ANY, LEVELS };

static bool tells(const exp_timing *finished, const exp_timing *wanted, int level) {
    return !isnan(finished->seconds) && (level >= ANY || strcmp(finished->model, wanted->model) == 0) &&
           (level >= SAME_MODEL || strcmp(finished->dataset, wanted->dataset) == 0);
}

static double estimate(const exp_timing *timings, int count, const exp_timing *wanted) {
    for (int level = 0; level < LEVELS; level++) {
        double images = 0, seconds = 0;
        for (int i = 0; i < count; i++)
            if (tells(&timings[i], wanted, level)) {
                images += timings[i].images;
                seconds += timings[i].seconds;
            }
        if (images > 0)
            return seconds / images * wanted->images;
    }
    return NAN;
}

double exp_seconds_left(const exp_timing *timings, int count) {
    double left = 0;
    for (int i = 0; i < count; i++)
        if (isnan(timings[i].seconds))
            left += estimate(timings, count, &timings[i]);
    return left;
}

/* --- a table's runs ------------------------------------------------------------------------------------- */

/* Of a whole training set, as finished runs tell; else that of MNIST. */
static double training_examples(const exp_study_table *table, const char *dataset) {
    for (int i = 0; i < table->count; i++) {
        const exp_study_result *r = &table->results[i];
        if (r->run->options.train_limit == 0 && !isnan(r->train_examples) &&
            strcmp(r->run->options.dataset, dataset) == 0)
            return r->train_examples;
    }
    return 60000;
}

static double images_of(const exp_study_table *table, const exp_study_result *result) {
    const exp_train_options *o = &result->run->options;
    double examples = result->train_examples;
    if (isnan(examples)) {
        examples = training_examples(table, o->dataset);
        if (o->train_limit)
            examples = fmin(examples, (double)o->train_limit);
    }
    return o->steps ? (double)o->steps * fmin((double)o->batch, examples) : o->epochs * examples;
}

enum { UNKNOWN_ANALYSIS = 60 }; /* seconds, where none of its kind has been done */

/* Mean seconds of the finished analyses like this one: by the same program, of the same data set and model if there are
 * any such. */
static double analysis_seconds(const exp_study_table *table, const exp_study_result *wanted, int analysis) {
    double seconds[2] = {0}; /* of the same network, of any */
    int counts[2] = {0};
    const exp_train_options *o = &wanted->run->options;
    for (int i = 0; i < table->count; i++) {
        const exp_study_result *r = &table->results[i];
        for (int k = 0; k < r->block->analysis_count; k++) {
            double own = exp_named_number_find(&r->analyses[k].numbers, "seconds");
            bool same = strcmp(r->run->options.model, o->model) == 0 &&
                        strcmp(r->run->options.dataset, o->dataset) == 0;
            if (isnan(own) ||
                strcmp(r->block->analyses[k].program, wanted->block->analyses[analysis].program) != 0)
                continue;
            for (int any = same ? 0 : 1; any < 2; any++) {
                seconds[any] += own;
                counts[any]++;
            }
        }
    }
    return counts[0] ? seconds[0] / counts[0] : counts[1] ? seconds[1] / counts[1] : UNKNOWN_ANALYSIS;
}

static double analyses_left(const exp_study_table *table) {
    double left = 0;
    for (int i = 0; i < table->count; i++) {
        const exp_study_result *r = &table->results[i];
        for (int k = 0; k < r->block->analysis_count; k++) {
            exp_run_state state = r->analyses[k].state;
            if ((state == EXP_RUN_MISSING || state == EXP_RUN_FAILED) &&
                !exp_study_analysis_repeated(table, r, k))
                left += analysis_seconds(table, r, k);
        }
    }
    return left;
}

nn_status exp_study_seconds_left(const exp_study_table *table, double *seconds, nn_error *error) {
    exp_timing *timings = calloc((size_t)table->count + 1, sizeof *timings);
    int count = 0;
    if (!timings)
        return nn_fail_memory(error, "the estimate of time");
    for (int i = 0; i < table->count; i++) {
        const exp_study_result *r = &table->results[i];
        if (r->state == EXP_RUN_SKIPPED || r->repeated)
            continue;
        timings[count++] = (exp_timing){.model = r->run->options.model,
                                        .dataset = r->run->options.dataset,
                                        .images = images_of(table, r),
                                        .seconds = r->state == EXP_RUN_DONE ? r->seconds : NAN};
    }
    *seconds = exp_seconds_left(timings, count) + analyses_left(table);
    free(timings);
    return NN_OK;
}
