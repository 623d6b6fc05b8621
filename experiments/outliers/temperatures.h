/* temperatures.h - the temperature of each tap in a run's summary.json. */
#ifndef EXP_OUTLIERS_TEMPERATURES_H
#define EXP_OUTLIERS_TEMPERATURES_H

#include "framework/framework.h"

typedef struct exp_tap_temperature {
    char name[NN_NAME_MAX];
    double temperature;
} exp_tap_temperature;

/* In forward order, at most `most` of them. None in a run that was stopped before its final evaluation. NN_EFILE,
 * NN_EFORMAT. */
nn_status exp_temperatures_read(const char *run, exp_tap_temperature *taps, int most, int *count,
                                nn_error *error);

#endif
