/* conv_weights.c - the convolution's weight and bias gradients: cutting the work into micro-kernel calls.
 *
 * The batch is cut into slices and the filters into chunks; every (slice, chunk) is one unit of work, which
 * adds to the slice's own copy of the gradient. In the end the copies are added up in order. How many there
 * are depends on sizes only, so that the sums are the same bits for every number of threads. */
#include <omp.h>
#include <string.h>

#include "conv_frame.h"

enum {
    UNITS = 16,              /* to share out, at least, where the batch and the filters give so many */
    PARTIAL_BYTES = 4 << 20, /* copies of the gradient together, unless one alone is larger */
    CHUNK_FILTERS = 16,      /* chunks are multiples of it */
    SUM_PIXELS = 256,        /* that one tile sums over at least, where the slice has so many */
    COPY_BYTES = 1 << 20,    /* of images, unless one alone is larger */
    BAND_BYTES = 24 << 10,   /* input and gradient rows of one tile: they stay in the L1 cache for the next */
    BAND_PIXELS = 96         /* at least */
};

/* How one convolution's gradient is cut. */
typedef struct cut {
    frame f;
    int slices, chunk, chunks; /* of images; filters of a chunk; chunks */
    int group, band;           /* images copied at a time; output rows of one tile */
    size_t weights, copy, bias,
        total; /* floats of one gradient; of a thread's images; of all bias sums; of all */
} cut;

static cut cut_of(const nn_conv_geometry *g, int images) {
    int run = g->kernel_width * g->channels;
    cut c = {.f = nn_conv_frame(g, false, run % NN_VECTOR_MAX != 0)};
    c.weights = (size_t)g->filters * (size_t)g->kernel_height * (size_t)run;
    size_t copies = PARTIAL_BYTES / sizeof(float) / c.weights;
    c.slices = larger(1, smaller(images, copies < UNITS ? (int)copies : UNITS));
    c.chunk = (int)round_up((size_t)divide_up(g->filters, divide_up(UNITS, c.slices)), CHUNK_FILTERS);
    c.chunks = divide_up(g->filters, c.chunk);

    size_t pixels = (size_t)g->out_height * (size_t)g->out_width,
           fit = COPY_BYTES / sizeof(float) / c.f.image;
    int wanted = pixels < SUM_PIXELS ? divide_up(SUM_PIXELS, (int)pixels) : 1;
    wanted = smaller(wanted, divide_up(images, c.slices));
    c.group = larger(1, fit < (size_t)wanted ? (int)fit : wanted);
    size_t row = (size_t)g->stride * c.f.row + (size_t)g->out_width * (size_t)g->filters;
    int rows = (int)(BAND_BYTES / sizeof(float) / row);
    c.band = c.group > 1 ? g->out_height : larger(rows, divide_up(BAND_PIXELS, g->out_width));

    c.weights = round_up(c.weights, LINE);
    c.copy = round_up(nn_conv_frame_floats(&c.f, c.group), LINE);
    c.bias = round_up((size_t)c.slices * (size_t)g->filters, LINE);
    c.total = (size_t)c.slices * c.weights + c.bias + (size_t)nn_threads() * c.copy;
    return c;
}

size_t nn_conv_weights_scratch(const nn_conv_geometry *g, int images) {
    return cut_of(g, images).total;
}

/* The gradient of filters first..first+count-1 from a group of images: x is the frame's, dw the slice's. */
static void add_group(const nn_conv_geometry *g, const cut *c, int images, int first, int count,
                      const float *x, const float *dy, float *dw) {
    size_t filters = (size_t)g->filters, run = (size_t)g->kernel_width * (size_t)g->channels;
    nn_conv_weight_tile tile = {
        .pixels = g->out_width,
        .images = images,
        .x_pixel = (size_t)g->stride * (size_t)g->channels,
        .x_row = (size_t)g->stride * c->f.row,
        .x_image = c->f.image,
        .dy_pixel = filters,
        .dy_row = (size_t)g->out_width * filters,
        .dy_image = (size_t)g->out_height * (size_t)g->out_width * filters,
        .filters = count,
        .run = (int)run,
        .dw_filter = (size_t)g->kernel_height * run,
    };
    for (int band = 0; band < g->out_height; band += c->band)
        for (int r = 0; r < g->kernel_height; r++) {
            int top = band * g->stride - g->top + r;
            range rows = nn_conv_inside(top, g->stride, smaller(c->band, g->out_height - band), g->height);
            if (rows.count == 0)
                continue;
            tile.rows = rows.count;
            nn_kernels_active()->conv->weight_tile(&tile,
                                                   x + (size_t)(top + rows.first * g->stride) * c->f.row,
                                                   dy + (size_t)(band + rows.first) * tile.dy_row + first,
                                                   dw + (size_t)first * tile.dw_filter + (size_t)r * run);
        }
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

/* One (slice, chunk): its part of the slice's dw and, unless NULL, dbias. */
static void add_unit(const nn_conv_geometry *g, const cut *c, int images, int unit, const float *x,
                     const float *dy, float *dw, float *dbias, float *copy) {
    int slice = unit / c->chunks, first = unit % c->chunks * c->chunk,
        count = smaller(c->chunk, g->filters - first);
    int start = (int)((long)images * slice / c->slices), end = (int)((long)images * (slice + 1) / c->slices);
    size_t x_image = (size_t)g->height * (size_t)g->width * (size_t)g->channels;
    size_t dy_image = (size_t)g->out_height * (size_t)g->out_width * (size_t)g->filters;
    size_t filter = (size_t)g->kernel_height * (size_t)g->kernel_width * (size_t)g->channels;
    dw += (size_t)slice * c->weights;
    memset(dw + (size_t)first * filter, 0, (size_t)count * filter * sizeof *dw);
    for (int n = start; n < end; n += c->group) {
        int group = smaller(c->group, end - n);
        const float *in = nn_conv_frame_read(&c->f, g, group, x + (size_t)n * x_image, copy);
        add_group(g, c, group, first, count, in, dy + (size_t)n * dy_image, dw);
    }
    if (dbias)
        sum_gradients(g, end - start, count, dy + (size_t)start * dy_image + first,
                      dbias + (size_t)slice * (size_t)g->filters + first);
}

/* out[first..first+count-1] (+)= the sum of the slices' partial sums, in order */
static void add_slices(const float *partial, int slices, size_t stride, size_t first, size_t count,
                       bool accumulate, float *out) {
    for (int s = 0; s < slices; s++, partial += stride) {
        bool add = accumulate || s > 0;
        for (size_t i = first; i < first + count; i++)
            out[i] = add ? out[i] + partial[i] : partial[i];
    }
}

void nn_conv_backward_weights(const nn_conv_geometry *g, int images, const float *x, const float *dy,
                              bool accumulate, float *dw, float *dbias, void *scratch) {
    enum { RANGE = 4096 };
    cut c = cut_of(g, images);
    size_t filters = (size_t)g->filters;
    size_t weights = filters * (size_t)g->kernel_height * (size_t)g->kernel_width * (size_t)g->channels;
    float *partial = scratch, *bias = partial + (size_t)c.slices * c.weights;
#pragma omp parallel num_threads(nn_threads())
    {
        float *copy = bias + c.bias + (size_t)omp_get_thread_num() * c.copy;
#pragma omp for schedule(dynamic)
        for (int unit = 0; unit < c.slices * c.chunks; unit++)
            add_unit(g, &c, images, unit, x, dy, partial, dbias ? bias : NULL, copy);
#pragma omp for nowait
        for (size_t i = 0; i < weights; i += RANGE)
            add_slices(partial, c.slices, c.weights, i, weights - i < RANGE ? weights - i : RANGE, accumulate,
                       dw);
    }
    if (dbias)
        add_slices(bias, c.slices, filters, 0, filters, accumulate, dbias);
}
