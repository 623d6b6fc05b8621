#include "named_numbers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/common/json.h"

static bool add(exp_named_numbers *numbers, const char *name, double value) {
    exp_named_number *more = realloc(numbers->items, ((size_t)numbers->count + 1) * sizeof *numbers->items);
    if (!more)
        return false;
    numbers->items = more;
    exp_named_number *item = &more[numbers->count++];
    snprintf(item->name, sizeof item->name, "%s", name);
    item->value = value;
    return true;
}

/* What an object of a list goes by; "" where nothing tells it from others. */
static void name_item(const cJSON *item, char name[EXP_NUMBER_NAME_MAX]) {
    const cJSON *member, *step = cJSON_GetObjectItemCaseSensitive(item, "step");
    name[0] = '\0';
    if (!cJSON_IsObject(item))
        return;
    cJSON_ArrayForEach(member, item) {
        size_t length = strlen(name);
        const char *colon = length ? ":" : "";
        if (cJSON_IsString(member))
            snprintf(name + length, EXP_NUMBER_NAME_MAX - length, "%s%s", colon, member->valuestring);
        else if (cJSON_IsNumber(member) && strcmp(member->string, "epsilon") == 0)
            snprintf(name + length, EXP_NUMBER_NAME_MAX - length, "%s%.9g", colon, member->valuedouble);
    }
    if (!name[0] && cJSON_IsNumber(step))
        snprintf(name, EXP_NUMBER_NAME_MAX, "%.9g", step->valuedouble);
}

/* Adds what is in an object or a list; false without memory. */
/* NOLINTNEXTLINE(misc-no-recursion): cJSON reads nothing nested deeper than 1,000 */
static bool take(exp_named_numbers *numbers, const cJSON *parent, const char *prefix) {
    const cJSON *item;
    bool full = true;
    cJSON_ArrayForEach(item, parent) {
        char listed[EXP_NUMBER_NAME_MAX], name[EXP_NUMBER_NAME_MAX];
        const char *own = item->string ? item->string : listed;
        if (!item->string)
            name_item(item, listed);
        if (!own[0] ||
            snprintf(name, sizeof name, "%s%s%s", prefix, prefix[0] ? "." : "", own) >= (int)sizeof name)
            continue; /* or as deep as no summary is */
        if (cJSON_IsNumber(item) && item->string)
            full = full && add(numbers, name, item->valuedouble);
        else if (cJSON_IsObject(item) || cJSON_IsArray(item))
            full = full && take(numbers, item, name);
    }
    return full;
}

nn_status exp_named_numbers_read(exp_named_numbers *numbers, const char *path, nn_error *error) {
    cJSON *json;
    *numbers = (exp_named_numbers){0};
    nn_status status = exp_json_read(path, &json, error);
    if (status != NN_OK)
        return status;
    if (!cJSON_IsObject(json))
        status = nn_fail(error, NN_EFORMAT, "%s: no JSON object", path);
    else if (!take(numbers, json, ""))
        status = nn_fail_memory(error, path);
    cJSON_Delete(json);
    return status;
}

void exp_named_numbers_free(exp_named_numbers *numbers) {
    free(numbers->items);
    *numbers = (exp_named_numbers){0};
}

double exp_named_number_find(const exp_named_numbers *numbers, const char *name) {
    for (int i = 0; i < numbers->count; i++)
        if (strcmp(numbers->items[i].name, name) == 0)
            return numbers->items[i].value;
    return NAN;
}
