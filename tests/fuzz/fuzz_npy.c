/* .npy files. */
#include "framework/npy.h"

#include "fuzz.h"

FUZZ_TARGET(npy) {
    nn_npy array;
    nn_error error = {0};
    const char *path = fuzz_file("array.npy", bytes, count);
    nn_status status = nn_npy_read(path, &array, &error);
    fuzz_require_reason(status, &error, path);
    if (status != NN_OK) {
        fuzz_require(!array.file, "a failure leaves nothing");
        return;
    }
    size_t elements = 1;
    double numbers = 0;
    uint64_t integers = 0;
    fuzz_require(array.rank >= 0 && array.rank <= NN_NPY_MAX_RANK, "the rank is in its range");
    for (int i = 0; i < array.rank; i++)
        elements *= array.dims[i];
    fuzz_require(elements == array.count, "the dimensions give the count");
    fuzz_require(array.count * array.size <= count || (count >= 2 && bytes[0] == 0x1f),
                 "a plain file holds the elements");
    for (size_t i = 0; i < array.count; i++) {
        numbers += nn_npy_number(&array, i);
        integers += (uint64_t)nn_npy_integer(&array, i);
    }
    fuzz_read(&numbers, sizeof numbers);
    fuzz_read(&integers, sizeof integers);
    nn_npy_free(&array);
}
