/* weights.c - the convolution's weight and bias gradients: slices of the batch, shared out.
 *
 * The batch is cut into slices and the filters into chunks; every (slice, chunk) is one unit of work, which
 * adds to the slice's own copy of the gradient. In the end the copies are added up in order. How many there
 * are depends on sizes only, so that the sums are the same bits for every number of threads. */
#include <omp.h>
#include <string.h>

#include "weights.h"

enum {
    UNITS = 16,              /* to share out, at least, where the batch and the filters give so many */
    PARTIAL_BYTES = 2 << 20, /* copies of the gradient together, unless one alone is larger */
    CHUNK_FILTERS = 16,      /* chunks are multiples of it */
};

/* How one convolution's gradient is cut. */
typedef struct cut {
    const nn_weights_method *method;
    int slices, chunk, chunks;     /* of images; filters of a chunk; chunks */
    size_t partial, bias, scratch; /* floats of a slice's gradient; of all bias sums; of a thread */
    size_t total;
} cut;

static cut cut_of(const nn_conv_geometry *g, int images) {
    cut c = {.method = nn_weights_winograd.suits(g) ? &nn_weights_winograd : &nn_weights_direct};
    c.partial = round_up(c.method->partial(g), LINE);
    size_t copies = PARTIAL_BYTES / sizeof(float) / c.partial;
    c.slices = larger(1, smaller(images, copies < UNITS ? (int)copies : UNITS));
    int chunk = divide_up(g->filters, divide_up(UNITS, c.slices));
    c.chunk = (int)round_up((size_t)larger(chunk, c.method->chunk), CHUNK_FILTERS);
    c.chunks = divide_up(g->filters, c.chunk);
    c.bias = round_up((size_t)c.slices * (size_t)g->filters, LINE);
    c.scratch = round_up(c.method->scratch(g, divide_up(images, c.slices), c.chunk), LINE);
    c.total = (size_t)c.slices * c.partial + c.bias + (size_t)nn_threads() * c.scratch;
    return c;
}

size_t nn_conv_weights_scratch(const nn_conv_geometry *g, int images) {
    return cut_of(g, images).total;
}

void nn_add_slices(int slices, size_t stride, size_t count, float *sum) {
    for (int s = 1; s < slices; s++)
        for (size_t i = 0; i < count; i++)
            sum[i] += sum[(size_t)s * stride + i];
}

/* sum[k] = sum of dy over the images' pixels, for `count` filters */
static void sum_gradients(const nn_conv_geometry *g, int images, int count, const float *dy, float *sum) {
    enum { BLOCK = 64 }; /* filters at a time */
    size_t pixels = (size_t)images * (size_t)g->out_height * (size_t)g->out_width;
    for (int k = 0; k < count; k += BLOCK) {
        int block = smaller(BLOCK, count - k);
        double total[BLOCK] = {0};
        for (size_t p = 0; p < pixels; p++)
            for (int j = 0; j < block; j++)
                total[j] += dy[p * (size_t)g->filters + (size_t)(k + j)];
        for (int j = 0; j < block; j++)
            sum[k + j] = (float)total[j];
    }
}

/* One (slice, chunk): its part of the slice's gradient and, unless NULL, of dbias. */
static void add_unit(const nn_conv_geometry *g, const cut *c, int images, int unit, const float *x,
                     const float *dy, float *partial, float *dbias, float *scratch) {
    int slice = unit / c->chunks, first = unit % c->chunks * c->chunk,
        count = smaller(c->chunk, g->filters - first);
    int start = (int)((long)images * slice / c->slices), end = (int)((long)images * (slice + 1) / c->slices);
    size_t x_image = (size_t)g->height * (size_t)g->width * (size_t)g->channels;
    size_t dy_image = (size_t)g->out_height * (size_t)g->out_width * (size_t)g->filters;
    x += (size_t)start * x_image;
    dy += (size_t)start * dy_image;
    c->method->sum(g, end - start, first, count, x, dy, partial + (size_t)slice * c->partial, scratch);
    if (dbias)
        sum_gradients(g, end - start, count, dy + first, dbias + (size_t)slice * (size_t)g->filters + first);
}

/* dbias (+)= the slices' sums, added up in order */
static void finish_bias(int filters, int slices, const float *sums, bool accumulate, float *dbias) {
    for (int k = 0; k < filters; k++) {
        float total = 0;
        for (int s = 0; s < slices; s++)
            total += sums[s * filters + k];
        dbias[k] = accumulate ? dbias[k] + total : total;
    }
}

void nn_conv_backward_weights(const nn_conv_geometry *g, int images, const float *x, const float *dy,
                              bool accumulate, float *dw, float *dbias, void *scratch) {
    cut c = cut_of(g, images);
    float *partial = scratch, *bias = partial + (size_t)c.slices * c.partial;
#pragma omp parallel num_threads(nn_threads())
    {
        float *own = bias + c.bias + (size_t)omp_get_thread_num() * c.scratch;
#pragma omp for schedule(dynamic)
        for (int unit = 0; unit < c.slices * c.chunks; unit++)
            add_unit(g, &c, images, unit, x, dy, partial, dbias ? bias : NULL, own);
#pragma omp for nowait
        for (int k = 0; k < g->filters; k++)
            c.method->finish(g, k, c.slices, c.partial, partial, accumulate, dw);
    }
    if (dbias)
        finish_bias(g->filters, c.slices, bias, accumulate, dbias);
}
