/* palette.h - the colors of all pictures. */
#ifndef EXP_PALETTE_H
#define EXP_PALETTE_H

#include <stdbool.h>

enum {
    EXP_COLOR_MAX = 8, /* bytes of a color's text */
    EXP_COLORS = 7     /* of curves without an order */
};

/* Color number k (from 0) of curves without an order, "#RRGGBB": Okabe and Ito's, apart for every kind of color
 * vision; the most different ones come first, and they come again after EXP_COLORS. */
const char *exp_color(int k);

/* The color 0xRRGGBB of a class, for dots: up to ten classes have colors that stay apart for every kind of color vision,
 * more have evenly spaced hues, light and dark in turn. */
unsigned exp_class_color(int class, int classes);

/* Layers named like "block9.conv1" are inside a block: they are drawn dashed, in colors of their own. */
bool exp_is_inner_tap(const char *name);

/* Colors for the taps of a network in forward order: evenly along viridis (without its lightest fifth, pale on white), or,
 * inside blocks, along a ramp of reds. Zeroed to start; count every tap once, then take their colors in order. */
typedef struct exp_tap_colors {
    int count[2], taken[2]; /* outside and inside of blocks */
} exp_tap_colors;
void exp_tap_colors_count(exp_tap_colors *colors, const char *name);
void exp_tap_colors_take(exp_tap_colors *colors, const char *name, char color[EXP_COLOR_MAX]);

/* A color between the ends of viridis, position from 0 to 1. */
void exp_ramp_color(double position, char color[EXP_COLOR_MAX]);

#endif
