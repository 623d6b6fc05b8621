/* version.h - which libentangle this is: the one place that says so (the Makefile reads it here). */
#ifndef NN_VERSION_H
#define NN_VERSION_H

#include "api.h"

/* Of the headers. While the first number is 0, the second rises with every change that may need a program's source to be
 * changed; later the first (semantic versioning). */
#define NN_VERSION "0.1.0"

/* Of the shared library's name, libentangle.so.NN_ABI: rises when programs have to be compiled anew. */
#define NN_ABI 0

NN_API_BEGIN

/* Of the library that the program runs with: its NN_VERSION. */
const char *nn_version(void);

NN_API_END

#endif
