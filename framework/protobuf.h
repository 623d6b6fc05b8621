/* protobuf.h - messages in the encoding of Protocol Buffers, written field by field: what ONNX and TensorBoard files are
 * made of.
 *
 * Begin with a zeroed message. What cannot be had of memory is remembered: whoever writes asks `failed` once, at the end. */
#ifndef NN_PROTOBUF_H
#define NN_PROTOBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct nn_protobuf {
    unsigned char *bytes;
    size_t count, capacity;
    bool failed;
} nn_protobuf;

void nn_protobuf_free(nn_protobuf *message);

/* Each appends one value of field number `field`; several values of one field are a repeated field. */
void nn_protobuf_integer(nn_protobuf *message, int field, int64_t value);
void nn_protobuf_float(nn_protobuf *message, int field, float value);
void nn_protobuf_double(nn_protobuf *message, int field, double value);
void nn_protobuf_text(nn_protobuf *message, int field, const char *text);

/* The same of `count` bytes, which the caller fills in; NULL without memory. */
unsigned char *nn_protobuf_bytes(nn_protobuf *message, int field, size_t count);

/* The same of a message, which is freed and zeroed. */
void nn_protobuf_message(nn_protobuf *message, int field, nn_protobuf *part);

#endif
