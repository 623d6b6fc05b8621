/* slab.c - where the buffers of a plan lie in its slab. */
#include <stdlib.h>
#include <string.h>

#include "plan_internal.h"

/* 64 bytes: a cache line and the widest vector. */
static size_t aligned(size_t bytes) {
    return (bytes + 63) / 64 * 64;
}

static bool live_together(const nn_buffer *a, const nn_buffer *b) {
    return a->birth <= b->death && b->birth <= a->death;
}

static int larger_first(const void *a, const void *b) {
    const nn_buffer *x = *(nn_buffer *const *)a, *y = *(nn_buffer *const *)b;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? 1 : -1;
    return x < y ? -1 : 1; /* the order of creation, so that the layout is the same everywhere */
}

static int lower_first(const void *a, const void *b) {
    const nn_buffer *x = *(nn_buffer *const *)a, *y = *(nn_buffer *const *)b;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* The lowest offset at which `buffer` fits between those of `placed` that live with it. */
static size_t lowest_gap(const nn_buffer *buffer, nn_buffer **placed, int count, nn_buffer **neighbours) {
    int n = 0;
    for (int i = 0; i < count; i++)
        if (live_together(buffer, placed[i]))
            neighbours[n++] = placed[i];
    qsort(neighbours, (size_t)n, sizeof *neighbours, lower_first);
    size_t offset = 0;
    for (int i = 0; i < n && offset + aligned(buffer->bytes) > neighbours[i]->offset; i++) {
        size_t end = neighbours[i]->offset + aligned(neighbours[i]->bytes);
        if (end > offset)
            offset = end;
    }
    return offset;
}

nn_status nn_memory_layout(nn_buffer *buffers, int count, size_t *bytes, nn_error *error) {
    nn_buffer **order = malloc((size_t)(count + 1) * sizeof(nn_buffer *));
    nn_buffer **neighbours = malloc((size_t)(count + 1) * sizeof(nn_buffer *));
    nn_status status = NN_OK;
    *bytes = 0;
    if (!order || !neighbours) {
        status = nn_fail_memory(error, "the plan");
        goto done;
    }
    int own = 0;
    for (int i = 0; i < count; i++)
        if (buffers[i].shares < 0 && !buffers[i].local)
            order[own++] = &buffers[i];
    qsort(order, (size_t)own, sizeof(nn_buffer *), larger_first);
    for (int i = 0; i < own; i++) {
        order[i]->offset = lowest_gap(order[i], order, i, neighbours);
        size_t end = order[i]->offset + aligned(order[i]->bytes);
        if (end > *bytes)
            *bytes = end;
    }
done:
    free(order);
    free(neighbours);
    return status;
}
