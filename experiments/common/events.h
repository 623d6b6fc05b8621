/* events.h - the rows of metrics.csv as TensorBoard reads them: a scalar for every column, under its name, but for the step,
 * which is each event's step, and the seconds, which are its time.
 *
 * The file is records: 8 bytes of length, their checksum, a message of TensorFlow's event.proto, its checksum; all
 * little-endian. It is made from the text of metrics.csv and nothing else, so that both always tell the same. */
#ifndef EXP_EVENTS_H
#define EXP_EVENTS_H

#include <stdio.h>

#include "options.h"

/* In the run folder; TensorBoard takes files with tfevents in their names. */
#define EXP_EVENTS_FILE "events.out.tfevents.entangle"

typedef struct exp_events {
    char path[EXP_TEXT_MAX + 64];
    FILE *file;    /* NULL: there are no events */
    char *columns; /* the header line of metrics.csv */
    double begin;  /* when training began, had it not stopped in between: seconds since 1970 */
} exp_events;

/* Begins the file anew, in place of what there is, with the rows of a metrics.csv so far: its header line, and lines behind
 * it. `seconds`: trained so far. To be closed after a failure too. NN_EFILE. */
nn_status exp_events_open(exp_events *events, const char *path, const char *metrics, double seconds,
                          nn_error *error);
void exp_events_close(exp_events *events);

/* Adds a row, a line of metrics.csv, and writes it through. */
nn_status exp_events_add(exp_events *events, const char *row, nn_error *error);

/* CRC-32C (Castagnoli: iSCSI's, RFC 3720) of some bytes. */
uint32_t exp_crc32c(const void *bytes, size_t count);

#endif
