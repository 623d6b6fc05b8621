/* write_trace FOLDER - for each case of tests/support/trace.c writes into FOLDER the initial weights
 * (CASE.safetensors), the batches (CASE.images, float32 [step][example][row][column][channel], and
 * CASE.labels, int32) and what this program makes of them (CASE.losses, one number a line): what
 * pytorch_losses.py reads. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/trace.h"

typedef struct output {
    const char *folder;
    const trace_case *what;
    FILE *images, *labels, *losses;
} output;

static const char *path(const output *out, const char *suffix) {
    static char text[1024];
    snprintf(text, sizeof text, "%s/%s.%s", out->folder, out->what->name, suffix);
    return text;
}

static nn_status write_step(void *context, const exp_classifier *classifier, int step,
                            const data_batch *batch, double loss, nn_error *error) {
    output *out = context;
    if (step == 0)
        return nn_safetensors_save(&classifier->store, NULL, path(out, "safetensors"), error);
    size_t image = nn_shape_row(nn_node_shape(classifier->images));
    fwrite(batch->images, sizeof(float) * image, (size_t)batch->count, out->images);
    fwrite(batch->labels, sizeof(int32_t), (size_t)batch->count, out->labels);
    fprintf(out->losses, "%.9g\n", loss);
    return NN_OK;
}

int main(int argc, char **argv) {
    nn_error error = {0};
    data_set set;
    if (argc != 2) {
        fprintf(stderr, "usage: write_trace FOLDER\n");
        return 2;
    }
    if (trace_load(&set, &error) != NN_OK) {
        fprintf(stderr, "write_trace: %s\n", error.message);
        return 1;
    }
    for (const trace_case *what = trace_cases; what->name; what++) {
        output out = {.folder = argv[1], .what = what};
        out.images = fopen(path(&out, "images"), "wb");
        out.labels = fopen(path(&out, "labels"), "wb");
        out.losses = fopen(path(&out, "losses"), "w");
        if (!out.images || !out.labels || !out.losses ||
            trace_run(what, &set, TRACE_STEPS, write_step, &out, &error) != NN_OK) {
            fprintf(stderr, "write_trace: %s\n",
                    error.message[0] ? error.message : "cannot write to the folder");
            return 1;
        }
        fclose(out.images);
        fclose(out.labels);
        fclose(out.losses);
    }
    data_free(&set);
    return 0;
}
