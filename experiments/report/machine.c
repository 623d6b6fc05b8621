#include "machine.h"

#include <cblas.h>
#include <cjson/cJSON.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <zlib.h>

#include "experiments/common/options.h"
#include "framework/kernels/kernels.h"

/* The value of the first line of `path` that begins with `key`, behind its ':' or '='; "unknown" where there is none. */
static const char *look_up(const char *path, const char *key, char *line, int size) {
    FILE *file = fopen(path, "r");
    char *value = NULL;
    while (file && !value && fgets(line, size, file))
        if (strncmp(line, key, strlen(key)) == 0 && (value = strpbrk(line, ":=")))
            value += 1 + strspn(value + 1, " \t\"");
    if (file)
        fclose(file);
    if (!value)
        return "unknown";
    value[strcspn(value, "\"\n")] = '\0';
    return value;
}

void exp_machine_describe(FILE *file) {
    char line[256];
    struct utsname system;
    fprintf(file, "processor: %s, %ld of them\n", look_up("/proc/cpuinfo", "model name", line, sizeof line),
            sysconf(_SC_NPROCESSORS_ONLN));
    fprintf(file, "memory: %.1f GiB\n",
            (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE) / (1 << 30));
    fprintf(file, "system: %s", look_up("/etc/os-release", "PRETTY_NAME", line, sizeof line));
    if (uname(&system) == 0)
        fprintf(file, ", %s %s, %s", system.sysname, system.release, system.machine);
    fprintf(file, "\nprogram: entangle %s, kernels for %s, compiled by %s %s\n", exp_version,
            nn_kernels_active()->name,
#ifdef __clang__
            "clang",
#else
            "gcc",
#endif
            __VERSION__);
    fprintf(file, "libraries: %s; zlib %s; cJSON %s\n", openblas_get_config(), zlibVersion(),
            cJSON_Version());
}
