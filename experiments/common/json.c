#include "json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "framework/file.h"

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
    char *pretty = cJSON_Print(object), *line = cJSON_PrintUnformatted(object);
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
    *json = cJSON_ParseWithLengthOpts((const char *)bytes, count + 1, NULL, true);
    free(bytes);
    return *json ? NN_OK : nn_fail(error, NN_EFORMAT, "%s: not JSON", path);
}
