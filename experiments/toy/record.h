/* record.h - what is kept of a descent while it goes on: the loss of every step, snapshots, and frames for an
 * animation. */
#ifndef EXP_TOY_RECORD_H
#define EXP_TOY_RECORD_H

#include "points.h"
#include "settings.h"

enum { EXP_TOY_FRAMES = 80 }; /* at most; at least half of them where there are as many steps */

typedef struct exp_toy_row {
    double value, temperature;
} exp_toy_row;

/* The points' places after `step` steps. */
typedef struct exp_toy_picture {
    uint64_t step;
    double value, temperature;
    double threshold; /* of a snapshot: the last one that the value had come up to; NAN: none, it was due */
    double *x;        /* [count][2] */
} exp_toy_picture;

typedef struct exp_toy_threshold {
    double value;
    bool reached;
    uint64_t step; /* the first one at which it was, if reached */
} exp_toy_threshold;

typedef struct exp_toy_record {
    bool rising; /* thresholds are reached from below */
    int points, classes;
    int32_t *labels;   /* [points] */
    double limit;      /* the loss where every neighbor is equally likely: see exp_toy_record_new */
    exp_toy_row *rows; /* [steps + 1]: before the first step, after each */
    uint64_t steps, rows_capacity;
    exp_toy_picture snapshots[EXP_TOY_SNAPSHOTS];
    int snapshot_count;
    exp_toy_threshold thresholds[EXP_TOY_THRESHOLDS];
    int threshold_count, threshold_next; /* those before threshold_next are reached */
    exp_toy_picture frames[EXP_TOY_FRAMES];
    int frame_count;
    uint64_t frame_interval; /* steps; doubled whenever there is no more room */
} exp_toy_record;

/* An empty record. `limit` becomes mean_i log((b - 1) / (n_i - 1)) over the usable points, n_i the size of a
 * point's class: the loss at an infinite temperature, and therefore the most that it can be at the optimal one.
 * To be freed, after a failure too. */
nn_status exp_toy_record_new(exp_toy_record *record, const exp_toy_points *points, bool rising,
                             const double *thresholds, int threshold_count, nn_error *error);
void exp_toy_record_free(exp_toy_record *record);

/* Takes in the points after the next step (at first: before any). A snapshot is taken of the start, where a
 * threshold was reached, and where one is `due`. NN_EMEMORY. */
nn_status exp_toy_record_step(exp_toy_record *record, const exp_toy_points *points,
                              const nn_snnl_result *measured, bool due, nn_error *error);

/* After the last step: it becomes a snapshot and a frame unless it is one already. */
nn_status exp_toy_record_end(exp_toy_record *record, const exp_toy_points *points, nn_error *error);

/* The snapshot of the last step, or NULL. */
const exp_toy_picture *exp_toy_record_snapshot_now(const exp_toy_record *record);

#endif
