/* weights.h - a model's weights from a safetensors file of whatever program: to begin a training with, where
 * safetensors.h takes back what this program wrote.
 *
 * Tensors are found by their names and have PyTorch's layouts (layout.h). F32 is taken as it is, F16 and BF16 are exact in
 * it, F64 is rounded to the nearest. PyTorch's counters, *.num_batches_tracked, are passed over. */
#ifndef NN_WEIGHTS_H
#define NN_WEIGHTS_H

#include "safetensors.h"

NN_API_BEGIN

typedef struct nn_weights_report {
    int taken, left; /* entries of the store that were filled, and those that a pattern left as they were */
    int misfits;     /* tensors and entries that do not fit each other */
    char
        *text; /* a line for each of the last two kinds, to be freed with free(); NULL where there are none */
} nn_weights_report;

/* Fills a frozen store, its internal entries left out, from an open file. `skip` has patterns (fnmatch), separated by
 * commas, of tensors that are passed over in the file and of entries that stay as they are; "" for none. Every other entry
 * must have its tensor and every other tensor its entry: else NN_EFORMAT, with each that has not in the report.
 * NN_EARGUMENT for a pattern that meets nothing; NN_ENUMERIC for a value that is NaN or infinite. After a failure the store
 * is as before. */
nn_status nn_weights_take(nn_store *store, const nn_safetensors *file, const char *skip,
                          nn_weights_report *report, nn_error *error);

NN_API_END

#endif
