/* program_names.h - what the programs are called: ./train in the source's folder, entangle-train where they are installed.
 *
 * Installed are those whose file's name says so; they find each other in the folder they lie in. */
#ifndef EXP_PROGRAM_NAMES_H
#define EXP_PROGRAM_NAMES_H

#include <limits.h>
#include <stdio.h>

#include "framework/error.h"

enum { EXP_CALL_MAX = 64 };

/* How a user starts `program` ("train"). Returns text. */
const char *exp_program_call(const char *program, char text[EXP_CALL_MAX]);

/* The path of `program`, beside this one. NN_EFILE where it cannot be started. */
nn_status exp_program_find(const char *program, char path[PATH_MAX], nn_error *error);

/* Prints text in which programs are called ./NAME, as the source has them; where they are installed, as they are called
 * there. */
void exp_print_calls(const char *text, FILE *file);

#endif
