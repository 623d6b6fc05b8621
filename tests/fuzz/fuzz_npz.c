/* .npz archives: the only array, and one by its name. */
#include "framework/npz.h"

#include <stdio.h>

#include "fuzz.h"

static void read_array(const char *path, const char *file) {
    nn_npy array;
    nn_error error = {0};
    double numbers = 0;
    nn_status status = nn_npz_read(path, &array, &error);
    fuzz_require_reason(status, &error, file);
    if (status != NN_OK)
        return;
    for (size_t i = 0; i < array.count; i++)
        numbers += nn_npy_number(&array, i);
    fuzz_read(&numbers, sizeof numbers);
    nn_npy_free(&array);
}

FUZZ_TARGET(npz) {
    char named[512];
    const char *path = fuzz_file("arrays.npz", bytes, count);
    snprintf(named, sizeof named, "%s:x", path);
    read_array(path, path);
    read_array(named, path);
}
