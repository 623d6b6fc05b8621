/* safetensors.h - a trained model in a file that other frameworks open.
 *
 * The safetensors format: 8 bytes of header length, a JSON header naming each tensor's type, shape and place,
 * and the bytes. Tensors have PyTorch's names and layouts: convolutions out,in,row,column; dense layers
 * out,in (with the inputs of a flattened image ordered channel, row, column). */
#ifndef NN_SAFETENSORS_H
#define NN_SAFETENSORS_H

#include "store.h"

typedef struct nn_metadata {
    const char *key, *value;
} nn_metadata;

/* Writes every entry of a frozen store but the internal ones, and text metadata (ended by a NULL key). The
 * file appears whole or not at all. */
nn_status nn_safetensors_save(const nn_store *store, const nn_metadata *metadata, const char *path,
                              nn_error *error);

/* Fills a frozen store from such a file: every entry but the internal ones must be there, float32, with its
 * shape, and nothing else. On failure the store is as before. */
nn_status nn_safetensors_load(nn_store *store, const char *path, nn_error *error);

/* The text of one metadata key of such a file, at most size - 1 characters; NN_EFORMAT when it is not there.
 */
nn_status nn_safetensors_metadata(const char *path, const char *key, char *text, size_t size,
                                  nn_error *error);

#endif
