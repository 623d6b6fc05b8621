/* random_network.h - networks put together by chance, for what must hold for every graph: chains that can
 * work in place, nodes with several consumers, shared layers, losses and metrics on taps, kept nodes and
 * wanted gradients. The same seed gives the same network. */
#ifndef TEST_RANDOM_NETWORK_H
#define TEST_RANDOM_NETWORK_H

#include "support.h"

enum { NETWORK_BATCH = 4, NETWORK_CLASSES = 3, NETWORK_LIST = 24 };

typedef struct network_list {
    nn_node *nodes[NETWORK_LIST];
    int count;
} network_list;

typedef struct network {
    nn_store store;
    nn_graph *graph;
    nn_node *first, *second, *labels; /* images [4,6,6,4] and classes */
    nn_node *loss;
    network_list keep, metrics, gradients;
} network;

/* smooth: only ops whose gradient is continuous. */
void network_begin(network *n, uint64_t seed, bool smooth);
void network_end(network *n);

/* A plan with these options and everything that the network asks for, its inputs filled. */
nn_plan *network_plan(network *n, nn_plan_options options);

#endif
