/* store.h - everything a model learns: parameters, their gradients, running statistics.
 *
 * Entries are declared by name while graphs are built; freezing the store (at the first plan) lays each kind
 * out in one contiguous array, so that the optimizer is one loop, a checkpoint one walk, and a sum of
 * gradients over machines one call. Several graphs may share a store: declaring a name again finds the entry.
 */
#ifndef NN_STORE_H
#define NN_STORE_H

#include <stdint.h>

#include "error.h"
#include "tensor.h"

NN_API_BEGIN

enum { NN_NAME_MAX = 64 };

typedef enum nn_entry_kind {
    NN_PARAMETER, /* has a gradient, moved by the optimizer */
    NN_STATISTIC  /* written by an op: running mean and variance, a learned temperature */
} nn_entry_kind;

typedef enum nn_init_kind {
    NN_INIT_HE,     /* normal, variance 2 / fan_in (He et al. 2015): before a relu */
    NN_INIT_XAVIER, /* uniform, variance 2 / (fan_in + fan_out) (Glorot and Bengio 2010) */
    NN_INIT_LECUN,  /* normal, variance 1 / fan_in (LeCun et al. 1998) */
    NN_INIT_CONSTANT
} nn_init_kind;

typedef struct nn_init {
    nn_init_kind kind;
    float value; /* of NN_INIT_CONSTANT */
    int fan_in, fan_out;
} nn_init;

typedef struct nn_entry {
    char name[NN_NAME_MAX];
    nn_entry_kind kind;
    nn_shape
        shape; /* as the kernels use it: K,R,S,C for convolutions; out,H,W,C for a dense layer on images */
    bool flat; /* leaves the program as a matrix, out x rest: a dense layer's weights */
    bool internal; /* not part of an exported model (a learned temperature) */
    nn_init init;
    bool decay;    /* weight decay applies by default */
    size_t count;  /* elements */
    size_t offset; /* into the array of its kind */
} nn_entry;

typedef struct nn_store {
    uint64_t seed; /* of the initial values and of dropout */
    bool frozen;   /* the arrays exist: no new entries */
    nn_entry *entries;
    int entry_count, entry_capacity;
    size_t parameter_count, statistic_count;
    float *parameters; /* [parameter_count], as are the gradients */
    float *gradients;
    float *statistics; /* [statistic_count] */
} nn_store;

/* An empty store; released with nn_store_free. */
void nn_store_begin(nn_store *store, uint64_t seed);
void nn_store_free(nn_store *store);

/* Adds an entry or finds the one of that name, and gives its index. An existing entry must have the same kind
 * and shape. After freezing only existing names are found. */
nn_status nn_store_declare(nn_store *store, nn_entry entry, int *index, nn_error *error);

/* Allocates the arrays and sets initial values, each from the stream "init/NAME": independent of the order of
 * declaration and of the other entries. Does nothing when already frozen. */
nn_status nn_store_freeze(nn_store *store, nn_error *error);

/* NULL when there is no such entry. */
const nn_entry *nn_store_find(const nn_store *store, const char *name);

/* Where the values of an entry of a frozen store are. */
float *nn_store_values(const nn_store *store, const nn_entry *entry);

/* NN_ENUMERIC, naming the parameter, when a value (or with `gradients`, a gradient) is NaN or infinite. */
nn_status nn_store_check(const nn_store *store, bool gradients, nn_error *error);

NN_API_END

#endif
