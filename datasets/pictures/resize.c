#include "resize.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* For each output of one axis the inputs that it is made of, and by which weights. */
typedef struct axis {
    int most;        /* inputs of an output, at most */
    int *first;      /* [outputs] */
    int *count;      /* [outputs] */
    double *weights; /* [outputs][most], of a sum of 1 */
} axis;

static void axis_free(axis *a) {
    free(a->first);
    free(a->count);
    free(a->weights);
}

static double clamp(double value, double least, double most) {
    return fmin(fmax(value, least), most);
}

/* How much of input q lies between two places. */
static void cover(axis *a, int p, double begin, double end, int inputs) {
    double *weights = a->weights + (size_t)p * (size_t)a->most;
    const int last = (int)clamp(ceil(end) - 1, 0, inputs - 1);
    a->first[p] = (int)clamp(floor(begin), 0, inputs - 1);
    a->count[p] = last - a->first[p] + 1 < a->most ? last - a->first[p] + 1 : a->most;
    for (int k = 0; k < a->count[p]; k++) {
        const int q = a->first[p] + k;
        weights[k] = fmax(0, fmin(end, q + 1) - fmax(begin, q)) / (end - begin);
    }
}

/* Between the centres of two inputs. */
static void interpolate(axis *a, int p, double place, int inputs) {
    double *weights = a->weights + (size_t)p * (size_t)a->most;
    const double at = clamp(place - 0.5, 0, inputs - 1);
    a->first[p] = (int)at;
    a->count[p] = a->first[p] + 1 < inputs ? 2 : 1;
    weights[0] = a->count[p] == 2 ? 1 - (at - a->first[p]) : 1;
    weights[1] = 1 - weights[0];
}

/* `length` inputs (not a whole number, perhaps) in the middle of `inputs` become `outputs`. */
static nn_status axis_new(axis *a, int inputs, double length, int outputs, nn_error *error) {
    const double ratio = length / outputs, spare = (inputs - length) / 2,
                 start = ratio == 1 ? floor(spare) : spare; /* cut at whole pixels where that is all */
    a->most = ratio > 1 ? (int)ceil(ratio) + 1 : 2;
    a->first = calloc((size_t)outputs, sizeof *a->first);
    a->count = calloc((size_t)outputs, sizeof *a->count);
    a->weights = calloc((size_t)outputs * (size_t)a->most, sizeof *a->weights);
    if (!a->first || !a->count || !a->weights)
        return nn_fail_memory(error, "a picture's new size");
    for (int p = 0; p < outputs; p++)
        if (ratio > 1)
            cover(a, p, start + p * ratio, start + (p + 1) * ratio, inputs);
        else
            interpolate(a, p, start + (p + 0.5) * ratio, inputs);
    return NN_OK;
}

/* Adds `share` times a row, resized along its length, to sums[outputs][channels]. */
static void add_row(const unsigned char *row, int channels, const axis *columns, int outputs, double share,
                    double *sums) {
    for (int p = 0; p < outputs; p++) {
        const double *weights = columns->weights + (size_t)p * (size_t)columns->most;
        const unsigned char *in = row + (size_t)columns->first[p] * (size_t)channels;
        for (int c = 0; c < channels; c++) {
            double sum = 0;
            for (int k = 0; k < columns->count[p]; k++)
                sum += weights[k] * in[k * channels + c];
            *sums++ += share * sum;
        }
    }
}

static void resize(const unsigned char *in, int width, int channels, const axis *rows, const axis *columns,
                   unsigned char *out, data_extent to, double *sums) {
    const size_t length = (size_t)to.width * (size_t)channels;
    for (int p = 0; p < to.height; p++) {
        memset(sums, 0, length * sizeof *sums);
        for (int k = 0; k < rows->count[p]; k++)
            add_row(in + (size_t)(rows->first[p] + k) * (size_t)width * (size_t)channels, channels, columns,
                    to.width, rows->weights[(size_t)p * (size_t)rows->most + (size_t)k], sums);
        for (size_t i = 0; i < length; i++)
            *out++ = (unsigned char)clamp(sums[i] + 0.5, 0, 255);
    }
}

nn_status data_resize(const unsigned char *in, data_extent from, int channels, unsigned char *out,
                      data_extent to, nn_error *error) {
    axis rows = {0}, columns = {0};
    if (from.height == to.height && from.width == to.width) {
        memcpy(out, in, (size_t)to.height * (size_t)to.width * (size_t)channels);
        return NN_OK;
    }
    /* Pixels of the picture for one of the image, the same along both axes. */
    const double ratio = fmin((double)from.height / to.height, (double)from.width / to.width);
    double *sums = malloc((size_t)to.width * (size_t)channels * sizeof *sums);
    nn_status status = sums ? NN_OK : nn_fail_memory(error, "a picture's new size");
    if (status == NN_OK)
        status = axis_new(&rows, from.height, ratio * to.height, to.height, error);
    if (status == NN_OK)
        status = axis_new(&columns, from.width, ratio * to.width, to.width, error);
    if (status == NN_OK)
        resize(in, from.width, channels, &rows, &columns, out, to, sums);
    axis_free(&rows);
    axis_free(&columns);
    free(sums);
    return status;
}
