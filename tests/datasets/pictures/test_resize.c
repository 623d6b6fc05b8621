/* resize.c against the area that each output pixel covers, summed pixel by pixel in double precision. */
#include "tests/support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/pictures/resize.h"

static unsigned char *noise(int height, int width, int channels) {
    const size_t count = (size_t)height * (size_t)width * (size_t)channels;
    nn_stream stream = nn_stream_named(1, "resize");
    unsigned char *pixels = malloc(count);
    assert_non_null(pixels);
    for (size_t i = 0; i < count; i++)
        pixels[i] = (unsigned char)nn_random_below(&stream, 256);
    return pixels;
}

static double overlap(double a, double b, double c, double d) {
    return fmax(0, fmin(b, d) - fmax(a, c));
}

/* The mean over the part of the plane that output (y, x) covers. */
static double area_mean(const unsigned char *in, data_extent from, int channels, data_extent to, int y, int x,
                        int c) {
    const double ratio = fmin((double)from.height / to.height, (double)from.width / to.width),
                 top = (from.height - ratio * to.height) / 2 + y * ratio,
                 left = (from.width - ratio * to.width) / 2 + x * ratio;
    double sum = 0;
    for (int row = 0; row < from.height; row++)
        for (int column = 0; column < from.width; column++)
            sum += overlap(top, top + ratio, row, row + 1) * overlap(left, left + ratio, column, column + 1) *
                   in[(row * from.width + column) * channels + c];
    return sum / (ratio * ratio);
}

static double pixel_at(const unsigned char *in, data_extent from, int channels, int row, int column, int c) {
    row = row < 0 ? 0 : row >= from.height ? from.height - 1 : row;
    column = column < 0 ? 0 : column >= from.width ? from.width - 1 : column;
    return in[(row * from.width + column) * channels + c];
}

/* Between the centres of the four pixels around the output's centre. */
static double interpolated(const unsigned char *in, data_extent from, int channels, data_extent to, int y,
                           int x, int c) {
    const double ratio = fmin((double)from.height / to.height, (double)from.width / to.width),
                 down = (from.height - ratio * to.height) / 2 + (y + 0.5) * ratio - 0.5,
                 right = (from.width - ratio * to.width) / 2 + (x + 0.5) * ratio - 0.5,
                 v = down - floor(down), u = right - floor(right);
    const int row = (int)floor(down), column = (int)floor(right);
    return (1 - v) * ((1 - u) * pixel_at(in, from, channels, row, column, c) +
                      u * pixel_at(in, from, channels, row, column + 1, c)) +
           v * ((1 - u) * pixel_at(in, from, channels, row + 1, column, c) +
                u * pixel_at(in, from, channels, row + 1, column + 1, c));
}

/* Each value is the nearest to the true one; where that lies in the middle of two, either. */
static void compare(data_extent from, data_extent to, int channels,
                    double truth(const unsigned char *, data_extent, int, data_extent, int, int, int)) {
    unsigned char *in = noise(from.height, from.width, channels), *out = noise(to.height, to.width, channels);
    nn_error error = {0};
    test_ok(data_resize(in, from, channels, out, to, &error), &error);
    for (int y = 0; y < to.height; y++)
        for (int x = 0; x < to.width; x++)
            for (int c = 0; c < channels; c++) {
                const double wanted = truth(in, from, channels, to, y, x, c);
                const int found = out[(y * to.width + x) * channels + c];
                if (fabs(found - wanted) > 0.5 + 1e-9)
                    fail_msg("%d x %d to %d x %d at %d, %d, channel %d: %d, not %.6f", from.height,
                             from.width, to.height, to.width, y, x, c, found, wanted);
            }
    free(in);
    free(out);
}

static void shrinks_by_area(void **state) {
    (void)state;
    static const data_extent sizes[][2] = {
        {{64, 64}, {32, 32}}, {{33, 33}, {32, 32}}, {{50, 37}, {8, 8}}, {{37, 50}, {8, 8}},
        {{100, 7}, {5, 3}},   {{7, 100}, {3, 5}},   {{17, 23}, {1, 1}}, {{96, 64}, {24, 16}},
        {{65, 129}, {9, 17}}, {{41, 40}, {13, 11}},
    };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int channels = 1; channels <= 4; channels++)
            compare(sizes[i][0], sizes[i][1], channels, area_mean);
}

static void enlarges_linearly(void **state) {
    (void)state;
    static const data_extent sizes[][2] = {{{16, 16}, {32, 32}}, {{5, 9}, {32, 32}}, {{9, 5}, {31, 33}},
                                           {{1, 1}, {4, 4}},     {{1, 40}, {8, 8}},  {{31, 31}, {32, 32}}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int channels = 1; channels <= 3; channels += 2)
            compare(sizes[i][0], sizes[i][1], channels, interpolated);
}

/* Where nothing is scaled the middle is cut out, pixel by pixel. */
static void crops_whole_pixels(void **state) {
    (void)state;
    static const data_extent from[] = {{8, 8}, {8, 9}, {8, 11}, {11, 8}, {13, 8}};
    const data_extent to = {8, 8};
    for (size_t i = 0; i < sizeof from / sizeof *from; i++) {
        unsigned char *in = noise(from[i].height, from[i].width, 3), out[8 * 8 * 3];
        nn_error error = {0};
        test_ok(data_resize(in, from[i], 3, out, to, &error), &error);
        const int top = (from[i].height - 8) / 2, left = (from[i].width - 8) / 2;
        for (int y = 0; y < 8; y++)
            assert_memory_equal(out + y * 24, in + ((y + top) * from[i].width + left) * 3, 24);
        free(in);
    }
}

static void keeps_the_extremes(void **state) {
    (void)state;
    static unsigned char in[50 * 70], out[32 * 32];
    for (int value = 0; value <= 255; value += 51) {
        nn_error error = {0};
        memset(in, value, sizeof in);
        test_ok(data_resize(in, (data_extent){50, 70}, 1, out, (data_extent){32, 32}, &error), &error);
        for (size_t i = 0; i < sizeof out; i++)
            assert_int_equal(out[i], value);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shrinks_by_area),
        cmocka_unit_test(enlarges_linearly),
        cmocka_unit_test(crops_whole_pixels),
        cmocka_unit_test(keeps_the_extremes),
    };
    return cmocka_run_group_tests_name("resize", tests, NULL, NULL);
}
