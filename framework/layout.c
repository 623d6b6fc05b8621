#include "layout.h"

#include <string.h>

nn_shape nn_layout_shape(const nn_entry *entry) {
    nn_shape s = entry->shape;
    if (entry->flat)
        return NN_SHAPE2(s.dims[0], (int)nn_shape_row(s));
    return s.rank == 4 ? NN_SHAPE4(s.dims[0], s.dims[3], s.dims[1], s.dims[2]) : s;
}

/* In which order the values of an entry lie outside: of each filter the channels, of each channel the pixels. */
typedef struct order {
    size_t pixels, channels;
} order;

static order order_of(const nn_entry *entry) {
    const int *dims = entry->shape.dims;
    if (entry->shape.rank != 4)
        return (order){entry->count, 1};
    return (order){(size_t)dims[1] * (size_t)dims[2], (size_t)dims[3]};
}

/* The place outside of the value that is at `index` here. */
static size_t place(order o, size_t index) {
    size_t filter = index / (o.pixels * o.channels), within = index % (o.pixels * o.channels);
    return (filter * o.channels + within % o.channels) * o.pixels + within / o.channels;
}

void nn_layout_export(const nn_entry *entry, const float *values, unsigned char *outside) {
    const order o = order_of(entry);
    for (size_t i = 0; i < entry->count; i++)
        memcpy(outside + place(o, i) * sizeof(float), &values[i], sizeof(float));
}

void nn_layout_import(const nn_entry *entry, const unsigned char *outside, float *values) {
    const order o = order_of(entry);
    for (size_t i = 0; i < entry->count; i++)
        memcpy(&values[i], outside + place(o, i) * sizeof(float), sizeof(float));
}
