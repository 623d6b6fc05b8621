#include "protobuf.h"

#include <stdlib.h>
#include <string.h>

/* How a value is written, in the low three bits of its field's key. */
enum { WIRE_VARINT = 0, WIRE_8_BYTES = 1, WIRE_COUNTED = 2, WIRE_4_BYTES = 5 };

void nn_protobuf_free(nn_protobuf *message) {
    free(message->bytes);
    *message = (nn_protobuf){0};
}

/* Room for `count` more bytes at the end; NULL without memory. */
static unsigned char *extend(nn_protobuf *m, size_t count) {
    size_t wanted;
    if (m->failed || __builtin_add_overflow(m->count, count, &wanted))
        return m->failed = true, NULL;
    if (wanted > m->capacity || !m->bytes) {
        size_t capacity = wanted + wanted / 2 + 64;
        unsigned char *bytes = realloc(m->bytes, capacity);
        if (!bytes)
            return m->failed = true, NULL;
        m->bytes = bytes;
        m->capacity = capacity;
    }
    unsigned char *end = m->bytes + m->count;
    m->count = wanted;
    return end;
}

/* Seven bits a byte, the lowest first; all but the last byte have the highest bit set. */
static void varint(nn_protobuf *m, uint64_t value) {
    for (bool more = true; more;) {
        unsigned char *byte = extend(m, 1);
        more = byte && value >= 0x80;
        if (byte)
            *byte = (unsigned char)((value & 0x7f) | (more ? 0x80 : 0));
        value >>= 7;
    }
}

static void key(nn_protobuf *m, int field, int wire) {
    varint(m, (uint64_t)field << 3 | (uint64_t)wire);
}

static void fixed(nn_protobuf *m, uint64_t bits, int count) {
    unsigned char *bytes = extend(m, (size_t)count);
    for (int i = 0; bytes && i < count; i++)
        bytes[i] = (unsigned char)(bits >> 8 * i);
}

void nn_protobuf_integer(nn_protobuf *m, int field, int64_t value) {
    key(m, field, WIRE_VARINT);
    varint(m, (uint64_t)value);
}

void nn_protobuf_float(nn_protobuf *m, int field, float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    key(m, field, WIRE_4_BYTES);
    fixed(m, bits, 4);
}

void nn_protobuf_double(nn_protobuf *m, int field, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    key(m, field, WIRE_8_BYTES);
    fixed(m, bits, 8);
}

unsigned char *nn_protobuf_bytes(nn_protobuf *m, int field, size_t count) {
    key(m, field, WIRE_COUNTED);
    varint(m, count);
    return extend(m, count);
}

static void put_bytes(nn_protobuf *m, int field, const void *bytes, size_t count) {
    unsigned char *place = nn_protobuf_bytes(m, field, count);
    if (place && count)
        memcpy(place, bytes, count);
}

void nn_protobuf_text(nn_protobuf *m, int field, const char *text) {
    put_bytes(m, field, text, strlen(text));
}

void nn_protobuf_message(nn_protobuf *m, int field, nn_protobuf *part) {
    put_bytes(m, field, part->bytes, part->count);
    m->failed |= part->failed;
    nn_protobuf_free(part);
}
