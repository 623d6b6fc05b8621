/* tsne.c - the descent of t-SNE.
 *
 * Everything is in double precision but the stored affinities, which stay as they are: distances within a tight
 * cluster far from the middle keep their digits, and the gradient can be checked by finite differences.
 *
 * Momentum, gains and their constants are van der Maaten and Hinton's (2008); exaggeration 12 over 250 iterations is
 * van der Maaten's (2014); the learning rate that grows with the number of points is that of Belkina et al.,
 * "Automated optimized parameters for t-distributed stochastic neighbor embedding", Nature Communications 10, 2019,
 * a quarter of theirs, for a gradient that keeps its factor of 4, and at least 50, as in scikit-learn. */
#include "tsne.h"

#include <math.h>
#include <stdlib.h>

#include "framework/kernels/kernels.h"
#include "framework/random.h"
#include "parts.h"

const exp_tsne_options exp_tsne_defaults = {.perplexity = 30,
                                            .theta = 0.5,
                                            .exact_points = 2000,
                                            .iterations = 1000,
                                            .exaggeration = 12,
                                            .exaggerated_iterations = 250,
                                            .start = EXP_TSNE_PRINCIPAL,
                                            .report_every = 50};

static const double start_deviation = 1e-4;
static const double least_gain = 0.01;

typedef struct descent {
    const exp_tsne_options *options;
    int count;
    double rate;
    float *dense; /* p_ij of all pairs, or */
    exp_tsne_sparse sparse;
    exp_tsne_tree *tree;
    double *memory;          /* of what follows: [2][count] each */
    double *y, *step, *gain; /* first coordinates, then second ones */
    double *attraction, *repulsion;
    double *rows; /* [count] */
} descent;

double exp_tsne_largest_perplexity(int count) {
    return (count - 1) / 3.0;
}

bool exp_tsne_is_exact(const exp_tsne_options *options, int count) {
    return count <= options->exact_points || options->theta == 0;
}

static bool stopped(const exp_tsne_options *options) {
    return options->stop && *options->stop;
}

/* --- checks --------------------------------------------------------------------------------------------- */

static nn_status check(const exp_tsne_options *o, int count, int dims, const float *x, nn_error *error) {
    double largest = exp_tsne_largest_perplexity(count);
    if (count < 4 || dims < 1)
        return nn_fail(error, NN_EARGUMENT, "%d points of %d dimensions cannot be embedded: at least 4 of 1",
                       count, dims);
    if (!(o->perplexity >= 1))
        return nn_fail(error, NN_EARGUMENT, "a perplexity of %g: it must be at least 1", o->perplexity);
    if (!(o->perplexity <= largest))
        return nn_fail(
            error, NN_EARGUMENT,
            "a perplexity of %g needs at least %.0f points; the largest possible one for %d points is %.4g",
            o->perplexity, ceil(3 * o->perplexity) + 1, count, floor(largest * 100) / 100);
    if (!(o->theta >= 0 && o->theta <= 1))
        return nn_fail(error, NN_EARGUMENT, "a theta of %g: it must be from 0 to 1", o->theta);
    if (o->iterations < 1 || !(o->exaggeration >= 1) || !(o->rate >= 0) || !isfinite(o->rate))
        return nn_fail(error, NN_EARGUMENT,
                       "iterations and exaggeration must be at least 1, the rate at least 0");
    for (size_t k = 0; k < (size_t)count * (size_t)dims; k++)
        if (!isfinite(x[k]))
            return nn_fail(error, NN_ENUMERIC, "point %zu has a feature that is %s; remove it first",
                           k / (size_t)dims, isnan(x[k]) ? "NaN" : "infinite");
    return NN_OK;
}

/* --- start ---------------------------------------------------------------------------------------------- */

static double deviation(int count, const double *values) {
    double mean = 0, square = 0;
    for (int i = 0; i < count; i++)
        mean += values[i] / count;
    for (int i = 0; i < count; i++)
        square += (values[i] - mean) * (values[i] - mean) / count;
    return sqrt(square);
}

/* Components are scaled alike; where one has no variance to speak of the points would never leave the line, so random
 * numbers stand in for it. */
static nn_status begin_positions(descent *d, int dims, const float *x, nn_error *error) {
    bool principal = d->options->start == EXP_TSNE_PRINCIPAL;
    nn_stream stream = nn_stream_named(d->options->seed, "tsne/start");
    if (principal && exp_tsne_principal(d->count, dims, x, d->y, error) != NN_OK)
        return error->status;
    double first = principal ? deviation(d->count, d->y) : 0;
    for (int axis = 0; axis < 2; axis++) {
        double *along = d->y + (size_t)axis * (size_t)d->count;
        bool usable = principal && deviation(d->count, along) > 1e-6 * first && isfinite(first);
        for (int i = 0; i < d->count; i++)
            along[i] = start_deviation * (usable ? along[i] / first : (double)nn_random_normal(&stream));
    }
    return NN_OK;
}

static nn_status begin_dense(descent *d, int dims, const float *x, nn_error *error) {
    const exp_tsne_options *o = d->options;
    size_t pairs;
    d->dense =
        nn_multiply((size_t)d->count, (size_t)d->count, &pairs) ? calloc(pairs, sizeof *d->dense) : NULL;
    if (!d->dense)
        return nn_fail(error, NN_EMEMORY, "not enough memory for all pairs of %d points: use a theta above 0",
                       d->count);
    nn_status status = exp_tsne_distances(d->count, dims, x, o->stop, d->dense, error);
    if (status == NN_OK && !stopped(o))
        status = exp_tsne_dense(d->count, d->dense, o->perplexity, error);
    return status;
}

static nn_status begin_sparse(descent *d, int dims, const float *x, nn_error *error) {
    const exp_tsne_options *o = d->options;
    int nearest = (int)(3 * o->perplexity);
    size_t entries = (size_t)d->count * (size_t)nearest;
    int32_t *index = calloc(entries, sizeof *index);
    double *distance = calloc(entries, sizeof *distance);
    nn_status status = index && distance ? exp_tsne_tree_new(&d->tree, d->count, error)
                                         : nn_fail_memory(error, "the nearest neighbours");
    if (status == NN_OK)
        status = exp_tsne_neighbors(d->count, dims, x, nearest, o->stop, index, distance, error);
    if (status == NN_OK && !stopped(o))
        status = exp_tsne_sparse_new(&d->sparse, d->count, nearest, index, distance, o->perplexity, error);
    free(index);
    free(distance);
    return status;
}

static nn_status begin(descent *d, int dims, const float *x, nn_error *error) {
    const exp_tsne_options *o = d->options;
    size_t n = (size_t)d->count;
    double **const parts[] = {&d->y, &d->step, &d->gain, &d->attraction, &d->repulsion, &d->rows};
    d->rate = o->rate > 0 ? o->rate : fmax(d->count / o->exaggeration / 4, 50);
    d->memory = calloc(2 * n * (sizeof parts / sizeof *parts), sizeof *d->memory);
    if (!d->memory)
        return nn_fail_memory(error, "the embedding");
    for (size_t k = 0; k < sizeof parts / sizeof *parts; k++)
        *parts[k] = d->memory + 2 * n * k;
    for (size_t k = 0; k < 2 * n; k++)
        d->gain[k] = 1;
    nn_status status = begin_positions(d, dims, x, error);
    if (status == NN_OK && !stopped(o))
        status =
            exp_tsne_is_exact(o, d->count) ? begin_dense(d, dims, x, error) : begin_sparse(d, dims, x, error);
    return status;
}

static void end(descent *d) {
    exp_tsne_sparse_free(&d->sparse);
    exp_tsne_tree_free(d->tree);
    free(d->dense);
    free(d->memory);
}

/* --- iterations ----------------------------------------------------------------------------------------- */

/* Returns the sum of w. */
static double find_forces(descent *d) {
    if (d->dense)
        return exp_tsne_dense_forces(d->count, d->dense, d->y, d->attraction, d->repulsion, d->rows);
    exp_tsne_sparse_attraction(&d->sparse, d->y, d->attraction);
    return exp_tsne_tree_repulsion(d->tree, d->y, d->options->theta, d->repulsion);
}

static double divergence(descent *d, double w_sum) {
    return log(w_sum) + (d->dense ? exp_tsne_dense_divergence(d->count, d->dense, d->y, d->rows)
                                  : exp_tsne_sparse_divergence(&d->sparse, d->y, d->rows));
}

static double gradient_at(const descent *d, size_t k, double exaggeration, double w_sum) {
    return 4 * (exaggeration * d->attraction[k] - d->repulsion[k] / w_sum);
}

/* Positions take a step and are centred again. */
static void move(descent *d, double exaggeration, double momentum, double w_sum) {
    for (int axis = 0; axis < 2; axis++) {
        size_t first = (size_t)axis * (size_t)d->count, last = first + (size_t)d->count;
        double mean = 0;
        for (size_t k = first; k < last; k++) {
            double gradient = gradient_at(d, k, exaggeration, w_sum);
            d->gain[k] = fmax(gradient * d->step[k] < 0 ? d->gain[k] + 0.2 : d->gain[k] * 0.8, least_gain);
            d->step[k] = momentum * d->step[k] - d->rate * d->gain[k] * gradient;
            d->y[k] += d->step[k];
            mean += d->y[k] / d->count;
        }
        for (size_t k = first; k < last; k++)
            d->y[k] -= mean;
    }
}

static nn_status descend(descent *d, double *kl, nn_error *error) {
    const exp_tsne_options *o = d->options;
    int done = 0;
    for (bool last = stopped(o); !last;) {
        bool early = done < o->exaggerated_iterations;
        move(d, early ? o->exaggeration : 1, early ? 0.5 : 0.8, find_forces(d));
        done++;
        last = done == o->iterations || stopped(o);
        if (!last && !(o->report && o->report_every > 0 && done % o->report_every == 0))
            continue;
        *kl = divergence(d, find_forces(d));
        if (!isfinite(*kl))
            return nn_fail(
                error, NN_ENUMERIC,
                "the descent has left the range of numbers after %d iterations: lower the learning rate",
                done);
        if (o->report)
            o->report(o->context, done, *kl);
    }
    return NN_OK;
}

nn_status exp_tsne(const exp_tsne_options *options, int count, int dims, const float *x, double *y,
                   double *kl, nn_error *error) {
    descent d = {.options = options, .count = count};
    *kl = NAN;
    nn_status status = check(options, count, dims, x, error);
    if (status == NN_OK)
        status = begin(&d, dims, x, error);
    if (status == NN_OK)
        status = descend(&d, kl, error);
    for (size_t i = 0; i < (size_t)count && status == NN_OK; i++)
        for (size_t axis = 0; axis < 2; axis++)
            y[2 * i + axis] = d.y[axis * (size_t)count + i];
    end(&d);
    return status;
}

nn_status exp_tsne_gradient(int count, const float *p, const double *y, double *kl, double *gradient,
                            nn_error *error) {
    size_t n = (size_t)count;
    descent d = {.count = count, .memory = calloc(7 * n, sizeof *d.memory)};
    if (!d.memory)
        return nn_fail_memory(error, "the gradient");
    d.y = d.memory;
    d.attraction = d.memory + 2 * n;
    d.repulsion = d.memory + 4 * n;
    d.rows = d.memory + 6 * n;
    for (size_t i = 0; i < 2 * n; i++)
        d.y[i % 2 * n + i / 2] = y[i];
    double w_sum = exp_tsne_dense_forces(count, p, d.y, d.attraction, d.repulsion, d.rows);
    *kl = log(w_sum) + exp_tsne_dense_divergence(count, p, d.y, d.rows);
    for (size_t i = 0; i < 2 * n; i++)
        gradient[i] = gradient_at(&d, i % 2 * n + i / 2, 1, w_sum);
    free(d.memory);
    return NN_OK;
}
