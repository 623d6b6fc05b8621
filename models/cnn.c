/* cnn.c - the convolutional network of the SNNL authors' released MNIST code (cleverhans, ModelBasicCNN), with its
 * initialisation.
 *
 *   images - conv 64 8x8/2 same - relu - conv 128 6x6/2 valid - relu - conv 128 5x5 valid - relu - dense classes
 *   28x28    14x14                conv1  5x5                    conv2  1x1                  conv3    <- taps */
#include "models.h"

nn_node *model_build_mnist_cnn(nn_node *images, int classes) {
    nn_conv_options conv1 = {
        .filters = 64, .kernel = 8, .stride = 2, .padding = NN_SAME, .bias = true, .init = NN_INIT_LECUN};
    nn_conv_options conv2 = {
        .filters = 128, .kernel = 6, .stride = 2, .padding = NN_VALID, .bias = true, .init = NN_INIT_LECUN};
    nn_conv_options conv3 = {
        .filters = 128, .kernel = 5, .stride = 1, .padding = NN_VALID, .bias = true, .init = NN_INIT_LECUN};
    nn_node *h = nn_tap(nn_relu(nn_conv(images, "conv1", conv1)), "conv1");
    h = nn_tap(nn_relu(nn_conv(h, "conv2", conv2)), "conv2");
    h = nn_tap(nn_relu(nn_conv(h, "conv3", conv3)), "conv3");
    return nn_dense(nn_flatten(h), "logits", (nn_dense_options){.units = classes, .init = NN_INIT_LECUN});
}
