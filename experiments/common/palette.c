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

/* Okabe and Ito's colors with a brown and an indigo: the ten stay apart for every kind of color vision (at least
 * 0.076 in Oklab in simulations of missing cones, where other common sets of ten have 0.02 to 0.06). */
static const unsigned class_colors[] = {0x0072B2, 0xE69F00, 0x009E73, 0xCC79A7, 0x56B4E9,
                                        0xD55E00, 0xF0E442, 0x000000, 0x774444, 0x3311BB};
enum { CLASS_COLORS = sizeof class_colors / sizeof *class_colors };

/* One of the color's three bytes, from its linear light. */
static unsigned channel(double light) {
    double value = light <= 0.0031308 ? 12.92 * light : 1.055 * pow(light, 1 / 2.4) - 0.055;
    return (unsigned)lround(255 * fmin(fmax(value, 0), 1));
}

/* A color of Ottosson's Oklab (2020) by its polar coordinates: equal steps of hue look equal. */
static unsigned oklab(double lightness, double chroma, double hue) {
    double a = chroma * cos(hue), b = chroma * sin(hue);
    double l = pow(lightness + 0.3963377774 * a + 0.2158037573 * b, 3);
    double m = pow(lightness - 0.1055613458 * a - 0.0638541728 * b, 3);
    double s = pow(lightness - 0.0894841775 * a - 1.2914855480 * b, 3);
    return channel(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s) << 16 |
           channel(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s) << 8 |
           channel(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s);
}

unsigned exp_class_color(int class, int classes) {
    if (classes <= CLASS_COLORS)
        return class_colors[class];
    return oklab(class % 2 ? 0.48 : 0.72, 0.16, 2 * M_PI * class / classes);
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
