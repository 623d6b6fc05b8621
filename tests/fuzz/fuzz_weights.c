/* Weights to begin with, of whatever program: the header and the tensors of a file, whose length is then right. */
#include "framework/weights.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "small_store.h"

static void take(const unsigned char *file, size_t size, const char *skip) {
    nn_store *store = fuzz_small_store();
    nn_error error = {0};
    nn_weights_report report = {0};
    nn_safetensors *opened;
    const char *path = fuzz_file("weights.safetensors", file, size);
    nn_status status = nn_safetensors_open(&opened, path, &error);
    fuzz_require_reason(status, &error, path);
    if (status == NN_OK)
        status = nn_weights_take(store, opened, skip, &report, &error);
    fuzz_require_reason(status, &error, NULL);
    fuzz_require(report.misfits == 0 || status != NN_OK, "what does not fit is refused");
    if (report.text)
        fuzz_read(report.text, strlen(report.text));
    fuzz_read(store->parameters, store->parameter_count * sizeof(float));
    fuzz_small_store_restore(store, status != NN_OK);
    free(report.text);
    nn_safetensors_close(opened);
}

FUZZ_TARGET(weights) {
    fuzz_part parts[2];
    size_t size;
    fuzz_cut(bytes, count, parts, 2);
    unsigned char *file = fuzz_compose_safetensors(parts[0].bytes, parts[0].count, parts[1].bytes,
                                                   parts[1].count, false, &size);
    take(file, size, "");
    take(file, size, "bn.*");
    free(file);
}
