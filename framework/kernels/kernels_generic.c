/* The kernel table for any processor with 128-bit vectors: the shared sources, compiled with this file's flags (Makefile). */
#include "conv_simd.h"
#include "pair_simd.h"
#include "plane_simd.h"
#include "points_simd.h"
#include "vector_simd.h"
#include "winograd_simd.h"

const nn_kernels nn_kernels_generic = {.name = "generic",
                                       .conv = &conv_kernels,
                                       .winograd = &winograd_kernels,
                                       .pair = &pair_kernels,
                                       .point = &point_kernels,
                                       .plane = &plane_kernels,
                                       .vector = &vector_kernels};
