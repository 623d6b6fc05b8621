#include "search.h"

#include <math.h>
#include <stdlib.h>

#include "framework/kernels/kernels.h"

enum {
    ROWS = EXP_SEARCH_ROWS,
    TILE = EXP_SEARCH_TILE,
    TILES = EXP_SEARCH_TILES,
    BLOCK = EXP_SEARCH_BLOCK,
    /* floats from one row of products to the next: no power of 2, which caches cannot hold well */
    STRIDE = BLOCK + 16,
    GROUP = 32, /* points that are ruled out together */
    CHOSEN =
        40, /* percent of a tile's pairs: from there on all of them are multiplied quicker than the chosen ones */
};

bool exp_search_room_new(exp_search_room *room, bool sketches) {
    *room = (exp_search_room){.products = calloc((size_t)ROWS * STRIDE, sizeof *room->products),
                              .upper = calloc(BLOCK, sizeof *room->upper)};
    if (sketches) {
        room->left = calloc((size_t)ROWS * BLOCK, sizeof *room->left);
        room->count = calloc((size_t)ROWS * TILES, sizeof *room->count);
    }
    return room->products && room->upper && (!sketches || (room->left && room->count));
}

void exp_search_room_free(exp_search_room *room) {
    free(room->products);
    free(room->upper);
    free(room->left);
    free(room->count);
}

static int smaller(int a, int b) {
    return a < b ? a : b;
}

static bool stopped(const exp_search *s) {
    return s->o.stop && *s->o.stop;
}

/* The last of a query's best so far, as a squared distance of centred and scaled points. */
static double farthest(const exp_search *s, int query) {
    return s->best[(size_t)query * (size_t)s->o.nearest].distance * s->scale * s->scale;
}

/* --- estimates ------------------------------------------------------------------------------------------ */

/* A query and the block's points as the products see them. */
typedef struct row {
    int query, count;
    float own; /* |a_i| */
    const float *norm, *product;
    float relative, least; /* of e_ij */
} row;

static row row_of(const exp_panels *queries, int query, const exp_panels *points, int count,
                  const float *product) {
    return (row){.query = query,
                 .count = count,
                 .own = queries->norm[query],
                 .norm = points->norm,
                 .product = product,
                 .relative = (float)(exp_panels_error(queries->dims) + 16 * 0x1p-24),
                 .least = 0x1p-100f};
}

/* g_ij and e_ij. */
static inline float estimate(const row *r, int j) {
    return r->own * r->own + r->norm[j] * r->norm[j] - 2 * r->product[j];
}

static inline float error_of(const row *r, int j) {
    float sum = r->own + r->norm[j];
    return r->relative * sum * sum + r->least;
}

/* --- what the sketches leave ---------------------------------------------------------------------------- */

/* The points of a tile that are not out for a query. */
static int list_left(const exp_search *s, const row *r, int tile, uint16_t *left) {
    const float *slack = s->points.slack;
    float own = (float)(sqrt(farthest(s, r->query)) * (1 + 0x1p-20)) + s->queries.slack[r->query];
    int columns = smaller(TILE, r->count - tile), count = 0;
    unsigned char near[TILE];
    for (int j = 0; j < columns; j++) {
        float reach = own + slack[tile + j];
        near[j] = !(estimate(r, tile + j) - error_of(r, tile + j) > reach * reach);
    }
    for (int j = 0; j < columns; j++) {
        left[count] = (uint16_t)j;
        count += near[j];
    }
    return count;
}

/* Fills in room's lists; dense[tile] says whether so many are left that the whole tile is to be multiplied. Products of
 * the others are set to what rules a pair out. */
static void sieve(const exp_search *s, int first, int rows, const exp_search_room *room, bool dense[TILES]) {
    int64_t left[TILES] = {0};
    for (int tile = 0; tile < s->count; tile += TILE)
        for (int slice = 0; slice < s->queries.sketch.dims; slice += EXP_PANELS_SLICE)
            exp_panels_multiply(&s->queries.sketch, first, rows, &s->points.sketch, tile,
                                smaller(TILE, s->count - tile), slice, room->products + tile, STRIDE);
    for (int i = 0; i < rows; i++) {
        float *products = room->products + (size_t)i * STRIDE;
        row r = row_of(&s->queries.sketch, first + i, &s->points.sketch, s->count, products);
        for (int t = 0; t * TILE < s->count; t++) {
            int *count = &room->count[i * TILES + t];
            *count = list_left(s, &r, t * TILE, room->left + ((size_t)i * TILES + (size_t)t) * TILE);
            left[t] += *count;
        }
        for (int j = 0; j < s->count; j++)
            products[j] = -INFINITY;
    }
    for (int t = 0; t * TILE < s->count; t++)
        dense[t] = left[t] * 100 > (int64_t)CHOSEN * rows * smaller(TILE, s->count - t * TILE);
}

/* --- products ------------------------------------------------------------------------------------------- */

/* The part of one slice of dimensions in the products of the pairs that are left. */
static void multiply_chosen(const exp_search *s, int first, int rows, int tile, int slice,
                            const exp_search_room *room) {
    const exp_panels *queries = &s->queries.full, *points = &s->points.full;
    int dims = smaller(EXP_PANELS_SLICE, queries->dims - slice), t = tile / TILE;
    const float *b = exp_panels_point(points, tile) + (size_t)slice * TILE;
    for (int i = 0; i < rows; i++)
        nn_kernels_active()->point->chosen_dots(
            room->count[i * TILES + t], room->left + ((size_t)i * TILES + (size_t)t) * TILE, dims,
            exp_panels_point(queries, first + i) + (size_t)slice * (size_t)queries->group,
            (int)exp_panels_step(queries), b, (int)exp_panels_step(points), slice > 0,
            room->products + (size_t)i * STRIDE + tile);
}

/* Slice by slice for the whole block, so that neither points nor queries come from memory twice. */
static void multiply(const exp_search *s, int first, int rows, const bool dense[TILES],
                     const exp_search_room *room) {
    for (int slice = 0; slice < s->queries.full.dims && !stopped(s); slice += EXP_PANELS_SLICE)
        for (int tile = 0; tile < s->count; tile += TILE)
            if (dense[tile / TILE])
                exp_panels_multiply(&s->queries.full, first, rows, &s->points.full, tile,
                                    smaller(TILE, s->count - tile), slice, room->products + tile, STRIDE);
            else
                multiply_chosen(s, first, rows, tile, slice, room);
}

/* --- measuring ------------------------------------------------------------------------------------------ */

/* The value that `rank` (from 0) others at most are below: quickselect, which reorders. */
static float select_rank(float *values, int count, int rank) {
    int low = 0, high = count - 1;
    while (low < high) {
        float pivot = values[low + (high - low) / 2];
        int i = low, j = high;
        while (i <= j) {
            while (values[i] < pivot)
                i++;
            while (values[j] > pivot)
                j--;
            if (i <= j) {
                float swapped = values[i];
                values[i++] = values[j];
                values[j--] = swapped;
            }
        }
        if (rank <= j)
            high = j;
        else if (rank >= i)
            low = i;
        else
            break;
    }
    return values[rank];
}

/* Beyond this nothing of the block can be among the best. */
static float limit_of(const exp_search *s, const row *r, float *upper) {
    int nearest = s->o.nearest, self = s->o.among ? s->o.first + r->query - s->added : -1;
    if (s->found[r->query] == nearest)
        return (float)farthest(s, r->query);
    if (r->count < nearest)
        return INFINITY;
    for (int j = 0; j < r->count; j++) {
        upper[j] = estimate(r, j) + error_of(r, j);
        if (!(upper[j] < INFINITY) || j == self)
            upper[j] = INFINITY;
    }
    return select_rank(upper, r->count, nearest - 1);
}

static bool any_near(const row *r, int first, int end, float limit) {
    int near = 0;
    for (int j = first; j < end; j++)
        near |= !(estimate(r, j) - error_of(r, j) > limit);
    return near;
}

/* The distance of a query and a point of the block, in double precision. */
static void consider(const exp_search *s, int query, int point) {
    size_t dims = (size_t)s->o.dims;
    double distance = nn_kernels_active()->pair->distance(s->o.dims, s->o.x + (size_t)query * dims,
                                                          s->x + (size_t)point * dims, 1);
    exp_best_add(s->best + (size_t)query * (size_t)s->o.nearest, &s->found[query], s->o.nearest,
                 (exp_neighbor){distance, s->added + point});
}

/* The points of a tile for one query. */
static void search_tile(const exp_search *s, const row *r, int tile, float *limit) {
    int self = s->o.among ? s->o.first + r->query - s->added : -1, last = smaller(tile + TILE, r->count);
    for (int group = tile; group < last; group += GROUP) {
        int end = smaller(group + GROUP, last);
        if (!any_near(r, group, end, *limit))
            continue;
        for (int j = group; j < end; j++) {
            if (j == self || estimate(r, j) - error_of(r, j) > *limit)
                continue;
            consider(s, r->query, j);
            if (s->found[r->query] == s->o.nearest)
                *limit = fminf(*limit, (float)farthest(s, r->query));
        }
    }
}

/* Tile by tile, so that points that are measured stay in the cache from one query to the next. */
static void search_rows(const exp_search *s, int first, int rows, const exp_search_room *room) {
    float limit[ROWS];
    for (int tile = 0; tile < s->count; tile += TILE)
        for (int i = 0; i < rows && !stopped(s); i++) {
            row r = row_of(&s->queries.full, first + i, &s->points.full, s->count,
                           room->products + (size_t)i * STRIDE);
            if (tile == 0)
                limit[i] = limit_of(s, &r, room->upper);
            search_tile(s, &r, tile, &limit[i]);
        }
}

void exp_search_group(const exp_search *s, int first, const exp_search_room *room) {
    int rows = smaller(s->queries.full.group, s->o.queries - first);
    bool dense[TILES];
    for (int t = 0; t < TILES; t++)
        dense[t] = true;
    /* Sketches tell nothing as long as not every query has its number of neighbours. */
    if (room->left && s->added > s->o.nearest)
        sieve(s, first, rows, room, dense);
    multiply(s, first, rows, dense, room);
    search_rows(s, first, rows, room);
}
