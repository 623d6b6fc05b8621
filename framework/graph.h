/* graph.h - the description of a computation: nodes, recorded in the order they are written.
 *
 * A graph holds no numbers: parameters live in a store, activations in a plan (plan.h). Constructors
 * (ops/ops.h) return NULL after the first mistake, and NULL operands pass through, so that model code needs
 * no checks; the graph keeps the first message, and making a plan from a graph in error fails with it.
 *
 * A tap is a name given to a node whose representation is worth watching: no copy, no callback. */
#ifndef NN_GRAPH_H
#define NN_GRAPH_H

#include <stdio.h>

#include "error.h"
#include "store.h"
#include "tensor.h"

NN_API_BEGIN

typedef struct nn_graph nn_graph;
typedef struct nn_node nn_node;

/* An empty graph over `store`, which must outlive it. NULL without memory. The thread count (nn_threads_set)
 * must not grow afterwards: runs are refused then. */
nn_graph *nn_graph_new(nn_store *store);
void nn_graph_free(nn_graph *graph); /* its nodes too; NULL is fine */

/* The first mistake made while building; status NN_OK while there is none. */
const nn_error *nn_graph_error(const nn_graph *graph);

/* Batches of images or vectors, [batch, ...], filled by the caller before each run. */
nn_node *nn_input(nn_graph *graph, const char *name, nn_shape shape);

/* Batches of class numbers, int32 [batch], each in 0..classes-1. */
nn_node *nn_labels(nn_graph *graph, const char *name, int batch, int classes);

/* Names a node as a tap and returns it. */
nn_node *nn_tap(nn_node *node, const char *name);
int nn_tap_count(const nn_graph *graph);
nn_node *nn_tap_node(const nn_graph *graph, int tap);
const char *nn_tap_name(const nn_graph *graph, int tap);

const char *nn_node_name(const nn_node *node);
nn_shape nn_node_shape(const nn_node *node);
nn_graph *nn_node_graph(const nn_node *node);

/* One line per node: op, name, shape, parameters, tap. */
void nn_graph_print(const nn_graph *graph, FILE *file);

NN_API_END

#endif
