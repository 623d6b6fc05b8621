/* source.h - the points that ./embed shows: from .npy files, or what a layer of a trained run makes of its
 * test examples. */
#ifndef EXP_EMBED_SOURCE_H
#define EXP_EMBED_SOURCE_H

#include "experiments/common/trained_run.h"

typedef struct exp_embed_source {
    char title[2 * EXP_TEXT_MAX]; /* what the points are */
    int count, dims;
    float *x;        /* [count][dims] */
    int32_t *labels; /* [count], NULL: unknown */
    int classes;
    char (*names)[DATA_NAME_MAX]; /* [classes] */
    char note[DATA_NOTE_MAX];     /* what is to be known of a run's data, or "" */
} exp_embed_source;

/* labels may be NULL. */
nn_status exp_embed_source_files(exp_embed_source *source, const char *features, const char *labels,
                                 nn_error *error);

/* tap: a tap's name, "input" or "logits". */
nn_status exp_embed_source_run(exp_embed_source *source, const exp_run_request *request, const char *tap,
                               nn_error *error);

void exp_embed_source_free(exp_embed_source *source); /* after a failure too */

#endif
