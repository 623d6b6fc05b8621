/* data_options.h - the options that say which data to read, beside its root: --dataset and --image-size. */
#ifndef EXP_DATA_OPTIONS_H
#define EXP_DATA_OPTIONS_H

#include "datasets/datasets.h"
#include "options.h"

/* What --help says of them, for all programs alike. */
#define EXP_DATASET_HELP                                                                                     \
    "a name, or the path of a folder or archive (.tar, .tar.gz, .zip) of PNG, JPEG or BMP pictures: "        \
    "train/CLASS/ and "                                                                                      \
    "test/CLASS/, or CLASS/, a tenth of which is for testing"
#define EXP_IMAGE_SIZE_HELP                                                                                  \
    "of pictures: cropped in the middle to these proportions and resized; else the size that all of them "   \
    "have, or 32"

/* Makes the path of a folder or an archive that is there, or in the data root, absolute, so that what records it can be used from anywhere; a name
 * stays. NN_EARGUMENT for a path that is too long. */
nn_status exp_dataset_settle(char dataset[EXP_TEXT_MAX], const char *root, nn_error *error);

/* Brings "N" or "WIDTHxHEIGHT" into one spelling; "" stays. NN_EARGUMENT for anything else. */
nn_status exp_image_size_settle(char text[EXP_TEXT_MAX], nn_error *error);

/* What such a text asks for, checked before; nothing where it is "". */
data_form exp_image_form(const char *text);

#endif
