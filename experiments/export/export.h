/* export.h - the model of a trained run as an ONNX file. */
#ifndef EXP_EXPORT_H
#define EXP_EXPORT_H

#include "experiments/common/trained_run.h"

typedef struct exp_export_request {
    const char *run;    /* folder */
    const char *out;    /* file to write */
    bool taps;          /* each tap is an output too, under its name, behind `logits` */
    bool channels_last; /* images as batch x height x width x channels; else channels come second */
    bool normalized;    /* the caller normalises images; else they are from 0 to 1, and the file does it */
} exp_export_request;

/* The input is `image`. The file's metadata: model, dataset, classes, mean, deviation and the run. Fills in *run, which is
 * to be closed with exp_trained_run_close, after a failure too. */
nn_status exp_export(const exp_export_request *request, exp_trained_run *run, nn_error *error);

#endif
