#include "wire.h"

#include <string.h>

static uint64_t take_varint(wire *w) {
    uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
        assert_true(w->at < w->end && shift < 64);
        unsigned char byte = *w->at++;
        value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128)
            return value;
    }
}

static const unsigned char *take(wire *w, uint64_t count) {
    const unsigned char *bytes = w->at;
    assert_true(count <= (uint64_t)(w->end - w->at));
    w->at += count;
    return bytes;
}

bool wire_next(wire *w, wire_field *field) {
    float single;
    if (w->at == w->end)
        return false;
    uint64_t key = take_varint(w);
    *field = (wire_field){.number = (int)(key / 8), .kind = (int)(key % 8)};
    assert_true(field->number > 0);
    switch (field->kind) {
    case WIRE_INTEGER:
        field->integer = (int64_t)take_varint(w);
        return true;
    case WIRE_DOUBLE:
        memcpy(&field->real, take(w, 8), 8);
        return true;
    case WIRE_FLOAT:
        memcpy(&single, take(w, 4), 4);
        field->real = (double)single;
        return true;
    case WIRE_BYTES: {
        uint64_t count = take_varint(w);
        field->bytes.at = take(w, count);
        field->bytes.end = w->at;
        return true;
    }
    default:
        fail_msg("field %d is of kind %d", field->number, field->kind);
        return false;
    }
}

char *wire_text(wire bytes, char *text, size_t size) {
    size_t length = (size_t)(bytes.end - bytes.at);
    assert_true(length < size);
    memcpy(text, bytes.at, length);
    text[length] = '\0';
    return text;
}

wire_field wire_only(wire message, int number) {
    wire_field field, found = {0};
    while (wire_next(&message, &field))
        if (field.number == number) {
            assert_int_equal(found.number, 0);
            found = field;
        }
    assert_int_equal(found.number, number);
    return found;
}
