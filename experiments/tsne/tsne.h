/* tsne.h - t-SNE: points in the plane whose neighbourhoods resemble those of points in many dimensions.
 *
 *   p_j|i = exp(-b_i |x_i - x_j|^2) / sum over k != i of exp(-b_i |x_i - x_k|^2),   b_i by the perplexity
 *   p_ij = (p_j|i + p_i|j) / 2n,   w_ij = 1 / (1 + |y_i - y_j|^2),   q_ij = w_ij / sum over k != l of w_kl
 *   KL(y) = sum over i != j of p_ij log(p_ij / q_ij),   minimised by gradient descent
 *
 * (van der Maaten and Hinton, "Visualizing Data using t-SNE", JMLR 9, 2008.) Many points are embedded by the
 * Barnes-Hut approximation: p_j|i over the nearest neighbours only, and cells of a quadtree in place of far
 * points (van der Maaten, "Accelerating t-SNE using Tree-Based Algorithms", JMLR 15, 2014).
 *
 * Results are the same bits for every number of threads. */
#ifndef EXP_TSNE_H
#define EXP_TSNE_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "framework/error.h"

typedef enum exp_tsne_start {
    EXP_TSNE_PRINCIPAL, /* the two principal components of x, scaled to a deviation of 1e-4 */
    EXP_TSNE_RANDOM     /* normal numbers of deviation 1e-4 */
} exp_tsne_start;

typedef struct exp_tsne_options {
    double perplexity; /* effective number of neighbours: 1..exp_tsne_largest_perplexity(count) */
    double theta;     /* a cell stands for its points when its side is below theta times its distance; 0..1 */
    int exact_points; /* up to so many points, and at theta 0, every pair is computed */
    int iterations;
    double exaggeration; /* of p_ij in the first iterations, at momentum 0.5; 0.8 follows */
    int exaggerated_iterations;
    double rate; /* learning rate; 0: max(count / exaggeration / 4, 50) */
    exp_tsne_start start;
    uint64_t seed; /* of a random start */
    /* Called, unless NULL, after every report_every iterations and after the last one, with the iterations done so
     * far and the divergence, which is never that of exaggerated p_ij. */
    void (*report)(void *context, int iterations, double kl);
    void *context;
    int report_every;
    const volatile sig_atomic_t *stop; /* once it is not 0 the call ends early, in order; may be NULL */
} exp_tsne_options;

/* Perplexity 30, theta 0.5, exact up to 2,000 points, 1,000 iterations, the first 250 exaggerated by 12, rate as
 * above, from the principal components. */
extern const exp_tsne_options exp_tsne_defaults;

/* (count - 1) / 3: three times the perplexity's number of neighbours must exist. */
double exp_tsne_largest_perplexity(int count);

/* Whether every pair of so many points is computed. */
bool exp_tsne_is_exact(const exp_tsne_options *options, int count);

/* Embeds x [count][dims] into y [count][2], centred. *kl is the divergence at y: of the sparse p_ij, with the
 * approximate sum of w, unless all pairs were computed. A call that was stopped before its first iteration
 * reports nothing and leaves *kl NaN. NN_EARGUMENT for options out of range, NN_ENUMERIC where x is not finite or
 * the descent leaves the range of numbers. */
nn_status exp_tsne(const exp_tsne_options *options, int count, int dims, const float *x, double *y,
                   double *kl, nn_error *error);

/* KL(y) for given p [count][count], symmetric with a zero diagonal and a sum of 1, and its gradient [count][2]:
 *   d KL / d y_i = 4 sum over j of (p_ij - q_ij) w_ij (y_i - y_j) */
nn_status exp_tsne_gradient(int count, const float *p, const double *y, double *kl, double *gradient,
                            nn_error *error);

#endif
