/* analysis.h - what is made of a trained run by another program, as studies declare it.
 *
 *     then.neighbors = --run {run} --out {out} --outliers notmnist
 *
 * In the arguments {run} stands for the run's folder, {dataset} for the data set it was trained on, {out} for the folder that
 * the program is to fill, and {others} for the block's runs of the next seed, all conditions of it, separated by commas (of the only seed where there is but one).
 * --data, --threads and --quiet are added. The folder OUT/runs/NAME/PROGRAM-HASH is there, with the program's
 * summary.json, once it is done. */
#ifndef EXP_STUDY_ANALYSIS_H
#define EXP_STUDY_ANALYSIS_H

#include "results.h"

enum { EXP_ANALYSIS_PATH_MAX = EXP_TEXT_MAX + EXP_RUN_NAME_MAX + EXP_STUDY_NAME_MAX + 64 };

/* Whether such a line may stand in a study: NN_EARGUMENT for a program that makes nothing of runs, too many or unknown
 * {words}, and where {out} is missing. */
nn_status exp_analysis_check(const char *program, const char *arguments, nn_error *error);

/* OUT/runs/NAME/PROGRAM-HASH of a run's analysis. Two whose results are the same have the same folder. */
const char *exp_analysis_folder(const exp_study_table *table, const exp_study_result *result,
                                const exp_analysis *analysis, char folder[EXP_ANALYSIS_PATH_MAX]);

/* The command line's words, without the program's name and ended by NULL, for a program that works in {out}; `data` is a
 * path from / on. NULL without memory. Freed with exp_analysis_words_free. */
char **exp_analysis_words(const exp_study_result *result, const exp_analysis *analysis, const char *data,
                          uint64_t threads);
void exp_analysis_words_free(char **words);

#endif
