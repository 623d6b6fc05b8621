#include "calibration_json.h"

#include <stdio.h>

/* A number with at most 9 significant digits. */
static void add_number(cJSON *object, const char *prefix, const char *name, double value) {
    char text[32], whole[64];
    snprintf(text, sizeof text, "%.9g", value);
    snprintf(whole, sizeof whole, "%s%s", prefix, name);
    cJSON_AddRawToObject(object, whole, text);
}

void exp_calibration_add_json(cJSON *object, const char *prefix, const exp_calibration *calibration) {
    add_number(object, prefix, "ece", exp_calibration_error(calibration));
    add_number(object, prefix, "brier", exp_calibration_brier(calibration));
    add_number(object, prefix, "confidence", exp_calibration_confidence(calibration));
    cJSON *bins = cJSON_AddArrayToObject(object, "reliability");
    for (int i = 0; i < EXP_CALIBRATION_BINS; i++) {
        const exp_reliability bin = exp_calibration_bin(calibration, i);
        cJSON *item = cJSON_CreateObject();
        add_number(item, "", "count", bin.count);
        add_number(item, "", "confidence", bin.confidence);
        add_number(item, "", "accuracy", bin.accuracy);
        cJSON_AddItemToArray(bins, item);
    }
}
