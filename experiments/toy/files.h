/* files.h - the texts in the run folder of ./toy; each appears whole or not at all. */
#ifndef EXP_TOY_FILES_H
#define EXP_TOY_FILES_H

#include "run.h"

nn_status exp_toy_write_config(const char *folder, const exp_toy_options *options, nn_error *error);
nn_status exp_toy_write_values(const char *folder, const exp_toy_record *record,
                               nn_error *error); /* toy.csv */
nn_status exp_toy_write_points(const char *folder, const exp_toy_record *record, nn_error *error);

/* Into the folder result->run, and with options->json as one line to stdout. */
nn_status exp_toy_write_summary(const exp_toy_options *options, const exp_toy_result *result,
                                nn_error *error);

#endif
