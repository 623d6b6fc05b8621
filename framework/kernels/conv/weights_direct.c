/* weights_direct.c - the weight gradient by the formula: a kernel row at a time, summed over the pixels of
 * bands of output rows. */
#include <string.h>

#include "weights.h"

enum {
    SUM_PIXELS = 256,      /* that one tile sums over at least, where the slice has so many */
    COPY_BYTES = 1 << 20,  /* of images, unless one alone is larger */
    BAND_BYTES = 24 << 10, /* input and gradient rows of one tile: they stay in the L1 cache for the next */
    BAND_PIXELS = 96       /* at least */
};

/* How a slice is cut. */
typedef struct cut {
    frame f;
    int group, band; /* images copied at a time; output rows of one tile */
} cut;

static cut cut_of(const nn_conv_geometry *g, int images) {
    int run = g->kernel_width * g->channels;
    cut c = {.f = nn_conv_frame(g, false, run % NN_VECTOR_MAX != 0)};
    size_t pixels = (size_t)g->out_height * (size_t)g->out_width,
           fit = COPY_BYTES / sizeof(float) / c.f.image;
    int wanted = pixels < SUM_PIXELS ? divide_up(SUM_PIXELS, (int)pixels) : 1;
    wanted = smaller(wanted, images);
    c.group = larger(1, fit < (size_t)wanted ? (int)fit : wanted);
    size_t row = (size_t)g->stride * c.f.row + (size_t)g->out_width * (size_t)g->filters;
    int rows = (int)(BAND_BYTES / sizeof(float) / row);
    c.band = c.group > 1 ? g->out_height : larger(rows, divide_up(BAND_PIXELS, g->out_width));
    return c;
}

static size_t filter_weights(const nn_conv_geometry *g) {
    return (size_t)g->kernel_height * (size_t)g->kernel_width * (size_t)g->channels;
}

static size_t direct_partial(const nn_conv_geometry *g) {
    return (size_t)g->filters * filter_weights(g);
}

static size_t unit_scratch(const nn_conv_geometry *g, int images, int filters) {
    (void)filters;
    cut c = cut_of(g, images);
    return nn_conv_frame_floats(&c.f, c.group);
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

static void direct_clear(const nn_conv_geometry *g, int first, int count, float *partial) {
    size_t filter = filter_weights(g);
    memset(partial + (size_t)first * filter, 0, (size_t)count * filter * sizeof *partial);
}

static void direct_add(const nn_conv_geometry *g, int images, int first, int count, const float *x,
                       const float *dy, float *partial, float *scratch) {
    cut c = cut_of(g, images);
    size_t x_image = (size_t)g->height * (size_t)g->width * (size_t)g->channels;
    size_t dy_image = (size_t)g->out_height * (size_t)g->out_width * (size_t)g->filters;
    for (int n = 0; n < images; n += c.group) {
        int group = smaller(c.group, images - n);
        const float *in = nn_conv_frame_read(&c.f, g, group, x + (size_t)n * x_image, scratch);
        add_group(g, &c, group, first, count, in, dy + (size_t)n * dy_image, partial);
    }
}

static void direct_finish(const nn_conv_geometry *g, int filter, int slices, size_t apart, float *partial,
                          bool accumulate, float *dw) {
    size_t count = filter_weights(g), first = (size_t)filter * count;
    nn_add_slices(slices, apart, count, partial + first);
    for (size_t i = first; i < first + count; i++)
        dw[i] = accumulate ? dw[i] + partial[i] : partial[i];
}

const nn_weights_unit nn_weights_direct_unit = {.partial = direct_partial,
                                                .scratch = unit_scratch,
                                                .clear = direct_clear,
                                                .add = direct_add,
                                                .finish = direct_finish};

static bool direct_suits(const nn_conv_geometry *g, int images) {
    (void)g, (void)images;
    return true;
}

static size_t direct_scratch(const nn_conv_geometry *g, int images) {
    return nn_weights_slices_scratch(&nn_weights_direct_unit, g, images);
}

static void direct_run(const nn_conv_geometry *g, int images, const float *x, const float *dy,
                       bool accumulate, float *dw, float *scratch) {
    nn_weights_slices_run(&nn_weights_direct_unit, g, images, x, dy, accumulate, dw, scratch);
}

const nn_weights_method nn_weights_direct = {
    .suits = direct_suits, .scratch = direct_scratch, .run = direct_run};
