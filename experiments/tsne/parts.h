/* parts.h - what t-SNE is made of (tsne.h has the formulas). Every part gives the same bits for every number
 * of threads. */
#ifndef EXP_TSNE_PARTS_H
#define EXP_TSNE_PARTS_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "framework/error.h"

/* --- neighbours (tsne_neighbors.c) ---------------------------------------------------------------------- */

/* The `nearest` (1..count - 1) nearest other points of each point, by squared Euclidean distance in double
 * precision, nearest first, of equal ones that of the lower index first: index and distance are [count][nearest].
 * Exact (experiments/knn/knn.h). Stops early once *stop is not 0 (NULL: never):
 * the outputs are then undefined. */
nn_status exp_tsne_neighbors(int count, int dims, const float *x, int nearest,
                             const volatile sig_atomic_t *stop, int32_t *index, double *distance,
                             nn_error *error);

/* All squared distances, [count][count], times a factor that puts them well inside the range of numbers. Stops as
 * above. */
nn_status exp_tsne_distances(int count, int dims, const float *x, const volatile sig_atomic_t *stop,
                             float *distance, nn_error *error);

/* --- affinities (tsne_affinities.c) --------------------------------------------------------------------- */

/* p_j|i of one point from its distances d to `count` others, which it replaces: their entropy is
 * log(perplexity), or, where more points than that are equally near, those share it evenly. */
void exp_tsne_conditional(int count, double *d, double perplexity);

/* Turns distances [count][count] into p_ij in place. */
nn_status exp_tsne_dense(int count, float *p, double perplexity, nn_error *error);

/* p_ij by rows: row i has the entries first[i]..first[i + 1] - 1, by ascending column. */
typedef struct exp_tsne_sparse {
    int count;
    size_t *first;
    int32_t *column;
    float *p;
} exp_tsne_sparse;

/* p_ij from the neighbours of each point, [count][nearest]; distance is overwritten. */
nn_status exp_tsne_sparse_new(exp_tsne_sparse *sparse, int count, int nearest, const int32_t *index,
                              double *distance, double perplexity, nn_error *error);
void exp_tsne_sparse_free(exp_tsne_sparse *sparse);

/* --- forces (tsne_forces.c, tsne_tree.c) ---------------------------------------------------------------- */

/* Positions are y = [2][count]: all first coordinates, then all second ones; so are forces. */

/* attraction_i = sum over j of p_ij w_ij (y_i - y_j); repulsion_i = sum over j != i of w_ij^2 (y_i - y_j);
 * returns the sum over i != j of w_ij. rows [count] is scratch. */
double exp_tsne_dense_forces(int count, const float *p, const double *y, double *attraction,
                             double *repulsion, double *rows);
void exp_tsne_sparse_attraction(const exp_tsne_sparse *sparse, const double *y, double *attraction);

/* sum over i != j of p_ij log(p_ij / w_ij): KL less the log of the sum of w. */
double exp_tsne_dense_divergence(int count, const float *p, const double *y, double *rows);
double exp_tsne_sparse_divergence(const exp_tsne_sparse *sparse, const double *y, double *rows);

/* A quadtree over at most so many points, made anew for each set of positions. */
typedef struct exp_tsne_tree exp_tsne_tree;
nn_status exp_tsne_tree_new(exp_tsne_tree **tree, int count, nn_error *error);
void exp_tsne_tree_free(exp_tsne_tree *tree); /* NULL is fine */

/* repulsion_i and the sum of w as above, with cells for far points: at theta 0 with none. */
double exp_tsne_tree_repulsion(exp_tsne_tree *tree, const double *y, double theta, double *repulsion);

/* --- start (tsne_start.c) ------------------------------------------------------------------------------- */

/* Scores of x on its first two principal components, y = [2][count]; the sign is such that a component's largest
 * weight is positive. A component without variance is all zero. */
nn_status exp_tsne_principal(int count, int dims, const float *x, double *y, nn_error *error);

#endif
