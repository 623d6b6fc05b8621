/* weights_winograd.c - the weight gradient of 3 x 3 convolutions by Winograd's algorithm (formulas in
 * kernels.h): for each of the 36 points a product of the transformed inputs and output gradients, summed over the
 * tiles; one transform of each filter's sums in the end. */
#include <string.h>

#include "weights.h"
#include "winograd.h"

enum { BLOCK_TILES = 64 }; /* transformed at a time */

/* Floats of one point's sums, [filter][channel]. */
static size_t point_sums(const nn_conv_geometry *g) {
    return (size_t)g->filters * (size_t)g->channels + LINE;
}

static size_t winograd_partial(const nn_conv_geometry *g) {
    return WINOGRAD_POINTS * point_sums(g);
}

/* A thread's memory: transformed inputs and gradients of a block of tiles, and one tile's copy. */
typedef struct block_scratch {
    size_t input_point, gradient_point; /* floats of one point */
    size_t gradients, copy, total;      /* where they start */
} block_scratch;

static block_scratch scratch_of_block(const nn_conv_geometry *g, int filters) {
    block_scratch s = {.input_point = nn_winograd_point(BLOCK_TILES, (size_t)g->channels),
                       .gradient_point = nn_winograd_point(BLOCK_TILES, (size_t)filters)};
    s.gradients = WINOGRAD_POINTS * s.input_point;
    s.copy = s.gradients + WINOGRAD_POINTS * s.gradient_point;
    s.total = s.copy + WINOGRAD_POINTS * (size_t)larger(g->channels, g->filters);
    return s;
}

static size_t winograd_scratch(const nn_conv_geometry *g, int images, int filters) {
    (void)images;
    return scratch_of_block(g, filters).total;
}

/* gradients[point][tile][filter] = the transformed output gradients of some tiles and `filters` filters, whose
 * first is dy's. */
static void transform_gradients(const nn_conv_geometry *g, const float *dy, int filters, int first, int count,
                                float *gradients, size_t point, float *copy) {
    size_t pixel = (size_t)g->filters, image = (size_t)g->out_height * (size_t)g->out_width * pixel;
    for (int i = 0; i < count; i++) {
        winograd_tile t = nn_winograd_tile(g, first + i);
        winograd_patch patch =
            nn_winograd_read(g->out_height, g->out_width, pixel, dy + (size_t)t.image * image, t.row,
                             t.column, WINOGRAD_TILE, copy);
        nn_kernels_active()->winograd->gradient(
            &(nn_winograd_grid){.channels = (size_t)filters,
                                .x = patch.x,
                                .x_row = patch.row,
                                .x_pixel = pixel,
                                .y = gradients + (size_t)i * (size_t)filters,
                                .y_row = WINOGRAD_REACH * point,
                                .y_pixel = point});
    }
}

static void winograd_sum(const nn_conv_geometry *g, int images, int first, int count, const float *x,
                         const float *dy, float *partial, float *scratch) {
    block_scratch s = scratch_of_block(g, count);
    float *gradients = scratch + s.gradients, *copy = scratch + s.copy;
    size_t channels = (size_t)g->channels;
    partial += (size_t)first * channels;
    for (size_t p = 0; p < WINOGRAD_POINTS; p++)
        memset(partial + p * point_sums(g), 0, (size_t)count * channels * sizeof *partial);
    nn_conv_weight_tile tile = {.rows = 1,
                                .images = 1,
                                .x_pixel = channels,
                                .dy_pixel = (size_t)count,
                                .filters = count,
                                .run = g->channels,
                                .dw_filter = channels};
    int tiles = images * nn_winograd_tiles(g);
    for (int done = 0; done < tiles; done += BLOCK_TILES) {
        tile.pixels = smaller(BLOCK_TILES, tiles - done);
        nn_winograd_inputs(g, x, done, tile.pixels, scratch, s.input_point, copy);
        transform_gradients(g, dy + first, count, done, tile.pixels, gradients, s.gradient_point, copy);
        for (size_t p = 0; p < WINOGRAD_POINTS; p++)
            nn_kernels_active()->conv->weight_tile(&tile, scratch + p * s.input_point,
                                                   gradients + p * s.gradient_point,
                                                   partial + p * point_sums(g));
    }
}

static void winograd_finish(const nn_conv_geometry *g, int filter, int slices, size_t stride, float *partial,
                            bool accumulate, float *dw) {
    size_t channels = (size_t)g->channels;
    partial += (size_t)filter * channels;
    for (size_t p = 0; p < WINOGRAD_POINTS; p++)
        nn_add_slices(slices, stride, channels, partial + p * point_sums(g));
    nn_kernels_active()->winograd->weight_gradient(
        &(nn_winograd_grid){.channels = channels,
                            .x = partial,
                            .x_row = WINOGRAD_REACH * point_sums(g),
                            .x_pixel = point_sums(g),
                            .y = dw + (size_t)filter * WINOGRAD_TAPS * channels,
                            .y_row = 3 * channels,
                            .y_pixel = channels},
        accumulate);
}

const nn_weights_method nn_weights_winograd = {.suits = nn_winograd_suits,
                                               .chunk = 32,
                                               .partial = winograd_partial,
                                               .scratch = winograd_scratch,
                                               .sum = winograd_sum,
                                               .finish = winograd_finish};
