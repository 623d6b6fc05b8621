#include "contrast.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "framework/kernels/kernels.h"

static nn_snnl_points points_of(const exp_gan_contrast *c) {
    return (nn_snnl_points){.count = 2 * c->count, .dims = c->dims, .x32 = c->x, .labels = c->labels};
}

nn_status exp_gan_contrast_new(exp_gan_contrast *c, int count, size_t dims, bool gradient, nn_error *error) {
    *c = (exp_gan_contrast){.count = count, .dims = dims <= INT_MAX ? (int)dims : 0};
    size_t all = 2 * (size_t)count * dims;
    size_t bytes = c->dims ? nn_snnl_workspace(2 * count, c->dims, false) : 0;
    c->x = calloc(all, sizeof *c->x);
    c->gradient = gradient ? calloc(all, sizeof *c->gradient) : NULL;
    c->labels = calloc(2 * (size_t)count, sizeof *c->labels);
    c->workspace = bytes ? aligned_alloc(64, (bytes + 63) / 64 * 64) : NULL;
    if (!c->x || (gradient && !c->gradient) || !c->labels || !c->workspace)
        return nn_fail_memory(error, "the soft nearest neighbor loss of real and generated examples");
    for (int i = 0; i < count; i++)
        c->labels[count + i] = 1;
    return NN_OK;
}

void exp_gan_contrast_free(exp_gan_contrast *c) {
    free(c->x);
    free(c->gradient);
    free(c->labels);
    free(c->workspace);
    *c = (exp_gan_contrast){0};
}

static size_t half_of(const exp_gan_contrast *c) {
    return (size_t)c->count * (size_t)c->dims;
}

float *exp_gan_contrast_real(const exp_gan_contrast *c) {
    return c->x;
}

float *exp_gan_contrast_generated(const exp_gan_contrast *c) {
    return c->x + half_of(c);
}

void exp_gan_contrast_set(exp_gan_contrast *c, const float *real, const float *generated) {
    memcpy(exp_gan_contrast_real(c), real, half_of(c) * sizeof *real);
    memcpy(exp_gan_contrast_generated(c), generated, half_of(c) * sizeof *generated);
}

nn_status exp_gan_contrast_measure(exp_gan_contrast *c, nn_error *error) {
    if (!nn_kernels_active()->vector->finite(2 * half_of(c), c->x))
        return nn_fail(error, NN_ENUMERIC, "generated examples are NaN or infinite");
    nn_snnl_points points = points_of(c);
    nn_snnl_begin(&points, c->workspace);
    c->result = nn_snnl_optimal(&points, c->workspace);
    return NN_OK;
}

/* Mean of |x_i - x_j|^2 over all pairs of real examples i, j: twice their variance, summed over dimensions. */
static double real_distance(const exp_gan_contrast *c) {
    const float *x = exp_gan_contrast_real(c);
    double total = 0;
    for (int d = 0; d < c->dims; d++) {
        double sum = 0, squares = 0;
        for (int i = 0; i < c->count; i++) {
            double value = x[(size_t)i * (size_t)c->dims + (size_t)d];
            sum += value;
            squares += value * value;
        }
        total += squares / c->count - sum * sum / c->count / c->count;
    }
    return total > 0 ? 2 * total : 1;
}

nn_status exp_gan_contrast_follow(exp_gan_contrast *c, const double *temperatures, int count,
                                  const float **gradient, nn_error *error) {
    nn_snnl_points points = points_of(c);
    double unit = count ? real_distance(c) : 0, sum = 0;
    *gradient = c->gradient + half_of(c);
    if (exp_gan_contrast_measure(c, error) != NN_OK)
        return error->status;
    if (count == 0)
        nn_snnl_gradient(&points, c->workspace, &c->result, 1, false, c->gradient);
    for (int i = 0; i < count; i++) {
        if (i > 0)
            nn_snnl_begin(&points, c->workspace);
        c->result = nn_snnl_at(&points, c->workspace, unit * temperatures[i]);
        nn_snnl_gradient(&points, c->workspace, &c->result, 1.0 / count, i > 0, c->gradient);
        sum += c->result.value / count;
    }
    if (count)
        c->result.value = sum;
    return NN_OK;
}
