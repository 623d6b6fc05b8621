#include "text_file.h"

#include <stdlib.h>

#include "framework/file.h"

nn_status exp_text_begin(exp_text_file *t, const char *folder, const char *name, nn_error *error) {
    *t = (exp_text_file){0};
    snprintf(t->path, sizeof t->path, "%s/%s", folder, name);
    t->file = open_memstream(&t->bytes, &t->count);
    return t->file ? NN_OK : nn_fail_memory(error, name);
}

nn_status exp_text_end(exp_text_file *t, nn_error *error) {
    bool whole = !ferror(t->file);
    whole = fclose(t->file) == 0 && whole;
    nn_status status =
        whole ? nn_file_write_atomic(t->path, t->bytes, t->count, error) : nn_fail_memory(error, t->path);
    free(t->bytes);
    return status;
}
