/* threads.h - how many threads the library computes with. */
#ifndef NN_THREADS_H
#define NN_THREADS_H

#include "api.h"

NN_API_BEGIN

/* Sets the team's size for everything that follows (1..256), and OpenBLAS to one thread per caller. Scratch
 * sizes depend on it: set it before graphs are built. 0 means one thread per available processor. */
void nn_threads_set(int threads);

/* The team's size; where none was set, this sets it as by nn_threads_set(0). */
int nn_threads(void);

NN_API_END

#endif
