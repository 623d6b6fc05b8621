#include "json.h"

#include <stdlib.h>

#include "program.h"
#include "support.h"

cJSON *json_file(const char *path) {
    char *text = program_file(path);
    cJSON *json = cJSON_Parse(text);
    if (!json)
        fail_msg("%s is no JSON: '%s'", path, text);
    free(text);
    return json;
}

double json_number(const cJSON *object, const char *name) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    if (!cJSON_IsNumber(item))
        fail_msg("'%s' is no number", name);
    return item->valuedouble;
}
