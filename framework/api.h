/* api.h - what makes a header part of the library's interface, for C and C++.
 *
 * The declarations of a public header stand between NN_API_BEGIN and NN_API_END: they have C's names in C++, and they
 * are what libentangle.so shows of itself. All other names of the library are hidden (-fvisibility=hidden). The public
 * headers are those that entangle.h includes; they alone are installed, and they include each other by relative paths. */
#ifndef NN_API_H
#define NN_API_H

/* clang-format off */
#ifdef __cplusplus
#define NN_API_BEGIN extern "C" { _Pragma("GCC visibility push(default)")
#define NN_API_END   _Pragma("GCC visibility pop") }
#else
#define NN_API_BEGIN _Pragma("GCC visibility push(default)")
#define NN_API_END   _Pragma("GCC visibility pop")
#endif
/* clang-format on */

#endif
