/* memory.h - large pieces of memory. */
#ifndef NN_MEMORY_H
#define NN_MEMORY_H

#include <stddef.h>

/* Zeroed bytes on a cache line's start, in large pages where the system has them; to be freed with free(). NULL where
 * there is not enough. */
void *nn_memory_new(size_t bytes);

#endif
