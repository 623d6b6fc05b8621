/* json.h - summaries as JSON: how numbers are written, where to, and how files are read. */
#ifndef EXP_JSON_H
#define EXP_JSON_H

#include <cjson/cJSON.h>
#include <stdio.h>

#include "framework/framework.h"

/* A number with at most 9 significant digits, what float32 results are worth; null where it is not finite. */
void exp_json_number(cJSON *object, const char *name, double value);

/* A whole number, with all its digits. */
void exp_json_count(cJSON *object, const char *name, unsigned long long value);

/* Writes the object to the file `path`, whole or not at all, and on one line to `output`, each unless it is NULL; deletes it
 * in any case. NN_EFILE where one of them cannot be written. */
nn_status exp_json_write(cJSON *object, const char *path, FILE *output, nn_error *error);

/* What is in a file of at most EXP_JSON_MIB; the caller deletes it. NN_EFILE, NN_EFORMAT; *json is then NULL. */
enum { EXP_JSON_MIB = 4 };
nn_status exp_json_read(const char *path, cJSON **json, nn_error *error);

#endif
