/* option_list.h - a program's options for other programs to read: what scripts/completion.bash completes, and
 * scripts/manual makes manual pages of. */
#ifndef EXP_OPTION_LIST_H
#define EXP_OPTION_LIST_H

#include "options.h"

/* A line for each option, of fields between tabs: its name; what its value is, one of nothing (a flag), word, file, folder and
 * value; what --help calls that; its default; the words that are known, between blanks; the help line. */
void exp_options_list(const exp_option *table, const void *defaults, FILE *file);

#endif
