/* search.h - a block of points and a group of queries: what products cannot rule out is measured.
 *
 * Tile by tile, products in single precision give the squared distance of query i and point j as g_ij = |a_i|^2 +
 * |a_j|^2 - 2 a_i a_j, with a = (x - mean) * scale, off by at most
 *   e_ij = relative (|a_i| + |a_j|)^2 + 2^-100
 * (the bound of a dot product, the rounding of everything else, and what may get lost below the least normal
 * numbers). A point whose g_ij - e_ij is above the largest of the best distances so far is out; any other one is measured
 * directly, in double precision. g_ij beyond the range of numbers rules nothing out.
 *
 * Where there are sketches (sketch.h) their products come first. For the pairs that they leave those of the points in 16 bits
 * (shorts.h) take the place of the points' own; unless they leave so many that the whole tile is multiplied quicker. */
#ifndef EXP_KNN_SEARCH_H
#define EXP_KNN_SEARCH_H

#include "best.h"
#include "knn.h"
#include "panels.h"
#include "shorts.h"

enum {
    EXP_SEARCH_ROWS = 512,   /* queries of a group, at most, */
    EXP_SEARCH_TILE = 256,   /* points of one product, */
    EXP_SEARCH_BLOCK = 2048, /* and of a block, a multiple of it */
    EXP_SEARCH_TILES = EXP_SEARCH_BLOCK / EXP_SEARCH_TILE
};

/* Points, and what stands for them; sketch.values and shorts.values are NULL where there are none. */
typedef struct exp_view {
    exp_panels full, sketch;
    float *slack; /* of the sketches */
    exp_shorts shorts;
} exp_view;

/* A thread's room; the last three are NULL where there are no sketches. */
typedef struct exp_search_room {
    float *products; /* [EXP_SEARCH_ROWS][stride] */
    float *upper;    /* [EXP_SEARCH_BLOCK] */
    uint16_t *left; /* [EXP_SEARCH_ROWS][EXP_SEARCH_TILES][EXP_SEARCH_TILE]: numbers of points of the tile, */
    float *sums;    /* the same: their products in 16 bits, */
    int *count;     /* [EXP_SEARCH_ROWS][EXP_SEARCH_TILES]: of how many */
} exp_search_room;

bool exp_search_room_new(exp_search_room *room, bool sketches); /* false: not enough memory */
void exp_search_room_free(exp_search_room *room);

typedef struct exp_search {
    exp_knn_options o;
    double scale;
    exp_view queries, points; /* the points in groups of EXP_SEARCH_TILE */
    int added;                /* points before this block */
    int count;                /* points of it, */
    const float *x;           /* [count][dims] */
    exp_neighbor *best;       /* [queries][nearest] */
    int *found;               /* [queries] */
} exp_search;

/* Queries `first` and on, a group of them; what is found goes to best. */
void exp_search_group(const exp_search *search, int first, const exp_search_room *room);

#endif
