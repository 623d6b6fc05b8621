#include "error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#undef nn_fail /* see error.h */
#undef nn_fail_memory

void nn_remove_controls(char *text) {
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            *text = '?';
}

nn_status nn_fail(nn_error *error, nn_status status, const char *format, ...) {
    if (error->status == NN_OK) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(error->message, sizeof error->message, format, arguments);
        va_end(arguments);
        nn_remove_controls(error->message);
        error->status = status;
    }
    return status;
}

nn_status nn_fail_memory(nn_error *error, const char *what) {
    return nn_fail(error, NN_EMEMORY, "not enough memory for %s", what);
}

nn_status nn_system_status(int code) {
    return code == ENOMEM ? NN_EMEMORY : NN_EFILE;
}

bool nn_multiply(size_t a, size_t b, size_t *result) {
    return !__builtin_mul_overflow(a, b, result);
}
