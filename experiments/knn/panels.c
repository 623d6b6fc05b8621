#include "panels.h"

#include <math.h>
#include <stdlib.h>

#include "framework/kernels/kernels.h"
#include "framework/memory.h"

static size_t panel_size(void) {
    return (size_t)nn_kernels_active()->point->panel;
}

bool exp_panels_new(exp_panels *p, int count, int dims, int group) {
    size_t points = ((size_t)count + (size_t)group - 1) / (size_t)group * (size_t)group, values, bytes;
    *p = (exp_panels){.dims = (dims + NN_POINT_MULTIPLE - 1) / NN_POINT_MULTIPLE * NN_POINT_MULTIPLE,
                      .group = group};
    if (!nn_multiply(points, (size_t)p->dims, &values) || !nn_multiply(values, sizeof(float), &bytes))
        return false;
    p->values = nn_memory_new(bytes);
    p->norm = calloc(points, sizeof *p->norm);
    return p->values && p->norm;
}

void exp_panels_free(exp_panels *p) {
    free(p->values);
    free(p->norm);
    *p = (exp_panels){0};
}

float *exp_panels_point(const exp_panels *p, int i) {
    return p->values + (size_t)(i / p->group) * (size_t)p->group * (size_t)p->dims +
           (size_t)(i % p->group) * panel_size();
}

size_t exp_panels_step(const exp_panels *p) {
    return (size_t)p->group * panel_size();
}

void exp_panels_center(exp_panels *p, int count, int dims, const float *x, const double *mean, double scale) {
    const size_t panel = panel_size(), step = exp_panels_step(p), n = (size_t)dims;
#pragma omp parallel for num_threads(nn_threads()) schedule(static)
    for (int i = 0; i < count; i++) {
        const float *from = x + (size_t)i * n;
        float *to = exp_panels_point(p, i);
        double square = 0;
        for (size_t first = 0; first < n; first += panel, to += step)
            for (size_t k = first; k < first + panel && k < n; k++) {
                to[k - first] = (float)((from[k] - mean[k]) * scale);
                square += (double)to[k - first] * to[k - first];
            }
        p->norm[i] = (float)sqrt(square);
    }
}

void exp_panels_multiply(const exp_panels *a, int a_first, int rows, const exp_panels *b, int b_first,
                         int columns, int slice, float *products, int stride) {
    int dims = a->dims - slice < EXP_PANELS_SLICE ? a->dims - slice : EXP_PANELS_SLICE;
    nn_kernels_active()->point->dots(
        rows, columns, dims, exp_panels_point(a, a_first) + (size_t)slice * (size_t)a->group,
        (int)exp_panels_step(a), exp_panels_point(b, b_first) + (size_t)slice * (size_t)b->group,
        (int)exp_panels_step(b), false, slice > 0, products, stride);
}

double exp_panels_error(int dims) {
    int slices = (dims + EXP_PANELS_SLICE - 1) / EXP_PANELS_SLICE;
    return (double)((dims < EXP_PANELS_SLICE ? dims : EXP_PANELS_SLICE) + slices) * 0x1p-24;
}
