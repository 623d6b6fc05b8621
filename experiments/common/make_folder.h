/* make_folder.h - folders for what programs leave. */
#ifndef EXP_MAKE_FOLDER_H
#define EXP_MAKE_FOLDER_H

#include "options.h"

/* Makes a folder and those above it; one that exists is fine. NN_EFILE. */
nn_status exp_make_folders(const char *path, nn_error *error);

/* Makes the folder `named` with those above it, or uses the one that is there, and copies its name to path.
 * NN_EARGUMENT where it holds a run (a config.ini) or the name is too long for files in it; NN_EFILE. */
nn_status exp_make_folder_named(char path[EXP_TEXT_MAX], const char *named, nn_error *error);

/* NN_EARGUMENT where the folder holds a run (a config.ini). */
nn_status exp_folder_without_run(const char *path, nn_error *error);

/* Makes a folder that was not there, runs/STEM, or runs/STEM-2 and so on where that exists; its name goes to
 * path. STEM is shorter than EXP_TEXT_MAX / 2. Two programs that start together get two folders. */
nn_status exp_make_folder_new(char path[EXP_TEXT_MAX], const char *stem, nn_error *error);

#endif
