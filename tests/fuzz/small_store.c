#include "small_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

static void declare(nn_store *store, const char *name, nn_entry entry) {
    nn_error error = {0};
    int index;
    entry.init = (nn_init){.kind = NN_INIT_CONSTANT, .value = -1};
    snprintf(entry.name, sizeof entry.name, "%s", name);
    fuzz_require(nn_store_declare(store, entry, &index, &error) == NN_OK, "an entry is declared");
}

nn_store *fuzz_small_store(void) {
    static nn_store store;
    nn_error error = {0};
    if (store.frozen)
        return &store;
    nn_store_begin(&store, 1);
    declare(&store, "conv.weight", (nn_entry){.shape = NN_SHAPE4(2, 2, 2, 1)});
    declare(&store, "dense.weight", (nn_entry){.shape = NN_SHAPE4(2, 1, 2, 2), .flat = true});
    declare(&store, "bn.weight", (nn_entry){.shape = NN_SHAPE1(2)});
    declare(&store, "bn.running_mean", (nn_entry){.kind = NN_STATISTIC, .shape = NN_SHAPE1(2)});
    fuzz_require(nn_store_freeze(&store, &error) == NN_OK, "the store is laid out");
    return &store;
}

static void restore(float *values, size_t count, bool kept) {
    for (size_t i = 0; i < count; i++) {
        fuzz_require(!kept || values[i] == -1, "a failure leaves the store as it was");
        values[i] = -1;
    }
}

void fuzz_small_store_restore(nn_store *store, bool kept) {
    restore(store->parameters, store->parameter_count, kept);
    restore(store->statistics, store->statistic_count, kept);
}

/* As safetensors.h says: the hash of all bytes, the digits themselves taken as zeros. */
static void put_checksum(unsigned char *bytes, size_t size) {
    static const char lead[] = "{\"__metadata__\":{\"checksum\":\"";
    enum { LENGTH = 8, PLACE = LENGTH + sizeof lead - 1, DIGITS = 16 };
    char text[DIGITS + 1];
    if (size < PLACE + DIGITS || memcmp(bytes + LENGTH, lead, sizeof lead - 1) != 0)
        return;
    memset(bytes + PLACE, '0', DIGITS);
    snprintf(text, sizeof text, "%016llx", (unsigned long long)nn_hash(nn_hash_start, bytes, size));
    memcpy(bytes + PLACE, text, DIGITS);
}

unsigned char *fuzz_compose_safetensors(const unsigned char *header, size_t header_count,
                                        const unsigned char *tensors, size_t tensors_count, bool checksum,
                                        size_t *size) {
    enum { LENGTH = 8 };
    unsigned char *bytes = malloc(LENGTH + header_count + tensors_count);
    fuzz_require(bytes != NULL, "there is memory");
    for (int i = 0; i < LENGTH; i++)
        bytes[i] = (unsigned char)((uint64_t)header_count >> (8 * i));
    memcpy(bytes + LENGTH, header, header_count);
    memcpy(bytes + LENGTH + header_count, tensors, tensors_count);
    *size = LENGTH + header_count + tensors_count;
    if (checksum)
        put_checksum(bytes, *size);
    return bytes;
}
