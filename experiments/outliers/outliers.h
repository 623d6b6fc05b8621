/* outliers.h - how well each score of scores.h tells a run's test examples from what was not in its training data.
 *
 * In-distribution are test examples of the run that did not calibrate its DkNN; each source (sources.h) gives at most as
 * many others. The densities of a tap take the first EXP_OUTLIER_REFERENCES training examples and the temperature at
 * which the run's summary.json has the tap's SNNL: the one that minimised it over test batches, unless the run had a fixed
 * or learned one. It is the run's own scale of that layer, known without looking at any outlier, the same in all programs.
 * (The best one for more points than a batch has is lower.) Distances are those of the run; cosine ones are taken as the
 * squared Euclidean ones of unit vectors, which are twice as large, at twice the temperature. */
#ifndef EXP_OUTLIERS_OUTLIERS_H
#define EXP_OUTLIERS_OUTLIERS_H

#include <cjson/cJSON.h>
#include <signal.h>

#include "detection.h"
#include "experiments/dknn/dknn.h"
#include "scores.h"
#include "sources.h"

enum { EXP_OUTLIER_REFERENCES = 5000, EXP_OUTLIER_COLUMNS_MAX = 4 + 2 * EXP_TAPS_MAX };

typedef struct exp_outliers_options {
    const exp_source *sources;
    int source_count;
    const char *root;                 /* data root */
    int first, count;                 /* in-distribution test examples, behind those that calibrated */
    const exp_dknn_verdict *verdicts; /* of these, [count] */
    exp_dknn_variant variant;
    uint64_t seed;
    /* Called, unless NULL, now and then with what is being done and how much of it is, 0 to 1; `doing` stays valid to the
     * end. */
    void (*report)(void *context, const char *doing, double done);
    void *context;
    const volatile sig_atomic_t *stop; /* once it is not 0 the work ends early, in order; may be NULL */
} exp_outliers_options;

/* A score, of a layer for some. */
typedef struct exp_outlier_column {
    exp_score score;
    const char *layer;  /* NULL: of the network; the run's memory */
    double temperature; /* of a layer, for Euclidean distances */
} exp_outlier_column;

/* A column's result for a source. */
typedef struct exp_outlier_result {
    exp_detection detection;
    double mean_in, mean_out; /* of the score; of softmax the mean probability */
} exp_outlier_result;

typedef struct exp_outlier_source {
    exp_source source;
    int count;
    double *values;              /* [columns][count] */
    exp_outlier_result *results; /* [columns] */
} exp_outlier_source;

typedef struct exp_outliers {
    char title[3 * EXP_TEXT_MAX]; /* "mnist_cnn on mnist, SNNL weight 0.1" */
    char doing[EXP_SOURCE_NAME_MAX + 64];
    int references; /* training examples */
    int columns;
    exp_outlier_column column[EXP_OUTLIER_COLUMNS_MAX];
    int in;         /* in-distribution examples */
    double *values; /* [columns][in]; of softmax the logarithms */
    int sources;    /* done */
    exp_outlier_source source[EXP_SOURCES_MAX];
} exp_outliers;

/* The DkNN is that of the run, which was opened with EXP_DUMP from the folder `folder` on its own data set. Released with
 * exp_outliers_free, after a failure too. After an early end only the sources that were finished are there. */
nn_status exp_outliers_measure(exp_outliers *outliers, exp_trained_run *run, const char *folder,
                               exp_dknn *dknn, const exp_outliers_options *options, nn_error *error);
void exp_outliers_free(exp_outliers *outliers);

/* The number of the column of a score of the network; 0 is softmax. */
int exp_outliers_column(const exp_outliers *outliers, exp_score score);

#endif
