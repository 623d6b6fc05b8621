#include "statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- samples -------------------------------------------------------------------------------------------- */

int exp_known(const double *x, int count) {
    int known = 0;
    for (int i = 0; i < count; i++)
        known += !isnan(x[i]);
    return known;
}

double exp_mean(const double *x, int count) {
    double sum = 0;
    for (int i = 0; i < count; i++)
        sum += isnan(x[i]) ? 0 : x[i];
    return sum / exp_known(x, count); /* 0 / 0 is NaN */
}

double exp_deviation(const double *x, int count) {
    double mean = exp_mean(x, count), squares = 0;
    int known = exp_known(x, count);
    for (int i = 0; i < count; i++)
        squares += isnan(x[i]) ? 0 : (x[i] - mean) * (x[i] - mean);
    return known < 2 ? NAN : sqrt(squares / (known - 1));
}

/* The value with `rank` smaller ones: by counting, as samples are of a few runs. */
static double ranked(const double *x, int count, int rank) {
    for (int i = 0; i < count; i++) {
        int smaller = 0, equal = 0;
        for (int k = 0; k < count; k++) {
            smaller += x[k] < x[i];
            equal += x[k] == x[i];
        }
        if (smaller <= rank && rank < smaller + equal)
            return x[i];
    }
    return NAN;
}

double exp_median(const double *x, int count) {
    int known = exp_known(x, count);
    return (ranked(x, count, (known - 1) / 2) + ranked(x, count, known / 2)) / 2;
}

/* --- Student's t ---------------------------------------------------------------------------------------- */

static double away_from_zero(double x) {
    return fabs(x) < 1e-300 ? 1e-300 : x;
}

/* 1 / (1 + d1 / (1 + d2 / (1 + ...))), the continued fraction of the incomplete beta function (Abramowitz and Stegun,
 * 26.5.8), by Lentz's method:
 *     d(2m)   =  m (b - m) x / ((a + 2m - 1) (a + 2m))
 *     d(2m+1) = -(a + m) (a + b + m) x / ((a + 2m) (a + 2m + 1)) */
static double beta_fraction(double a, double b, double x) {
    double below = 1, c = 1, d = 0;
    for (int i = 1; i < 100000; i++) {
        double m = i / 2;
        double term = i % 2 == 0 ? m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
                                 : -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        d = 1 / away_from_zero(1 + term * d);
        c = away_from_zero(1 + term / c);
        below *= c * d;
        if (fabs(c * d - 1) < 1e-15)
            break;
    }
    return 1 / below;
}

/* The regularised incomplete beta function I_x(a, b), 0 <= x <= 1. */
static double beta(double a, double b, double x) {
    if (x <= 0 || x >= 1)
        return x <= 0 ? 0 : 1;
    double scale = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));
    /* On the side of the mean where the fraction converges quickly. */
    return x < (a + 1) / (a + b + 2) ? scale * beta_fraction(a, b, x) / a
                                     : 1 - scale * beta_fraction(b, a, 1 - x) / b;
}

double exp_t_probability(double t, double freedom) {
    double square = t * t, sum = freedom + square;
    if (square < freedom) { /* near the middle, where one minus the tails would lose digits */
        double half = beta(0.5, freedom / 2, square / sum) / 2;
        return t > 0 ? 0.5 + half : 0.5 - half;
    }
    double tail = beta(freedom / 2, 0.5, freedom / sum) / 2;
    return t > 0 ? 1 - tail : tail;
}

double exp_t_quantile(double probability, double freedom) {
    double low = -1, high = 1, middle = 0;
    while (exp_t_probability(low, freedom) > probability)
        low *= 2;
    while (exp_t_probability(high, freedom) < probability)
        high *= 2;
    do {
        if (exp_t_probability(middle, freedom) < probability)
            low = middle;
        else
            high = middle;
        middle = low + (high - low) / 2;
    } while (middle > low && middle < high);
    return middle;
}

/* --- pairs ---------------------------------------------------------------------------------------------- */

exp_difference exp_paired_difference(const double *a, const double *b, int count) {
    double mean = 0, squares = 0;
    int pairs = 0;
    for (int i = 0; i < count; i++) {
        double difference = a[i] - b[i];
        if (isnan(difference))
            continue;
        double step = difference - mean;
        mean += step / ++pairs;
        squares += step * (difference - mean);
    }
    exp_difference d = {.pairs = pairs, .mean = pairs ? mean : NAN, .low = NAN, .high = NAN};
    if (pairs > 1 && squares > 0) {
        double half = exp_t_quantile(0.975, pairs - 1) * sqrt(squares / (pairs - 1) / pairs);
        d.low = mean - half;
        d.high = mean + half;
    }
    return d;
}
