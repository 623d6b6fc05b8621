/* installation.h - entangle installed in a temporary folder, and a shell to look at it with. */
#ifndef TEST_INSTALLATION_H
#define TEST_INSTALLATION_H

#include "support.h"

/* cmocka's group set-up: `make install` of the build that this test is of, with DESTDIR, into a folder that the shell below
 * knows as $prefix. Not under the sanitizers: what is installed is a build without them, tested there. */
int installation_begin(void **state);

/* First in every test: ends it as skipped where nothing is installed. */
void installation_need(void);

/* Runs a script as /bin/bash does, in the folder that holds the source, and gives its exit status. Of what it printed, the
 * first 60,000 bytes are in installation_output until the next call. It sees:
 *   $destination $prefix    the folder of the installation: DESTDIR, and the prefix in it
 *   $build $cc $cxx         the build's folder, its compiler, and that for C++
 *   $work                   a folder for what it makes
 * and finds programs, libraries and pkg-config files of the installation first. */
int installation_sh(const char *format, ...) __attribute__((format(printf, 1, 2)));
extern char installation_output[];

/* Fails with what the script printed unless its status is 0. */
void installation_check(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Fails unless the last script printed `part`. */
void installation_said(const char *part);

#endif
