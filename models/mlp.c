/* mlp.c - a multi-layer perceptron.
 *
 *   images - flatten - dense 256 - relu - dense 256 - relu - dense classes
 *                                  dense1             dense2      <- taps */
#include "models.h"

nn_node *model_build_mlp(nn_node *images, int classes) {
    nn_node *h = nn_flatten(images);
    h = nn_tap(nn_relu(nn_dense(h, "dense1", (nn_dense_options){.units = 256})), "dense1");
    h = nn_tap(nn_relu(nn_dense(h, "dense2", (nn_dense_options){.units = 256})), "dense2");
    return nn_dense(h, "logits", (nn_dense_options){.units = classes, .init = NN_INIT_XAVIER});
}
