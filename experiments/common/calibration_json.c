#include "calibration_json.h"

#include "json.h"

static void add_number(cJSON *object, const char *prefix, const char *name, double value) {
    char whole[64];
    snprintf(whole, sizeof whole, "%s%s", prefix, name);
    exp_json_number(object, whole, value);
}

void exp_calibration_add_json(cJSON *object, const char *prefix, const exp_calibration *calibration) {
    add_number(object, prefix, "ece", exp_calibration_error(calibration));
    add_number(object, prefix, "brier", exp_calibration_brier(calibration));
    add_number(object, prefix, "confidence", exp_calibration_confidence(calibration));
    cJSON *bins = cJSON_AddArrayToObject(object, "reliability");
    for (int i = 0; i < EXP_CALIBRATION_BINS; i++) {
        const exp_reliability bin = exp_calibration_bin(calibration, i);
        cJSON *item = exp_json_add_object(bins);
        exp_json_number(item, "count", bin.count);
        exp_json_number(item, "confidence", bin.confidence);
        exp_json_number(item, "accuracy", bin.accuracy);
    }
}
