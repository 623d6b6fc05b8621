/* The kernel table for AVX2 with FMA: the shared sources, compiled with this file's flags (Makefile). */
#include "conv_simd.h"
#include "pair_simd.h"
#include "vector_simd.h"

const nn_kernels nn_kernels_avx2 = {
    .name = "avx2", .conv = &conv_kernels, .pair = &pair_kernels, .vector = &vector_kernels};
