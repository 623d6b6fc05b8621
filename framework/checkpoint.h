/* checkpoint.h - all that a training has become, in a file from which it goes on as if it had never stopped.
 *
 * A safetensors file (so there is one container for tensors in the project, which other tools open too) with a checksum over
 * every byte. It holds each entry of the store under its name, the internal ones too, and of each parameter NAME the
 * optimizer's state as optimizer.first.NAME and, where there is one, optimizer.second.NAME. Which training it was, and where
 * it stood, is the caller's to say, in text metadata. */
#ifndef NN_CHECKPOINT_H
#define NN_CHECKPOINT_H

#include "optimizer.h"
#include "safetensors.h"

NN_API_BEGIN

/* Writes the optimizer and its frozen store, whole or not at all. NN_ENUMERIC, before anything is written, where a value is
 * NaN or infinite: from there no training goes on. `metadata` is ended by a NULL key. */
nn_status nn_checkpoint_save(const nn_optimizer *optimizer, const nn_metadata *metadata, const char *path,
                             nn_error *error);

/* Reads a file and compares its checksum. NN_EFORMAT where it is damaged or of another kind. To be closed with
 * nn_safetensors_close, after a failure too; its metadata is asked for with nn_safetensors_text. */
nn_status nn_checkpoint_open(nn_safetensors **file, const char *path, nn_error *error);

/* Puts optimizer and store where they were. NN_EFORMAT where the file is of another model or optimizer; both are then as
 * before. */
nn_status nn_checkpoint_restore(const nn_safetensors *file, nn_optimizer *optimizer, nn_error *error);

NN_API_END

#endif
