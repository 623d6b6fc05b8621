/* order.h - in which order a split's examples are drawn.
 *
 * Draws are numbered from 0 over all epochs; which example draw n gives is a pure function of (split,
 * options, seed, n). The examples form groups, one for each class when balanced, else one of them all. Draws
 * go round the groups, and every pass through a group is a shuffle of its own, known by (seed, group, pass).
 */
#ifndef DATA_ORDER_H
#define DATA_ORDER_H

#include "datasets.h"

typedef struct data_group {
    uint32_t start, count; /* its examples, in the arrays below */
    uint32_t pass_draws;   /* draws in one pass: `count`, or less where an epoch leaves examples out */
    uint64_t pass;         /* the pass that `shuffled` holds now; UINT64_MAX: none */
    nn_stream stream;
} data_group;

typedef struct data_order {
    bool shuffle;
    uint32_t *grouped;  /* the examples, group after group, in file order */
    uint32_t *shuffled; /* the same, each group in the order of its pass */
    int group_count;
    data_group groups[DATA_CLASSES_MAX];
} data_order;

/* epoch_draws: draws in an epoch, at most split->count. Freed by data_order_free, also after a failure. */
nn_status data_order_new(data_order *order, const data_split *split, uint32_t epoch_draws, bool shuffle,
                         bool balanced, uint64_t seed, nn_error *error);
void data_order_free(data_order *order);

/* The example of draw n. Quick for draws in sequence; the first of a pass shuffles its group. */
uint32_t data_order_at(data_order *order, uint64_t draw);

#endif
