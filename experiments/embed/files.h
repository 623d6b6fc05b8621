/* files.h - what ./embed writes: the picture, the coordinates and a summary. */
#ifndef EXP_EMBED_FILES_H
#define EXP_EMBED_FILES_H

#include <stdio.h>

#include "experiments/tsne/tsne.h"
#include "source.h"

typedef struct exp_embedding {
    const exp_embed_source *source;
    const exp_tsne_options *options;
    double *y;      /* [count][2] */
    int iterations; /* done */
    double kl, seconds;
    nn_snnl_result before,
        after; /* of the points and of the embedding; usable 0: no labels, or no two alike */
    bool interrupted;
} exp_embedding;

/* SNNL at its optimal temperature of the points as they are, and of the embedding. Nothing without labels. */
nn_status exp_embedding_measure_before(exp_embedding *embedding, nn_error *error);
nn_status exp_embedding_measure_after(exp_embedding *embedding, nn_error *error);

/* OUT.npy (float32 [count][2]), OUT.json, OUT.png and OUT.svg; and the summary as a line to `output`, unless that is
 * NULL. */
nn_status exp_embedding_write(const exp_embedding *embedding, const char *out, FILE *output, nn_error *error);

/* NN_EFILE where OUT's folder is missing or not writable: to be known before the work is done. */
nn_status exp_embedding_check_folder(const char *out, nn_error *error);

#endif
