/* dispatch.c - which kernel table this process uses, and the size of its thread team. */
#include <cblas.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "kernels.h"

extern const nn_kernels nn_kernels_avx512, nn_kernels_avx2, nn_kernels_generic, nn_kernels_reference;

static const nn_kernels *active;
static int team;

/* Fastest first: the first one that the processor runs is the default. */
static const nn_kernels *const tables[] = {
#if defined(__x86_64__)
    &nn_kernels_avx512,
    &nn_kernels_avx2,
#endif
    &nn_kernels_generic,
    &nn_kernels_reference,
};
enum { TABLES = sizeof tables / sizeof *tables };

static bool runs_here(const nn_kernels *table) {
#if defined(__x86_64__)
    if (table == &nn_kernels_avx512)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("fma");
    if (table == &nn_kernels_avx2)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
    return table != NULL;
}

const nn_kernels *nn_kernels_named(const char *name) {
    for (int i = 0; i < TABLES; i++)
        if (strcmp(tables[i]->name, name) == 0)
            return runs_here(tables[i]) ? tables[i] : NULL;
    return NULL;
}

const nn_kernels *nn_kernels_active(void) {
    if (!active) {
        const char *forced = getenv("ENTANGLE_ISA");
        const nn_kernels *chosen = forced ? nn_kernels_named(forced) : NULL;
        for (int i = 0; !chosen; i++)
            if (runs_here(tables[i]))
                chosen = tables[i];
        active = chosen;
    }
    return active;
}

void nn_kernels_use(const nn_kernels *kernels) {
    active = kernels;
}

void nn_threads_set(int threads) {
    team = threads > 0 ? threads : omp_get_num_procs();
    omp_set_num_threads(team);
    openblas_set_num_threads(1);
}

int nn_threads(void) {
    if (!team)
        nn_threads_set(0);
    return team;
}

void nn_parallel_ranges(size_t n, nn_range_work *work, void *context) {
    enum { CHUNK = 1 << 14 }; /* 64 KiB: well inside L2, large enough that sharing out costs nothing */
    size_t chunks = (n + CHUNK - 1) / CHUNK;
#pragma omp parallel for schedule(static) if (chunks > 1)
    for (size_t i = 0; i < chunks; i++) {
        size_t first = i * CHUNK;
        work(context, first, n - first < CHUNK ? n - first : CHUNK);
    }
}
