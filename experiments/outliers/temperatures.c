#include "temperatures.h"

#include <math.h>

#include "experiments/common/json.h"
#include "experiments/common/options.h"

nn_status exp_temperatures_read(const char *run, exp_tap_temperature *taps, int most, int *count,
                                nn_error *error) {
    char path[EXP_TEXT_MAX + 16];
    cJSON *json;
    const cJSON *item;
    snprintf(path, sizeof path, "%s/summary.json", run);
    nn_status status = exp_json_read(path, &json, error);
    *count = 0;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(json, "taps")) {
        const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, "name"));
        const cJSON *number = cJSON_GetObjectItemCaseSensitive(item, "temperature");
        if (*count == most || !name || !cJSON_IsNumber(number) || !(number->valuedouble > 0) ||
            isinf(number->valuedouble))
            continue;
        exp_tap_temperature *tap = &taps[(*count)++];
        snprintf(tap->name, sizeof tap->name, "%s", name);
        tap->temperature = number->valuedouble;
    }
    cJSON_Delete(json);
    return status;
}
