/* options.h - named settings from the command line and from ini files, described by one table per program.
 *
 * The table gives each option's name, type, range and help line and says where its value lies in the
 * program's struct; parsing, --help and config.ini all follow from it. */
#ifndef EXP_OPTIONS_H
#define EXP_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "framework/error.h"

enum { EXP_TEXT_MAX = 512 };

typedef enum exp_kind {
    EXP_TEXT,   /* char[EXP_TEXT_MAX] */
    EXP_NUMBER, /* double, least..most */
    EXP_COUNT,  /* uint64_t, least..most */
    EXP_FLAG,   /* bool: --name or --no-name; yes or no in a file */
    EXP_CHOICE  /* int: the place of the word in `choices` */
} exp_kind;

typedef struct exp_option {
    const char *name; /* "weight-decay"; NULL ends the table */
    exp_kind kind;
    size_t offset;     /* of the value in the program's struct */
    const char *value; /* what --help calls it: "N" */
    const char *help;
    double least, most;         /* both 0: any finite number */
    const char *const *choices; /* ended by NULL */
    size_t bare;   /* of a number: without a value, --name takes the double at this offset; 0: not allowed */
    bool recorded; /* part of config.ini */
    bool optional; /* not written there while it is an empty text, or no */
} exp_option;

/* NULL where the table has none of that name. */
const exp_option *exp_option_find(const exp_option *table, const char *name);

/* Sets one option from text. `origin` ("--" or "FILE:LINE: ") goes in front of its name in messages.
 * NN_EARGUMENT for an unknown name or a value outside its range; `target` is then unchanged. */
nn_status exp_option_set(const exp_option *table, void *target, const char *origin, const char *name,
                         const char *value, nn_error *error);

/* Takes --name value, --name=value, --flag and --no-flag. NN_EARGUMENT as above. */
nn_status exp_options_parse(const exp_option *table, void *target, int argc, char **argv, nn_error *error);

/* Takes lines of the form `name = value`; empty ones and those that begin with # or ; are skipped. Messages
 * begin with `origin` and the line's number. NN_EFORMAT for a line of another form, else NN_EARGUMENT as
 * above. */
nn_status exp_options_read(const exp_option *table, void *target, const char *origin, const char *text,
                           nn_error *error);

/* The same from a file; NN_EFILE where it cannot be read. */
nn_status exp_options_read_file(const exp_option *table, void *target, const char *path, nn_error *error);

/* The value as text: "0.1", "yes", "cosine". Returns `text`. */
const char *exp_option_text(const exp_option *option, const void *target, char text[EXP_TEXT_MAX]);
void exp_option_write(const exp_option *option, const void *target, FILE *file);

/* One line per recorded option, but for optional ones that are empty or no, in a form that exp_options_read takes back unchanged. */
void exp_options_write(const exp_option *table, const void *target, FILE *file);

void exp_options_help(const exp_option *table, const void *defaults, FILE *file);

/* The shortest decimal text that reads back as the same double; whole numbers without an exponent. */
const char *exp_number_text(double value, char text[32]);

/* Handles --help, --help=options (option_list.h) and --version wherever they stand: prints and returns true. usage is the
 * text above the options. */
bool exp_options_informed(const exp_option *table, const void *defaults, const char *program,
                          const char *usage, int argc, char **argv);

extern const char *const exp_version; /* "0.1.0 (v0.1.0-3-g0ee7948)": of the library, and of the source */

#endif
