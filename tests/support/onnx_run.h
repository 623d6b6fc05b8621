/* onnx_run.h - runs an ONNX file node by node, with plain loops in double precision, by the definitions of the operators
 * (github.com/onnx/onnx, docs/Operators.md, opset 13) as far as the project's files need them. */
#ifndef TEST_ONNX_RUN_H
#define TEST_ONNX_RUN_H

#include "wire.h"

enum { ONNX_TENSORS = 512, ONNX_TEXT = 128 };

typedef struct onnx_tensor {
    char name[ONNX_TEXT];
    int rank;
    size_t dims[4], count;
    double *values;
} onnx_tensor;

typedef struct onnx_file {
    unsigned char *bytes;
    wire model, graph;
    onnx_tensor tensors[ONNX_TENSORS]; /* initializers, the input, what was computed */
    int tensor_count, inputs, outputs, nodes;
} onnx_file;

/* Reads a file: its initializers, and the names of its input and outputs. Fails the test where it is no such file. */
void onnx_open(onnx_file *file, const char *path);
void onnx_close(onnx_file *file);

/* Runs it for an input; every node must find its inputs computed before it. */
void onnx_run(onnx_file *file, const char *name, int rank, const size_t *dims, const float *values);

/* The tensor of a name; fails the test where there is none. */
const onnx_tensor *onnx_find(const onnx_file *file, const char *name);

/* The text of a key in the file's metadata; "" where there is none. */
const char *onnx_metadata(const onnx_file *file, const char *key);

/* The dimensions of the graph's input or output `name` as a text: "batch 3 32 32". */
const char *onnx_dimensions(const onnx_file *file, const char *name);

#endif
