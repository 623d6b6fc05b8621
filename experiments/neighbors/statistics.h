/* statistics.h - how often the Deep k-Nearest Neighbors is right, and what its credibility is worth. */
#ifndef EXP_NEIGHBORS_STATISTICS_H
#define EXP_NEIGHBORS_STATISTICS_H

#include "judged.h"

enum { EXP_CREDIBILITY_BINS = 10, EXP_HISTOGRAM_BINS = 20 };

/* Of one variant's credibility. */
typedef struct exp_credibility {
    double credibility, confidence; /* means */
    double when_right, when_wrong;  /* mean credibility; NaN where there is no such example */
    exp_calibration reliability;    /* credibility as confidence in the DkNN's prediction, in 10 bins */
    int right[EXP_HISTOGRAM_BINS],
        wrong[EXP_HISTOGRAM_BINS]; /* bin m: (m - 1)/20 < c <= m/20, the first one 0 too */
} exp_credibility;

typedef struct exp_neighbors_statistics {
    int count;
    double accuracy, network_accuracy;
    double agreement;     /* share of examples that both predict alike */
    double nonconformity; /* mean */
    exp_credibility variants[EXP_DKNN_VARIANTS];
    struct {
        double same_class; /* mean share of the example's own class among its neighbours */
        double
            accuracy; /* of the layer's neighbours alone: their most frequent class, of several the first */
    } layers[EXP_BANK_LAYERS_MAX];
} exp_neighbors_statistics;

exp_neighbors_statistics exp_neighbors_measure(const exp_judged *judged);

#endif
