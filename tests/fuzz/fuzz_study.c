/* Studies, at every size, and the table of their runs. */
#include "experiments/study/study.h"

#include <stdio.h>
#include <string.h>

#include "experiments/study/analysis.h"
#include "experiments/study/results.h"
#include "fuzz.h"

enum { RUNS_MOST = 10000, RUNS_FEW = 200 };

/* How many there are. */
static int require_runs(const exp_study *study) {
    int runs = 0;
    for (int b = 0; b < study->block_count; b++) {
        const exp_study_block *block = &study->blocks[b];
        fuzz_require(block->seeds > 0 && block->conditions > 0, "a block has runs");
        fuzz_require(block->analysis_count <= EXP_ANALYSES_MAX, "a block has a few analyses");
        runs += block->seeds * block->conditions;
        for (int i = 0; i < block->seeds * block->conditions; i++) {
            const exp_study_run *run = &block->runs[i];
            fuzz_require(run->name[0] && !strchr(run->name, '/') && run->name[0] != '.',
                         "a run's name is that of a folder");
        }
    }
    fuzz_require(runs > 0 && runs <= RUNS_MOST, "a study has a bounded number of runs");
    return runs;
}

static void make_table(const exp_study *study) {
    exp_study_table table;
    nn_error error = {0};
    nn_status status = exp_study_table_new(&table, study, 1, fuzz_path("out"), &error);
    fuzz_require_reason(status, &error, NULL);
    for (int i = 0; i < table.count && i < 4; i++) {
        const exp_study_result *result = &table.results[i];
        for (int k = 0; k < result->block->analysis_count; k++)
            exp_analysis_words_free(exp_analysis_words(result, &result->block->analyses[k], "/data", 1));
    }
    exp_study_table_free(&table);
}

FUZZ_TARGET(study) {
    const char *path = fuzz_file("hostile.ini", bytes, count);
    bool small = true; /* a large study is read once: fuzzing lives by the number of inputs */
    for (int size = EXP_SIZE_DEFAULT; size <= EXP_SIZE_FULL && small; size++) {
        exp_study study;
        nn_error error = {0};
        nn_status status = exp_study_read(&study, path, (exp_study_size)size, &error);
        fuzz_require_reason(status, &error, path);
        if (status == NN_OK) {
            small = require_runs(&study) <= RUNS_FEW;
        }
        if (status == NN_OK && small) {
            exp_study_find_data(&study, fuzz_path("data"), EXP_MISSING_SHAPES);
            make_table(&study);
        }
        exp_study_free(&study);
    }
}
