#include "temperatures.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

#include "experiments/common/options.h"
#include "framework/file.h"

enum { FILE_MOST = 16 << 20 }; /* bytes */

/* The caller deletes it. */
static nn_status read_json(const char *path, cJSON **json, nn_error *error) {
    unsigned char *bytes;
    size_t count;
    nn_status status = nn_file_read(path, FILE_MOST, &bytes, &count, error);
    if (status != NN_OK)
        return status;
    *json = cJSON_ParseWithLength((const char *)bytes, count);
    free(bytes);
    return *json ? NN_OK : nn_fail(error, NN_EFORMAT, "%s: not JSON", path);
}

nn_status exp_temperatures_read(const char *run, exp_tap_temperature *taps, int most, int *count,
                                nn_error *error) {
    char path[EXP_TEXT_MAX + 16];
    cJSON *json = NULL;
    const cJSON *item;
    snprintf(path, sizeof path, "%s/summary.json", run);
    nn_status status = read_json(path, &json, error);
    *count = 0;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(json, "taps")) {
        const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, "name"));
        const cJSON *number = cJSON_GetObjectItemCaseSensitive(item, "temperature");
        if (*count == most || !name || !cJSON_IsNumber(number) || !(number->valuedouble > 0))
            continue;
        exp_tap_temperature *tap = &taps[(*count)++];
        snprintf(tap->name, sizeof tap->name, "%s", name);
        tap->temperature = number->valuedouble;
    }
    cJSON_Delete(json);
    return status;
}
