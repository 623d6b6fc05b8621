/* dump.h - every tap's representations as .npy files, or in one .npz, for study in other languages. */
#ifndef EXP_DUMP_H
#define EXP_DUMP_H

#include "experiments/common/classifier.h"

/* Runs a classifier built with EXP_DUMP over the loader's batches and writes to the folder `path` (made if need be), or to
 * one archive where that is FILE.npz: TAP.npy and logits.npy, float32 [examples, ...] (images as height, width, channels),
 * labels.npy and predictions.npy, int64 [examples]. One pass over the data for each, so that memory holds one tap's
 * representations at most. */
nn_status exp_dump(exp_classifier *classifier, data_loader *loader, int examples, const char *path,
                   nn_error *error);

#endif
