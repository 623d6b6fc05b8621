#include "palette.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const unsigned viridis[] = {0x440154, 0x482475, 0x414487, 0x355F8D, 0x2A788E,
                                   0x21918C, 0x22A884, 0x44BF70, 0x7AD151};
static const unsigned reds[] = {0x7F0000, 0xB81D13, 0xE34A33, 0xF57C4A, 0xFDAE6B};

const char *exp_color(int k) {
    static const char *const colors[EXP_COLORS] = {"#0072B2", "#E69F00", "#009E73", "#CC79A7",
                                                   "#56B4E9", "#D55E00", "#000000"};
    return colors[k % EXP_COLORS];
}

/* The color at `position` (0 to 1) of a ramp, between two of its colors where it must be. */
static void ramp(const unsigned *colors, int count, double position, char color[EXP_COLOR_MAX]) {
    double place = fmin(fmax(position, 0), 1) * (count - 1);
    int i = place < count - 2 ? (int)place : count - 2;
    unsigned mixed = 0;
    for (int shift = 0; shift < 24; shift += 8) {
        double a = colors[i] >> shift & 255, b = colors[i + 1] >> shift & 255;
        mixed |= (unsigned)lround(a + (place - i) * (b - a)) << shift;
    }
    snprintf(color, EXP_COLOR_MAX, "#%06X", mixed & 0xFFFFFF);
}

void exp_ramp_color(double position, char color[EXP_COLOR_MAX]) {
    ramp(viridis, sizeof viridis / sizeof *viridis, position, color);
}

bool exp_is_inner_tap(const char *name) {
    return strchr(name, '.') != NULL;
}

void exp_tap_colors_count(exp_tap_colors *colors, const char *name) {
    colors->count[exp_is_inner_tap(name)]++;
}

void exp_tap_colors_take(exp_tap_colors *colors, const char *name, char color[EXP_COLOR_MAX]) {
    bool inner = exp_is_inner_tap(name);
    int count = colors->count[inner];
    double position = count > 1 ? (double)colors->taken[inner]++ / (count - 1) : 0.4;
    if (inner)
        ramp(reds, sizeof reds / sizeof *reds, position, color);
    else
        exp_ramp_color(position, color);
}
