/* text_file.h - texts that are written in memory first, and become a file whole or not at all. */
#ifndef EXP_TEXT_FILE_H
#define EXP_TEXT_FILE_H

#include <stdio.h>

#include "options.h"

/* A stream into memory, as open_memstream's: after its close the text, ended by '\0', is in *text, which the caller frees,
 * and its length in *count. NULL without memory. Unlike that of the C library it keeps in mind when memory was missing. */
FILE *exp_memory_open(char **text, size_t *count);

/* Closes such a stream. False where not all that was written is in *text, which is then NULL. */
bool exp_memory_close(FILE *memory, char **text);

typedef struct exp_text_file {
    char path[EXP_TEXT_MAX + 64], *bytes;
    size_t count;
    FILE *file; /* to write to */
} exp_text_file;

/* Begins the file `name` of a folder; every beginning that succeeds is to be ended. */
nn_status exp_text_begin(exp_text_file *text, const char *folder, const char *name, nn_error *error);
nn_status exp_text_end(exp_text_file *text, nn_error *error);

#endif
