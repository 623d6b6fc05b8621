/* text_file.h - a text that is written in memory first and becomes a file whole or not at all. */
#ifndef EXP_TEXT_FILE_H
#define EXP_TEXT_FILE_H

#include <stdio.h>

#include "options.h"

typedef struct exp_text_file {
    char path[EXP_TEXT_MAX + 64], *bytes;
    size_t count;
    FILE *file; /* to write to */
} exp_text_file;

/* Begins the file `name` of a folder; every beginning that succeeds is to be ended. */
nn_status exp_text_begin(exp_text_file *text, const char *folder, const char *name, nn_error *error);
nn_status exp_text_end(exp_text_file *text, nn_error *error);

#endif
