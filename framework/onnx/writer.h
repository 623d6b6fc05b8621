/* writer.h - the parts of an ONNX file while it is written: for framework/onnx/ only.
 *
 * Of a node's value that is an image ONNX has the channels second, and its rows and columns behind them. */
#ifndef NN_ONNX_WRITER_H
#define NN_ONNX_WRITER_H

#include "../graph_internal.h"
#include "../protobuf.h"
#include "onnx.h"

enum { NN_ONNX_OPSET = 13, NN_ONNX_NAME_MAX = NN_NAME_MAX + 32 };

typedef struct nn_onnx_name {
    char text[NN_ONNX_NAME_MAX];
} nn_onnx_name;

typedef struct nn_onnx_writer {
    const nn_onnx_model *model;
    const nn_graph *graph;
    nn_protobuf message;  /* the GraphProto so far */
    nn_onnx_name *values; /* of each node of the graph that is written: what its value is called; else "" */
    bool *initializers;   /* of each entry of the store, twice: it is written as in a file, and as a matrix */
    nn_error *error;
} nn_onnx_writer;

/* --- ops.c ---------------------------------------------------------------------------------------------- */

/* Writes what computes the node. NN_EARGUMENT where its op has no counterpart. */
nn_status nn_onnx_write_op(nn_onnx_writer *writer, const nn_node *node);

/* --- writer.c ------------------------------------------------------------------------------------------- */

/* What the value of a node is called; writes first, where that has not been done, what computes it. */
nn_onnx_name nn_onnx_value(nn_onnx_writer *writer, const nn_node *node);

/* What the op that computes a node has to call the result. */
nn_onnx_name nn_onnx_own_name(const nn_onnx_writer *writer, const nn_node *node);

/* A name for a value on the way to that of a node. */
nn_onnx_name nn_onnx_inner_name(const nn_node *node, const char *suffix);

/* Entry `index` of the store as it is in a file (layout.h), or as a matrix whose rows are in the order of memory. */
nn_onnx_name nn_onnx_entry(nn_onnx_writer *writer, int index, bool matrix);

/* A constant; no other has its name. */
void nn_onnx_floats(nn_onnx_writer *writer, nn_onnx_name name, nn_shape shape, const float *values);
void nn_onnx_integers(nn_onnx_writer *writer, nn_onnx_name name, int count, const int64_t *values);

/* A NodeProto: begun, given its inputs in their order and its attributes, ended. */
nn_protobuf nn_onnx_begin(const char *type, nn_onnx_name output);
void nn_onnx_input(nn_protobuf *node, nn_onnx_name value);
void nn_onnx_int(nn_protobuf *node, const char *attribute, int64_t value);
void nn_onnx_ints(nn_protobuf *node, const char *attribute, int count, const int *values);
void nn_onnx_float(nn_protobuf *node, const char *attribute, float value);
void nn_onnx_string(nn_protobuf *node, const char *attribute, const char *value);
void nn_onnx_end(nn_onnx_writer *writer, nn_protobuf *node);

/* A node of one input and no attributes; a transposition, of images between channels second and channels last. */
void nn_onnx_unary(nn_onnx_writer *writer, const char *type, nn_onnx_name input, nn_onnx_name output);
void nn_onnx_transpose(nn_onnx_writer *writer, bool to_last, nn_onnx_name input, nn_onnx_name output);

#endif
