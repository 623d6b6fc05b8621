/* small_store.h - a store with an entry of every kind, for targets that fill one from files. */
#ifndef FUZZ_SMALL_STORE_H
#define FUZZ_SMALL_STORE_H

#include "framework/framework.h"

/* conv.weight 2,1,2,2 and dense.weight 2,4 as files have them, bn.weight and the statistic bn.running_mean of 2: 20 floats,
 * all -1. Made once and never freed. */
nn_store *fuzz_small_store(void);

/* Makes all values -1 again; with `kept` they must still be. */
void fuzz_small_store_restore(nn_store *store, bool kept);

/* A safetensors file of a header and the bytes behind it, to be freed. *size is all of it. With `checksum` the digits are put
 * right where the header begins as that of a checkpoint. */
unsigned char *fuzz_compose_safetensors(const unsigned char *header, size_t header_count,
                                        const unsigned char *tensors, size_t tensors_count, bool checksum,
                                        size_t *size);

#endif
