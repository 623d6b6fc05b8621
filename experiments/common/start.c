#include "start.h"

#include <stdlib.h>
#include <unistd.h>

void exp_start(char **argv) {
    if (getenv("GOMP_SPINCOUNT") || getenv("OMP_WAIT_POLICY"))
        return;
    if (setenv("GOMP_SPINCOUNT", "10000", 1) == 0)
        execv("/proc/self/exe", argv); /* where that fails the program goes on as it is */
}
