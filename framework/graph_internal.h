/* graph_internal.h - inside of a graph: for graph.c, the planner and the writer of ONNX files only. */
#ifndef NN_GRAPH_INTERNAL_H
#define NN_GRAPH_INTERNAL_H

#include "op.h"

enum { MAX_TAPS = 64 };

typedef struct tap {
    nn_node *node;
    char name[NN_NAME_MAX];
} tap;

struct nn_graph {
    nn_store *store;
    nn_error error;
    int threads; /* the team's size when the graph was begun: scratch sizes are for it */
    nn_node **nodes;
    int node_count, node_capacity;
    tap taps[MAX_TAPS];
    int tap_count;
};

#endif
