/* models.h - the networks, by name.
 *
 * A model is one function from images to logits that names its taps on the way; which taps carry a loss, and
 * of what weight, is decided by the experiment. Adding one: a file with a build function and a line in
 * models.c. */
#ifndef MODEL_MODELS_H
#define MODEL_MODELS_H

#include "../framework/framework.h"

NN_API_BEGIN

typedef struct model_network {
    const char *name;
    const char *summary;                             /* one line for --help */
    int smallest;                                    /* side of the smallest images it takes */
    nn_node *(*build)(nn_node *images, int classes); /* logits [B, classes] */
} model_network;

/* Ends with a NULL name. */
extern const model_network model_networks[];

/* NULL when there is none of that name. */
const model_network *model_find(const char *name);

nn_node *model_build_mlp(nn_node *images, int classes);
nn_node *model_build_mnist_cnn(nn_node *images, int classes);
nn_node *model_build_resnet20(nn_node *images, int classes);
nn_node *model_build_resnet18(nn_node *images, int classes);

NN_API_END

#endif
