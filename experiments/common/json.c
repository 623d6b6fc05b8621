#include "json.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "framework/file.h"

/* cJSON's functions that add something report a lack of memory one by one; here the allocator remembers it. */
static bool exhausted;

static void *allocate(size_t bytes) {
    void *memory = malloc(bytes);
    exhausted |= !memory;
    return memory;
}

cJSON *exp_json_new(void) {
    cJSON_Hooks hooks = {.malloc_fn = allocate, .free_fn = free};
    cJSON_InitHooks(&hooks);
    exhausted = false;
    return cJSON_CreateObject();
}

cJSON *exp_json_add_object(cJSON *list) {
    cJSON *object = cJSON_CreateObject();
    if (cJSON_AddItemToArray(list, object))
        return object;
    cJSON_Delete(object);
    return NULL;
}

char *exp_json_line(const cJSON *object) {
    return exhausted ? NULL : cJSON_PrintUnformatted(object);
}

void exp_json_number(cJSON *object, const char *name, double value) {
    char text[32];
    snprintf(text, sizeof text, "%.9g", value);
    cJSON_AddRawToObject(object, name, isfinite(value) ? text : "null");
}

void exp_json_count(cJSON *object, const char *name, unsigned long long value) {
    char text[32];
    snprintf(text, sizeof text, "%llu", value);
    cJSON_AddRawToObject(object, name, text);
}

nn_status exp_json_write(cJSON *object, const char *path, FILE *output, nn_error *error) {
    char *line = exp_json_line(object), *pretty = line ? cJSON_Print(object) : NULL;
    nn_status status = pretty && line ? NN_OK : nn_fail_memory(error, path ? path : "the summary");
    if (status == NN_OK && path)
        status = nn_file_write_atomic(path, pretty, strlen(pretty), error);
    if (status == NN_OK && output && (fprintf(output, "%s\n", line) < 0 || fflush(output) != 0))
        status = nn_fail(error, NN_EFILE, "cannot write the summary to standard output");
    free(pretty);
    free(line);
    cJSON_Delete(object);
    return status;
}

/* cJSON takes up to forty times the text's size, and reads one byte too far where a text ends within an object and no zero
 * byte follows. */
nn_status exp_json_read(const char *path, cJSON **json, nn_error *error) {
    unsigned char *bytes;
    size_t count;
    *json = NULL;
    nn_status status = nn_file_read(path, (size_t)EXP_JSON_MIB << 20, &bytes, &count, error);
    if (status != NN_OK)
        return status;
    errno = 0; /* which tells whether what is missing is memory */
    *json = cJSON_ParseWithLengthOpts((const char *)bytes, count + 1, NULL, true);
    if (!*json)
        status =
            errno == ENOMEM ? nn_fail_memory(error, path) : nn_fail(error, NN_EFORMAT, "%s: not JSON", path);
    free(bytes);
    return status;
}
