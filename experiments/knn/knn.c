#include "knn.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>

#include "framework/kernels/kernels.h"
#include "search.h"
#include "sketch.h"

enum { BLOCK = EXP_SEARCH_BLOCK, SKETCHED_QUERIES = 512, SKETCHED_DIMS = 1024 };

struct exp_knn {
    exp_search search;
    double *mean; /* [dims], of the queries */
    exp_sketch sketch;
    bool sketched;
    exp_search_room *rooms; /* [threads] */
    int threads;
};

static bool stopped(const exp_knn *s) {
    return s->search.o.stop && *s->search.o.stop;
}

static int smaller(int a, int b) {
    return a < b ? a : b;
}

/* --- the queries ---------------------------------------------------------------------------------------- */

/* The queries' mean, and the power of two that makes their largest coordinate about 1. The same sums for every number
 * of threads: a coordinate is one thread's. */
static void find_mean(exp_knn *s) {
    const exp_knn_options *o = &s->search.o;
    size_t dims = (size_t)o->dims, queries = (size_t)o->queries;
    double largest = 0;
#pragma omp parallel for num_threads(nn_threads()) schedule(static) reduction(max : largest)
    for (size_t first = 0; first < dims; first += EXP_PANELS_SLICE) {
        size_t end = first + EXP_PANELS_SLICE < dims ? first + EXP_PANELS_SLICE : dims;
        for (size_t i = 0; i < queries; i++)
            for (size_t k = first; k < end; k++)
                s->mean[k] += o->x[i * dims + k];
        for (size_t k = first; k < end; k++)
            s->mean[k] /= o->queries;
        for (size_t i = 0; i < queries; i++)
            for (size_t k = first; k < end; k++)
                largest = fmax(largest, fabs(o->x[i * dims + k] - s->mean[k]));
    }
    s->search.scale = largest > 0 ? ldexp(1, -ilogb(largest) - 1) : 1;
}

static nn_status check_finite(int count, int dims, const float *x, nn_error *error) {
    int wrong = count;
#pragma omp parallel for num_threads(nn_threads()) schedule(static) reduction(min : wrong)
    for (int i = 0; i < count; i++)
        if (!nn_kernels_active()->vector->finite((size_t)dims, x + (size_t)i * (size_t)dims))
            wrong = smaller(wrong, i);
    return wrong == count
               ? NN_OK
               : nn_fail(error, NN_ENUMERIC,
                         "nearest neighbours: row %d of the points has a NaN or an infinity", wrong);
}

static bool view_new(exp_view *view, int count, int dims, int group, bool sketched) {
    bool made = exp_panels_new(&view->full, count, dims, group);
    if (sketched) {
        view->slack = calloc((size_t)count, sizeof *view->slack);
        made = made && view->slack && exp_panels_new(&view->sketch, count, EXP_SKETCH_DIMS, group) &&
               exp_shorts_new(&view->shorts, count, &view->full);
    }
    return made;
}

static void view_free(exp_view *view) {
    exp_panels_free(&view->full);
    exp_panels_free(&view->sketch);
    exp_shorts_free(&view->shorts);
    free(view->slack);
}

/* What stands for the points that view->full has. */
static void make_images(const exp_knn *s, exp_view *view, int count) {
    exp_sketch_make(&s->sketch, &view->full, count, &view->sketch, view->slack);
    exp_shorts_make(&view->shorts, &view->full, count);
}

/* Queries that are looked at together: as many as fit a thread's cache, but work for every thread. */
static int group_size(int queries, int threads) {
    int rounds = (queries + threads * EXP_SEARCH_ROWS - 1) / (threads * EXP_SEARCH_ROWS);
    int each = (queries + rounds * threads - 1) / (rounds * threads);
    return (each + EXP_SKETCH_CHUNK - 1) / EXP_SKETCH_CHUNK * EXP_SKETCH_CHUNK;
}

/* --- the search ----------------------------------------------------------------------------------------- */

static bool allocate(exp_knn *s) {
    exp_search *search = &s->search;
    const exp_knn_options *o = &search->o;
    size_t entries;
    if (!nn_multiply((size_t)o->queries, (size_t)o->nearest, &entries))
        return false;
    s->threads = nn_threads();
    s->mean = calloc((size_t)o->dims, sizeof *s->mean);
    search->best = calloc(entries, sizeof *search->best);
    search->found = calloc((size_t)o->queries, sizeof *search->found);
    s->rooms = calloc((size_t)s->threads, sizeof *s->rooms);
    bool made = s->mean && search->best && search->found && s->rooms;
    for (int t = 0; t < s->threads && made; t++)
        made = exp_search_room_new(&s->rooms[t], s->sketched);
    return made &&
           view_new(&search->queries, o->queries, o->dims, group_size(o->queries, s->threads), s->sketched) &&
           view_new(&search->points, BLOCK, o->dims, EXP_SEARCH_TILE, s->sketched);
}

/* Whether it all fitted into the memory. */
static bool start(exp_knn *s) {
    const exp_knn_options *o = &s->search.o;
    exp_view *queries = &s->search.queries;
    if (!allocate(s))
        return false;
    find_mean(s);
    exp_panels_center(&queries->full, o->queries, o->dims, o->x, s->mean, s->search.scale);
    if (!s->sketched)
        return true;
    if (!exp_sketch_new(&s->sketch, &queries->full, o->queries))
        return false;
    queries->shorts.unit = s->search.points.shorts.unit = exp_shorts_unit(&queries->full, o->queries);
    make_images(s, queries, o->queries);
    return true;
}

nn_status exp_knn_new(exp_knn **knn, const exp_knn_options *options, nn_error *error) {
    exp_knn *s = *knn = NULL;
    nn_status status = check_finite(options->queries, options->dims, options->x, error);
    if (status != NN_OK)
        return status;
    s = calloc(1, sizeof *s);
    if (s) {
        s->search.o = *options;
        s->sketched = options->queries >= SKETCHED_QUERIES && options->dims >= SKETCHED_DIMS;
    }
    if (!s || !start(s)) {
        exp_knn_free(s);
        return nn_fail_memory(error, "the search for nearest neighbours");
    }
    *knn = s;
    return NN_OK;
}

/* At most BLOCK points. */
static void add_block(exp_knn *s, int count, const float *points) {
    exp_search *search = &s->search;
    exp_panels_center(&search->points.full, count, search->o.dims, points, s->mean, search->scale);
    if (s->sketched)
        make_images(s, &search->points, count);
    search->count = count;
    search->x = points;
#pragma omp parallel for num_threads(s->threads) schedule(dynamic)
    for (int first = 0; first < search->o.queries; first += search->queries.full.group)
        exp_search_group(search, first, &s->rooms[omp_get_thread_num()]);
    search->added += count;
}

nn_status exp_knn_add(exp_knn *s, int count, const float *points, nn_error *error) {
    size_t dims = (size_t)s->search.o.dims;
    nn_status status = check_finite(count, s->search.o.dims, points, error);
    for (int first = 0; status == NN_OK && first < count && !stopped(s); first += BLOCK)
        add_block(s, smaller(BLOCK, count - first), points + (size_t)first * dims);
    return status;
}

void exp_knn_take(exp_knn *s, int32_t *index, double *distance) {
    const exp_search *search = &s->search;
    int nearest = search->o.nearest;
#pragma omp parallel for num_threads(nn_threads()) schedule(static)
    for (int i = 0; i < search->o.queries; i++) {
        size_t place = (size_t)i * (size_t)nearest;
        exp_best_sort(search->best + place, search->found[i]);
        for (int k = 0; k < nearest; k++, place++) {
            exp_neighbor one = k < search->found[i] ? search->best[place] : (exp_neighbor){INFINITY, -1};
            if (index)
                index[place] = one.index;
            if (distance)
                distance[place] = one.distance;
        }
    }
}

void exp_knn_free(exp_knn *s) {
    if (!s)
        return;
    for (int t = 0; s->rooms && t < s->threads; t++)
        exp_search_room_free(&s->rooms[t]);
    free(s->rooms);
    view_free(&s->search.queries);
    view_free(&s->search.points);
    exp_sketch_free(&s->sketch);
    free(s->search.best);
    free(s->search.found);
    free(s->mean);
    free(s);
}
