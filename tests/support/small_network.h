/* small_network.h - a classifier of four layers with a plan, as a fixture for tests of plans and runs. */
#ifndef TEST_SMALL_NETWORK_H
#define TEST_SMALL_NETWORK_H

#include "support.h"

typedef struct small_network {
    nn_store store;
    nn_graph *graph;
    nn_node *image, *labels, *logits, *loss; /* [4,5,5,2] -> [4,3] and their cross entropy */
    nn_plan *plan;                           /* of small_network_plan, else NULL */
    nn_error error;
} small_network;

/* cmocka's set-up and tear-down: *state is the small_network. */
int small_network_begin(void **state);
int small_network_end(void **state);
#define small_network_test(f) cmocka_unit_test_setup_teardown(f, small_network_begin, small_network_end)

/* Adds the layers of such a network to any graph: logits [batch,3]. */
nn_node *small_network_layers(nn_graph *graph, nn_node **image, nn_node **labels, int batch);

/* Makes f->plan and fills its image with random numbers; the labels are all 0. */
void small_network_plan(small_network *f, nn_plan_options options);

/* The same numbers for every plan and batch. */
void small_network_fill(const nn_plan *plan, const nn_node *image);

/* Forward and backward. */
nn_status small_network_step(small_network *f, nn_run run);

#endif
