/* kernels.h - the arithmetic under the ops: plain pointers and sizes, no tensors, no graph.
 *
 * Two levels. *Drivers* (nn_conv_*, nn_gemm, nn_snnl in snnl.h) are portable C: they cut the work into slices
 * whose number depends on the sizes only, never on the thread count, and share them out to the OpenMP team,
 * so that results are the same bits for every thread count. Inside they call *micro-kernels* through one
 * table, chosen once per process by what the processor offers. The table exists for AVX-512, AVX2 and a
 * portable 128-bit form, all compiled from the same *_simd.h sources, and as a plain-C reference that serves
 * as the oracle in the tests. The environment variable ENTANGLE_ISA forces one: avx512, avx2, generic or
 * reference.
 *
 * All arrays are float32, dense and row-major unless a stride says otherwise. Outputs never overlap inputs
 * unless a comment allows it. `accumulate` adds to the output instead of overwriting it. */
#ifndef NN_KERNELS_H
#define NN_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../threads.h"

/* --- table ---------------------------------------------------------------------------------------------- */

enum { NN_VECTOR_MAX = 16 }; /* floats in the widest vector of any table */

/* Geometry of one micro-kernel call of the convolution: `pixels` outputs at constant distances in memory
 * (neighbours in a row, or the same place in several images), one block of filters. */
typedef struct nn_conv_tile {
    int pixels;     /* outputs to compute, >= 1 (the kernel splits them into register tiles) */
    int rows;       /* kernel rows to sum over, 0 or more */
    int run;        /* floats to sum over in each row: kernel columns x channels, contiguous in x */
    size_t x_pixel; /* floats from one output pixel's first input to the next one's */
    size_t x_row;   /* floats from one kernel row's inputs to the next one's */
    size_t w_row;   /* floats from one kernel row's packed weights to the next one's */
    size_t y_pixel; /* floats from one output pixel to the next */
    int filters;    /* of the block, 1..2 * vector */
    bool accumulate;
} nn_conv_tile;

/* Geometry of one micro-kernel call of the convolution's weight gradient: one kernel row, summed over the
 * pixels of an output row, over output rows, and over images. */
typedef struct nn_conv_weight_tile {
    int pixels, rows, images;       /* to sum over */
    size_t x_pixel, x_row, x_image; /* floats between the inputs of neighbouring pixels, rows, images */
    size_t dy_pixel, dy_row, dy_image;
    int filters;      /* contiguous in dy */
    int run;          /* kernel columns x channels, contiguous in x and in dw */
    size_t dw_filter; /* floats from one filter's weights to the next one's */
} nn_conv_weight_tile;

/* The micro-kernels of the convolution. Filters are packed in blocks of `lanes`: `vector` when the block has
 * no more filters than that, else 2 * vector. */
typedef struct nn_conv_kernels {
    int vector; /* <= NN_VECTOR_MAX */
    /* y[p][k] (+)= bias[k] + sum over r < rows, j < run of x[p * x_pixel + r * x_row + j] * w[r * w_row + j *
     * lanes + k]. w has any finite values in the lanes past `filters`; bias has `lanes` entries or is NULL.
     */
    void (*tile)(const nn_conv_tile *t, const float *x, const float *w, const float *bias, float *y);
    /* dw[k * dw_filter + j] += sum over images, rows and pixels of dy[.][k] * x[.][j]. x must be readable up
     * to `run` rounded up to a multiple of `vector`; what is there does not matter. */
    void (*weight_tile)(const nn_conv_weight_tile *t, const float *x, const float *dy, float *dw);
} nn_conv_kernels;

/* Winograd's algorithm F(4x4, 3x3) (Lavin and Gray 2016; points 0, +-3/4, +-3/2 and infinity, which keep the
 * error half as large as the usual 0, +-1, +-2): a 4 x 4 tile of outputs is
 *   y = A' ((G w G') . (D x D')) A,   . by element, summed over the channels,
 * for the 6 x 6 inputs under it. The gradients are the transposed maps: with m = A dy A', that of w is
 *   G' (m . (D x D')) G, and that of x the correlation of dy with w turned round.
 * Each transform maps a grid of pixels to another one, channel by channel. */
typedef struct nn_winograd_grid {
    size_t channels; /* a multiple of NN_VECTOR_MAX; contiguous in x and y */
    const float *x;
    size_t x_row, x_pixel; /* floats between rows and pixels of the grid */
    float *y;              /* apart from x */
    size_t y_row, y_pixel;
    /* Rows top .. bottom - 1 and columns left .. right - 1 of the grid that is part of an image (input's and
     * gradient's x, output's y) lie inside it: the others count as 0, and are neither read nor written. */
    int top, bottom, left, right;
} nn_winograd_grid;

typedef struct nn_winograd_kernels {
    void (*input)(const nn_winograd_grid *g); /* 6 x 6 -> 6 x 6: D x D' */
    /* 6 x 6 -> 4 x 4: A' x A (+ bias[channel], unless NULL; + y when accumulating) */
    void (*output)(const nn_winograd_grid *g, const float *bias, bool accumulate);
    void (*gradient)(const nn_winograd_grid *g);                         /* 4 x 4 -> 6 x 6: A x A' */
    void (*weights)(const nn_winograd_grid *g);                          /* 3 x 3 -> 6 x 6: G x G' */
    void (*weight_gradient)(const nn_winograd_grid *g, bool accumulate); /* 6 x 6 -> 3 x 3: G' x G (+ y) */
} nn_winograd_kernels;

/* Loops over pairs of points, for the soft nearest neighbor loss. Distances d >= 0 are finite, inverse
 * temperatures b >= 0 too; a product beyond the range counts as infinite. NaN gives NaN. */
typedef struct nn_pair_kernels {
    /* With e_j = exp(-b * d[j]): sum[0] = sum of e_j, sum[1] = sum of e_j d[j], sum[2] = sum of e_j d[j]^2. */
    void (*sums)(int count, const float *d, float b, double sum[3]);
    /* c[j] = scale * exp(-b * (d[j] - minimum) * unit), minimum <= d[j]; c may be d */
    void (*weights)(int count, const float *d, float minimum, float unit, float b, float scale, float *c);
    /* shifted[j] = (d[j] - minimum) * unit, apart from d; returns the minimum. A NaN may be left out of the
     * minimum. count >= 1 */
    float (*shift)(int count, const float *d, float unit, float *shifted);
    /* The sum of (x[j] - ratio * y[j])^2, in double precision. */
    double (*distance)(int count, const float *x, const float *y, double ratio);
    /* From dot products: d[j] = norm + norms[j] - 2 * d[j]. Is any of them less than `least` or than ratio *
     * (norm + norms[j])? */
    bool (*gram_distances)(int count, float norm, const float *norms, float ratio, float least, float *d);
    /* Tiles of the pair matrix, whose mirror images lie apart from them or, for tiles on its diagonal, are
     * themselves: b is a. */
    /* b[c][r] = a[r][c]; only for c > r when b is a, where rows <= columns */
    void (*mirror)(int rows, int columns, const float *a, float *b, int ld);
    /* w[r][c] = a[r][c] + b[c][r] into both, added to row_sums[r] and to column_sums[c]; sums of at most
     * NN_VECTOR_MAX of them in single precision. When b is a, it is square and has zeros on its diagonal, and
     * row_sums is column_sums. */
    void (*symmetrize)(int rows, int columns, float *a, float *b, int ld, double *row_sums,
                       double *column_sums);
} nn_pair_kernels;

enum {
    NN_POINT_MULTIPLE = 32, /* points are padded with zeros to a multiple of so many dimensions */
    NN_POINT_INNER = 256,   /* so many points, at most, are added up in one combination */
    NN_POINT_STRIP = 12     /* room behind a row of weights, in floats, for what is read past its end */
};

/* Loops over sets of points, for the soft nearest neighbor loss. Points lie in panels, [dims / panel][points][panel],
 * with `step` floats from one panel to the next. */
typedef struct nn_point_kernels {
    int panel; /* a divisor of NN_POINT_MULTIPLE */
    /* sum[k] += scale * x[k] - origin_scale * origin[k] */
    void (*add_difference)(int count, float scale, const float *x, float origin_scale, const float *origin,
                           float *sum);
    /* out[(k / panel) * step + k % panel] = scale * x[k] - mean[k], then zeros to the multiple; returns the sum
     * of their squares. The next point to be centred is brought into the cache. */
    double (*center)(int count, float scale, const float *x, const float *mean, const float *next, float *out,
                     int step);
    /* c[i][j] (+)= sum over k of a_i[k] b_j[k]; dims is a multiple of NN_POINT_MULTIPLE. With `upper` only for j > i:
     * what else is in c is then undefined. */
    void (*dots)(int rows, int columns, int dims, const float *a, int a_step, const float *b, int b_step,
                 bool upper, bool accumulate, float *c, int c_ld);
    /* q[k] = the integer nearest to scale * x[(k / panel) * step + k % panel], whose absolute is below 2^15; *square += the
     * sum of their squares, below 2^31; returns that of what they are off by. scale is a power of two, dims a multiple of
     * NN_POINT_MULTIPLE. */
    double (*shorten)(int dims, float scale, const float *x, int step, int16_t *q, double *square);
    /* c[j] (+)= sum over k of a[k] b_which[j][k], j < count, with b_i at b + i * dims, |a| |b_i| < 2^31; dims is a
     * multiple of NN_POINT_MULTIPLE. */
    void (*chosen_shorts)(int count, const uint16_t *which, int dims, const int16_t *a, const int16_t *b,
                          bool accumulate, float *c);
    /* y[i][k] (+)= scale[i] * sum over j < inner of w[j][i] x_j[k], inner <= NN_POINT_INNER. Rows of w have
     * room behind them. */
    void (*combine)(int rows, int columns, int inner, const float *w, int w_ld, const float *x, int step,
                    const float *scale, bool accumulate, float *const *y);
} nn_point_kernels;

/* Loops over points (x[j], y[j]) of the plane as one point, own, sees them, for t-SNE. With u_j = own[0] - x[j],
 * v_j = own[1] - y[j] and w_j = 1 / (1 + u_j^2 + v_j^2): */
typedef struct nn_plane_kernels {
    /* sum = the sums over j of w_j, w_j^2 u_j, w_j^2 v_j, p_j w_j u_j, p_j w_j v_j */
    void (*pairs)(int count, const double own[2], const double *x, const double *y, const float *p,
                  double sum[5]);
    /* sum = the sums over j of mass_j w_j, mass_j w_j^2 u_j, mass_j w_j^2 v_j */
    void (*masses)(int count, const double own[2], const double *x, const double *y, const double *mass,
                   double sum[3]);
} nn_plane_kernels;

/* Rows of f(x * factor[c] + offset[c]), with f(v) = v > 0 ? v : slope * v: a batch norm and what may follow. */
typedef struct nn_affine {
    int rows, channels;
    const float *factor, *offset; /* [channels] */
    float slope;                  /* >= 0: 0 is relu, and 1 leaves v as it is */
} nn_affine;

/* Whole-array and per-channel loops. `rows` x `channels` arrays are row-major with the channel fastest. */
typedef struct nn_vector_kernels {
    void (*relu)(size_t n, const float *x, float slope, float *y); /* y = x > 0 ? x : slope * x; y may be x */
    /* dx (+)= y > 0 ? dy : slope * dy; dx may be dy; valid for slope >= 0, where y and x have the same sign
     */
    void (*relu_backward)(size_t n, const float *y, const float *dy, float slope, bool accumulate, float *dx);
    void (*add)(size_t n, const float *a, const float *b, float *y); /* y = a + b; y may be a or b */
    void (*scale)(size_t n, float a, const float *x, bool accumulate,
                  float *y); /* y (+)= a * x; y may be x */
    /* mean[c] over the rows and m2[c] = sum over the rows of (x - mean)^2 */
    void (*moments)(int rows, int channels, const float *x, float *mean, float *m2);
    /* y = f(x * factor[c] + offset[c] + residual); residual may be NULL; y may be x or residual */
    void (*affine)(const nn_affine *t, const float *x, const float *residual, float *y);
    /* The two passes back from dy. g is dy times the slope of f at y, or, where y is NULL and there was no
     * residual, at x * factor[c] + offset[c].
     *   sum[c] = sum over rows of g, dot[c] = sum over rows of g * (x - mean[c])
     * and, unless dresidual is NULL, dresidual (+)= g, which may be dy */
    void (*gradient_sums)(const nn_affine *t, const float *x, const float *y, const float *mean,
                          const float *dy, bool accumulate, float *dresidual, float *sum, float *dot);
    /* dx (+)= g * a[c] + x * b[c] + k[c]; dx may be dy */
    void (*affine_backward)(const nn_affine *t, const float *x, const float *y, const float *dy,
                            const float *a, const float *b, const float *k, bool accumulate, float *dx);
    /* Optimizer updates over n parameters (formulas in optimizer.c). */
    void (*sgd)(size_t n, float rate, float momentum, bool nesterov, float decay, const float *gradient,
                float *velocity, float *parameter);
    void (*adam)(size_t n, float rate, float beta1, float beta2, float epsilon, float correction1,
                 float correction2, float decay, const float *gradient, float *m, float *v, float *parameter);
    bool (*finite)(size_t n, const float *x); /* no NaN and no infinity */
} nn_vector_kernels;

typedef struct nn_kernels {
    const char *name;
    const nn_conv_kernels *conv;
    const nn_winograd_kernels *winograd;
    const nn_pair_kernels *pair;
    const nn_point_kernels *point;
    const nn_plane_kernels *plane;
    const nn_vector_kernels *vector;
} nn_kernels;

/* The table in use: chosen at the first call. */
const nn_kernels *nn_kernels_active(void);

/* A table by name, NULL when this build or this processor does not have it: for tests and benchmarks. */
const nn_kernels *nn_kernels_named(const char *name);

/* Makes a table the active one (tests only; not while another thread computes). */
void nn_kernels_use(const nn_kernels *kernels);

/* --- parallel drivers ----------------------------------------------------------------------------------- */

/* Shares n floats out to the team in fixed chunks: calls work(context, first, count) for each. */
typedef void nn_range_work(void *context, size_t first, size_t count);
void nn_parallel_ranges(size_t n, nn_range_work *work, void *context);

/* C = op(A) * op(B) (+ C when accumulate): op(A) is m x k, op(B) is k x n, C is m x n with row strides lda,
 * ldb, ldc of the arrays as stored. Cut into fixed slices of C, one OpenBLAS call per slice. */
void nn_gemm(bool transpose_a, bool transpose_b, int m, int n, int k, const float *a, int lda, const float *b,
             int ldb, bool accumulate, float *c, int ldc);

/* 2-d convolution (cross-correlation: the kernel is not flipped) of NHWC images with K,R,S,C weights:
 *   y[n,p,q,k] = bias[k] + sum over r,s,c of w[k,r,s,c] * x[n, p*stride - top + r, q*stride - left + s, c]
 * with x = 0 outside the image. */
typedef struct nn_conv_geometry {
    int height, width, channels; /* input */
    int filters, kernel_height, kernel_width;
    int stride;
    int top, left;             /* padding before the first row and column */
    int out_height, out_width; /* output; what it reads past the last row and column is padding */
} nn_conv_geometry;

/* Bytes of scratch that each of the three calls below needs for up to `images` images. */
size_t nn_conv_scratch(const nn_conv_geometry *g, int images);

/* bias may be NULL. Scratch must be 64-byte aligned. */
void nn_conv_forward(const nn_conv_geometry *g, int images, const float *x, const float *w, const float *bias,
                     float *y, void *scratch);
void nn_conv_backward_data(const nn_conv_geometry *g, int images, const float *dy, const float *w,
                           bool accumulate, float *dx, void *scratch);
/* dw and dbias; dbias may be NULL. */
void nn_conv_backward_weights(const nn_conv_geometry *g, int images, const float *x, const float *dy,
                              bool accumulate, float *dw, float *dbias, void *scratch);

/* The same passes in parts, for a caller with a team of its own that has the images pass through in slices:
 * `begin` by the whole team in its parallel region (no barrier at the end), then `slice` by any thread for any
 * images, at last `end` by the team. `shared` is memory of the whole pass, `own` of the thread, 64-byte aligned,
 * in bytes; a slice has at most so many images. */
typedef struct nn_conv_memory {
    size_t shared, own;
} nn_conv_memory;

nn_conv_memory nn_conv_forward_memory(const nn_conv_geometry *g, int images);
void nn_conv_forward_begin(const nn_conv_geometry *g, const float *w, const float *bias, void *shared);
void nn_conv_forward_slice(const nn_conv_geometry *g, int images, const float *x, bool bias, float *y,
                           const void *shared, void *own);

nn_conv_memory nn_conv_data_memory(const nn_conv_geometry *g, int images);
void nn_conv_data_begin(const nn_conv_geometry *g, const float *w, void *shared);
void nn_conv_data_slice(const nn_conv_geometry *g, int images, const float *dy, bool accumulate, float *dx,
                        const void *shared, void *own);

/* The slices belong to a fixed number of units; the slices of one unit come one after the other, the first one
 * with `first`. Suits gradients small enough for as many copies (nn_conv_weights_in_parts). */
bool nn_conv_weights_in_parts(const nn_conv_geometry *g);
nn_conv_memory nn_conv_weights_memory(const nn_conv_geometry *g, int units, int images);
void nn_conv_weights_slice(const nn_conv_geometry *g, int images, const float *x, const float *dy, int unit,
                           bool first, void *shared, void *own);
void nn_conv_weights_end(const nn_conv_geometry *g, int units, bool accumulate, float *dw, void *shared);

#endif
