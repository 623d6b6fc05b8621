#include "record.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double find_limit(const int32_t *labels, int count, int classes, int *sizes) {
    int usable = 0;
    double sum = 0;
    for (int i = 0; i < count; i++)
        sizes[labels[i]]++;
    for (int k = 0; k < classes; k++)
        if (sizes[k] > 1) {
            usable += sizes[k];
            sum += sizes[k] * log((count - 1.0) / (sizes[k] - 1.0));
        }
    return usable ? sum / usable : 0;
}

nn_status exp_toy_record_new(exp_toy_record *record, const exp_toy_points *points, bool rising,
                             const double *thresholds, int threshold_count, nn_error *error) {
    size_t count = (size_t)points->count;
    *record = (exp_toy_record){.rising = rising,
                               .points = points->count,
                               .classes = points->classes,
                               .frame_interval = 1,
                               .threshold_count = threshold_count};
    for (int i = 0; i < threshold_count; i++)
        record->thresholds[i].value = thresholds[i];
    int *sizes = calloc((size_t)points->classes, sizeof *sizes);
    record->labels = calloc(count, sizeof *record->labels);
    if (!sizes || !record->labels) {
        free(sizes);
        return nn_fail_memory(error, "the labels");
    }
    memcpy(record->labels, points->labels, count * sizeof *record->labels);
    record->limit = find_limit(points->labels, points->count, points->classes, sizes);
    free(sizes);
    return NN_OK;
}

void exp_toy_record_free(exp_toy_record *record) {
    for (int i = 0; i < record->snapshot_count; i++)
        free(record->snapshots[i].x);
    for (int i = 0; i < record->frame_count; i++)
        free(record->frames[i].x);
    free(record->labels);
    free(record->rows);
    *record = (exp_toy_record){0};
}

static nn_status add_row(exp_toy_record *r, uint64_t row, const nn_snnl_result *measured, nn_error *error) {
    if (row == r->rows_capacity) {
        uint64_t capacity = row ? 2 * row : 1024;
        exp_toy_row *rows = realloc(r->rows, capacity * sizeof *rows);
        if (!rows)
            return nn_fail_memory(error, "the losses of all steps");
        r->rows = rows;
        r->rows_capacity = capacity;
    }
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): row 0 comes first and makes the array */
    r->rows[row] = (exp_toy_row){measured->value, measured->temperature};
    return NN_OK;
}

/* The points as they are, after the record's last step. */
static nn_status take_picture(const exp_toy_record *r, exp_toy_picture *picture, const exp_toy_points *points,
                              nn_error *error) {
    size_t bytes = 2 * (size_t)points->count * sizeof *points->x;
    *picture = (exp_toy_picture){r->steps, r->rows[r->steps].value, r->rows[r->steps].temperature, NAN,
                                 malloc(bytes)};
    if (!picture->x)
        return nn_fail_memory(error, "a copy of the points");
    memcpy(picture->x, points->x, bytes);
    return NN_OK;
}

static nn_status take_snapshot(exp_toy_record *r, const exp_toy_points *points, double threshold,
                               nn_error *error) {
    exp_toy_picture *picture = &r->snapshots[r->snapshot_count];
    nn_status status = take_picture(r, picture, points, error);
    picture->threshold = threshold;
    r->snapshot_count += status == NN_OK;
    return status;
}

static void drop_every_second_frame(exp_toy_record *r) {
    int kept = 0;
    for (int i = 0; i < r->frame_count; i++)
        if (i % 2 == 0)
            r->frames[kept++] = r->frames[i];
        else
            free(r->frames[i].x);
    r->frame_count = kept;
    r->frame_interval *= 2;
}

static nn_status take_frame(exp_toy_record *r, const exp_toy_points *points, nn_error *error) {
    if (r->frame_count == EXP_TOY_FRAMES)
        drop_every_second_frame(r);
    nn_status status = take_picture(r, &r->frames[r->frame_count], points, error);
    r->frame_count += status == NN_OK;
    return status;
}

/* Marks the thresholds that `value` has come up to; the last of them, or NAN. */
static double pass_thresholds(exp_toy_record *r, double value) {
    double last = NAN;
    for (; r->threshold_next < r->threshold_count; r->threshold_next++) {
        exp_toy_threshold *t = &r->thresholds[r->threshold_next];
        if (r->rising ? value < t->value : value > t->value)
            break;
        t->reached = true;
        t->step = r->steps;
        last = t->value;
    }
    return last;
}

nn_status exp_toy_record_step(exp_toy_record *record, const exp_toy_points *points,
                              const nn_snnl_result *measured, bool due, nn_error *error) {
    uint64_t row = record->rows ? record->steps + 1 : 0;
    nn_status status = add_row(record, row, measured, error);
    if (status != NN_OK)
        return status;
    record->steps = row;
    double threshold = pass_thresholds(record, measured->value);
    if (row == 0 || due || !isnan(threshold))
        status = take_snapshot(record, points, threshold, error);
    if (status == NN_OK && row % record->frame_interval == 0)
        status = take_frame(record, points, error);
    return status;
}

const exp_toy_picture *exp_toy_record_snapshot_now(const exp_toy_record *record) {
    if (record->snapshot_count == 0)
        return NULL;
    const exp_toy_picture *last = &record->snapshots[record->snapshot_count - 1];
    return last->step == record->steps ? last : NULL;
}

nn_status exp_toy_record_end(exp_toy_record *record, const exp_toy_points *points, nn_error *error) {
    nn_status status = NN_OK;
    if (!exp_toy_record_snapshot_now(record))
        status = take_snapshot(record, points, NAN, error);
    if (status == NN_OK && record->frames[record->frame_count - 1].step != record->steps)
        status = take_frame(record, points, error);
    return status;
}
