/* work.h - what the parts of the soft nearest neighbor loss share.
 *
 *   snnl.c      the calls of snnl.h: memory, checks, the search for the temperature
 *   pairs.c     sorted and centred points, their distances, the order in which pairs are visited
 *   loss.c      sums over each point's pairs, and the loss from them
 *   gradient.c  the pairs' weights and their product with the points
 *   real.h      the loops over elements for one type: float.c and double.c
 *
 * Points are sorted by label, so that a point's class is one range of columns; `i` and `j` are places in that
 * order. The pair matrix is cut into tiles. Small ones are stored: real [count][stride], true distances. Of
 * larger ones a tile exists only while it is visited. */
#ifndef NN_SNNL_WORK_H
#define NN_SNNL_WORK_H

#include "snnl.h"

typedef struct nn_snnl_work nn_snnl_work;

/* `real` arrays are passed as void pointers; the functions of one table agree on the type. */
typedef struct nn_snnl_arithmetic {
    size_t size; /* bytes of a real */
    /* Cosine: the factor that gives point i the length sqrt(1/2), 0 for a zero point. */
    double (*factor)(const nn_snnl_points *points, int original);
    /* Columns first .. first + count - 1 of the points' mean, into work->mean_point; count <= NN_SNNL_SLICE. */
    void (*mean)(const nn_snnl_work *work, const nn_snnl_points *points, int first, int count);
    /* Those columns of points i0 .. i0 + rows - 1, centred, into a block; adds their squares to `squares` unless
     * that is NULL. */
    void (*gather)(const nn_snnl_work *work, const nn_snnl_points *points, int i0, int rows, int first,
                   int count, void *block, double *squares);
    /* gram (rows x columns) (+)= A B^T of two blocks with `count` columns; only above the diagonal when b is a */
    void (*dots)(const nn_snnl_work *work, int rows, int columns, int count, const void *a, const void *b,
                 bool accumulate, void *gram, int gram_ld);
    void (*add)(int count, const void *x, void *y); /* y += x */
    /* In place: dot products of point i with points j0 .. j0 + count - 1 to distances. */
    void (*distances)(const nn_snnl_work *work, const nn_snnl_points *points, int i, int j0, int count,
                      void *row);
    /* b[c][r] = a[r][c]; on the diagonal (b is a, rows <= columns) only for c > r */
    void (*mirror)(int rows, int columns, const void *a, void *b, int ld);
    /* shifted = (d - minimum) * unit, returns minimum * unit; count >= 1 */
    double (*shift)(int count, const void *d, double unit, float *shifted);
    /* c = scale * exp(-b (d unit - minimum)) */
    void (*weigh)(int count, const void *d, double unit, double minimum, float b, float scale, float *c);
    /* The weights c of point i's pairs with j0 .. j0 + count - 1 take their distances' place in the row;
     * those of zero points become 0. With moments, c_ij d_ij is added to moments[i] and moments[j]. */
    void (*replace)(const nn_snnl_work *work, int i, int j0, int count, float *c, void *row, double *moments);
    /* w = a + b^T into both tiles, and its sums over rows and columns added to `row_sums` and `column_sums`; on
     * the diagonal (b is a, with zeros there) these are the same array */
    void (*symmetrize)(int rows, int columns, void *a, void *b, int ld, double *row_sums,
                       double *column_sums);
    /* dx of points i0 .. i0 + rows - 1, columns first .. first + count - 1, (+)= coefficient * factor_i * sum
     * over the block's points j < inner of w[j][i] a_j. Some of w's memory past its columns may be read. */
    void (*combine)(const nn_snnl_work *work, int i0, int rows, int inner, const void *w, int w_ld,
                    const void *block, int first, int count, double coefficient, bool accumulate, void *dx,
                    void *product);
    /* Those columns of dx -= coefficient * factor_i^2 * moment_i * x_i: see gradient.c, cosine. */
    void (*project)(const nn_snnl_work *work, const nn_snnl_points *points, int i0, int rows, int first,
                    int count, double coefficient, void *dx);
    void (*fill_diagonal)(int count, const double *values, void *w, int w_ld); /* w_ii = -values[i] */
} nn_snnl_arithmetic;

extern const nn_snnl_arithmetic *const nn_snnl_float, *const nn_snnl_double;

/* A point's class-mates or its other points, seen from it. Distances are in units of 1 / work->unit. */
typedef struct nn_snnl_group {
    double minimum; /* INFINITY for no pair */
    double
        scale; /* |d loss / d s| over exp(-(d - minimum) / T), at the last evaluation's first temperature */
} nn_snnl_group;

enum {
    NN_SNNL_SLICE = 512,  /* columns of the points that are centred at once, */
    NN_SNNL_BLOCK = 128,  /* and points, where pairs are stored: a block stays in a processor's own cache */
    NN_SNNL_PULLED = 256, /* points whose gradients are added up together there */
    NN_SNNL_STORED_TILE = 64, /* points on a side of a stored tile, */
    NN_SNNL_TILE = 256,       /* and of one that is not stored, whose points are one block */
    NN_SNNL_GRID = 29         /* temperatures evaluated at once, at most */
};

enum { NN_SNNL_SAME, NN_SNNL_OTHER };

struct nn_snnl_work {
    const nn_snnl_arithmetic *real;
    size_t bytes;
    int count, dims, threads;
    bool stored;
    int tile, tiles;  /* points on a side of a tile, tiles on a side of the pair matrix */
    int block;        /* points in a block, at most */
    int slices;       /* stored: Gram matrices made apart, of slices of the dimensions */
    int stride;       /* reals between rows of pairs, stored or in a tile */
    int block_ld;     /* reals between rows of a block, */
    int tile_ld;      /* and of a tile in a thread\'s memory */
    bool zero_points; /* cosine: there are points of length 0 */
    int usable;
    double mean;        /* mean distance */
    double unit;        /* power of two near 1 / mean: scaled distances suit single precision */
    double temperature; /* the one that the groups' scales belong to; 0: none */

    int *order;                 /* [count] the point's number in the caller's arrays */
    int *first, *end;           /* [count] the range of its class */
    double *factor;             /* [count] what the point is multiplied by: 1, or see arithmetic.factor */
    void *norm;                 /* [count] squared lengths of the centred points */
    void *mean_point;           /* [dims] */
    void *pairs;                /* [count][stride] stored distances */
    void *partial;              /* [slices - 1][count][stride] Gram matrices of the other slices of dims */
    double *squares;            /* [slices of NN_SNNL_SLICE][count] */
    nn_snnl_group (*groups)[2]; /* [count] */
    double *sums;               /* [count][2][temperatures][3] */
    double *weight;             /* [count] row sums of the weights */
    double *moment;             /* [count] row sums of weight times distance (cosine) */
    char *buffers;              /* of each thread: */
    size_t buffer_bytes, held_bytes, block_bytes, product_bytes, tile_bytes, row_bytes;
};

/* Which points and columns of them a block is made of; rows is 0 where there is none. */
typedef struct nn_snnl_held {
    int i0, rows, first, count;
} nn_snnl_held;

/* A thread's memory. */
typedef struct nn_snnl_buffer {
    nn_snnl_held *held; /* [2] what is in: */
    void *blocks[2];    /* real [block][block_ld] */
    void *product;      /* real [NN_SNNL_PULLED][block_ld], in double precision: combine() needs it */
    void *tile;   /* real [block][tile_ld], with room for NN_SNNL_PULLED columns where pairs are stored, for a
                     * tile where not */
    void *mirror; /* the same, where pairs are not stored */
    void *row;    /* real [count or tile] */
    float *shifted; /* the same */
} nn_snnl_buffer;

nn_snnl_buffer nn_snnl_thread_buffer(const nn_snnl_work *work);

/* A block in place 0 or 1 of the thread's memory, which is valid until the place is used again. It is gathered
 * (with squares: see gather) unless it is there, and no squares are wanted. */
const void *nn_snnl_hold(const nn_snnl_work *work, const nn_snnl_points *points, nn_snnl_buffer buffer,
                         int place, int i0, int rows, int first, int count, double *squares);

/* Sorts, finds the mean and (stored) measures all distances. */
void nn_snnl_prepare(nn_snnl_work *work, const nn_snnl_points *points);

/* One tile of pairs: points i0 .. i0 + rows - 1 against j0 .. j0 + columns - 1. */
typedef struct nn_snnl_tile {
    int i0, rows, j0, columns;
    void *d;        /* real [rows][ld] */
    void *mirrored; /* real [columns][ld]; d itself for a tile on the diagonal */
    int ld;
} nn_snnl_tile;

/* Calls visit for every tile of one triangle, those on the diagonal included. No two calls that run at the
 * same time share a point, and the calls that touch a point come in a fixed order: they may add to its sums.
 */
typedef void nn_snnl_visit(void *context, const nn_snnl_tile *tile, nn_snnl_buffer buffer);
void nn_snnl_visit_tiles(const nn_snnl_work *work, const nn_snnl_points *points, nn_snnl_visit *visit,
                         void *context);

/* The loss and its derivatives by log(1/T). */
typedef struct nn_snnl_loss {
    double value, slope, curvature;
} nn_snnl_loss;

/* Evaluates 1 <= n <= NN_SNNL_GRID temperatures in one pass over the pairs; leaves the groups' scales for the
 * first. */
void nn_snnl_evaluate(nn_snnl_work *work, const nn_snnl_points *points, int n, const double *temperatures,
                      nn_snnl_loss *losses);

/* A range of a row's columns whose pairs belong to one group. */
typedef struct nn_snnl_stretch {
    int group, first, end;
} nn_snnl_stretch;

enum { NN_SNNL_STRETCHES = 4 };

/* Cuts columns j0 .. j0 + columns - 1 of point i's row into stretches, some empty, that leave out i itself.
 */
void nn_snnl_cut_row(const nn_snnl_work *work, int i, int j0, int columns,
                     nn_snnl_stretch cut[NN_SNNL_STRETCHES]);

static inline bool nn_snnl_usable(const nn_snnl_work *work, int i) {
    return work->end[i] - work->first[i] > 1;
}

/* The inverse temperature for scaled distances, as the kernels take it. */
static inline float nn_snnl_rate(const nn_snnl_work *work, double temperature) {
    double rate = 1 / temperature / work->unit;
    return (float)(rate < 1e37 ? rate : 1e37);
}

/* The address of element `index` of a real array. */
static inline void *nn_snnl_element(const nn_snnl_work *work, const void *array, size_t index) {
    return (char *)array + index * work->real->size;
}

#endif
