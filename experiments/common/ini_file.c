#include "ini_file.h"

#include <stdlib.h>
#include <string.h>

#include "framework/file.h"

static nn_status check_lines(const char *path, const char *text, size_t count, size_t longest,
                             nn_error *error) {
    const char *const end = text + count;
    for (size_t line = 1; text < end; line++) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *stop = newline ? newline : end;
        for (const char *byte = text; byte < stop; byte++)
            if ((unsigned char)*byte < ' ' && *byte != '\t' && *byte != '\r')
                return nn_fail(error, NN_EFORMAT, "%s:%zu: a byte of value %d: this is no text", path, line,
                               *byte);
        if ((size_t)(stop - text) > longest)
            return nn_fail(error, NN_EFORMAT,
                           "%s:%zu: the line is too long: it has %zu characters, at most %zu can be", path,
                           line, (size_t)(stop - text), longest);
        text = stop + (newline != NULL);
    }
    return NN_OK;
}

nn_status exp_ini_file_read(const char *path, int buffer, char **text, nn_error *error) {
    enum { LARGEST = 1 << 20 };
    unsigned char *bytes;
    size_t count;
    nn_status status = nn_file_read(path, LARGEST, &bytes, &count, error);
    *text = (char *)bytes;
    if (status == NN_OK)
        status = check_lines(path, *text, count, (size_t)buffer - 2, error);
    if (status != NN_OK) {
        free(bytes);
        *text = NULL;
    }
    return status;
}
