/* error.h - how the library reports a failure.
 *
 * A function that can fail takes an nn_error and returns its status. Nothing in the library prints or exits:
 * only a program's main does. Messages say who failed, what was wanted, what was found and what to do. */
#ifndef NN_ERROR_H
#define NN_ERROR_H

#include <stdbool.h>
#include <stddef.h>

#include "api.h"

NN_API_BEGIN

typedef enum nn_status {
    NN_OK = 0,
    NN_EMEMORY,   /* memory could not be had */
    NN_ESHAPE,    /* tensors that do not fit together */
    NN_EARGUMENT, /* a value outside its range, an unknown name */
    NN_EFILE,     /* the system refused a file operation */
    NN_EFORMAT,   /* a file whose content is not what it should be */
    NN_ENUMERIC   /* NaN or infinity where a number is needed */
} nn_status;

typedef struct nn_error {
    nn_status status;
    char message[512];
} nn_error;

/* Records a failure and returns its status, so that callers write `return nn_fail(error, NN_EFILE, ...)`.
 * The first message is kept: later ones are consequences. Control bytes in it, of names from files, become '?'. */
nn_status nn_fail(nn_error *error, nn_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* NN_EMEMORY with a message that names what could not be allocated. */
nn_status nn_fail_memory(nn_error *error, const char *what);

/* Makes every control byte a '?': for text from files, as terminals obey what is printed. */
void nn_remove_controls(char *text);

/* *result = a * b, or false when the product does not fit in a size_t. */
bool nn_multiply(size_t a, size_t b, size_t *result);

NN_API_END

#endif
