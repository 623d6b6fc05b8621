/* dump.h - every tap's representations as .npy files, for study in other languages. */
#ifndef EXP_DUMP_H
#define EXP_DUMP_H

#include "experiments/common/classifier.h"

/* Runs a classifier built with EXP_DUMP over the loader's batches and writes to `folder` (made if need be)
 * TAP.npy and logits.npy, float32 [examples, ...] (images as height, width, channels), labels.npy and
 * predictions.npy, int64 [examples]. One pass over the data for each file, so that memory holds one tap's
 * representations at most. */
nn_status exp_dump(exp_classifier *classifier, data_loader *loader, int examples, const char *folder,
                   nn_error *error);

#endif
