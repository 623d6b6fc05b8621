/* bank.h - what the layers of a trained network make of its training examples, and of any other images.
 *
 * A representation is a layer's values, flattened and divided by their length: a point on the unit sphere (all zeros
 * where the layer is all zeros), unless the bank is told to leave it as it is. Training examples come in blocks, always in
 * the same order. Blocks that are asked for a third time are kept from then on, as far as the memory allowed reaches, and the
 * others computed anew whenever they are asked for: new memory costs more than the network does. */
#ifndef EXP_DKNN_BANK_H
#define EXP_DKNN_BANK_H

#include "experiments/common/trained_run.h"

enum { EXP_BANK_LAYERS_MAX = EXP_TAPS_MAX + 2 };

typedef struct exp_bank_layer {
    const char *name;
    const nn_node *node;
    int dims;
    size_t offset; /* dims of all layers before it */
} exp_bank_layer;

typedef struct exp_bank {
    exp_trained_run *run; /* the caller's */
    int layers;           /* from the input's side to the output's */
    exp_bank_layer layer[EXP_BANK_LAYERS_MAX];
    size_t dims; /* of all layers together */
    int classes;
    int count;         /* training examples */
    int block, blocks; /* examples of a block (the last one may have fewer), and how many blocks */
    data_split split;  /* the training examples: memory of the run's */
    float *images;     /* a batch of them */
    float **kept;      /* [blocks], NULL: not kept */
    int *asked;        /* [blocks]: how often */
    float *scratch;    /* for a block that is not */
    size_t memory;     /* bytes that may still be taken for blocks */
    bool unscaled; /* layers' values as they are, not divided by their length: set before the first call */
} exp_bank;

/* Layers: names of taps, "logits" and "input", or patterns (as of files) of taps and "logits", separated by commas; ""
 * is all taps and the logits. The run was opened with EXP_DUMP and has training examples, of which the first `training`
 * are taken (0: all); it is used and must stay open until the bank is closed, which is to be done after a failure too.
 * memory: bytes for blocks, 0: a quarter of the machine's. NN_EARGUMENT for a layer that there is not. */
nn_status exp_bank_open(exp_bank *bank, exp_trained_run *run, const char *layers, int training, size_t memory,
                        nn_error *error);
void exp_bank_close(exp_bank *bank);

/* Representations of images [count][height][width][channels], normalised as the run's training images: values, [layers]
 * of [count][dims], one after the other; layer l begins at values + count * layer[l].offset. And the network's
 * predictions, the first largest of the logits, [count], unless NULL. */
nn_status exp_bank_represent(const exp_bank *bank, const float *images, int count, float *values,
                             int32_t *predictions, nn_error *error);

/* The representations of the training examples number * block ..., *count of them, likewise; valid until the next
 * call. */
nn_status exp_bank_block(exp_bank *bank, int number, const float **values, int *count, nn_error *error);

#endif
