/* The colors of pictures: ends and middles of the ramps, classes that are told apart, names of inner layers. */
#include "experiments/common/palette.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/support.h"

/* "#RRGGBB" as a number; fails the test for any other text. */
static unsigned number_of(const char *color) {
    if (strlen(color) != 7 || color[0] != '#' || strspn(color + 1, "0123456789ABCDEF") != 6)
        fail_msg("'%s' is no color", color);
    return (unsigned)strtoul(color + 1, NULL, 16);
}

/* --- distances ------------------------------------------------------------------------------------------ */

static double linear(unsigned byte) {
    double value = byte / 255.0;
    return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4);
}

/* CIE 1976 L*a*b* for the white of sRGB: an independent measure of how different two colors look. */
static void lab(unsigned color, double out[3]) {
    double r = linear(color >> 16 & 255), g = linear(color >> 8 & 255), b = linear(color & 255);
    const double xyz[3] = {(0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505,
                           0.2126 * r + 0.7152 * g + 0.0722 * b,
                           (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.0890};
    double f[3];
    for (int i = 0; i < 3; i++)
        f[i] = xyz[i] > 216.0 / 24389 ? cbrt(xyz[i]) : (24389.0 / 27 * xyz[i] + 16) / 116;
    out[0] = 116 * f[1] - 16;
    out[1] = 500 * (f[0] - f[1]);
    out[2] = 200 * (f[1] - f[2]);
}

static double apart(unsigned a, unsigned b) {
    double x[3], y[3];
    lab(a, x);
    lab(b, y);
    return sqrt((x[0] - y[0]) * (x[0] - y[0]) + (x[1] - y[1]) * (x[1] - y[1]) +
                (x[2] - y[2]) * (x[2] - y[2]));
}

/* --- tests ---------------------------------------------------------------------------------------------- */

/* Okabe and Ito's published set, without its yellow, which is pale on white. */
static void colors_without_an_order(void **state) {
    (void)state;
    static const char *const published[] = {"#000000", "#E69F00", "#56B4E9", "#009E73",
                                            "#0072B2", "#D55E00", "#CC79A7"};
    for (int k = 0; k < EXP_COLORS; k++) {
        int found = 0;
        for (size_t i = 0; i < sizeof published / sizeof *published; i++)
            found += strcmp(exp_color(k), published[i]) == 0;
        assert_int_equal(found, 1);
        for (int other = 0; other < k; other++)
            assert_string_not_equal(exp_color(k), exp_color(other));
        assert_string_equal(exp_color(k + EXP_COLORS), exp_color(k));
    }
}

/* The smallest distance that is just noticed is about 2.3. */
static void classes_have_colors_of_their_own(void **state) {
    (void)state;
    for (int classes = 1; classes <= 60; classes++) {
        double least = classes <= 10 ? 20 : classes <= 20 ? 10 : 3;
        for (int a = 0; a < classes; a++) {
            unsigned color = exp_class_color(a, classes);
            assert_true(color <= 0xFFFFFF);
            for (int b = 0; b < a; b++)
                if (!(apart(color, exp_class_color(b, classes)) >= least))
                    fail_msg("of %d classes, %d and %d are #%06X and #%06X", classes, b, a,
                             exp_class_color(b, classes), color);
        }
    }
}

/* The ends are viridis' first color and that at four fifths; what lies outside is taken as the end. */
static void the_ends_of_the_ramp(void **state) {
    (void)state;
    char color[EXP_COLOR_MAX];
    static const struct {
        double position;
        const char *color;
    } wanted[] = {{0, "#440154"}, {1, "#7AD151"}, {-3, "#440154"}, {7, "#7AD151"}, {0.5, "#2A788E"}};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        exp_ramp_color(wanted[i].position, color);
        assert_string_equal(color, wanted[i].color);
    }
}

/* Small steps change little: no two neighbours differ by more than twice the mean step. */
static void the_ramp_is_even(void **state) {
    (void)state;
    enum { STEPS = 64 };
    char color[EXP_COLOR_MAX];
    unsigned before = 0x440154;
    double largest = 0, sum = 0, light_before = 0;
    for (int i = 1; i <= STEPS; i++) {
        double now[3];
        exp_ramp_color((double)i / STEPS, color);
        double step = apart(before, number_of(color));
        largest = fmax(largest, step);
        sum += step;
        before = number_of(color);
        lab(before, now);
        assert_true(now[0] > light_before - 0.5); /* ever lighter, but for rounding */
        light_before = now[0];
    }
    assert_true(largest <= 2 * sum / STEPS);
}

static void inner_taps(void **state) {
    (void)state;
    assert_true(exp_is_inner_tap("block9.conv1") && exp_is_inner_tap("a.b.c"));
    assert_false(exp_is_inner_tap("block9") || exp_is_inner_tap("") || exp_is_inner_tap("conv1"));
}

/* Takes the colors of taps; inner ones have a ramp of their own. */
static void take(const char *const *names, int count, char (*taken)[EXP_COLOR_MAX]) {
    exp_tap_colors colors = {0};
    for (int i = 0; i < count; i++)
        exp_tap_colors_count(&colors, names[i]);
    for (int i = 0; i < count; i++)
        exp_tap_colors_take(&colors, names[i], taken[i]);
}

static void colors_of_taps(void **state) {
    (void)state;
    static const char *const names[] = {"conv1",       "block1", "block2.conv1", "block2.bn1",
                                        "block2.relu", "block2", "dense"};
    char taken[7][EXP_COLOR_MAX], ramp[EXP_COLOR_MAX];
    static const int outer[] = {0, 1, 5, 6};
    take(names, 7, taken);
    for (int k = 0; k < 4; k++) {
        exp_ramp_color(k / 3.0, ramp);
        assert_string_equal(taken[outer[k]], ramp);
    }
    assert_string_equal(taken[2], "#7F0000");
    assert_string_equal(taken[3], "#E34A33");
    assert_string_equal(taken[4], "#FDAE6B");
    for (int a = 0; a < 7; a++)
        for (int b = 0; b < a; b++)
            assert_true(apart(number_of(taken[a]), number_of(taken[b])) > 10);

    take((const char *const[]){"only", "in.side"}, 2,
         taken); /* one alone: neither the darkest nor the lightest */
    assert_string_not_equal(taken[0], "#440154");
    assert_string_not_equal(taken[0], "#7AD151");
    number_of(taken[0]);
    assert_true(number_of(taken[1]) >> 16 > 0x7F); /* a red */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(colors_without_an_order),
        cmocka_unit_test(classes_have_colors_of_their_own),
        cmocka_unit_test(the_ends_of_the_ramp),
        cmocka_unit_test(the_ramp_is_even),
        cmocka_unit_test(inner_taps),
        cmocka_unit_test(colors_of_taps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
