#include "best.h"

#include <stdlib.h>

bool exp_neighbor_behind(exp_neighbor a, exp_neighbor b) {
    return a.distance > b.distance || (a.distance == b.distance && a.index > b.index);
}

static void sift_up(exp_neighbor *heap, int place) {
    exp_neighbor one = heap[place];
    for (; place > 0 && exp_neighbor_behind(one, heap[(place - 1) / 2]); place = (place - 1) / 2)
        heap[place] = heap[(place - 1) / 2];
    heap[place] = one;
}

static void sift_down(exp_neighbor *heap, int count, exp_neighbor one) {
    int place = 0;
    for (int child; (child = 2 * place + 1) < count; place = child) {
        if (child + 1 < count && exp_neighbor_behind(heap[child + 1], heap[child]))
            child++;
        if (!exp_neighbor_behind(heap[child], one))
            break;
        heap[place] = heap[child];
    }
    heap[place] = one;
}

void exp_best_add(exp_neighbor *heap, int *found, int nearest, exp_neighbor one) {
    if (*found < nearest) {
        heap[*found] = one;
        sift_up(heap, (*found)++);
    } else if (exp_neighbor_behind(heap[0], one)) {
        sift_down(heap, nearest, one);
    }
}

static int in_order(const void *a, const void *b) {
    return exp_neighbor_behind(*(const exp_neighbor *)a, *(const exp_neighbor *)b) ? 1 : -1;
}

void exp_best_sort(exp_neighbor *heap, int found) {
    qsort(heap, (size_t)found, sizeof *heap, in_order);
}
