/* conv_simd.h - the convolution's micro-kernels for one vector width.
 *
 * Both are products of small register tiles. A tile's sizes are compile-time constants, so that every loop
 * over it unrolls and its sums stay in registers; a switch chooses among all sizes that fit. Lines of pixels
 * and blocks of filters are cut as evenly as possible, because small tiles cannot hide the latency of the
 * multiply-add unit: sixteen pixels are eight and eight, not fourteen and two. */
#include "kernels.h"
#include "simd.h"

/* The largest tiles. `tile`: pixels by one or two vectors of filters. `weight_tile`: filters by one, or two
 * and three, vectors of inputs. Room is left for the operands. */
enum {
    TILE_PIXELS_1 = REGISTERS / 2,
    TILE_PIXELS_2 = (REGISTERS - 3) / 2,
    TILE_FILTERS_1 = REGISTERS / 2,
    TILE_FILTERS_3 = REGISTERS / 4
};

/* Moves the rows of a tile with partial vectors to their places, adding to what is there or not. Out of line:
 * the code around partial vectors would cost the tiles their registers. */
static __attribute__((noinline)) void tile_store(int rows, int columns, const float *tile, size_t tile_row,
                                                 bool accumulate, float *out, size_t out_row) {
    for (int i = 0; i < rows; i++, tile += tile_row, out += out_row)
        for (int j = 0; j < columns; j += LANES) {
            size_t count = (size_t)(columns - j);
            vec v = vec_load(tile + j);
            if (accumulate)
                v += vec_load_part(out + j, count);
            vec_store_part(out + j, v, count);
        }
}

/* Called with constant `pixels` and `vectors` only. */
INLINE void tile_sums(const int pixels, const int vectors, const nn_conv_tile *t, const float *x,
                      const float *w, const float *bias, float *y) {
    if (pixels > (vectors == 1 ? TILE_PIXELS_1 : TILE_PIXELS_2))
        return; /* never happens: keeps tiles that do not fit the registers out of the program */
    const size_t x_pixel = t->x_pixel, y_pixel = t->y_pixel; /* y may alias t, as far as compilers know */
    const bool accumulate = t->accumulate;
    vec sum[TILE_PIXELS_1][2];
    UNROLL
    for (int p = 0; p < pixels; p++) {
        UNROLL
        for (int v = 0; v < vectors; v++)
            sum[p][v] = bias ? vec_load(bias + v * LANES) : (vec){0};
    }
    for (int r = 0; r < t->rows; r++) {
        /* One pointer for every four pixels: a pointer, a distance and its small multiples fit the address
         * modes and the integer registers, sixteen distances do not. Compilers would undo it if they knew. */
        const float *in[TILE_PIXELS_1 / 4], *weight = w + (size_t)r * t->w_row;
        UNROLL
        for (int p = 0; p < pixels; p += 4) {
            in[p / 4] = x + (size_t)r * t->x_row + (size_t)p * x_pixel;
            __asm__("" : "+r"(in[p / 4]));
        }
        for (int j = 0; j < t->run; j++, weight += vectors * LANES) {
            vec a[2];
            UNROLL
            for (int v = 0; v < vectors; v++)
                a[v] = vec_load(weight + v * LANES);
            UNROLL
            for (int p = 0; p < pixels; p++) {
                vec b = vec_all(in[p / 4][(size_t)(p % 4) * x_pixel + (size_t)j]);
                UNROLL
                for (int v = 0; v < vectors; v++)
                    sum[p][v] += a[v] * b;
            }
        }
    }
    if (t->filters == vectors * LANES) {
        UNROLL
        for (int p = 0; p < pixels; p++, y += y_pixel) {
            UNROLL
            for (int v = 0; v < vectors; v++) {
                if (accumulate)
                    sum[p][v] += vec_load(y + v * LANES);
                vec_store(y + v * LANES, sum[p][v]);
            }
        }
        return;
    }
    float tile[TILE_PIXELS_1 * 2 * LANES];
    UNROLL
    for (int p = 0; p < pixels; p++) {
        UNROLL
        for (int v = 0; v < vectors; v++)
            vec_store(tile + (p * vectors + v) * LANES, sum[p][v]);
    }
    tile_store(pixels, t->filters, tile, (size_t)vectors * LANES, accumulate, y, y_pixel);
}

/* Chooses the tile of this many pixels; `vectors` is a constant. */
INLINE void tile_sized(const int vectors, int pixels, const nn_conv_tile *t, const float *x, const float *w,
                       const float *bias, float *y) {
    switch (pixels) {
    case 1:
        tile_sums(1, vectors, t, x, w, bias, y);
        break;
    case 2:
        tile_sums(2, vectors, t, x, w, bias, y);
        break;
    case 3:
        tile_sums(3, vectors, t, x, w, bias, y);
        break;
    case 4:
        tile_sums(4, vectors, t, x, w, bias, y);
        break;
    case 5:
        tile_sums(5, vectors, t, x, w, bias, y);
        break;
    case 6:
        tile_sums(6, vectors, t, x, w, bias, y);
        break;
    case 7:
        tile_sums(7, vectors, t, x, w, bias, y);
        break;
    case 8:
        tile_sums(8, vectors, t, x, w, bias, y);
        break;
    case 9:
        tile_sums(9, vectors, t, x, w, bias, y);
        break;
    case 10:
        tile_sums(10, vectors, t, x, w, bias, y);
        break;
    case 11:
        tile_sums(11, vectors, t, x, w, bias, y);
        break;
    case 12:
        tile_sums(12, vectors, t, x, w, bias, y);
        break;
    case 13:
        tile_sums(13, vectors, t, x, w, bias, y);
        break;
    case 14:
        tile_sums(14, vectors, t, x, w, bias, y);
        break;
    case 15:
        tile_sums(15, vectors, t, x, w, bias, y);
        break;
    case 16:
        tile_sums(16, vectors, t, x, w, bias, y);
        break;
    }
}

/* The size of the next of the fewest even parts, each at most `largest`, of what remains. */
INLINE int even_part(int remaining, int largest) {
    int parts = (remaining + largest - 1) / largest;
    return (remaining + parts - 1) / parts;
}

static void conv_tile(const nn_conv_tile *t, const float *x, const float *w, const float *bias, float *y) {
    for (int done = 0, pixels; done < t->pixels; done += pixels) {
        if (t->filters <= LANES) {
            pixels = even_part(t->pixels - done, TILE_PIXELS_1);
            tile_sized(1, pixels, t, x, w, bias, y);
        } else {
            pixels = even_part(t->pixels - done, TILE_PIXELS_2);
            tile_sized(2, pixels, t, x, w, bias, y);
        }
        x += (size_t)pixels * t->x_pixel;
        y += (size_t)pixels * t->y_pixel;
    }
}

/* Called with constant `filters` and `vectors` only; `run` inputs are valid, at most vectors * LANES. */
INLINE void weight_sums(const int filters, const int vectors, const nn_conv_weight_tile *t, int run,
                        const float *x, const float *dy, float *dw) {
    if (filters > (vectors == 1 ? TILE_FILTERS_1 : TILE_FILTERS_3))
        return; /* as in tile_sums */
    vec sum[TILE_FILTERS_1][3] = {0};
    for (int i = 0; i < t->images; i++)
        for (int r = 0; r < t->rows; r++) {
            const float *in = x + (size_t)i * t->x_image + (size_t)r * t->x_row;
            const float *gradient = dy + (size_t)i * t->dy_image + (size_t)r * t->dy_row;
            for (int p = 0; p < t->pixels; p++, in += t->x_pixel, gradient += t->dy_pixel) {
                vec a[3];
                UNROLL
                for (int v = 0; v < vectors; v++)
                    a[v] = vec_load(in + v * LANES);
                UNROLL
                for (int k = 0; k < filters; k++) {
                    vec b = vec_all(gradient[k]);
                    UNROLL
                    for (int v = 0; v < vectors; v++)
                        sum[k][v] += a[v] * b;
                }
            }
        }
    if (run == vectors * LANES) {
        const size_t dw_filter = t->dw_filter; /* dw may alias t, as far as compilers know */
        UNROLL
        for (int k = 0; k < filters; k++, dw += dw_filter) {
            UNROLL
            for (int v = 0; v < vectors; v++)
                vec_store(dw + v * LANES, sum[k][v] + vec_load(dw + v * LANES));
        }
        return;
    }
    float tile[TILE_FILTERS_1 * 3 * LANES];
    UNROLL
    for (int k = 0; k < filters; k++) {
        UNROLL
        for (int v = 0; v < vectors; v++)
            vec_store(tile + (k * vectors + v) * LANES, sum[k][v]);
    }
    tile_store(filters, run, tile, (size_t)vectors * LANES, true, dw, t->dw_filter);
}

/* Chooses the tile of this many filters; `vectors` is a constant. */
INLINE void weight_sized(const int vectors, int filters, const nn_conv_weight_tile *t, int run,
                         const float *x, const float *dy, float *dw) {
    switch (filters) {
    case 1:
        weight_sums(1, vectors, t, run, x, dy, dw);
        break;
    case 2:
        weight_sums(2, vectors, t, run, x, dy, dw);
        break;
    case 3:
        weight_sums(3, vectors, t, run, x, dy, dw);
        break;
    case 4:
        weight_sums(4, vectors, t, run, x, dy, dw);
        break;
    case 5:
        weight_sums(5, vectors, t, run, x, dy, dw);
        break;
    case 6:
        weight_sums(6, vectors, t, run, x, dy, dw);
        break;
    case 7:
        weight_sums(7, vectors, t, run, x, dy, dw);
        break;
    case 8:
        weight_sums(8, vectors, t, run, x, dy, dw);
        break;
    case 9:
        weight_sums(9, vectors, t, run, x, dy, dw);
        break;
    case 10:
        weight_sums(10, vectors, t, run, x, dy, dw);
        break;
    case 11:
        weight_sums(11, vectors, t, run, x, dy, dw);
        break;
    case 12:
        weight_sums(12, vectors, t, run, x, dy, dw);
        break;
    case 13:
        weight_sums(13, vectors, t, run, x, dy, dw);
        break;
    case 14:
        weight_sums(14, vectors, t, run, x, dy, dw);
        break;
    case 15:
        weight_sums(15, vectors, t, run, x, dy, dw);
        break;
    case 16:
        weight_sums(16, vectors, t, run, x, dy, dw);
        break;
    }
}

/* One block of at most three vectors of inputs, all filters. */
static void weight_block(const nn_conv_weight_tile *t, int vectors, int run, const float *x, const float *dy,
                         float *dw) {
    for (int k = 0, filters; k < t->filters;
         k += filters, dy += filters, dw += (size_t)filters * t->dw_filter) {
        filters = even_part(t->filters - k, vectors == 1 ? TILE_FILTERS_1 : TILE_FILTERS_3);
        if (vectors == 1)
            weight_sized(1, filters, t, run, x, dy, dw);
        else if (vectors == 2)
            weight_sized(2, filters, t, run, x, dy, dw);
        else
            weight_sized(3, filters, t, run, x, dy, dw);
    }
}

static void conv_weight_tile(const nn_conv_weight_tile *t, const float *x, const float *dy, float *dw) {
    for (int j = 0, run; j < t->run; j += run) {
        int vectors = even_part((t->run - j + LANES - 1) / LANES, 3);
        run = t->run - j < vectors * LANES ? t->run - j : vectors * LANES;
        weight_block(t, vectors, run, x + j, dy, dw + j);
    }
}

static const nn_conv_kernels conv_kernels = {
    .vector = LANES, .tile = conv_tile, .weight_tile = conv_weight_tile};
