/* simd.h - the vector type of one instruction set, for the *_simd.h sources.
 *
 * Compiler vectors (GCC and Clang): plain arithmetic operators on `vec`, one element per lane. The width
 * follows from the flags of the file that includes this (see Makefile: *_avx512.c, *_avx2.c); without them,
 * 128 bits, which every 64-bit processor has. Kernel files are compiled with -ffp-contract=fast, so that a *
 * b + c is one fused operation where the processor has it. */
#ifndef NN_SIMD_H
#define NN_SIMD_H

#include <stdint.h>
#include <string.h>
#if defined(__AVX2__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
enum { LANES = 16, REGISTERS = 32 };
#elif defined(__AVX2__)
enum { LANES = 8, REGISTERS = 16 };
#else
enum { LANES = 4, REGISTERS = 16 };
#endif

typedef float vec __attribute__((vector_size(LANES * 4), aligned(4), may_alias));
typedef int16_t short_vec __attribute__((vector_size(LANES * 2), aligned(2), may_alias));
typedef int32_t ivec __attribute__((vector_size(LANES * 4), aligned(4), may_alias));

/* Half as many lanes as vec in single and in double precision. */
typedef float half_vec __attribute__((vector_size(LANES * 2), aligned(4), may_alias));
typedef double double_vec __attribute__((vector_size(LANES * 4), aligned(8), may_alias));

#define INLINE static inline __attribute__((always_inline))

#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 64")
#endif

/* Lanes of two vectors by number, those of the second after those of the first. */
#if defined(__clang__) || __GNUC__ >= 12
#define shuffle(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define shuffle(a, b, ...) __builtin_shuffle(a, b, (__typeof__((a) == (b))){__VA_ARGS__})
#endif

/* In every 128 bits four lanes by number: w, x, y, z of the first 128 bits of a and (from LANES on) of b, and so on
 * through the vectors. */
#if defined(__AVX512F__)
#define shuffle_quarters(a, b, w, x, y, z)                                                                   \
    shuffle(a, b, w, x, y, z, 4 + w, 4 + x, 4 + y, 4 + z, 8 + w, 8 + x, 8 + y, 8 + z, 12 + w, 12 + x,        \
            12 + y, 12 + z)
#elif defined(__AVX2__)
#define shuffle_quarters(a, b, w, x, y, z) shuffle(a, b, w, x, y, z, 4 + w, 4 + x, 4 + y, 4 + z)
#else
#define shuffle_quarters(a, b, w, x, y, z) shuffle(a, b, w, x, y, z)
#endif

/* Parts of 128 bits by number: w and x of a, y and z of b; or part n of a and of b, where there are but two. */
#if defined(__AVX512F__)
#define shuffle_of_quarters(a, b, w, x, y, z)                                                                \
    shuffle(a, b, 4 * w, 4 * w + 1, 4 * w + 2, 4 * w + 3, 4 * x, 4 * x + 1, 4 * x + 2, 4 * x + 3,            \
            16 + 4 * y, 17 + 4 * y, 18 + 4 * y, 19 + 4 * y, 16 + 4 * z, 17 + 4 * z, 18 + 4 * z, 19 + 4 * z)
#elif defined(__AVX2__)
#define shuffle_halves(a, b, n)                                                                              \
    shuffle(a, b, 4 * n, 4 * n + 1, 4 * n + 2, 4 * n + 3, 8 + 4 * n, 9 + 4 * n, 10 + 4 * n, 11 + 4 * n)
#endif

INLINE vec vec_load(const float *p) {
    return *(const vec *)p;
}

INLINE void vec_store(float *p, vec v) {
    *(vec *)p = v;
}

/* Compilers' own conversion takes twice the instructions that processors need. */
INLINE double_vec half_to_double(half_vec v) {
#if defined(__AVX512F__)
    return (double_vec)_mm512_cvtps_pd((__m256)v);
#elif defined(__AVX2__)
    return (double_vec)_mm256_cvtps_pd((__m128)v);
#else
    return __builtin_convertvector(v, double_vec);
#endif
}

INLINE vec vec_all(float x) {
    return x - (vec){0};
}

/* The first `count` lanes from memory, zero in the others; nothing past them is read. LANES or more: all. */
INLINE vec vec_load_part(const float *p, size_t count) {
    if (count >= LANES)
        return vec_load(p);
    vec v = {0};
    memcpy(&v, p, count * sizeof *p);
    return v;
}

INLINE void vec_store_part(float *p, vec v, size_t count) {
    if (count >= LANES)
        vec_store(p, v);
    else
        memcpy(p, &v, count * sizeof *p);
}

/* mask lanes are all ones or all zeros, as comparisons give them */
INLINE vec vec_select(ivec mask, vec if_set, vec if_clear) {
    return (vec)((mask & (ivec)if_set) | (~mask & (ivec)if_clear));
}

#endif
