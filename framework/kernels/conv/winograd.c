/* winograd.c - tiles of images, and their inputs transformed. */
#include "winograd.h"

bool nn_winograd_suits(const nn_conv_geometry *g) {
    if (g->kernel_height != 3 * g->stride || g->kernel_width != 3 * g->stride ||
        g->channels % NN_VECTOR_MAX != 0 || g->filters % NN_VECTOR_MAX != 0)
        return false;
    double outputs = (double)g->out_height * g->out_width, tiles = nn_winograd_tiles(g);
    return tiles * WINOGRAD_POINTS * 1.5 < outputs * WINOGRAD_TAPS;
}

size_t nn_winograd_channels(const nn_conv_geometry *g) {
    return (size_t)g->stride * (size_t)g->stride * (size_t)g->channels;
}

int nn_winograd_tiles(const nn_conv_geometry *g) {
    return divide_up(g->out_height, WINOGRAD_TILE) * divide_up(g->out_width, WINOGRAD_TILE);
}

winograd_tile nn_winograd_tile(const nn_conv_geometry *g, int number) {
    int columns = divide_up(g->out_width, WINOGRAD_TILE), tiles = nn_winograd_tiles(g);
    winograd_tile t = {.image = number / tiles,
                       .row = number % tiles / columns * WINOGRAD_TILE,
                       .column = number % tiles % columns * WINOGRAD_TILE};
    t.rows = smaller(WINOGRAD_TILE, g->out_height - t.row);
    t.columns = smaller(WINOGRAD_TILE, g->out_width - t.column);
    return t;
}

/* The odd cache line keeps the 36 streams of a transform from competing for one place of the L1 cache. */
size_t nn_winograd_point(int tiles, size_t channels) {
    return (size_t)tiles * channels + LINE;
}

nn_winograd_grid nn_winograd_square(int height, int width, size_t channels, const float *image, int top,
                                    int left, int stride, int side) {
    range rows = nn_conv_inside(top, stride, side, height),
          columns = nn_conv_inside(left, stride, side, width);
    size_t row = (size_t)width * channels;
    return (nn_winograd_grid){.x = image + (ptrdiff_t)top * (ptrdiff_t)row +
                                   (ptrdiff_t)left * (ptrdiff_t)channels,
                              .x_row = (size_t)stride * row,
                              .x_pixel = (size_t)stride * channels,
                              .top = rows.first,
                              .bottom = rows.first + rows.count,
                              .left = columns.first,
                              .right = columns.first + columns.count};
}

void nn_winograd_inputs(const nn_conv_geometry *g, const float *x, int first, int count, float *values,
                        size_t point) {
    size_t channels = (size_t)g->channels, image = (size_t)g->height * (size_t)g->width * channels;
    for (int i = 0; i < count; i++) {
        winograd_tile t = nn_winograd_tile(g, first + i);
        float *tile = values + (size_t)i * nn_winograd_channels(g);
        for (int a = 0; a < g->stride; a++)
            for (int b = 0; b < g->stride; b++, tile += channels) {
                nn_winograd_grid grid =
                    nn_winograd_square(g->height, g->width, channels, x + (size_t)t.image * image,
                                       t.row * g->stride - g->top + a, t.column * g->stride - g->left + b,
                                       g->stride, WINOGRAD_REACH);
                grid.channels = channels;
                grid.y = tile;
                grid.y_row = WINOGRAD_REACH * point;
                grid.y_pixel = point;
                nn_kernels_active()->winograd->input(&grid);
            }
    }
}
