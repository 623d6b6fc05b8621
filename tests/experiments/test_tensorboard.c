/* ./train --tensorboard: the event file, read record by record, is what metrics.csv says; through kills and resumptions. */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "experiments/common/events.h"
#include "experiments/common/metrics.h"
#include "tests/support/program.h"
#include "tests/support/run_files.h"
#include "tests/support/wire.h"

#define QUICK                                                                                                \
    "--quiet --dataset mnist --model mlp --batch 20 --lr 0.01 --schedule constant --log-every 1 "            \
    "--tensorboard "

static int set_up(void **state) {
    program_begin(state);
    program_data("data", "mnist");
    setenv("PATH", "", 1); /* no gnuplot: pictures take longer than all the rest */
    return 0;
}

/* --- checksums ------------------------------------------------------------------------------------------ */

/* By the definition: the remainder of a division by x^32 + ..., as RFC 3720 has it, one bit after the other. */
static uint32_t remainder_of(const unsigned char *bytes, size_t count) {
    const uint32_t polynomial = 0x1edc6f41;
    uint32_t rest = 0xffffffff, turned = 0;
    for (size_t i = 0; i < 8 * count; i++) {
        uint32_t bit = bytes[i / 8] >> i % 8 & 1;
        rest = rest << 1 ^ ((rest >> 31 ^ bit) ? polynomial : 0);
    }
    for (int i = 0; i < 32; i++)
        turned |= (rest >> i & 1) << (31 - i);
    return turned ^ 0xffffffff;
}

static uint64_t little(const unsigned char *bytes, int count) {
    uint64_t value = 0;
    while (count-- > 0)
        value = value << 8 | bytes[count];
    return value;
}

/* RFC 3720, B.4, and the usual check value. */
static void published_checksums(void **state) {
    (void)state;
    unsigned char zeros[32] = {0}, ones[32], ascending[32];
    memset(ones, 0xff, 32);
    for (int i = 0; i < 32; i++)
        ascending[i] = (unsigned char)i;
    assert_int_equal(exp_crc32c("123456789", 9), 0xe3069283);
    assert_int_equal(exp_crc32c(zeros, 32), 0x8a9136aa);
    assert_int_equal(exp_crc32c(ones, 32), 0x62a8ab43);
    assert_int_equal(exp_crc32c(ascending, 32), 0x46dd794e);
    assert_int_equal(exp_crc32c("", 0), 0);
    assert_int_equal(remainder_of((const unsigned char *)"123456789", 9), 0xe3069283);
}

static void expect_checksum(const unsigned char *bytes, size_t count, const unsigned char *stored) {
    uint32_t crc = remainder_of(bytes, count);
    assert_int_equal(little(stored, 4), (uint32_t)((crc >> 15 | crc << 17) + 0xa282ead8u));
}

/* --- records -------------------------------------------------------------------------------------------- */

typedef struct reader {
    unsigned char *bytes;
    size_t at, count;
} reader;

static reader open_events(const char *run) {
    char path[128];
    nn_error error = {0};
    reader r = {0};
    snprintf(path, sizeof path, "%s/events.out.tfevents.entangle", run);
    test_ok(nn_file_read(path, 1 << 24, &r.bytes, &r.count, &error), &error);
    return r;
}

static bool next_event(reader *r, wire *event) {
    if (r->at == r->count)
        return false;
    const unsigned char *record = r->bytes + r->at;
    assert_true(r->count - r->at >= 16);
    uint64_t length = little(record, 8);
    assert_true(length <= r->count - r->at - 16);
    expect_checksum(record, 8, record + 8);
    expect_checksum(record + 12, length, record + 12 + length);
    *event = (wire){record + 12, record + 12 + length};
    r->at += 16 + length;
    return true;
}

/* A summary's only value of that tag; NaN where there is none. */
static double value_of(wire summary, const char *tag) {
    wire_field field;
    char text[128];
    double value = NAN;
    while (wire_next(&summary, &field)) {
        assert_int_equal(field.number, 1);
        if (strcmp(wire_text(wire_only(field.bytes, 1).bytes, text, sizeof text), tag) != 0)
            continue;
        assert_true(isnan(value));
        assert_int_equal(wire_only(field.bytes, 2).kind, WIRE_FLOAT);
        value = wire_only(field.bytes, 2).real;
    }
    return value;
}

static void expect_row(wire summary, const exp_metrics *metrics, size_t row) {
    int found = 0, expected = 0;
    wire_field field;
    for (wire w = summary; wire_next(&w, &field);)
        found++;
    for (size_t c = 0; c < metrics->columns; c++) {
        double value = metrics->values[c * metrics->rows + row];
        const char *name = metrics->names[c];
        if (strcmp(name, "step") == 0 || strcmp(name, "seconds") == 0 || isnan(value))
            continue;
        expected++;
        assert_true(value_of(summary, name) == (double)(float)value);
    }
    assert_int_equal(found, expected);
}

/* Every row once, in order, with every column; times that go on with the seconds. */
static void expect_events(const char *run, size_t rows) {
    char path[128];
    nn_error error = {0};
    exp_metrics metrics;
    wire event;
    snprintf(path, sizeof path, "%s/metrics.csv", run);
    test_ok(exp_metrics_read(path, &metrics, &error), &error);
    assert_int_equal(metrics.rows, rows);
    reader r = open_events(run);
    char version[32];
    assert_true(next_event(&r, &event));
    assert_string_equal(wire_text(wire_only(event, 3).bytes, version, sizeof version), "brain.Event:2");
    double begin = wire_only(event, 1).real;
    assert_true(fabs(begin - (double)time(NULL)) < 300);
    for (size_t row = 0; row < metrics.rows; row++) {
        assert_true(next_event(&r, &event));
        assert_true((double)wire_only(event, 2).integer == exp_metrics_column(&metrics, "step")[row]);
        assert_true(fabs(wire_only(event, 1).real - begin - exp_metrics_column(&metrics, "seconds")[row]) <
                    1e-3);
        expect_row(wire_only(event, 5).bytes, &metrics, row);
    }
    assert_false(next_event(&r, &event));
    free(r.bytes);
    exp_metrics_free(&metrics);
}

/* --- runs ----------------------------------------------------------------------------------------------- */

static void every_row_is_an_event(void **state) {
    (void)state;
    assert_int_equal(program_run("train", QUICK "--steps 9 --snnl-weight 0.1 --run whole"), 0);
    expect_events("whole", 9);
    assert_int_equal(program_run("train", "--quiet --preset whole/config.ini --run again"), 0);
    expect_events("again", 9);
    run_files_same("whole", "again");
    assert_int_equal(program_run("train", QUICK "--no-tensorboard --steps 2 --run without"), 0);
    assert_false(program_file_exists("without/events.out.tfevents.entangle"));
}

static void append(const char *path, const char *text) {
    FILE *file = fopen(path, "a");
    assert_true(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

/* What a killed run has logged behind its checkpoint is logged again, and a record cut short is gone. */
static void resumed(void **state) {
    (void)state;
    assert_int_equal(program_run("train", QUICK "--steps 5 --run part"), 0);
    append("part/metrics.csv", "6,1,120,1,1,1,1,1,1,1,1,1,,\n7,1");
    append("part/events.out.tfevents.entangle", "\x20");
    assert_int_equal(program_run("train", "--quiet --run part --resume --steps 9"), 0);
    expect_events("part", 9);
    /* it can be given up, and be had later */
    assert_int_equal(program_run("train", "--quiet --run part --resume --steps 10 --no-tensorboard"), 0);
    assert_false(program_file_exists("part/events.out.tfevents.entangle"));
    assert_int_equal(program_run("train", "--quiet --run part --resume --steps 11 --tensorboard"), 0);
    expect_events("part", 11);
}

static void killed(void **state) {
    (void)state;
    bool resume = false;
    for (int i = 0, code = 1; code != 0; i++) {
        const char *line =
            resume ? "--quiet --run killed --resume" : QUICK "--steps 400 --save-every 20 --run killed";
        pid_t pid = program_start("train", line);
        usleep(60000);
        if (i < 5)
            kill(pid, SIGKILL);
        code = program_end(pid);
        resume = program_file_exists("killed/config.ini");
    }
    expect_events("killed", 400);
}

static void failures(void **state) {
    (void)state;
    char *line = "--steps 400 --save-every 0 --eval-every 0 --run full";
    program_next.file_limit = 20000; /* the events are larger than the rows */
    assert_int_equal(program_run("train", QUICK "%s", line), 1);
    program_said(program_errors, "cannot write full/events.out.tfevents.entangle");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_checksums),
        cmocka_unit_test(every_row_is_an_event),
        cmocka_unit_test(resumed),
        cmocka_unit_test(killed),
        cmocka_unit_test(failures),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
