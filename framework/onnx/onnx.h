/* onnx.h - a trained network as an ONNX file, which other runtimes execute.
 *
 * Opset 13, as every runtime since 2021 has it. The first dimension of inputs and outputs is free. Parameters have the
 * names, shapes and values of model.safetensors. An op is one line in the table in ops.c. */
#ifndef NN_ONNX_H
#define NN_ONNX_H

#include "../graph.h"
#include "../safetensors.h"

NN_API_BEGIN

typedef struct nn_onnx_output {
    const nn_node *node;
    const char *name;
} nn_onnx_output;

typedef struct nn_onnx_model {
    const char *name, *producer, *version;
    const nn_node *input;
    const char *input_name;
    bool
        channels_last; /* images come in, and go out, as batch x height x width x channels; else channels come second */
    const float *mean,
        *deviation; /* of each channel, to normalise images with before all else; NULL: not at all */
    const nn_onnx_output *outputs;
    int output_count;
    const nn_metadata *metadata; /* ended by a NULL key; or NULL */
} nn_onnx_model;

/* Writes what leads from the input to the outputs, as in evaluation, whole or not at all. The graph's store is frozen.
 * NN_EARGUMENT for an op that has no counterpart in ONNX; NN_ESHAPE above 2 GiB, the most that such a file holds. */
nn_status nn_onnx_write(const nn_onnx_model *model, const char *path, nn_error *error);

NN_API_END

#endif
