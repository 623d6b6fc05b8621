/* correlation_winograd.c - 3 x 3 correlations by Winograd's algorithm (formulas in kernels.h).
 *
 * A block of tiles is transformed, for each of the 36 points multiplied as a matrix tiles x channels with the
 * transformed weights channels x filters, and transformed back, all within the L2 cache. Of the 144
 * multiplications that a tile's 16 outputs take directly, for each channel and filter, 36 are left. */
#include "correlation.h"
#include "winograd.h"

enum {
    BLOCK_BYTES = 1 << 20, /* transformed inputs and products of one block of tiles */
    BLOCK_TILES = 64,      /* at most; */
    BLOCK_LEAST = 48,      /* at least, for the weights are read once for each block */
    PACK_CHANNELS = 16     /* whose weights are transformed at a time */
};

static int block_tiles(const correlation *c) {
    size_t tile = WINOGRAD_POINTS * (nn_winograd_channels(&c->g) + (size_t)c->g.filters) * sizeof(float);
    return larger(BLOCK_LEAST, smaller(BLOCK_TILES, (int)(BLOCK_BYTES / tile)));
}

/* --- weights -------------------------------------------------------------------------------------------- */

static size_t point_weights(const correlation *c) {
    return nn_winograd_channels(&c->g) * (size_t)c->g.filters + LINE;
}

/* Some channels of one phase and a block of filters. w is the phase's first tap's first channel's and filter's. */
static void pack_channels(const correlation *c, const float *w, int filters, float *packed) {
    float taps[WINOGRAD_TAPS * PACK_CHANNELS * 2 * NN_VECTOR_MAX];
    size_t tap = PACK_CHANNELS * (size_t)nn_block_lanes(filters), point = point_weights(c);
    for (int r = 0; r < 3; r++)
        for (int s = 0; s < 3; s++)
            nn_pack_tap(c, w + c->g.stride * (r * c->w_row + s * c->w_column), PACK_CHANNELS, filters,
                        taps + (size_t)(3 * r + s) * tap);
    nn_kernels_active()->winograd->weights(&(nn_winograd_grid){.channels = tap,
                                                               .x = taps,
                                                               .x_row = 3 * tap,
                                                               .x_pixel = tap,
                                                               .y = packed,
                                                               .y_row = WINOGRAD_REACH * point,
                                                               .y_pixel = point});
}

/* For each point, blocks of filters and in each [phase][channel][lane]. */
static void winograd_pack(const correlation *c, const float *w, float *packed) {
    int block = nn_block_filters(c, 0), phases = c->g.stride * c->g.stride;
    size_t channels = nn_winograd_channels(&c->g);
#pragma omp for collapse(3) nowait
    for (int k = 0; k < c->g.filters; k += block)
        for (int phase = 0; phase < phases; phase++)
            for (int first = 0; first < c->g.channels; first += PACK_CHANNELS) {
                int filters = nn_block_filters(c, k);
                size_t channel = (size_t)phase * (size_t)c->g.channels + (size_t)first;
                const float *from = w + c->w_first + (size_t)k * c->w_filter + (size_t)first * c->w_channel;
                from += phase / c->g.stride * c->w_row + phase % c->g.stride * c->w_column;
                pack_channels(c, from, filters,
                              packed + (size_t)k * channels + channel * (size_t)nn_block_lanes(filters));
            }
}

/* --- one group of images -------------------------------------------------------------------------------- */

/* Floats of one point's values and products of a block. */
static size_t value_point(const correlation *c) {
    return nn_winograd_point(block_tiles(c), nn_winograd_channels(&c->g));
}

static size_t product_point(const correlation *c) {
    return nn_winograd_point(block_tiles(c), (size_t)c->g.filters);
}

/* Memory that is about to be written, a few cache lines at a time. */
typedef struct outputs {
    char *next, *end;
    size_t part; /* bytes to ask for at a time */
} outputs;

/* Where some tiles' outputs go, if these are whole rows of tiles. */
static outputs outputs_of(const correlation *c, int first, int tiles, float *y) {
    winograd_tile t = nn_winograd_tile(&c->g, first);
    float *begin = y + c->y_first + (size_t)t.image * c->y_image + (size_t)t.row * c->y_row;
    size_t bytes = (size_t)tiles * WINOGRAD_TILE * WINOGRAD_TILE * c->y_pixel * sizeof *y;
    return (outputs){(char *)begin, (char *)begin + bytes, bytes / WINOGRAD_POINTS};
}

/* Has the next part brought into the cache, while others compute: written to without that, each line would be
 * waited for. */
static void prefetch_part(outputs *o) {
    char *end = (size_t)(o->end - o->next) < o->part ? o->end : o->next + o->part;
    for (; o->next < end; o->next += LINE * sizeof(float))
#if defined(__x86_64__)
        __asm__ volatile("prefetchw %0" : : "m"(*o->next)); /* a no-op where the processor does not have it */
#else
        __builtin_prefetch(o->next, 1);
#endif
}

/* products[point][tile][filter] = values[point][tile][channel] * weights[point][channel][filter] */
static void multiply(const correlation *c, int tiles, const float *values, const float *packed,
                     outputs *prefetched, float *products) {
    size_t channels = nn_winograd_channels(&c->g), filters = (size_t)c->g.filters;
    nn_conv_tile tile = {
        .pixels = tiles, .rows = 1, .run = (int)channels, .x_pixel = channels, .y_pixel = filters};
    for (size_t p = 0; p < WINOGRAD_POINTS; p++) {
        prefetch_part(prefetched);
        for (int k = 0; k < c->g.filters; k += tile.filters) {
            tile.filters = nn_block_filters(c, k);
            nn_kernels_active()->conv->tile(&tile, values + p * value_point(c),
                                            packed + p * point_weights(c) + (size_t)k * channels, NULL,
                                            products + p * product_point(c) + k);
        }
    }
}

static void store_tiles(const correlation *c, int first, int count, const float *products, size_t point,
                        const float *bias, bool accumulate, float *y) {
    size_t filters = (size_t)c->g.filters;
    for (int i = 0; i < count; i++) {
        winograd_tile t = nn_winograd_tile(&c->g, first + i);
        float *out = y + c->y_first + (size_t)t.image * c->y_image + (size_t)t.row * c->y_row +
                     (size_t)t.column * c->y_pixel;
        nn_kernels_active()->winograd->output(&(nn_winograd_grid){.channels = filters,
                                                                  .x = products + (size_t)i * filters,
                                                                  .x_row = WINOGRAD_REACH * point,
                                                                  .x_pixel = point,
                                                                  .y = out,
                                                                  .y_row = c->y_row,
                                                                  .y_pixel = c->y_pixel,
                                                                  .bottom = t.rows,
                                                                  .right = t.columns},
                                              bias, accumulate);
    }
}

static size_t winograd_scratch(const correlation *c, int group) {
    (void)group;
    return WINOGRAD_POINTS * (value_point(c) + product_point(c));
}

static void winograd_correlate(const correlation *c, int images, const float *x, const float *packed,
                               const float *bias, bool accumulate, float *y, float *scratch) {
    int tiles = images * nn_winograd_tiles(&c->g), block = block_tiles(c);
    float *values = scratch, *products = values + WINOGRAD_POINTS * value_point(c);
    for (int first = 0; first < tiles; first += block) {
        int count = smaller(block, tiles - first);
        nn_winograd_inputs(&c->g, x, first, count, values, value_point(c));
        outputs prefetched = outputs_of(c, first, count, y);
        multiply(c, count, values, packed, &prefetched, products);
        store_tiles(c, first, count, products, product_point(c), bias, accumulate, y);
    }
}

static bool winograd_suits(const correlation *c) {
    return nn_winograd_suits(&c->g);
}

/* Whole blocks of tiles, unless the batch is too small to give every thread of a few its share. */
static int winograd_group(const correlation *c, int images) {
    int tiles = nn_winograd_tiles(&c->g), wanted = divide_up(block_tiles(c), tiles);
    return larger(1, smaller(wanted, divide_up(images, 2)));
}

static size_t winograd_packed(const correlation *c) {
    return WINOGRAD_POINTS * point_weights(c);
}

const nn_correlation_method nn_correlation_winograd = {.suits = winograd_suits,
                                                       .group = winograd_group,
                                                       .packed = winograd_packed,
                                                       .scratch = winograd_scratch,
                                                       .pack = winograd_pack,
                                                       .correlate = winograd_correlate};
