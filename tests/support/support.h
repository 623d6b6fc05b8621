/* support.h - what every test needs: cmocka with its prerequisites, random arrays, comparisons that say what
 * differed, files in a temporary folder. */
#ifndef TEST_SUPPORT_H
#define TEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above first */
#include <cmocka.h>

#include "framework/framework.h"

/* n floats aligned to 64 bytes, filled with normal numbers from the stream `name`; fails the test without
 * memory. Freed with free(). */
float *test_normal(size_t n, const char *name);

/* n zeroed floats / bytes, aligned to 64 bytes. */
float *test_zeros(size_t n);
void *test_bytes(size_t bytes);

/* Fails with `what` and the first place where |actual - expected| > tolerance * max(1, largest |expected|).
 */
void test_close(const char *what, const float *actual, const double *expected, size_t n, double tolerance);

/* Fails unless both hold the same bits. */
void test_same_bits(const char *what, const void *a, const void *b, size_t bytes);

/* Fails with the message when status is not NN_OK. */
void test_ok(nn_status status, const nn_error *error);

/* Fails unless `status` was returned and the message contains `part`; clears the error for the next check. */
void test_fails(nn_status actual, nn_status wanted, nn_error *error, const char *part);

/* A path inside this process's temporary folder, which is made at the first call and removed at exit. The
 * text is valid until the next four calls. */
const char *test_path(const char *name);

/* Writes a file into the temporary folder and returns its path. */
const char *test_file(const char *name, const void *bytes, size_t count);

#endif
