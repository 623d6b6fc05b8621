/* resnet.c - residual networks for small images (He, Zhang, Ren and Sun, "Deep Residual Learning for Image
 * Recognition", 2016), with 1x1 convolution and batch norm on the shortcuts that change shape.
 *
 *   images - conv 3x3 - bn - relu - blocks - global average - dense classes
 *
 *   block:  x - conv1 3x3/s - bn1 - relu1 - conv2 3x3 - bn2 - add - relu -
 *            '---- (shortcut 1x1/s - bn) -----------------------'
 *
 * Every block's output is a tap (block1, block2, ...); in the final block every layer is one too:
 * blockN.conv1, blockN.bn1, blockN.relu1, blockN.conv2, blockN.bn2, and its output blockN. */
#include <stdio.h>

#include "models.h"

typedef struct network {
    int stages;
    int blocks;      /* per stage */
    int channels[4]; /* of each stage; a stage after the first halves the image */
} network;

typedef struct layer_name {
    char text[NN_NAME_MAX];
} layer_name;

static layer_name inside(const char *block, const char *layer) {
    layer_name name;
    snprintf(name.text, sizeof name.text, "%s.%s", block, layer);
    return name;
}

static nn_node *conv(nn_node *x, const char *name, int channels, int kernel, int stride) {
    return nn_conv(
        x, name,
        (nn_conv_options){.filters = channels, .kernel = kernel, .stride = stride, .padding = kernel / 2});
}

static nn_node *batch_norm(nn_node *x, const char *name) {
    return nn_batch_norm(x, name, (nn_batch_norm_options){0});
}

static nn_node *shortcut(nn_node *x, const char *block, int channels, int stride) {
    if (!x || (stride == 1 && nn_node_shape(x).dims[3] == channels))
        return x;
    x = conv(x, inside(block, "shortcut.conv").text, channels, 1, stride);
    return batch_norm(x, inside(block, "shortcut.bn").text);
}

/* Names a layer inside the final block as a tap, and leaves those of the other blocks alone. */
static nn_node *watch(nn_node *x, bool final, const char *block, const char *layer) {
    return final ? nn_tap(x, inside(block, layer).text) : x;
}

static nn_node *residual_block(nn_node *x, const char *name, int channels, int stride, bool final) {
    nn_node *h = watch(conv(x, inside(name, "conv1").text, channels, 3, stride), final, name, "conv1");
    h = watch(batch_norm(h, inside(name, "bn1").text), final, name, "bn1");
    h = watch(nn_relu(h), final, name, "relu1");
    h = watch(conv(h, inside(name, "conv2").text, channels, 3, 1), final, name, "conv2");
    h = watch(batch_norm(h, inside(name, "bn2").text), final, name, "bn2");
    return nn_tap(nn_relu(nn_add(h, shortcut(x, name, channels, stride))), name);
}

static nn_node *build(nn_node *images, int classes, network net) {
    nn_node *h = nn_relu(batch_norm(conv(images, "conv", net.channels[0], 3, 1), "bn"));
    for (int stage = 0, number = 1; stage < net.stages; stage++)
        for (int i = 0; i < net.blocks; i++, number++) {
            char name[16];
            snprintf(name, sizeof name, "block%d", number);
            int stride = stage > 0 && i == 0 ? 2 : 1;
            h = residual_block(h, name, net.channels[stage], stride, number == net.stages * net.blocks);
        }
    h = nn_global_average_pool(h);
    return nn_dense(h, "logits", (nn_dense_options){.units = classes, .init = NN_INIT_XAVIER});
}

nn_node *model_build_resnet20(nn_node *images, int classes) {
    return build(images, classes, (network){.stages = 3, .blocks = 3, .channels = {16, 32, 64}});
}

nn_node *model_build_resnet18(nn_node *images, int classes) {
    return build(images, classes, (network){.stages = 4, .blocks = 2, .channels = {64, 128, 256, 512}});
}
