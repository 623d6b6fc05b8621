#include "points.h"

#include <math.h>
#include <stdlib.h>

/* Beyond, squares of distances overflow. */
static const double largest_coordinate = 1e150;

static nn_snnl_points as_snnl(const exp_toy_points *p) {
    return (nn_snnl_points){
        .count = p->count, .dims = 2, .x64 = p->x, .labels = p->labels, .distance = NN_EUCLIDEAN};
}

static void draw(exp_toy_points *p, double apart, uint64_t seed) {
    nn_stream labels = nn_stream_named(seed, "toy/labels"), points = nn_stream_named(seed, "toy/points");
    for (int i = 0; i < p->count; i++) {
        p->labels[i] = (int32_t)nn_random_below(&labels, (uint32_t)p->classes);
        double angle = 2 * M_PI * p->labels[i] / p->classes;
        p->x[2 * i] = apart * cos(angle) + nn_random_normal(&points);
        p->x[2 * i + 1] = apart * sin(angle) + nn_random_normal(&points);
    }
}

nn_status exp_toy_points_new(exp_toy_points *points, int count, int classes, double apart, uint64_t seed,
                             nn_error *error) {
    *points = (exp_toy_points){.count = count, .classes = classes};
    size_t bytes = nn_snnl_workspace(count, 2, true), n = (size_t)count;
    points->x = calloc(2 * n, sizeof *points->x);
    points->gradient = calloc(2 * n, sizeof *points->gradient);
    points->labels = calloc(n, sizeof *points->labels);
    points->workspace = bytes ? aligned_alloc(64, (bytes + 63) / 64 * 64) : NULL;
    if (!points->x || !points->gradient || !points->labels || !points->workspace)
        return nn_fail_memory(error, "the points: use fewer of them");
    draw(points, apart, seed);
    if (exp_toy_points_measure(points, 1).usable == 0)
        return nn_fail(error, NN_EARGUMENT,
                       "--points: none of %d points shares its class with another: use more points or fewer "
                       "--classes",
                       count);
    return NN_OK;
}

void exp_toy_points_free(exp_toy_points *points) {
    free(points->x);
    free(points->gradient);
    free(points->labels);
    free(points->workspace);
    *points = (exp_toy_points){0};
}

nn_snnl_result exp_toy_points_measure(exp_toy_points *p, double temperature) {
    nn_snnl_points points = as_snnl(p);
    nn_snnl_begin(&points, p->workspace);
    nn_snnl_result measured = temperature > 0 ? nn_snnl_at(&points, p->workspace, temperature)
                                              : nn_snnl_optimal(&points, p->workspace);
    nn_snnl_gradient(&points, p->workspace, &measured, 1, false, p->gradient);
    return measured;
}

nn_status exp_toy_points_move(exp_toy_points *p, const nn_snnl_result *measured, double rate,
                              nn_error *error) {
    double step = rate * measured->temperature * measured->usable;
    for (size_t i = 0; i < 2 * (size_t)p->count; i++) {
        p->x[i] += step * p->gradient[i];
        if (!(fabs(p->x[i]) < largest_coordinate))
            return nn_fail(
                error, NN_ENUMERIC,
                "the points fly apart beyond all bounds: lower --lr, or use --temperature optimal");
    }
    return NN_OK;
}
