/* version.c - compiled with what `git describe` says (Makefile). */
#include "options.h"

const char *const exp_version = ENTANGLE_VERSION;
