/* best.h - the nearest neighbours of one query so far: a heap with the farthest one on top. */
#ifndef EXP_KNN_BEST_H
#define EXP_KNN_BEST_H

#include <stdbool.h>
#include <stdint.h>

typedef struct exp_neighbor {
    double distance;
    int32_t index;
} exp_neighbor;

/* Whether a is behind b: by distance, then by index. */
bool exp_neighbor_behind(exp_neighbor a, exp_neighbor b);

/* Puts one in where it is among the `nearest`; *found says how many the heap has, heap[0] is the last of them. */
void exp_best_add(exp_neighbor *heap, int *found, int nearest, exp_neighbor one);

/* In order, nearest first. The heap is none afterwards. */
void exp_best_sort(exp_neighbor *heap, int found);

#endif
