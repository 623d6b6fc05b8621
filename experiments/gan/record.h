/* record.h - what is kept of a training while it goes on: a row of gan.csv at every look, and snapshots.
 *
 * gan.csv:
 *     step,seconds,discriminator_loss,generator_loss,accuracy_real,accuracy_generated,snnl/pixels,temperature/pixels
 *     and with a classifier  snnl/TAP,temperature/TAP, ... for each of its layers, ... ,top_probability,class_entropy
 * Losses and the discriminator's accuracies are means over the steps since the row before; they are empty in the first
 * row, and where there is no discriminator. */
#ifndef EXP_GAN_RECORD_H
#define EXP_GAN_RECORD_H

#include "judge.h"
#include "training.h"

/* One look at a generator: SNNL of real and generated examples, each at its optimal temperature. */
typedef struct exp_gan_row {
    uint64_t step;
    double seconds; /* of training so far */
    exp_gan_losses losses;
    double snnl, temperature; /* of pixels, or coordinates */
    double tap_snnl[EXP_TAPS_MAX], tap_temperature[EXP_TAPS_MAX];
    exp_gan_quality quality;
} exp_gan_row;

typedef struct exp_gan_snapshot {
    size_t row;       /* its place among the rows */
    float *generated; /* [examples][real->row] */
} exp_gan_snapshot;

typedef struct exp_gan_record {
    char folder[EXP_TEXT_MAX];
    FILE *csv;
    bool judged;
    int taps; /* of the classifier, 0: none */
    const char *tap_names[EXP_TAPS_MAX];
    exp_gan_row *rows;
    size_t row_count, row_capacity;
    exp_gan_snapshot snapshots[EXP_GAN_SNAPSHOTS + 1];
    int snapshot_count;
} exp_gan_record;

/* Makes the run folder with config.ini and the header of gan.csv. judge may be NULL, and is to outlive the record. To
 * be closed after a failure too. */
nn_status exp_gan_record_open(exp_gan_record *record, const exp_gan_options *options,
                              const exp_gan_judge *judge, nn_error *error);
void exp_gan_record_close(exp_gan_record *record);

/* Takes in a row, and writes it through to gan.csv. */
nn_status exp_gan_record_add(exp_gan_record *record, const exp_gan_row *row, nn_error *error);

/* The last row becomes a snapshot: keeps `count` numbers of generated examples. */
nn_status exp_gan_record_snapshot(exp_gan_record *record, const float *generated, size_t count,
                                  nn_error *error);

/* The row of a snapshot. */
const exp_gan_row *exp_gan_record_at(const exp_gan_record *record, int snapshot);

#endif
