/* statistics.h - what repeated runs say: means, spreads, and differences of pairs.
 *
 * NaN stands for a value that is not there and is left out everywhere. */
#ifndef EXP_STATISTICS_H
#define EXP_STATISTICS_H

int exp_known(const double *x, int count); /* how many are no NaN */

double exp_mean(const double *x, int count);      /* NaN of none */
double exp_deviation(const double *x, int count); /* of the sample, divided by n - 1; NaN of fewer than two */
double exp_median(const double *x,
                  int count); /* the middle one, or the mean of the middle two; NaN of none */

/* P(T <= t) for Student's t with `freedom` degrees of freedom, a number above 0. */
double exp_t_probability(double t, double freedom);

/* The t with P(T <= t) = probability, of 0 < probability < 1. */
double exp_t_quantile(double probability, double freedom);

typedef struct exp_difference {
    int pairs; /* where both values are there */
    double mean;
    double low,
        high; /* two-sided 95% interval of the mean by Student's t; NaN where pairs tell nothing of their
                         spread: fewer than two, or all with the same difference */
} exp_difference;

/* Of a[i] - b[i]. */
exp_difference exp_paired_difference(const double *a, const double *b, int count);

#endif
