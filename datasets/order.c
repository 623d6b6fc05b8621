#include "order.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Counting sort by label: a group for each class that has examples. */
static void group_by_class(data_order *order, const data_split *split, uint64_t seed) {
    uint32_t counts[DATA_CLASSES_MAX] = {0}, next[DATA_CLASSES_MAX];
    for (int i = 0; i < split->count; i++)
        counts[split->labels[i]]++;
    uint32_t start = 0;
    for (int c = 0; c < DATA_CLASSES_MAX; c++) {
        next[c] = start;
        if (counts[c] == 0)
            continue;
        char name[32];
        snprintf(name, sizeof name, "shuffle/%d", c);
        order->groups[order->group_count++] = (data_group){.start = start,
                                                           .count = counts[c],
                                                           .pass_draws = counts[c],
                                                           .pass = UINT64_MAX,
                                                           .stream = nn_stream_named(seed, name)};
        start += counts[c];
    }
    for (int i = 0; i < split->count; i++)
        order->grouped[next[split->labels[i]]++] = (uint32_t)i;
}

static void group_all(data_order *order, const data_split *split, uint32_t epoch_draws, uint64_t seed) {
    for (int i = 0; i < split->count; i++)
        order->grouped[i] = (uint32_t)i;
    order->group_count = 1;
    order->groups[0] = (data_group){.count = (uint32_t)split->count,
                                    .pass_draws = epoch_draws,
                                    .pass = UINT64_MAX,
                                    .stream = nn_stream_named(seed, "shuffle")};
}

nn_status data_order_new(data_order *order, const data_split *split, uint32_t epoch_draws, bool shuffle,
                         bool balanced, uint64_t seed, nn_error *error) {
    *order = (data_order){.shuffle = shuffle || balanced};
    order->grouped = calloc((size_t)split->count, sizeof *order->grouped);
    order->shuffled = calloc((size_t)split->count, sizeof *order->shuffled);
    if (!order->grouped || !order->shuffled)
        return nn_fail_memory(error, "the order of examples");
    if (balanced)
        group_by_class(order, split, seed);
    else
        group_all(order, split, epoch_draws, seed);
    return NN_OK;
}

void data_order_free(data_order *order) {
    free(order->grouped);
    free(order->shuffled);
    *order = (data_order){0};
}

/* Puts a group into the order of a pass, whose random numbers start 2^32 after the pass before: more than a
 * shuffle takes. */
static void start_pass(data_order *order, data_group *group, uint64_t pass) {
    uint32_t *examples = order->shuffled + group->start;
    memcpy(examples, order->grouped + group->start, group->count * sizeof *examples);
    if (order->shuffle) {
        nn_stream stream = group->stream;
        stream.position = pass << 32;
        nn_random_shuffle(&stream, examples, group->count);
    }
    group->pass = pass;
}

uint32_t data_order_at(data_order *order, uint64_t draw) {
    data_group *group = &order->groups[draw % (uint64_t)order->group_count];
    const uint64_t turn = draw / (uint64_t)order->group_count;
    const uint64_t pass = turn / group->pass_draws;
    if (group->pass != pass)
        start_pass(order, group, pass);
    return order->shuffled[group->start + turn % group->pass_draws];
}
