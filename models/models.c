#include "models.h"

#include <string.h>

const model_network model_networks[] = {
    {"mlp", "two hidden layers of 256 units", 1, model_build_mlp},
    {"mnist_cnn", "the SNNL authors' network for MNIST: three convolutions, one dense layer", 27,
     model_build_mnist_cnn},
    {"cifar_resnet", "ResNet-20: three stages of three residual blocks, 16 to 64 channels", 8,
     model_build_resnet20},
    {"resnet18", "ResNet-18 for small images: four stages of two residual blocks, 64 to 512 channels", 8,
     model_build_resnet18},
    {0},
};

const model_network *model_find(const char *name) {
    for (const model_network *m = model_networks; m->name; m++)
        if (strcmp(m->name, name) == 0)
            return m;
    return NULL;
}
