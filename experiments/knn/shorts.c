#include "shorts.h"

#include <math.h>
#include <stdlib.h>

#include "framework/kernels/kernels.h"
#include "framework/memory.h"

enum { SLICE = EXP_SHORTS_SLICE, LONGEST = INT16_MAX };

bool exp_shorts_new(exp_shorts *s, int count, const exp_panels *points) {
    size_t group = (size_t)points->group, all = ((size_t)count + group - 1) / group * group, values;
    *s = (exp_shorts){.dims = points->dims, .group = points->group, .unit = 1};
    if (!nn_multiply(all, (size_t)s->dims, &values) || !nn_multiply(values, sizeof *s->values, &values))
        return false;
    s->values = nn_memory_new(values);
    s->norm = calloc(all, sizeof *s->norm);
    s->slack = calloc(all, sizeof *s->slack);
    return s->values && s->norm && s->slack;
}

void exp_shorts_free(exp_shorts *s) {
    free(s->values);
    free(s->norm);
    free(s->slack);
    *s = (exp_shorts){0};
}

double exp_shorts_unit(const exp_panels *points, int count) {
    float longest = 0;
    for (int i = 0; i < count; i++)
        longest = fmaxf(longest, points->norm[i]);
    return longest > 0 ? ldexp(1, ilogbf(longest) + 1 - 15) : 1;
}

/* A point's part of a slice; what is behind the last dimension is zero already. */
static int16_t *part(const exp_shorts *s, int i, int slice, int *dims) {
    size_t group = (size_t)s->group;
    *dims = s->dims - slice < SLICE ? s->dims - slice : SLICE;
    return s->values + (size_t)(i / s->group) * group * (size_t)s->dims + (size_t)slice * group +
           (size_t)(i % s->group) * (size_t)*dims;
}

static void clear(exp_shorts *s, int i) {
    for (int slice = 0, dims; slice < s->dims; slice += SLICE) {
        int16_t *to = part(s, i, slice, &dims);
        for (int k = 0; k < dims; k++)
            to[k] = 0;
    }
}

/* The kernels' sums are of single precision. */
static void make_point(exp_shorts *s, const exp_panels *points, int i) {
    const nn_point_kernels *kernels = nn_kernels_active()->point;
    const float *from = exp_panels_point(points, i);
    double square = 0, off = 0, length = points->norm[i] / s->unit;
    bool fits = length < LONGEST;
    for (int slice = 0, dims; slice < s->dims && fits; slice += SLICE) {
        int16_t *to = part(s, i, slice, &dims);
        off += kernels->shorten(dims, (float)(1 / s->unit), from + (size_t)slice * (size_t)points->group,
                                (int)exp_panels_step(points), to, &square);
    }
    fits = fits && square < (double)LONGEST * LONGEST;
    if (!fits)
        clear(s, i);
    s->norm[i] = fits ? (float)sqrt(square) : 0;
    s->slack[i] = (float)((fits ? sqrt(off) : length) * (1 + SLICE * 0x1p-23));
}

void exp_shorts_make(exp_shorts *s, const exp_panels *points, int count) {
#pragma omp parallel for num_threads(nn_threads()) schedule(static)
    for (int i = 0; i < count; i++)
        make_point(s, points, i);
}

void exp_shorts_multiply(const exp_shorts *a, int i, const exp_shorts *b, int b_first, int count,
                         const uint16_t *which, int slice, float *products) {
    int dims;
    const int16_t *one = part(a, i, slice, &dims);
    nn_kernels_active()->point->chosen_shorts(count, which, dims, one, part(b, b_first, slice, &dims),
                                              slice > 0, products);
}

/* Each slice's product is rounded, and added. */
double exp_shorts_error(int dims) {
    return (double)((dims + SLICE - 1) / SLICE * 2) * 0x1p-24;
}
