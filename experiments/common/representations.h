/* representations.h - what a classifier's layers make of examples, in memory. */
#ifndef EXP_REPRESENTATIONS_H
#define EXP_REPRESENTATIONS_H

#include "classifier.h"

/* The node of a name: a tap, "logits", or "input", the normalised images. NN_EARGUMENT with all names there are. */
nn_status exp_representation_node(const exp_classifier *classifier, const char *name, const nn_node **node,
                                  nn_error *error);

/* Runs a classifier built with EXP_DUMP over all batches of the loader, from the first one on: the node's values go
 * to values, [examples][nn_shape_row of its shape], and labels to labels, [examples], unless that is NULL. */
nn_status exp_representations(exp_classifier *classifier, data_loader *loader, const nn_node *node,
                              float *values, int32_t *labels, nn_error *error);

#endif
