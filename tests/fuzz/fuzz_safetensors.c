/* Model files: the bytes as a file, and their two parts as header and tensors of one, whose length is then right. */
#include "framework/safetensors.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "small_store.h"

static void read_texts(const char *path) {
    static const char *const keys[] = {"format", "model", "image"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        char text[32];
        nn_error error = {0};
        nn_status status = nn_safetensors_metadata(path, keys[i], text, sizeof text, &error);
        fuzz_require_reason(status, &error, path);
        if (status == NN_OK)
            fuzz_require(memchr(text, '\0', sizeof text) != NULL, "a text ends");
    }
}

static void load(const unsigned char *bytes, size_t count) {
    nn_store *store = fuzz_small_store();
    nn_error error = {0};
    const char *path = fuzz_file("model.safetensors", bytes, count);
    nn_status status = nn_safetensors_load(store, path, &error);
    fuzz_require_reason(status, &error, path);
    fuzz_read(store->parameters, store->parameter_count * sizeof(float));
    fuzz_small_store_restore(store, status != NN_OK);
    read_texts(path);
}

FUZZ_TARGET(safetensors) {
    fuzz_part parts[2];
    size_t size;
    load(bytes, count);
    fuzz_cut(bytes, count, parts, 2);
    unsigned char *file = fuzz_compose_safetensors(parts[0].bytes, parts[0].count, parts[1].bytes,
                                                   parts[1].count, false, &size);
    load(file, size);
    free(file);
}
