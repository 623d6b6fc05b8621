/* ini_file.h - the text of an ini file, fit for inih.
 *
 * inih takes a line that is longer than its buffer for two lines, and text ends for it at a zero byte: what stands behind
 * would be a setting that nobody wrote, or none at all. Other control bytes would go to the terminal, with titles. */
#ifndef EXP_INI_FILE_H
#define EXP_INI_FILE_H

#include "framework/error.h"

/* Reads the text, which the caller frees. `buffer` is inih's for a line, its end and a zero byte included. NN_EFILE;
 * NN_EFORMAT, beginning with FILE:LINE where there is one, for a longer line, a control byte (but tabs and ends of lines), and above 1 MiB. *text is then
 * NULL. */
nn_status exp_ini_file_read(const char *path, int buffer, char **text, nn_error *error);

#endif
