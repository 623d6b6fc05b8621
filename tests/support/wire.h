/* wire.h - a reader of Protocol Buffers' encoding, written apart from framework/protobuf.c, to check what that wrote. */
#ifndef TEST_WIRE_H
#define TEST_WIRE_H

#include "support.h"

typedef struct wire {
    const unsigned char *at, *end; /* what is left of a message */
} wire;

enum { WIRE_INTEGER = 0, WIRE_DOUBLE = 1, WIRE_BYTES = 2, WIRE_FLOAT = 5 };

typedef struct wire_field {
    int number, kind;
    int64_t integer;
    double real; /* of doubles and floats */
    wire bytes;  /* of texts, bytes and messages */
} wire_field;

/* Takes the next field; false at the end. Fails the test where the message is cut short or not encoded like that. */
bool wire_next(wire *message, wire_field *field);

/* A text as a string, at most `size` - 1 bytes; returns `text`. */
char *wire_text(wire bytes, char *text, size_t size);

/* The only field of that number, which must be there. */
wire_field wire_only(wire message, int number);

#endif
