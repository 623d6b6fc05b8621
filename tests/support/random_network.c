#include "random_network.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test_ops.h"

enum { SIDE = 6, CHANNELS = 4 };

typedef struct builder {
    network *n;
    nn_stream random;
    bool smooth;
    network_list images; /* all of one shape */
    int names;
} builder;

static uint32_t below(builder *b, uint32_t n) {
    return nn_random_below(&b->random, n);
}

static void append(network_list *list, nn_node *node) {
    if (list->count < NETWORK_LIST)
        list->nodes[list->count++] = node;
}

/* Mostly one of the latest, so that chains come about. */
static nn_node *any_image(builder *b) {
    uint32_t count = (uint32_t)b->images.count, recent = count < 3 ? count : 3;
    return b->images.nodes[below(b, 4) ? count - 1 - below(b, recent) : below(b, count)];
}

/* One layer in four has the name, and so the parameters, of one before it. */
static const char *layer_name(builder *b, const char *kind) {
    static char name[32];
    int number = b->names > 0 && below(b, 4) == 0 ? (int)below(b, (uint32_t)b->names) : b->names++;
    snprintf(name, sizeof name, "%s%d", kind, number);
    return name;
}

static nn_node *random_conv(builder *b, nn_node *x) {
    bool bias = below(b, 2);
    nn_conv_options o = {
        .filters = CHANNELS, .kernel = below(b, 2) ? 3 : 1, .padding = NN_SAME, .bias = bias};
    return nn_conv(x, layer_name(b, o.kernel == 3 ? "conv" : "point"), o);
}

static nn_node *random_activation(builder *b, nn_node *x) {
    switch (below(b, b->smooth ? 2 : 5)) {
    case 0:
        return nn_tanh(x);
    case 1:
        return nn_sigmoid(x);
    case 2:
        return nn_leaky_relu(x, 0.1f);
    default:
        return nn_relu(x);
    }
}

static nn_node *random_pool(builder *b, nn_node *x) {
    nn_pool_options o = {.size = 3, .stride = 1, .padding = NN_SAME};
    return b->smooth || below(b, 2) ? nn_average_pool(x, o) : nn_max_pool(x, o);
}

static nn_node *random_norm(builder *b, nn_node *x) {
    return nn_batch_norm(x, layer_name(b, "norm"), (nn_batch_norm_options){0});
}

static nn_node *random_layer(builder *b, nn_node *x) {
    switch (below(b, 10)) {
    case 0:
        return random_conv(b, x);
    case 1:
        return random_norm(b, x);
    case 2:
    case 3:
        return random_activation(b, x);
    case 4:
        return nn_add(x, any_image(b));
    case 5:
        return nn_scale(x, below(b, 2) ? 0.5f : -1.25f);
    case 6:
        return nn_dropout(x, layer_name(b, "drop"), 0.25f);
    case 7:
        return random_activation(b, random_norm(b, x));
    case 8:
        return random_activation(b, nn_add(random_norm(b, x), any_image(b)));
    default:
        return random_pool(b, x);
    }
}

/* A loss on a node, sometimes through a flatten, as metric or as a part of the loss; and what else may be
 * asked of a node. */
static void watch(builder *b, nn_node *x) {
    network *n = b->n;
    if (below(b, 3) == 0) {
        nn_node *at = below(b, 2) ? nn_flatten(x) : x;
        nn_node *value = below(b, 2) ? test_square_sum(at, "square") : test_weighted_sum(at, "weighted");
        if (below(b, 2))
            append(&n->metrics, value);
        if (below(b, 2))
            n->loss = n->loss ? nn_add(n->loss, nn_scale(value, 0.01f)) : nn_scale(value, 0.01f);
    }
    if (below(b, 6) == 0)
        append(&n->keep, x);
    if (below(b, 6) == 0)
        append(&n->gradients, x);
}

static void add_head(builder *b) {
    network *n = b->n;
    nn_node *x = any_image(b), *features = below(b, 2) ? nn_flatten(x) : nn_global_average_pool(x);
    if (below(b, 2))
        features = random_activation(b, nn_dense(features, "hidden", (nn_dense_options){.units = 9}));
    nn_node *logits = nn_dense(features, "logits", (nn_dense_options){.units = NETWORK_CLASSES});
    nn_node *cross_entropy = nn_cross_entropy(logits, n->labels);
    n->loss = n->loss ? nn_add(cross_entropy, n->loss) : cross_entropy;
    append(&n->metrics, nn_accuracy(logits, n->labels));
    if (below(b, 2))
        append(&n->keep, logits);
}

void network_begin(network *n, uint64_t seed, bool smooth) {
    nn_shape shape = NN_SHAPE4(NETWORK_BATCH, SIDE, SIDE, CHANNELS);
    builder b = {.n = n, .random = nn_stream_named(seed, "network"), .smooth = smooth};
    *n = (network){0};
    nn_store_begin(&n->store, seed);
    n->graph = nn_graph_new(&n->store);
    n->first = nn_input(n->graph, "first", shape);
    n->second = nn_input(n->graph, "second", shape);
    n->labels = nn_labels(n->graph, "labels", NETWORK_BATCH, NETWORK_CLASSES);
    append(&b.images, n->second);
    append(&b.images, n->first);
    for (int layers = 2 + (int)below(&b, 14); layers > 0; layers--) {
        nn_node *next = random_layer(&b, any_image(&b));
        append(&b.images, next);
        watch(&b, next);
    }
    add_head(&b);
    append(&n->keep, nn_add(n->first, n->second)); /* so that every plan has both inputs */
    if (below(&b, 2))
        append(&n->gradients, n->first);
    if (!n->loss)
        fail_msg("network %d: %s", (int)seed, nn_graph_error(n->graph)->message);
}

void network_end(network *n) {
    nn_graph_free(n->graph);
    nn_store_free(&n->store);
}

static void fill(float *to, const char *stream) {
    size_t count = NETWORK_BATCH * SIDE * SIDE * CHANNELS;
    float *random = test_normal(count, stream);
    memcpy(to, random, count * sizeof *to);
    free(random);
}

nn_plan *network_plan(network *n, nn_plan_options options) {
    nn_error error = {0};
    nn_plan *plan;
    options.loss = n->loss;
    options.keep = n->keep.nodes;
    options.keep_count = n->keep.count;
    options.metrics = n->metrics.nodes;
    options.metrics_count = n->metrics.count;
    options.gradients = n->gradients.nodes;
    options.gradients_count = n->gradients.count;
    test_ok(nn_plan_new(&plan, n->graph, options, &error), &error);
    fill(nn_plan_data(plan, n->first), "first");
    fill(nn_plan_data(plan, n->second), "second");
    for (int i = 0; i < NETWORK_BATCH; i++)
        nn_plan_labels(plan, n->labels)[i] = i % NETWORK_CLASSES;
    return plan;
}
