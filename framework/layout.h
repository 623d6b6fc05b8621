/* layout.h - tensors as other frameworks have them: channels first.
 *
 * Convolution weights are K,R,S,C here and out,in,row,column there; a dense layer's weights on an image out,H,W,C here and
 * out x (C H W) there. Every other tensor is the same in both. */
#ifndef NN_LAYOUT_H
#define NN_LAYOUT_H

#include "store.h"

/* The shape that an entry has outside. */
nn_shape nn_layout_shape(const nn_entry *entry);

/* Copies an entry's values, [entry->count], out of the program and into it. `outside` need not be aligned. */
void nn_layout_export(const nn_entry *entry, const float *values, unsigned char *outside);
void nn_layout_import(const nn_entry *entry, const unsigned char *outside, float *values);

#endif
