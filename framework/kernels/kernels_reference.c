/* The kernel table in textbook C: the oracle of the kernel tests, and readable definitions of each contract. */
#include "conv_reference.h"
#include "pair_reference.h"
#include "plane_reference.h"
#include "points_reference.h"
#include "vector_reference.h"
#include "winograd_reference.h"

const nn_kernels nn_kernels_reference = {.name = "reference",
                                         .conv = &conv_kernels,
                                         .winograd = &winograd_kernels,
                                         .pair = &pair_kernels,
                                         .point = &point_kernels,
                                         .plane = &plane_kernels,
                                         .vector = &vector_kernels};
