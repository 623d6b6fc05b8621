/* program.h - running the programs of the build under test as a user does, and data for them. */
#ifndef TEST_PROGRAM_H
#define TEST_PROGRAM_H

#include <sys/types.h>

#include "support.h"

/* How the next program is to run; all back to 0 once it is started. */
typedef struct program_setting {
    size_t file_limit;  /* bytes that a file may have, as on a full disk; 0: any */
    const char *output; /* file for its standard output, NULL: read by program_end */
    const char *errors; /* the same for its errors: a new file, which can be read while it runs */
} program_setting;
extern program_setting program_next;

/* cmocka's group set-up: goes to this process's temporary folder, where there is no data yet. */
int program_begin(void **state);

/* Starts build/MODE/experiments/NAME of the mode that this test was built in, with arguments separated by
 * single blanks. It is killed after two minutes. ./train uses the preset shapes_resnet where none is named. */
pid_t program_start(const char *name, const char *arguments);

/* Waits for its end and gives its exit status, or 128 and the number of the signal that ended it. What it
 * printed, at most some 60,000 bytes, is in program_output and program_errors until the next call. */
int program_end(pid_t pid);
extern char *program_output, *program_errors;

/* Both; the arguments as for printf. */
int program_run(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Fails unless the program printed nothing but one line of errors, which contains `part`. */
void program_complained(const char *part);

/* Fails unless `text` contains `part`. */
void program_said(const char *text, const char *part);

bool program_file_exists(const char *path);
char *program_file(
    const char *path); /* whole, ended by '\0', freed with free(); fails the test without one */

/* Writes data set `name` in IDX files to FOLDER/NAME/: PROGRAM_TRAIN and PROGRAM_TEST images of PROGRAM_SIDE
 * x PROGRAM_SIDE pixels whose brightness tells the class, with noise. */
enum { PROGRAM_TRAIN = 120, PROGRAM_TEST = 50, PROGRAM_SIDE = 8 };
void program_data(const char *folder, const char *name);
void program_easy_data(const char *folder, const char *name); /* the same, with less noise: soon learned */

#endif
