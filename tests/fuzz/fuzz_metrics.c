/* metrics.csv, as the curves and the report read it. */
#include "experiments/common/metrics.h"

#include <string.h>

#include "fuzz.h"

FUZZ_TARGET(metrics) {
    exp_metrics metrics;
    nn_error error = {0};
    const char *path = fuzz_file("metrics.csv", bytes, count);
    nn_status status = exp_metrics_read(path, &metrics, &error);
    fuzz_require_reason(status, &error, path);
    if (status != NN_OK)
        return;
    double sum = 0;
    fuzz_require(metrics.rows > 0 && metrics.columns >= 10, "there are rows and columns");
    fuzz_read(metrics.values, metrics.rows * metrics.columns * sizeof(double));
    fuzz_require(exp_metrics_column(&metrics, "test_accuracy") != NULL, "every column of the form is there");
    const double *column = exp_metrics_column(&metrics, "loss");
    for (size_t row = 0; row < metrics.rows; row++)
        sum += exp_metrics_average(column, metrics.rows, row, exp_metrics_half_window(&metrics), row & 1);
    for (size_t i = 0; i < metrics.tap_count; i++)
        fuzz_read(metrics.taps[i].name, strlen(metrics.taps[i].name));
    fuzz_read(&sum, sizeof sum);
    exp_metrics_free(&metrics);
}
