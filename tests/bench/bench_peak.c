/* bench_peak.c - the most that this machine's processors can multiply and add in single precision: prints
 * gflops=N for all threads, with the widest vectors that the active kernels use. */
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "framework/kernels/kernels.h"

enum { CHAINS = 12, REPETITIONS = 9 }; /* enough independent sums to hide the latency of one */

/* Runs `rounds` rounds of CHAINS fused multiply-adds; returns how many floats one instruction holds. */
#define DEFINE_SPIN(name, lanes, ...)                                                                        \
    __VA_ARGS__ static int name(long rounds, float *sink) {                                                  \
        typedef float vec __attribute__((vector_size(lanes * 4)));                                           \
        vec sum[CHAINS], x = *sink - (vec){0}, y = x + 1;                                                    \
        for (int c = 0; c < CHAINS; c++)                                                                     \
            sum[c] = x + (float)c;                                                                           \
        for (long r = 0; r < rounds; r++) {                                                                  \
            for (int c = 0; c < CHAINS; c++)                                                                 \
                sum[c] = sum[c] * x + y;                                                                     \
        }                                                                                                    \
        for (int c = 0; c < CHAINS; c++)                                                                     \
            *sink += sum[c][0];                                                                              \
        return lanes;                                                                                        \
    }

#if defined(__x86_64__)
DEFINE_SPIN(spin_avx512, 16, __attribute__((target("avx512f,fma"))))
DEFINE_SPIN(spin_avx2, 8, __attribute__((target("avx2,fma"))))
#endif
DEFINE_SPIN(spin_generic, 4, )

static int spin(const char *isa, long rounds, float *sink) {
#if defined(__x86_64__)
    if (strcmp(isa, "avx512") == 0)
        return spin_avx512(rounds, sink);
    if (strcmp(isa, "avx2") == 0)
        return spin_avx2(rounds, sink);
#endif
    return spin_generic(rounds, sink);
}

int main(void) {
    const long rounds = 4000000;
    const char *isa = nn_kernels_active()->name;
    double best = 0;
    for (int i = 0; i < REPETITIONS; i++) {
        int lanes = 0, threads = 1;
        float total = 0;
        double start = omp_get_wtime();
#pragma omp parallel reduction(+ : total) reduction(max : lanes, threads)
        {
            float sink = 0.5f;
            lanes = spin(isa, rounds, &sink);
            threads = omp_get_num_threads();
            total += sink;
        }
        double rate = 2e-9 * CHAINS * lanes * threads * (double)rounds / (omp_get_wtime() - start);
        if (rate > best && total == total)
            best = rate;
    }
    printf("gflops=%.0f\n", best);
    return 0;
}
