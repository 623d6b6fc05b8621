#include "tensor.h"

#include <stdio.h>
#include <string.h>

#include "error.h"

static const size_t largest_count = (size_t)1 << 48;

static size_t product(const int *dims, int count) {
    size_t result = 1;
    for (int i = 0; i < count; i++)
        if (dims[i] <= 0 || !nn_multiply(result, (size_t)dims[i], &result) || result > largest_count)
            return 0;
    return result;
}

size_t nn_shape_count(nn_shape shape) {
    return product(shape.dims, shape.rank);
}

size_t nn_shape_row(nn_shape shape) {
    return shape.rank > 1 ? product(shape.dims + 1, shape.rank - 1) : 1;
}

bool nn_shape_equal(nn_shape a, nn_shape b) {
    return a.rank == b.rank && memcmp(a.dims, b.dims, (size_t)a.rank * sizeof *a.dims) == 0;
}

const char *nn_shape_text(nn_shape shape, char text[NN_SHAPE_TEXT]) {
    if (shape.rank == 0)
        return strcpy(text, "scalar");
    int length = 0;
    for (int i = 0; i < shape.rank; i++)
        length +=
            snprintf(text + length, (size_t)(NN_SHAPE_TEXT - length), "%s%d", i ? " x " : "", shape.dims[i]);
    return text;
}
