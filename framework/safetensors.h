/* safetensors.h - a trained model in a file that other frameworks open.
 *
 * The safetensors format: 8 bytes of header length, a JSON header naming each tensor's type, shape and place,
 * and the bytes. Tensors have PyTorch's names and layouts: convolutions out,in,row,column; dense layers
 * out,in (with the inputs of a flattened image ordered channel, row, column). */
#ifndef NN_SAFETENSORS_H
#define NN_SAFETENSORS_H

#include "store.h"

NN_API_BEGIN

enum { NN_STORED_RANK_MAX = 8 };
enum { NN_FILE_NAME_MAX = NN_NAME_MAX + 32 }; /* of a tensor: an entry's name with something in front */

typedef struct nn_metadata {
    const char *key, *value;
} nn_metadata;

/* A tensor of a file: its values lie in memory as those of the entry do, and in the file as that one's would. */
typedef struct nn_file_tensor {
    char name[NN_FILE_NAME_MAX];
    const nn_entry *entry; /* for its shape */
    float *values;         /* [entry->count] */
} nn_file_tensor;

/* --- a model's file ------------------------------------------------------------------------------------- */

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

/* --- any tensors ---------------------------------------------------------------------------------------- */

/* Writes these tensors and text metadata (ended by a NULL key; NULL: none), whole or not at all. With `checksum` the first
 * metadata, under that name, is the nn_hash of all bytes of the file, its own 16 hexadecimal digits taken as zeros. */
nn_status nn_safetensors_write(const nn_file_tensor *tensors, int count, const nn_metadata *metadata,
                               bool checksum, const char *path, nn_error *error);

/* A whole file in memory, closed after a failure too. NN_EFORMAT where it is no such file. */
typedef struct nn_safetensors nn_safetensors;
nn_status nn_safetensors_open(nn_safetensors **file, const char *path, nn_error *error);
void nn_safetensors_close(nn_safetensors *file); /* NULL is fine */

/* NN_EFORMAT unless the file has a checksum and is as it was written, to the last bit. */
nn_status nn_safetensors_verify(const nn_safetensors *file, nn_error *error);

/* The text of a metadata key, NULL when it is not there; valid until the file is closed. */
const char *nn_safetensors_text(const nn_safetensors *file, const char *key);

/* The nn_hash of all bytes of the file. */
uint64_t nn_safetensors_hash(const nn_safetensors *file);

/* A tensor as the file has it. */
typedef struct nn_stored_tensor {
    const char *name, *type; /* "F32", "BF16", ... */
    int rank;
    size_t dims[NN_STORED_RANK_MAX];
    const unsigned char *bytes; /* not necessarily aligned */
    size_t size;                /* of these */
    const void *place;          /* for nn_safetensors_next */
} nn_stored_tensor;

/* The tensor behind *tensor in the file, the first one where that is zeroed; *found is false behind the last one.
 * NN_EFORMAT where the file's header is not right about it. */
nn_status nn_safetensors_next(const nn_safetensors *file, nn_stored_tensor *tensor, bool *found,
                              nn_error *error);

/* The first dimension of a tensor of the file; 0 where there is none of that name. */
int nn_safetensors_rows(const nn_safetensors *file, const char *name);

/* Fills in the values of these tensors, which must be all that the file has. NN_EFORMAT; they are then as before. */
nn_status nn_safetensors_read(const nn_safetensors *file, const nn_file_tensor *tensors, int count,
                              nn_error *error);

NN_API_END

#endif
