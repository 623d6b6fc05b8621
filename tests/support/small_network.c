#include "small_network.h"

#include <stdlib.h>
#include <string.h>

nn_node *small_network_layers(nn_graph *graph, nn_node **image, nn_node **labels, int batch) {
    nn_conv_options conv = {.filters = 4, .kernel = 3, .padding = NN_SAME, .bias = true};
    *image = nn_input(graph, "image", NN_SHAPE4(batch, 5, 5, 2));
    *labels = nn_labels(graph, "labels", batch, 3);
    nn_node *x = nn_relu(nn_batch_norm(nn_conv(*image, "conv1", conv), "norm1", (nn_batch_norm_options){0}));
    x = nn_max_pool(nn_relu(nn_conv(x, "conv2", conv)), (nn_pool_options){.size = 2});
    x = nn_dropout(nn_flatten(x), "drop", 0.25f);
    return nn_dense(x, "logits", (nn_dense_options){.units = 3});
}

int small_network_begin(void **state) {
    small_network *f = *state = test_bytes(sizeof *f);
    nn_store_begin(&f->store, 1);
    f->graph = nn_graph_new(&f->store);
    f->logits = small_network_layers(f->graph, &f->image, &f->labels, 4);
    f->loss = nn_cross_entropy(f->logits, f->labels);
    return 0;
}

int small_network_end(void **state) {
    small_network *f = *state;
    nn_plan_free(f->plan);
    nn_graph_free(f->graph);
    nn_store_free(&f->store);
    free(f);
    return 0;
}

void small_network_fill(const nn_plan *plan, const nn_node *image) {
    size_t count = nn_shape_count(nn_node_shape(image));
    float *random = test_normal(count, "image");
    memcpy(nn_plan_data(plan, image), random, count * sizeof *random);
    free(random);
}

void small_network_plan(small_network *f, nn_plan_options options) {
    test_ok(nn_plan_new(&f->plan, f->graph, options, &f->error), &f->error);
    small_network_fill(f->plan, f->image);
}

nn_status small_network_step(small_network *f, nn_run run) {
    nn_status status = nn_plan_forward(f->plan, run, &f->error);
    return status == NN_OK ? nn_plan_backward(f->plan, run, &f->error) : status;
}
