/* weights_slices.c - weight gradients in slices of the batch (see weights.h). */
#include <omp.h>

#include "weights.h"

enum {
    UNITS = 16,              /* to share out, at least, where the batch and the filters give so many */
    PARTIAL_BYTES = 4 << 20, /* sums of all slices, unless those of one alone are more */
    CHUNK_FILTERS = 16       /* chunks are multiples of it */
};

/* How one convolution's gradient is cut. */
typedef struct cut {
    int slices, chunk, chunks; /* of images; filters of a chunk; chunks */
    size_t partial, scratch;   /* floats of a slice's sums; of a thread */
    size_t total;
} cut;

static cut cut_of(const nn_weights_unit *unit, const nn_conv_geometry *g, int images) {
    cut c = {.partial = round_up(unit->partial(g), LINE)};
    size_t copies = PARTIAL_BYTES / sizeof(float) / c.partial;
    c.slices = larger(1, smaller(images, copies < UNITS ? (int)copies : UNITS));
    c.chunk = (int)round_up((size_t)divide_up(g->filters, divide_up(UNITS, c.slices)), CHUNK_FILTERS);
    c.chunks = divide_up(g->filters, c.chunk);
    c.scratch = round_up(unit->scratch(g, divide_up(images, c.slices), c.chunk), LINE);
    c.total = (size_t)c.slices * c.partial + (size_t)nn_threads() * c.scratch;
    return c;
}

size_t nn_weights_slices_scratch(const nn_weights_unit *unit, const nn_conv_geometry *g, int images) {
    return cut_of(unit, g, images).total;
}

void nn_add_slices(int slices, size_t apart, size_t count, float *sum) {
    for (int s = 1; s < slices; s++)
        for (size_t i = 0; i < count; i++)
            sum[i] += sum[(size_t)s * apart + i];
}

static void run_unit(const nn_weights_unit *unit, const nn_conv_geometry *g, const cut *c, int images,
                     int index, const float *x, const float *dy, float *partial, float *scratch) {
    int slice = index / c->chunks, first = index % c->chunks * c->chunk;
    int start = (int)((long)images * slice / c->slices), end = (int)((long)images * (slice + 1) / c->slices);
    size_t x_image = (size_t)g->height * (size_t)g->width * (size_t)g->channels;
    size_t dy_image = (size_t)g->out_height * (size_t)g->out_width * (size_t)g->filters;
    int count = smaller(c->chunk, g->filters - first);
    partial += (size_t)slice * c->partial;
    unit->clear(g, first, count, partial);
    unit->add(g, end - start, first, count, x + (size_t)start * x_image, dy + (size_t)start * dy_image,
              partial, scratch);
}

void nn_weights_slices_run(const nn_weights_unit *unit, const nn_conv_geometry *g, int images, const float *x,
                           const float *dy, bool accumulate, float *dw, float *scratch) {
    cut c = cut_of(unit, g, images);
    float *partial = scratch;
#pragma omp parallel num_threads(nn_threads())
    {
        float *own = partial + (size_t)c.slices * c.partial + (size_t)omp_get_thread_num() * c.scratch;
#pragma omp for schedule(dynamic)
        for (int index = 0; index < c.slices * c.chunks; index++)
            run_unit(unit, g, &c, images, index, x, dy, partial, own);
#pragma omp for nowait
        for (int k = 0; k < g->filters; k++)
            unit->finish(g, k, c.slices, c.partial, partial, accumulate, dw);
    }
}
