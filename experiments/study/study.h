/* study.h - a study: grids of training runs, declared in a file experiments/studies/NAME.ini.
 *
 *     title = Entanglement weight, from disentangling to entangling
 *     [fashion]
 *     preset = fashion_cnn
 *     snnl-weight = -1 | -0.1 | 0 | 0.1 | 1
 *     seed = 1 | 2 | 3 | 4
 *     epochs = 2
 *     quick.seed = 1 | 2
 *
 * Each [block] is a grid. Its keys are options of ./train: the preset's come first, the others win over it. A value may be
 * a list of at most EXP_VALUES_MAX, separated by '|'; the block's runs are the product of its lists. At the size `quick`
 * or `full` a key with that in front takes the place of the one without.
 *
 * `then.PROGRAM = arguments` names what is made of every run of the block once it is trained: see analysis.h. One such line
 * holds for a size where that stands in front of it (quick.then.PROGRAM), and `no` for none.
 *
 * Before the first block may stand, beside the title, what the report is to say and to show: `about` and `paper`, what is
 * asked and what the paper shows; `place`, a number, its place among the studies; `curves = yes`, the layers over the training steps in place of numbers by condition;
 * `reliability = yes`, reliability diagrams; `findings = yes`, the differences among the report's findings. */
#ifndef EXP_STUDY_H
#define EXP_STUDY_H

#include "experiments/common/train_options.h"

enum {
    EXP_STUDY_NAME_MAX = 64,
    EXP_STUDY_TEXT_MAX = 1024,
    EXP_RUN_NAME_MAX = 192,
    EXP_CONDITION_MAX = 256,
    EXP_VALUES_MAX = 64,
    EXP_ANALYSES_MAX = 4
};

typedef enum exp_study_size { EXP_SIZE_DEFAULT, EXP_SIZE_QUICK, EXP_SIZE_FULL } exp_study_size;

extern const char *const exp_study_sizes[]; /* by exp_study_size: "default", ...; ended by NULL */

/* One training of a study. */
typedef struct exp_study_run {
    exp_train_options options; /* data, run, threads and what else is not recorded: unset */
    /* What sets it apart in its block but for the seed: "snnl-weight 0.1, batch 64"; "" in a block of one condition. */
    char condition[EXP_CONDITION_MAX];
    char absent[EXP_STUDY_NAME_MAX]; /* the data set that it wants and that is not there; "" where it is */
    bool skipped;                    /* for want of it; where `absent` and not skipped, `shapes` stand in */
    /* Of its folder: readable, and ended by a hash over all options that results depend on. Runs of the same name have the
     * same results. */
    char name[EXP_RUN_NAME_MAX];
    /* Hashes of the same run at weight 0, for exp_study_is_baseline: as it is measured, and only as it is trained. */
    uint64_t unweighted, unweighted_training;
} exp_study_run;

/* An option of which a block has several values. */
typedef struct exp_varied {
    char name[EXP_STUDY_NAME_MAX];
    int count;
    char values[EXP_VALUES_MAX][EXP_STUDY_NAME_MAX]; /* [count], cut short where they are longer */
} exp_varied;

/* What is made of every run of a block: another program's run. */
typedef struct exp_analysis {
    char program[EXP_STUDY_NAME_MAX];
    char arguments[EXP_STUDY_TEXT_MAX]; /* words separated by blanks, with placeholders */
} exp_analysis;

typedef struct exp_study_block {
    char name[EXP_STUDY_NAME_MAX];
    int analysis_count;
    exp_analysis analyses[EXP_ANALYSES_MAX]; /* in the file's order */
    int varied_count;
    exp_varied *varied; /* [varied_count], the seed left out, in the file's order */
    /* Conditions in the file's order, the last list fastest; all conditions of a seed come together. */
    int seeds, conditions;
    exp_study_run *runs; /* [seeds][conditions] */
} exp_study_block;

typedef struct exp_study {
    char name[EXP_STUDY_NAME_MAX];                             /* of the file, without folder and ending */
    char title[EXP_TEXT_MAX];                                  /* its name where the file gives none */
    char about[EXP_STUDY_TEXT_MAX], paper[EXP_STUDY_TEXT_MAX]; /* for the report, as are: */
    double place; /* among all studies, where they are not named one by one: lowest first */
    bool curves, reliability, findings;
    int block_count;
    exp_study_block *blocks;
} exp_study;

/* Reads study `name`: a path (with a '/' or ".ini"), or the name of a file in experiments/studies/, whose text is compiled
 * in too. Everything is checked: option names, values, presets, models, data sets' names and layers. NN_EARGUMENT and
 * NN_EFORMAT begin with FILE:LINE and say what is allowed; NN_EFILE where the file cannot be read. Released with
 * exp_study_free, also after a failure. */
nn_status exp_study_read(exp_study *study, const char *name, exp_study_size size, nn_error *error);

/* The same from text; messages begin with `origin`. */
nn_status exp_study_parse(exp_study *study, const char *name, exp_study_size size, const char *origin,
                          const char *text, nn_error *error);

void exp_study_free(exp_study *study);

/* What becomes of runs whose data set is not there. */
typedef enum exp_missing_data {
    EXP_MISSING_SKIP,  /* they are left out */
    EXP_MISSING_SHAPES /* the built-in `shapes` stand in */
} exp_missing_data;

/* Looks for the runs' data sets in `root`, and marks or changes those runs that have none. */
void exp_study_find_data(exp_study *study, const char *root, exp_missing_data missing);

/* Sets the name and the hashes of a run from its options (identity.c). */
void exp_study_identify(exp_study_run *run);

/* Whether `other` is what `run` is compared with: the same training, seed included, at weight 0. `measured`: with its
 * losses measured at the same temperature and distance too. */
bool exp_study_is_baseline(const exp_study_run *run, const exp_study_run *other, bool measured);

#endif
