/* tree.c - Barnes-Hut repulsion: far points act as the cells of a quadtree.
 *
 * A cell is the smallest box around its points and is split at its middle, so that no cell has one child only and
 * there are fewer than two cells for each point. Cells and points lie in depth-first order: a cell's subtree is a
 * range of either. The points of a leaf share one walk through the tree, which lists what acts on them: cells
 * whose side is below theta times their distance from the leaf's box, and single points. */
#include <math.h>
#include <omp.h>
#include <stdlib.h>

#include "framework/kernels/kernels.h"
#include "parts.h"

enum { LEAF = 32 }; /* points that are not split any further */

typedef struct cell {
    double low[2], high[2], center[2]; /* the box, and the mean of its points */
    double side;
    int first, count; /* its points, in the tree's order */
    int next;         /* the first cell that is not in its subtree */
} cell;

/* What acts on a leaf: `mass` points at a place, [capacity] of each. */
typedef struct sources {
    int count;
    double *first, *second, *mass;
} sources;

struct exp_tsne_tree {
    int count, cells, leaves, threads;
    cell *cell;      /* [2 * count] */
    int *leaf;       /* [count]: their cells */
    int *order;      /* [count]: the point at each place */
    int *spare;      /* [count] */
    double *place;   /* [2][count]: positions in the tree's order */
    double *sources; /* [threads][3][count] */
    double *rows;    /* [count]: each point's sum of w */
};

void exp_tsne_tree_free(exp_tsne_tree *t) {
    if (!t)
        return;
    free(t->cell);
    free(t->leaf);
    free(t->order);
    free(t->spare);
    free(t->place);
    free(t->sources);
    free(t->rows);
    free(t);
}

nn_status exp_tsne_tree_new(exp_tsne_tree **tree, int count, nn_error *error) {
    size_t n = (size_t)count;
    exp_tsne_tree *t = *tree = calloc(1, sizeof *t);
    if (!t)
        return nn_fail_memory(error, "the quadtree");
    *t = (exp_tsne_tree){.count = count,
                         .threads = nn_threads(),
                         .cell = calloc(2 * n, sizeof *t->cell),
                         .leaf = calloc(n, sizeof *t->leaf),
                         .order = calloc(n, sizeof *t->order),
                         .spare = calloc(n, sizeof *t->spare),
                         .place = calloc(2 * n, sizeof *t->place),
                         .rows = calloc(n, sizeof *t->rows)};
    t->sources = calloc((size_t)t->threads * 3 * n, sizeof *t->sources);
    if (t->cell && t->leaf && t->order && t->spare && t->place && t->sources && t->rows)
        return NN_OK;
    exp_tsne_tree_free(t);
    *tree = NULL;
    return nn_fail_memory(error, "the quadtree");
}

/* --- building ------------------------------------------------------------------------------------------- */

static cell make_cell(const exp_tsne_tree *t, const double *y, int first, int count) {
    cell c = {.low = {INFINITY, INFINITY}, .high = {-INFINITY, -INFINITY}, .first = first, .count = count};
    for (int axis = 0; axis < 2; axis++) {
        const double *along = y + (size_t)axis * (size_t)t->count;
        for (int k = first; k < first + count; k++) {
            double value = along[t->order[k]];
            c.low[axis] = fmin(c.low[axis], value);
            c.high[axis] = fmax(c.high[axis], value);
            c.center[axis] += value;
        }
        c.center[axis] /= count;
    }
    c.side = fmax(c.high[0] - c.low[0], c.high[1] - c.low[1]);
    return c;
}

/* Sorts a cell's points by quadrant, keeping their order within one; size[q] is how many there are in each. */
static void split(exp_tsne_tree *t, const double *y, const cell *c, int size[4]) {
    const double middle[2] = {c->low[0] + (c->high[0] - c->low[0]) / 2,
                              c->low[1] + (c->high[1] - c->low[1]) / 2};
    int done = c->first;
    for (int q = 0; q < 4; q++) {
        int before = done;
        for (int k = c->first; k < c->first + c->count; k++) {
            int point = t->order[k];
            if ((y[point] > middle[0]) + 2 * (y[t->count + point] > middle[1]) == q)
                t->spare[done++] = point;
        }
        size[q] = done - before;
    }
    for (int k = c->first; k < c->first + c->count; k++)
        t->order[k] = t->spare[k];
}

/* As deep as a double has bits: a cell's side halves, and points in one place share a leaf. */
/* NOLINTNEXTLINE(misc-no-recursion): see above */
static void build(exp_tsne_tree *t, const double *y, int first, int count) {
    int own = t->cells++, size[4] = {count};
    t->cell[own] = make_cell(t, y, first, count);
    if (count > LEAF)
        split(t, y, &t->cell[own], size);
    if (size[0] == count || size[1] == count || size[2] == count || size[3] == count) /* equal, perhaps */
        t->leaf[t->leaves++] = own;
    else
        for (int q = 0; q < 4; first += size[q++])
            if (size[q] > 0)
                build(t, y, first, size[q]);
    t->cell[own].next = t->cells;
}

static void grow(exp_tsne_tree *t, const double *y) {
    t->cells = t->leaves = 0;
    for (int i = 0; i < t->count; i++)
        t->order[i] = i;
    build(t, y, 0, t->count);
    for (int k = 0; k < t->count; k++) {
        t->place[k] = y[t->order[k]];
        t->place[t->count + k] = y[t->count + t->order[k]];
    }
}

/* --- repulsion ------------------------------------------------------------------------------------------ */

static void add_source(sources *s, double first, double second, double mass) {
    s->first[s->count] = first;
    s->second[s->count] = second;
    s->mass[s->count++] = mass;
}

static void add_points(const exp_tsne_tree *t, const cell *c, sources *s) {
    for (int k = c->first; k < c->first + c->count; k++)
        add_source(s, t->place[k], t->place[t->count + k], 1);
}

/* From a box to a place, 0 inside. */
static double square_distance(const cell *box, const double place[2]) {
    double u = fmax(0, fmax(box->low[0] - place[0], place[0] - box->high[0]));
    double v = fmax(0, fmax(box->low[1] - place[1], place[1] - box->high[1]));
    return u * u + v * v;
}

static void list_sources(const exp_tsne_tree *t, const cell *leaf, double theta, sources *s) {
    s->count = 0;
    for (int i = 0; i < t->cells;) {
        const cell *c = &t->cell[i];
        bool around = c->first <= leaf->first && leaf->first < c->first + c->count;
        if (!around && c->side * c->side < theta * theta * square_distance(leaf, c->center)) {
            add_source(s, c->center[0], c->center[1], c->count);
            i = c->next;
        } else {
            if (c->next == i + 1)
                add_points(t, c, s);
            i++;
        }
    }
}

/* The point at place k among its leaf's sources, of which it is one. */
static void repel(exp_tsne_tree *t, const sources *s, int k, double *repulsion) {
    double own[2] = {t->place[k], t->place[t->count + k]}, sum[3];
    int point = t->order[k];
    nn_kernels_active()->plane->masses(s->count, own, s->first, s->second, s->mass, sum);
    t->rows[point] = sum[0] - 1;
    repulsion[point] = sum[1];
    repulsion[t->count + point] = sum[2];
}

double exp_tsne_tree_repulsion(exp_tsne_tree *t, const double *y, double theta, double *repulsion) {
    size_t n = (size_t)t->count;
    grow(t, y);
#pragma omp parallel for num_threads(t->threads) schedule(dynamic, 4)
    for (int l = 0; l < t->leaves; l++) {
        double *memory = t->sources + (size_t)omp_get_thread_num() * 3 * n;
        sources s = {.first = memory, .second = memory + n, .mass = memory + 2 * n};
        const cell *leaf = &t->cell[t->leaf[l]];
        list_sources(t, leaf, theta, &s);
        for (int k = leaf->first; k < leaf->first + leaf->count; k++)
            repel(t, &s, k, repulsion);
    }
    double sum = 0;
    for (int i = 0; i < t->count; i++)
        sum += t->rows[i];
    return sum;
}
