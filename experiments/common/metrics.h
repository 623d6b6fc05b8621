/* metrics.h - a training run's metrics.csv in memory, column by column.
 *
 * The file: one header line
 *     step,epoch,images,seconds,lr,loss,cross_entropy,accuracy,
 *     snnl/TAP,temperature/TAP, ... for each tap in forward order, ... ,test_loss,test_accuracy
 * and one row per logged step. Later columns may follow. The test columns and those after them may be empty. */
#ifndef EXP_METRICS_H
#define EXP_METRICS_H

#include "framework/framework.h"

enum { EXP_METRICS_LARGEST = 1 << 30 }; /* bytes of a file */

typedef struct exp_metrics_tap {
    const char *name;
    const double *snnl, *temperature; /* [rows] */
} exp_metrics_tap;

typedef struct exp_metrics {
    size_t rows; /* at least 1 */
    size_t columns;
    const char **names; /* [columns], as in the header */
    double *values;     /* [columns][rows], NaN where the file is empty */
    size_t tap_count;
    exp_metrics_tap *taps; /* [tap_count], in forward order */
    char *text;            /* what the names point into */
} exp_metrics;

/* Reads a metrics.csv; exp_metrics_free releases it. A last line without its newline is still being written
 * and left out. NN_EFILE where the file cannot be read; NN_EFORMAT, naming line and column, where a column
 * is missing, a row has another number of columns than the header, a field is no number, or no row is there.
 * On failure nothing needs to be released. */
nn_status exp_metrics_read(const char *path, exp_metrics *metrics, nn_error *error);

void exp_metrics_free(exp_metrics *metrics);

/* The rows of the column `name`, NULL when the file has none. Never NULL for those of the header above. */
const double *exp_metrics_column(const exp_metrics *metrics, const char *name);

/* Rows to either side of one that a moving average for the eye takes in. */
size_t exp_metrics_half_window(const exp_metrics *metrics);

/* The mean of a column's finite values around a row; the geometric mean for a logarithmic axis; NaN where there are none.
 * Near the first row the window shrinks evenly, so that the steep start of a curve stays where it is; at the end it is
 * cut. */
double exp_metrics_average(const double *column, size_t rows, size_t row, size_t half_window,
                           bool logarithmic);

#endif
