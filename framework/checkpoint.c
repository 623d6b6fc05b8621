#include "checkpoint.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/kernels.h"

enum { TEXTS_MAX = 128 }; /* metadata of one file */

/* The form of the file: another number where another program could not go on from it. */
static const char form[] = "1";

static void add(nn_file_tensor *tensors, int *count, const char *prefix, const nn_entry *entry,
                float *values) {
    nn_file_tensor *tensor = &tensors[(*count)++];
    snprintf(tensor->name, sizeof tensor->name, "%s%s", prefix, entry->name);
    tensor->entry = entry;
    tensor->values = values;
}

/* Every tensor of a checkpoint, to be freed; NULL without memory. */
static nn_file_tensor *list(const nn_optimizer *optimizer, int *count) {
    const nn_store *store = optimizer->store;
    nn_file_tensor *tensors = calloc(3 * (size_t)store->entry_count + 1, sizeof *tensors);
    *count = 0;
    for (int i = 0; tensors && i < store->entry_count; i++) {
        const nn_entry *entry = &store->entries[i];
        add(tensors, count, "", entry, nn_store_values(store, entry));
        if (entry->kind != NN_PARAMETER)
            continue;
        add(tensors, count, "optimizer.first.", entry, optimizer->first + entry->offset);
        if (optimizer->second)
            add(tensors, count, "optimizer.second.", entry, optimizer->second + entry->offset);
    }
    return tensors;
}

static nn_status check_finite(const nn_file_tensor *tensors, int count, nn_error *error) {
    const nn_vector_kernels *vector = nn_kernels_active()->vector;
    for (int i = 0; i < count; i++)
        if (!vector->finite(tensors[i].entry->count, tensors[i].values))
            return nn_fail(error, NN_ENUMERIC, "'%s' has values that are NaN or infinite", tensors[i].name);
    return NN_OK;
}

nn_status nn_checkpoint_save(const nn_optimizer *optimizer, const nn_metadata *metadata, const char *path,
                             nn_error *error) {
    char steps[32];
    int count, texts = 2;
    nn_metadata all[TEXTS_MAX] = {{"checkpoint", form}, {"optimizer.steps", steps}};
    snprintf(steps, sizeof steps, "%llu", (unsigned long long)optimizer->steps);
    for (; metadata->key && texts < TEXTS_MAX; metadata++)
        all[texts++] = *metadata;
    if (texts == TEXTS_MAX)
        return nn_fail(error, NN_EARGUMENT, "%s: more than %d texts", path, TEXTS_MAX - 3);
    nn_file_tensor *tensors = list(optimizer, &count);
    nn_status status = tensors ? check_finite(tensors, count, error) : nn_fail_memory(error, path);
    if (status == NN_OK)
        status = nn_safetensors_write(tensors, count, all, true, path, error);
    free(tensors);
    return status;
}

nn_status nn_checkpoint_open(nn_safetensors **file, const char *path, nn_error *error) {
    nn_status status = nn_safetensors_open(file, path, error);
    if (status == NN_OK)
        status = nn_safetensors_verify(*file, error);
    if (status != NN_OK)
        return status;
    const char *found = nn_safetensors_text(*file, "checkpoint");
    if (!found || strcmp(found, form) != 0)
        return nn_fail(error, NN_EFORMAT, "%s: its form is %s, this program reads form %s", path,
                       found ? found : "not that of a checkpoint", form);
    return NN_OK;
}

nn_status nn_checkpoint_restore(const nn_safetensors *file, nn_optimizer *optimizer, nn_error *error) {
    const char *text = nn_safetensors_text(file, "optimizer.steps");
    char *end;
    int count;
    errno = 0;
    unsigned long long steps = text ? strtoull(text, &end, 10) : 0;
    if (!text || *text < '0' || *text > '9' || *end || errno)
        return nn_fail(error, NN_EFORMAT, "a checkpoint's 'optimizer.steps' is no whole number");
    nn_file_tensor *tensors = list(optimizer, &count);
    nn_status status =
        tensors ? nn_safetensors_read(file, tensors, count, error) : nn_fail_memory(error, "a checkpoint");
    if (status == NN_OK)
        optimizer->steps = steps;
    free(tensors);
    return status;
}
