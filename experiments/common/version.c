/* version.c - the library's version and, in brackets, what `git describe` says of the source (Makefile). */
#include "framework/version.h"
#include "options.h"

const char *const exp_version = NN_VERSION " (" ENTANGLE_SOURCE ")";
