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
        room->sums = calloc((size_t)ROWS * BLOCK, sizeof *room->sums);
        room->count = calloc((size_t)ROWS * TILES, sizeof *room->count);
    }
    return room->products && room->upper && (!sketches || (room->left && room->sums && room->count));
}

void exp_search_room_free(exp_search_room *room) {
    free(room->products);
    free(room->upper);
    free(room->left);
    free(room->sums);
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

static row row_of(int query, float own, int count, const float *norm, const float *product, double error) {
    return (row){.query = query,
                 .count = count,
                 .own = own,
                 .norm = norm,
                 .product = product,
                 .relative = (float)(error + 16 * 0x1p-24),
                 .least = 0x1p-100f};
}

static row row_of_panels(const exp_panels *queries, int query, const exp_panels *points, int count,
                         const float *product) {
    return row_of(query, queries->norm[query], count, points->norm, product, exp_panels_error(queries->dims));
}

static row row_of_shorts(const exp_search *s, int query) {
    const exp_shorts *queries = &s->queries.shorts;
    return row_of(query, queries->norm[query], s->count, s->points.shorts.norm, NULL,
                  exp_shorts_error(queries->dims));
}

/* g_ij and e_ij. */
static inline float estimate_of(const row *r, int j, float product) {
    return r->own * r->own + r->norm[j] * r->norm[j] - 2 * product;
}

static inline float estimate(const row *r, int j) {
    return estimate_of(r, j, r->product[j]);
}

static inline float error_of(const row *r, int j) {
    float sum = r->own + r->norm[j];
    return r->relative * sum * sum + r->least;
}

/* --- sieves --------------------------------------------------------------------------------------------- */

/* How far from a query its neighbours can be, as images tell: their unit and the query's own slack. */
static float reach_of(const exp_search *s, int query, double unit, float slack) {
    return (float)(sqrt(farthest(s, query)) / unit * (1 + 0x1p-20)) + slack;
}

/* Whether the images do not tell that point j is out of a query's reach. */
static inline bool is_near(const row *r, int j, float product, float reach, float slack) {
    float whole = reach + slack;
    return !(estimate_of(r, j, product) - error_of(r, j) > whole * whole);
}

/* Where the list of a tile begins, in room->left and in room->sums. */
static size_t list_of(int i, int t) {
    return ((size_t)i * TILES + (size_t)t) * TILE;
}

/* The points of a tile that the sketches leave for a query. */
static int list_left(const exp_search *s, const row *r, int tile, uint16_t *left) {
    float reach = reach_of(s, r->query, 1, s->queries.slack[r->query]);
    int columns = smaller(TILE, r->count - tile), count = 0;
    unsigned char near[TILE];
    for (int j = 0; j < columns; j++)
        near[j] = is_near(r, tile + j, r->product[tile + j], reach, s->points.slack[tile + j]);
    for (int j = 0; j < columns; j++) {
        left[count] = (uint16_t)j;
        count += near[j];
    }
    return count;
}

/* Fills in room's lists by the sketches; dense[tile] says whether so many are left that the whole tile is to be multiplied. */
static void sieve(const exp_search *s, int first, int rows, const exp_search_room *room, bool dense[TILES]) {
    int64_t left[TILES] = {0};
    for (int tile = 0; tile < s->count; tile += TILE)
        for (int slice = 0; slice < s->queries.sketch.dims; slice += EXP_PANELS_SLICE)
            exp_panels_multiply(&s->queries.sketch, first, rows, &s->points.sketch, tile,
                                smaller(TILE, s->count - tile), slice, room->products + tile, STRIDE);
    for (int i = 0; i < rows; i++) {
        row r = row_of_panels(&s->queries.sketch, first + i, &s->points.sketch, s->count,
                              room->products + (size_t)i * STRIDE);
        for (int t = 0; t * TILE < s->count; t++) {
            int *count = &room->count[i * TILES + t];
            *count = list_left(s, &r, t * TILE, room->left + list_of(i, t));
            left[t] += *count;
        }
    }
    for (int t = 0; t * TILE < s->count; t++)
        dense[t] = left[t] * 100 > (int64_t)CHOSEN * rows * smaller(TILE, s->count - t * TILE);
}

/* --- products ------------------------------------------------------------------------------------------- */

/* Of a slice of the pairs that the sketches leave of a tile. */
static void multiply_left(const exp_search *s, int first, int rows, int tile, int slice,
                          const exp_search_room *room) {
    for (int i = 0; i < rows; i++) {
        size_t list = list_of(i, tile / TILE);
        exp_shorts_multiply(&s->queries.shorts, first + i, &s->points.shorts, tile,
                            room->count[i * TILES + tile / TILE], room->left + list, slice,
                            room->sums + list);
    }
}

/* Slice by slice for the whole block, so that neither points nor queries come from memory twice. */
static void multiply(const exp_search *s, int first, int rows, const bool dense[TILES],
                     const exp_search_room *room) {
    for (int slice = 0; slice < s->queries.full.dims && !stopped(s); slice += EXP_PANELS_SLICE)
        for (int tile = 0; tile < s->count; tile += TILE)
            if (dense[tile / TILE])
                exp_panels_multiply(&s->queries.full, first, rows, &s->points.full, tile,
                                    smaller(TILE, s->count - tile), slice, room->products + tile, STRIDE);
    for (int slice = 0; slice < s->queries.shorts.dims && !stopped(s); slice += EXP_SHORTS_SLICE)
        for (int tile = 0; tile < s->count; tile += TILE)
            if (!dense[tile / TILE])
                multiply_left(s, first, rows, tile, slice, room);
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

/* The block's point that is the query itself, if any. */
static int self_of(const exp_search *s, int query) {
    return s->o.among ? s->o.first + query - s->added : -1;
}

/* Beyond this nothing of the block can be among the best. */
static float limit_of(const exp_search *s, const row *r, float *upper) {
    int nearest = s->o.nearest, self = self_of(s, r->query);
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
    int self = self_of(s, r->query), last = smaller(tile + TILE, r->count);
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

/* Those of a tile that the sketches leave. */
static void search_left(const exp_search *s, const row *r, int tile, const uint16_t *left, const float *sums,
                        int count) {
    const exp_shorts *points = &s->points.shorts;
    float slack = s->queries.shorts.slack[r->query], reach = reach_of(s, r->query, points->unit, slack);
    int self = self_of(s, r->query);
    for (int n = 0; n < count; n++) {
        int j = tile + left[n];
        if (j == self || !is_near(r, j, sums[n], reach, points->slack[j]))
            continue;
        consider(s, r->query, j);
        reach = reach_of(s, r->query, points->unit, slack);
    }
}

static void search_row(const exp_search *s, int first, int i, const bool dense[TILES],
                       const exp_search_room *room) {
    row r = row_of_panels(&s->queries.full, first + i, &s->points.full, s->count,
                          room->products + (size_t)i * STRIDE);
    float limit = limit_of(s, &r, room->upper);
    for (int t = 0; t * TILE < s->count; t++)
        if (dense[t]) {
            search_tile(s, &r, t * TILE, &limit);
        } else {
            row shorts = row_of_shorts(s, first + i);
            search_left(s, &shorts, t * TILE, room->left + list_of(i, t), room->sums + list_of(i, t),
                        room->count[i * TILES + t]);
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
    for (int i = 0; i < rows && !stopped(s); i++)
        search_row(s, first, i, dense, room);
}
