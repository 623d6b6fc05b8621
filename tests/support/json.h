/* json.h - JSON that programs wrote, for tests. What is not as asked for fails the test. */
#ifndef TEST_JSON_H
#define TEST_JSON_H

#include <cjson/cJSON.h>

/* The object in a file of the temporary folder; the caller deletes it. */
cJSON *json_file(const char *path);

double json_number(const cJSON *object, const char *name);

#endif
