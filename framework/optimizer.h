/* optimizer.h - moving a store's parameters along their gradients.
 *
 *   sgd   v = momentum v + g;  p -= rate v        nesterov: p -= rate (g + momentum v)
 *   adam  m = b1 m + (1-b1) g;  v = b2 v + (1-b2) g^2;  p -= rate m' / (sqrt(v') + epsilon)
 *         with m' = m / (1 - b1^t), v' = v / (1 - b2^t)   (Kingma and Ba 2015)
 *
 * g is the gradient plus weight_decay times the parameter, for the parameters that decay (not batch norm's).
 * These are PyTorch's forms of both. */
#ifndef NN_OPTIMIZER_H
#define NN_OPTIMIZER_H

#include "plan.h"
#include "store.h"

NN_API_BEGIN

typedef enum nn_optimizer_kind { NN_SGD, NN_ADAM } nn_optimizer_kind;

typedef struct nn_optimizer_options {
    nn_optimizer_kind kind;
    float momentum; /* of sgd */
    bool nesterov;
    float beta1, beta2, epsilon; /* of adam; 0 is 0.9, 0.999, 1e-8 */
    float weight_decay;
    bool decay_all; /* batch norm's parameters too */
} nn_optimizer_options;

typedef struct nn_optimizer {
    nn_optimizer_options options;
    nn_store *store;
    uint64_t steps; /* taken so far */
    float *first;   /* [store->parameter_count] velocity or m; part of a checkpoint, as are the two others */
    float *second;  /* v of adam, else NULL */
} nn_optimizer;

/* For a frozen store, which must outlive the optimizer. */
nn_status nn_optimizer_begin(nn_optimizer *optimizer, nn_store *store, nn_optimizer_options options,
                             nn_error *error);
void nn_optimizer_free(nn_optimizer *optimizer);

/* One update with the store's gradients. */
void nn_optimizer_step(nn_optimizer *optimizer, float rate);

/* A step of training: the plan's run forward and backward, and an update with the gradients. The plan's graph must be over
 * the optimizer's store. On failure nothing is updated. */
nn_status nn_optimizer_train(nn_optimizer *optimizer, nn_plan *plan, nn_run run, float rate, nn_error *error);

NN_API_END

#endif
