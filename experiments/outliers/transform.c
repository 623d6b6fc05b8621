#include "transform.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

size_t exp_image_size(exp_image_form form) {
    return (size_t)form.height * (size_t)form.width * (size_t)form.channels;
}

static int clamp(int x, int count) {
    return x < 0 ? 0 : x >= count ? count - 1 : x;
}

/* --- another form --------------------------------------------------------------------------------------- */

bool exp_image_convertible(exp_image_form from, exp_image_form to) {
    return from.channels == to.channels || (from.channels == 1 && to.channels == 3) ||
           (from.channels == 3 && to.channels == 1);
}

static void convert_channels(const float *in, int channels, size_t pixels, float *out, int wanted) {
    for (size_t i = 0; i < pixels; i++, in += channels, out += wanted)
        if (channels == wanted)
            memcpy(out, in, (size_t)channels * sizeof *out);
        else if (wanted == 1)
            *out = 0.299f * in[0] + 0.587f * in[1] + 0.114f * in[2];
        else
            out[0] = out[1] = out[2] = in[0];
}

/* Along one axis: `lines` times `before` values, in steps of `after`, become as many times `wanted`. */
static void resize(const float *in, int lines, int before, int after, int wanted, float *out) {
    double ratio = (double)before / wanted, reach = fmax(1, ratio);
    for (int p = 0; p < wanted; p++) {
        double place = (p + 0.5) * ratio - 0.5, total = 0;
        int low = (int)ceil(place - reach), high = (int)floor(place + reach);
        for (int q = low; q <= high; q++)
            total += fmax(0, 1 - fabs(q - place) / reach);
        for (int line = 0; line < lines; line++)
            for (int c = 0; c < after; c++) {
                double sum = 0;
                for (int q = low; q <= high; q++)
                    sum += fmax(0, 1 - fabs(q - place) / reach) *
                           in[((size_t)line * (size_t)before + (size_t)clamp(q, before)) * (size_t)after +
                              (size_t)c];
                out[((size_t)line * (size_t)wanted + (size_t)p) * (size_t)after + (size_t)c] =
                    (float)(sum / total);
            }
    }
}

nn_status exp_image_convert(exp_image_form from, const float *image, exp_image_form to, float *out,
                            nn_error *error) {
    size_t pixels = (size_t)from.height * (size_t)from.width, channels = (size_t)to.channels;
    float *same = calloc(pixels * channels, sizeof *same),
          *wide = calloc((size_t)from.height * (size_t)to.width * channels, sizeof *wide);
    nn_status status = same && wide ? NN_OK : nn_fail_memory(error, "an image");
    if (status == NN_OK) {
        convert_channels(image, from.channels, pixels, same, to.channels);
        resize(same, from.height, from.width, to.channels, to.width, wide);
        resize(wide, 1, from.height, to.width * to.channels, to.height, out);
    }
    free(same);
    free(wide);
    return status;
}

/* --- turning -------------------------------------------------------------------------------------------- */

/* Exact where the angle is a multiple of 90 degrees. */
static void sine_and_cosine(double degrees, double *sine, double *cosine) {
    double turns = round(degrees / 90), rest = (degrees - 90 * turns) * M_PI / 180;
    int quarter = (int)(turns - 4 * floor(turns / 4));
    double s = sin(rest), c = cos(rest);
    *sine = quarter == 0 ? s : quarter == 1 ? c : quarter == 2 ? -s : -c;
    *cosine = quarter == 0 ? c : quarter == 1 ? -s : quarter == 2 ? -c : s;
}

/* The image's value at a place between pixels. */
static double value_at(exp_image_form form, const float *image, double y, double x, int channel) {
    int row = (int)floor(y), column = (int)floor(x);
    double sum = 0, down = y - row, right = x - column;
    for (int corner = 0; corner < 4; corner++) {
        int r = clamp(row + corner / 2, form.height), c = clamp(column + corner % 2, form.width);
        sum += (corner / 2 ? down : 1 - down) * (corner % 2 ? right : 1 - right) *
               image[((size_t)r * (size_t)form.width + (size_t)c) * (size_t)form.channels + (size_t)channel];
    }
    return sum;
}

void exp_image_rotate(exp_image_form form, const float *image, double degrees, float *out) {
    double sine, cosine, middle_y = (form.height - 1) / 2.0, middle_x = (form.width - 1) / 2.0;
    sine_and_cosine(degrees, &sine, &cosine);
    for (int row = 0; row < form.height; row++)
        for (int column = 0; column < form.width; column++) {
            double y = row - middle_y, x = column - middle_x; /* y points down: back is clockwise */
            for (int c = 0; c < form.channels; c++)
                *out++ = (float)value_at(form, image, middle_y + sine * x + cosine * y,
                                         middle_x + cosine * x - sine * y, c);
        }
}

/* --- blur and noise ------------------------------------------------------------------------------------- */

enum { REACH_MAX = 64 };

/* Half of a Gaussian, the weights of the offsets 0, 1, ..., whose total over both sides is 1; returns how many. */
static int gaussian(double sigma, double weights[REACH_MAX + 1]) {
    int reach = (int)fmin(ceil(3 * sigma), REACH_MAX);
    double total = 0;
    for (int k = 0; k <= reach; k++) {
        weights[k] = exp(-k * k / (2 * sigma * sigma));
        total += k ? 2 * weights[k] : weights[k];
    }
    for (int k = 0; k <= reach; k++)
        weights[k] /= total;
    return reach + 1;
}

/* Around a place of 0..places - 1 on a line whose values are `step` apart. */
static float blurred(const float *line, size_t step, int places, int place, const double *weights,
                     int count) {
    double sum = weights[0] * line[step * (size_t)place];
    for (int k = 1; k < count; k++)
        sum += weights[k] * ((double)line[step * (size_t)clamp(place - k, places)] +
                             line[step * (size_t)clamp(place + k, places)]);
    return (float)sum;
}

void exp_image_blur(exp_image_form form, const float *image, double sigma, float *scratch, float *out) {
    double weights[REACH_MAX + 1] = {0};
    int count = gaussian(sigma, weights), channels = form.channels, row = form.width * channels;
    for (int y = 0; y < form.height; y++)
        for (int i = 0; i < row; i++)
            scratch[y * row + i] = blurred(image + y * row + i % channels, (size_t)channels, form.width,
                                           i / channels, weights, count);
    for (int y = 0; y < form.height; y++)
        for (int i = 0; i < row; i++)
            out[y * row + i] = blurred(scratch + i, (size_t)row, form.height, y, weights, count);
}

void exp_image_add_noise(exp_image_form form, const float *image, double sigma, nn_stream *stream,
                         float *out) {
    size_t count = exp_image_size(form);
    for (size_t k = 0; k < count; k++)
        out[k] = (float)fmin(fmax(image[k] + sigma * nn_random_normal(stream), 0), 1);
}
