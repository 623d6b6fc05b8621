#include "events.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "framework/framework.h"
#include "framework/protobuf.h"

/* Fields of Event, Summary and Summary.Value. */
enum { EVENT_TIME = 1, EVENT_STEP = 2, EVENT_VERSION = 3, EVENT_SUMMARY = 5 };
enum { SUMMARY_VALUE = 1, VALUE_TAG = 1, VALUE_NUMBER = 2 };
static const char version[] = "brain.Event:2";

/* --- records -------------------------------------------------------------------------------------------- */

uint32_t exp_crc32c(const void *bytes, size_t count) {
    const uint32_t polynomial = 0x82f63b78; /* the lowest bit first */
    const unsigned char *byte = bytes;
    uint32_t crc = ~(uint32_t)0;
    for (size_t i = 0; i < count; i++) {
        crc ^= byte[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? polynomial : 0);
    }
    return ~crc;
}

static void put_little(unsigned char *bytes, uint64_t value, int count) {
    for (int i = 0; i < count; i++)
        bytes[i] = (unsigned char)(value >> 8 * i);
}

/* Rotated and moved, so that the checksum of what holds checksums is none of its own. */
static uint32_t masked(const void *bytes, size_t count) {
    uint32_t crc = exp_crc32c(bytes, count);
    return (crc >> 15 | crc << 17) + 0xa282ead8;
}

/* Takes the message. */
static void put_record(FILE *file, nn_protobuf *message) {
    unsigned char head[12], foot[4];
    put_little(head, message->count, 8);
    put_little(head + 8, masked(head, 8), 4);
    put_little(foot, masked(message->bytes, message->count), 4);
    fwrite(head, 1, sizeof head, file);
    fwrite(message->bytes, 1, message->count, file);
    fwrite(foot, 1, sizeof foot, file);
    nn_protobuf_free(message);
}

/* --- events --------------------------------------------------------------------------------------------- */

static void put_scalar(nn_protobuf *summary, const char *tag, size_t length, double number) {
    nn_protobuf value = {0};
    unsigned char *text = nn_protobuf_bytes(&value, VALUE_TAG, length);
    if (text)
        memcpy(text, tag, length);
    nn_protobuf_float(&value, VALUE_NUMBER, (float)number);
    nn_protobuf_message(summary, SUMMARY_VALUE, &value);
}

static bool is_named(const char *column, size_t length, const char *name) {
    return length == strlen(name) && memcmp(column, name, length) == 0;
}

/* An event of one row; fields that are empty are left out. */
static nn_protobuf event_of(const exp_events *e, const char *row) {
    nn_protobuf event = {0}, summary = {0};
    const char *column = e->columns, *field = row;
    for (;;) {
        size_t name = strcspn(column, ",\n"), length = strcspn(field, ",\n");
        double number = strtod(field, NULL);
        if (is_named(column, name, "step"))
            nn_protobuf_integer(&event, EVENT_STEP, (int64_t)number);
        else if (is_named(column, name, "seconds"))
            nn_protobuf_double(&event, EVENT_TIME, e->begin + number);
        else if (length > 0)
            put_scalar(&summary, column, name, number);
        if (column[name] != ',' || field[length] != ',')
            break;
        column += name + 1;
        field += length + 1;
    }
    nn_protobuf_message(&event, EVENT_SUMMARY, &summary);
    return event;
}

static nn_status cannot_write(const exp_events *e, nn_error *error) {
    return nn_fail(error, NN_EFILE, "cannot write %s: %s", e->path, strerror(errno));
}

nn_status exp_events_add(exp_events *e, const char *row, nn_error *error) {
    nn_protobuf event = event_of(e, row);
    if (event.failed) {
        nn_protobuf_free(&event);
        return nn_fail_memory(error, e->path);
    }
    put_record(e->file, &event);
    return fflush(e->file) == 0 && !ferror(e->file) ? NN_OK : cannot_write(e, error);
}

static nn_status put_version(exp_events *e, nn_error *error) {
    nn_protobuf event = {0};
    nn_protobuf_double(&event, EVENT_TIME, e->begin);
    nn_protobuf_text(&event, EVENT_VERSION, version);
    if (event.failed)
        return nn_fail_memory(error, e->path);
    put_record(e->file, &event);
    return NN_OK;
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

nn_status exp_events_open(exp_events *e, const char *path, const char *metrics, double seconds,
                          nn_error *error) {
    *e = (exp_events){.begin = now() - seconds};
    snprintf(e->path, sizeof e->path, "%s", path);
    e->columns = strndup(metrics, strcspn(metrics, "\n"));
    if (!e->columns)
        return nn_fail_memory(error, path);
    e->file = fopen(path, "wb");
    if (!e->file)
        return cannot_write(e, error);
    nn_status status = put_version(e, error);
    const char *row = metrics;
    while (status == NN_OK && (row = strchr(row, '\n')) && *++row)
        status = exp_events_add(e, row, error);
    if (status == NN_OK && fflush(e->file) != 0)
        status = cannot_write(e, error);
    return status;
}

void exp_events_close(exp_events *e) {
    if (e->file)
        fclose(e->file);
    free(e->columns);
    *e = (exp_events){0};
}
