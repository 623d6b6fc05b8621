/* weights_winograd.c - the weight gradient by Winograd's algorithm (formulas in kernels.h): for each of the 36
 * points a product of the transformed inputs and output gradients, summed over the tiles; one transform of each
 * filter's sums in the end.
 *
 * Where the sums are small, in slices: a thread's tiles and sums stay in its caches. Else in panels of tiles, that
 * the team first transforms, tile by tile, and then multiplies, point by point: there is only one copy of the
 * sums, and no tile is transformed twice. */
#include <string.h>

#include "weights.h"
#include "winograd.h"

enum {
    SLICE_SUMS = 256 << 10, /* bytes of sums, at most, of a gradient in slices */
    BLOCK_TILES = 64,       /* transformed at a time in a slice; as one task for a panel: */
    PANEL_TASK = 8,
    PANEL_BYTES = 3 << 19, /* of transformed tiles, unless the fewest are more */
    PANEL_TILES = 64,      /* at least */
    PANEL_FILTERS = 128    /* multiplied as one task */
};

/* Floats of one point's sums, [filter][phase][channel]. */
static size_t point_sums(const nn_conv_geometry *g) {
    return (size_t)g->filters * nn_winograd_channels(g) + LINE;
}

static size_t unit_partial(const nn_conv_geometry *g) {
    return WINOGRAD_POINTS * point_sums(g);
}

/* Transformed inputs and output gradients of some tiles. */
typedef struct transformed {
    size_t input_point, gradient_point; /* floats of one point */
    size_t gradients;                   /* where they start, after the inputs */
    size_t total;
} transformed;

static transformed transformed_tiles(const nn_conv_geometry *g, int tiles, int filters) {
    transformed t = {.input_point = nn_winograd_point(tiles, nn_winograd_channels(g)),
                     .gradient_point = nn_winograd_point(tiles, (size_t)filters)};
    t.gradients = WINOGRAD_POINTS * t.input_point;
    t.total = round_up(t.gradients + WINOGRAD_POINTS * t.gradient_point, LINE);
    return t;
}

/* gradients[point][tile][filter] = the transformed output gradients of some tiles and `filters` filters, whose
 * first is dy's. */
static void transform_gradients(const nn_conv_geometry *g, const float *dy, int filters, int first, int count,
                                float *gradients, size_t point) {
    size_t pixel = (size_t)g->filters, image = (size_t)g->out_height * (size_t)g->out_width * pixel;
    for (int i = 0; i < count; i++) {
        winograd_tile t = nn_winograd_tile(g, first + i);
        nn_winograd_grid grid =
            nn_winograd_square(g->out_height, g->out_width, pixel, dy + (size_t)t.image * image, t.row,
                               t.column, 1, WINOGRAD_TILE);
        grid.channels = (size_t)filters;
        grid.y = gradients + (size_t)i * (size_t)filters;
        grid.y_row = WINOGRAD_REACH * point;
        grid.y_pixel = point;
        nn_kernels_active()->winograd->gradient(&grid);
    }
}

/* sums[filter][channel] += the products of one point's inputs and gradients, summed over the tiles; a tile's
 * gradients are `pixel` floats from the next one's. */
static void add_products(const nn_conv_geometry *g, int tiles, int filters, size_t pixel, const float *inputs,
                         const float *gradients, float *sums) {
    size_t channels = nn_winograd_channels(g);
    nn_conv_weight_tile tile = {.pixels = tiles,
                                .rows = 1,
                                .images = 1,
                                .x_pixel = channels,
                                .dy_pixel = pixel,
                                .filters = filters,
                                .run = (int)channels,
                                .dw_filter = channels};
    nn_kernels_active()->conv->weight_tile(&tile, inputs, gradients, sums);
}

static void unit_finish(const nn_conv_geometry *g, int filter, int slices, size_t apart, float *partial,
                        bool accumulate, float *dw) {
    size_t all = nn_winograd_channels(g), channels = (size_t)g->channels, step = (size_t)g->stride;
    partial += (size_t)filter * all;
    for (size_t p = 0; p < WINOGRAD_POINTS; p++)
        nn_add_slices(slices, apart, all, partial + p * point_sums(g));
    dw += (size_t)filter * WINOGRAD_TAPS * all;
    for (size_t phase = 0; phase < step * step; phase++)
        nn_kernels_active()->winograd->weight_gradient(
            &(nn_winograd_grid){.channels = channels,
                                .x = partial + phase * channels,
                                .x_row = WINOGRAD_REACH * point_sums(g),
                                .x_pixel = point_sums(g),
                                .y = dw + (phase / step * 3 * step + phase % step) * channels,
                                .y_row = 3 * step * step * channels,
                                .y_pixel = step * channels},
            accumulate);
}

/* --- in slices ------------------------------------------------------------------------------------------ */

static size_t unit_scratch(const nn_conv_geometry *g, int images, int filters) {
    (void)images;
    return transformed_tiles(g, BLOCK_TILES, filters).total;
}

static void unit_clear(const nn_conv_geometry *g, int first, int count, float *partial) {
    size_t channels = nn_winograd_channels(g);
    for (size_t p = 0; p < WINOGRAD_POINTS; p++)
        memset(partial + p * point_sums(g) + (size_t)first * channels, 0,
               (size_t)count * channels * sizeof *partial);
}

static void unit_add(const nn_conv_geometry *g, int images, int first, int count, const float *x,
                     const float *dy, float *partial, float *scratch) {
    transformed t = transformed_tiles(g, BLOCK_TILES, count);
    float *gradients = scratch + t.gradients;
    size_t channels = nn_winograd_channels(g);
    partial += (size_t)first * channels;
    int tiles = images * nn_winograd_tiles(g);
    for (int done = 0; done < tiles; done += BLOCK_TILES) {
        int block = smaller(BLOCK_TILES, tiles - done);
        nn_winograd_inputs(g, x, done, block, scratch, t.input_point);
        transform_gradients(g, dy + first, count, done, block, gradients, t.gradient_point);
        for (size_t p = 0; p < WINOGRAD_POINTS; p++)
            add_products(g, block, count, (size_t)count, scratch + p * t.input_point,
                         gradients + p * t.gradient_point, partial + p * point_sums(g));
    }
}

const nn_weights_unit nn_weights_winograd_unit = {.partial = unit_partial,
                                                  .scratch = unit_scratch,
                                                  .clear = unit_clear,
                                                  .add = unit_add,
                                                  .finish = unit_finish};

static bool slices_suit(const nn_conv_geometry *g, int images) {
    (void)images;
    return nn_winograd_suits(g) && unit_partial(g) * sizeof(float) <= SLICE_SUMS;
}

static size_t slices_scratch(const nn_conv_geometry *g, int images) {
    return nn_weights_slices_scratch(&nn_weights_winograd_unit, g, images);
}

static void slices_run(const nn_conv_geometry *g, int images, const float *x, const float *dy,
                       bool accumulate, float *dw, float *scratch) {
    nn_weights_slices_run(&nn_weights_winograd_unit, g, images, x, dy, accumulate, dw, scratch);
}

const nn_weights_method nn_weights_winograd_slices = {
    .suits = slices_suit, .scratch = slices_scratch, .run = slices_run};

/* --- in panels ------------------------------------------------------------------------------------------ */

static bool panels_suit(const nn_conv_geometry *g, int images) {
    return nn_winograd_suits(g) && images * nn_winograd_tiles(g) >= PANEL_TILES;
}

static int panel_tiles(const nn_conv_geometry *g, int images) {
    size_t tile = WINOGRAD_POINTS * (nn_winograd_channels(g) + (size_t)g->filters) * sizeof(float);
    return smaller(larger(PANEL_TILES, (int)(PANEL_BYTES / tile)), images * nn_winograd_tiles(g));
}

static size_t panels_scratch(const nn_conv_geometry *g, int images) {
    return round_up(unit_partial(g), LINE) + transformed_tiles(g, panel_tiles(g, images), g->filters).total;
}

/* The team transforms tiles first .. first + count - 1. */
static void transform_panel(const nn_conv_geometry *g, const transformed *t, const float *x, const float *dy,
                            int first, int count, float *inputs) {
#pragma omp for schedule(dynamic)
    for (int i = 0; i < count; i += PANEL_TASK) {
        int tiles = smaller(PANEL_TASK, count - i);
        nn_winograd_inputs(g, x, first + i, tiles, inputs + (size_t)i * nn_winograd_channels(g),
                           t->input_point);
        transform_gradients(g, dy, g->filters, first + i, tiles,
                            inputs + t->gradients + (size_t)(i * g->filters), t->gradient_point);
    }
}

/* The team adds a panel's products to the sums, which the first panel sets to 0. */
static void multiply_panel(const nn_conv_geometry *g, const transformed *t, int tiles, bool first_panel,
                           const float *inputs, float *sums) {
    size_t channels = nn_winograd_channels(g);
#pragma omp for collapse(2) schedule(dynamic)
    for (size_t p = 0; p < WINOGRAD_POINTS; p++)
        for (int k = 0; k < g->filters; k += PANEL_FILTERS) {
            int filters = smaller(PANEL_FILTERS, g->filters - k);
            float *sum = sums + p * point_sums(g) + (size_t)k * channels;
            if (first_panel)
                memset(sum, 0, (size_t)filters * channels * sizeof *sum);
            add_products(g, tiles, filters, (size_t)g->filters, inputs + p * t->input_point,
                         inputs + t->gradients + p * t->gradient_point + k, sum);
        }
}

static void panels_run(const nn_conv_geometry *g, int images, const float *x, const float *dy,
                       bool accumulate, float *dw, float *scratch) {
    int tiles = images * nn_winograd_tiles(g), panel = panel_tiles(g, images);
    transformed t = transformed_tiles(g, panel, g->filters);
    float *sums = scratch, *inputs = sums + round_up(unit_partial(g), LINE);
#pragma omp parallel num_threads(nn_threads())
    {
        for (int first = 0; first < tiles; first += panel) {
            int count = smaller(panel, tiles - first);
            transform_panel(g, &t, x, dy, first, count, inputs);
            multiply_panel(g, &t, count, first == 0, inputs, sums);
        }
#pragma omp for
        for (int k = 0; k < g->filters; k++)
            unit_finish(g, k, 1, 0, sums, accumulate, dw);
    }
}

const nn_weights_method nn_weights_winograd_panels = {
    .suits = panels_suit, .scratch = panels_scratch, .run = panels_run};
