/* calibration_json.h - calibration in summary.json and in what ./measure prints. */
#ifndef EXP_CALIBRATION_JSON_H
#define EXP_CALIBRATION_JSON_H

#include <cjson/cJSON.h>

#include "calibration.h"

/* Adds PREFIXece, PREFIXbrier and PREFIXconfidence, and "reliability": the 15 bins in order, each with count,
 * confidence and accuracy. */
void exp_calibration_add_json(cJSON *object, const char *prefix, const exp_calibration *calibration);

#endif
