/* allocator.h - the program's memory allocator, which refuses when it is told to and knows what was not given back.
 *
 * A test program that is linked with allocator.c has these malloc, calloc, realloc, aligned_alloc, posix_memalign, strdup,
 * strndup and free instead of the system's, and shared libraries use them too. Watched, between a start and a stop, are
 * the calls that the project's code makes, and those that cJSON, inih, zlib and the C library make on its behalf (among
 * these fopen, opendir, open_memstream, asprintf), in every thread. OpenMP, OpenBLAS and cmocka always get what they ask
 * for. A thread that the project wants to start counts as an allocation. */
#ifndef TEST_ALLOCATOR_H
#define TEST_ALLOCATOR_H

#include <stdbool.h>

typedef struct allocator_plan {
    int refused; /* the watched call that fails, from 1; 0: none */
    bool onward; /* and all that follow it */
} allocator_plan;

typedef struct allocator_record {
    int calls;   /* watched */
    int refused; /* of them */
    int live;    /* watched pointers that were not freed */
    int needed; /* of those: not by the C library, which can do without some memory (a stream's buffer), nor to
                     * make a block smaller */
    void *caller; /* of the first refused call: an address, for a message */
} allocator_record;

void allocator_start(allocator_plan plan);
allocator_record allocator_stop(void);

#endif
