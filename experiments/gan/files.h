/* files.h - what ./gan leaves beside gan.csv and pictures by gnuplot. */
#ifndef EXP_GAN_FILES_H
#define EXP_GAN_FILES_H

#include "record.h"

/* All there is at the end of a run; the record's last snapshot is of its last step. */
typedef struct exp_gan_outcome {
    const exp_gan_options *options;
    const exp_gan_real *real;
    const exp_gan_judge *judge; /* NULL: no classifier */
    exp_gan_training *training;
    const exp_gan_record *record;
    nn_snnl_result reference; /* of real examples with other real ones */
    bool interrupted;
} exp_gan_outcome;

/* The name of the sheet of samples of a step. */
void exp_gan_sheet_name(uint64_t step, char name[32]);

/* The first of `count` images as a sheet of the record's last snapshot; nothing for points. */
nn_status exp_gan_write_sheet(const exp_gan_record *record, const exp_gan_real *real, const float *images,
                              int count, nn_error *error);

nn_status exp_gan_write_networks(const exp_gan_outcome *outcome, nn_error *error);

/* summary.json, and with options->json the same as one line to stdout. */
nn_status exp_gan_write_summary(const exp_gan_outcome *outcome, nn_error *error);

#endif
