#include "store.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/kernels.h"
#include "random.h"

void nn_store_begin(nn_store *store, uint64_t seed) {
    *store = (nn_store){.seed = seed};
}

void nn_store_free(nn_store *store) {
    free(store->entries);
    free(store->parameters);
    free(store->gradients);
    free(store->statistics);
    *store = (nn_store){0};
}

const nn_entry *nn_store_find(const nn_store *store, const char *name) {
    for (int i = 0; i < store->entry_count; i++)
        if (strcmp(store->entries[i].name, name) == 0)
            return &store->entries[i];
    return NULL;
}

float *nn_store_values(const nn_store *store, const nn_entry *entry) {
    return (entry->kind == NN_PARAMETER ? store->parameters : store->statistics) + entry->offset;
}

static nn_status append(nn_store *store, nn_entry entry, nn_error *error) {
    if (store->entry_count == store->entry_capacity) {
        int capacity = store->entry_capacity ? 2 * store->entry_capacity : 64;
        nn_entry *entries = realloc(store->entries, (size_t)capacity * sizeof *entries);
        if (!entries)
            return nn_fail_memory(error, "the table of parameters");
        store->entries = entries;
        store->entry_capacity = capacity;
    }
    size_t *total = entry.kind == NN_PARAMETER ? &store->parameter_count : &store->statistic_count;
    entry.offset = *total;
    *total += entry.count;
    store->entries[store->entry_count++] = entry;
    return NN_OK;
}

static const char *kind_text(nn_entry_kind kind) {
    return kind == NN_PARAMETER ? "parameter" : "statistic";
}

nn_status nn_store_declare(nn_store *store, nn_entry entry, int *index, nn_error *error) {
    const nn_entry *found = nn_store_find(store, entry.name);
    if (found) {
        char wanted[NN_SHAPE_TEXT], has[NN_SHAPE_TEXT];
        if (found->kind != entry.kind)
            return nn_fail(error, NN_ESHAPE,
                           "'%s' is declared twice, as a %s and as a %s: give one a new name", entry.name,
                           kind_text(found->kind), kind_text(entry.kind));
        if (!nn_shape_equal(found->shape, entry.shape))
            return nn_fail(error, NN_ESHAPE,
                           "parameter '%s' is declared twice, as %s and as %s: give one a new name",
                           entry.name, nn_shape_text(found->shape, has), nn_shape_text(entry.shape, wanted));
        *index = (int)(found - store->entries);
        return NN_OK;
    }
    if (store->frozen)
        return nn_fail(error, NN_EARGUMENT,
                       "parameter '%s' is new, but the store's memory is laid out already: build every graph "
                       "before the first plan",
                       entry.name);
    entry.count = nn_shape_count(entry.shape);
    if (entry.count == 0)
        return nn_fail(error, NN_ESHAPE,
                       "parameter '%s' has a dimension that is not positive, or is too large", entry.name);
    *index = store->entry_count;
    return append(store, entry, error);
}

/* Standard deviation of the normal kinds, bound of the uniform one. */
static float spread(const nn_init *init) {
    double in = init->fan_in > 0 ? init->fan_in : 1, both = in + (init->fan_out > 0 ? init->fan_out : 0);
    if (init->kind == NN_INIT_HE)
        return (float)sqrt(2 / in);
    if (init->kind == NN_INIT_LECUN)
        return (float)sqrt(1 / in);
    return (float)sqrt(6 / both);
}

static void initialise(const nn_entry *entry, uint64_t seed, float *values) {
    char name[NN_NAME_MAX + 8] = "init/";
    strcat(name, entry->name);
    nn_stream stream = nn_stream_named(seed, name);
    const nn_init *init = &entry->init;
    float scale = spread(init);
    for (size_t i = 0; i < entry->count; i++) {
        if (init->kind == NN_INIT_CONSTANT)
            values[i] = init->value;
        else if (init->kind == NN_INIT_XAVIER)
            values[i] = scale * (2 * nn_random_uniform(&stream) - 1);
        else
            values[i] = scale * nn_random_normal(&stream);
    }
}

static float *zeros(size_t count) {
    size_t bytes = (count * sizeof(float) + 63) / 64 * 64 + 64;
    float *array = aligned_alloc(64, bytes);
    if (array)
        memset(array, 0, bytes);
    return array;
}

nn_status nn_store_freeze(nn_store *store, nn_error *error) {
    if (store->frozen)
        return NN_OK;
    if (store->parameter_count > SIZE_MAX / 16 || store->statistic_count > SIZE_MAX / 16)
        return nn_fail_memory(error, "the parameters");
    store->parameters = zeros(store->parameter_count);
    store->gradients = zeros(store->parameter_count);
    store->statistics = zeros(store->statistic_count);
    if (!store->parameters || !store->gradients || !store->statistics) {
        free(store->parameters); /* so that the next try finds the store as this one did */
        free(store->gradients);
        free(store->statistics);
        store->parameters = store->gradients = store->statistics = NULL;
        return nn_fail_memory(error, "the parameters");
    }
    store->frozen = true;
    for (int i = 0; i < store->entry_count; i++)
        initialise(&store->entries[i], store->seed, nn_store_values(store, &store->entries[i]));
    return NN_OK;
}

nn_status nn_store_check(const nn_store *store, bool gradients, nn_error *error) {
    const nn_vector_kernels *vector = nn_kernels_active()->vector;
    for (int i = 0; i < store->entry_count; i++) {
        const nn_entry *entry = &store->entries[i];
        if (entry->kind != NN_PARAMETER)
            continue;
        const float *values = gradients ? store->gradients + entry->offset : nn_store_values(store, entry);
        if (!vector->finite(entry->count, values))
            return nn_fail(error, NN_ENUMERIC, "%s '%s' has values that are NaN or infinite",
                           gradients ? "the gradient of" : "parameter", entry->name);
    }
    return NN_OK;
}
